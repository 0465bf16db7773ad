// Package hooks is the area of addresses that other companies' servers call: Stripe's webhooks. It verifies the
// signature, stores the event and answers 200 after the commit. Everything else happens later, in the worker that
// reads the stored events.
package hooks
