// Package remote translates Stripe's subscriptions, invoices and payment methods into the terms of package billing, those
// terms into parameters of Stripe's calls, and our languages into Stripe's. It calls nothing and decides nothing.
package remote
