// Package payouts is the area of the office with the pages of payouts: what Stripe sent to the bank, down to gifts and funds, and the
// comparison with Stripe's own report. They are the legal entity's: a project has none.
package payouts
