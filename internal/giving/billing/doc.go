// Package billing declares what plans need from a payment processor (Subscriptions), and the states that it reports:
// subscriptions, invoices, cards and decline codes.
//
// It decides nothing about plans: package recurring does. Package stripepay implements Subscriptions for Stripe; a
// second processor implements it too.
package billing
