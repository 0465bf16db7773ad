// Package remote translates Stripe's subscriptions, invoices and payment methods into the terms of package billing, those
// terms into parameters of Stripe's calls, our languages into Stripe's, and a refusal into a text. It reads the charge of an
// event. It calls nothing and decides nothing.
package remote
