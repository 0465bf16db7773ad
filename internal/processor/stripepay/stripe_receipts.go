package stripepay

import (
	"context"

	"github.com/stripe/stripe-go/v76"
)

// OwnReceipts is what an account's newest charges tell of receipts that Stripe mails by itself beside ours. Its setting (Settings,
// Customer emails) cannot be read by API; a charge bears a receipt_number once Stripe has mailed one
// (https://docs.stripe.com/api/charges/object), and of test charges it never does.
type StripeReceipts struct {
	Checked    int    // charges of gifts looked at
	LastMailed string // the newest one Stripe mailed a receipt of; empty when none was
	Live       bool   // the key is live, so that there can be any
}

// OwnReceipts looks at the newest hundred charges.
func (s *Stripe) StripeReceipts(ctx context.Context, entitySlug string) (StripeReceipts, error) {
	a, err := s.account(entitySlug)
	if err != nil {
		return StripeReceipts{}, err
	}
	params := &stripe.ChargeListParams{}
	params.Context, params.Single = ctx, true
	params.Limit = stripe.Int64(100)
	if err := a.waitTurn(ctx); err != nil {
		return StripeReceipts{}, err
	}
	seen := StripeReceipts{Live: a.keys.Live()}
	list := a.api.Charges.List(params)
	for list.Next() {
		charge := list.Charge()
		if !charge.Paid || charge.Metadata[metaDonation] == "" {
			continue
		}
		seen.Checked++
		if seen.LastMailed == "" && charge.ReceiptNumber != "" {
			seen.LastMailed = charge.ID
		}
	}
	if err := list.Err(); err != nil {
		return StripeReceipts{}, translate(err)
	}
	return seen, nil
}
