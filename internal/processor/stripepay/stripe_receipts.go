package stripepay

import (
	"context"

	"github.com/stripe/stripe-go/v76"
)

// StripeReceipts says whether Stripe itself emails receipts beside ours, judged by an account's newest charges. The
// setting (Settings, Customer emails) cannot be read by API. A charge has a receipt_number once Stripe has emailed a
// receipt for it (https://docs.stripe.com/api/charges/object); Stripe never does for a test charge.
type StripeReceipts struct {
	Checked    int    // number of charges of donations that were read
	LastMailed string // the newest of them with a receipt from Stripe; empty if there is none
	Live       bool   // the key is live, so there can be receipts
}

// StripeReceipts reads the newest hundred charges.
func (s *Stripe) StripeReceipts(ctx context.Context, entitySlug string) (StripeReceipts, error) {
	a, err := s.account(entitySlug)
	if err != nil {
		return StripeReceipts{}, err
	}
	params := &stripe.ChargeListParams{}
	params.Context, params.Single = ctx, true
	params.Limit = stripe.Int64(100)
	receipts := StripeReceipts{Live: a.keys.Live()}
	list := a.api.Charges.List(params)
	for list.Next() {
		charge := list.Charge()
		if !charge.Paid || charge.Metadata[metaDonation] == "" {
			continue
		}
		receipts.Checked++
		if receipts.LastMailed == "" && charge.ReceiptNumber != "" {
			receipts.LastMailed = charge.ID
		}
	}
	if err := list.Err(); err != nil {
		return StripeReceipts{}, translate(err)
	}
	return receipts, nil
}
