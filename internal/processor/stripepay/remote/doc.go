// Package remote translates Stripe's subscriptions, invoices and payment methods into the terms of package billing. It
// calls nothing and decides nothing.
package remote
