package stripepay

import (
	"context"

	"github.com/stripe/stripe-go/v76"
)

// OwnReceipts is what an account's newest charges tell of receipts that Stripe mails by itself beside ours. Its setting (Settings,
// Customer emails) cannot be read by API; a charge bears a receipt_number once Stripe has mailed one
// (https://docs.stripe.com/api/charges/object), and of test charges it never does.
type OwnReceipts struct {
	Looked int    // charges of gifts looked at
	Mailed string // the newest one Stripe mailed a receipt of; empty when none was
	Live   bool   // the key is live, so that there can be any
}

// OwnReceipts looks at the newest hundred charges.
func (s *Stripe) OwnReceipts(ctx context.Context, entitySlug string) (OwnReceipts, error) {
	a, err := s.account(entitySlug)
	if err != nil {
		return OwnReceipts{}, err
	}
	params := &stripe.ChargeListParams{}
	params.Context, params.Single = ctx, true
	params.Limit = stripe.Int64(100)
	if err := a.wait(ctx); err != nil {
		return OwnReceipts{}, err
	}
	seen := OwnReceipts{Live: a.keys.Live()}
	list := a.api.Charges.List(params)
	for list.Next() {
		charge := list.Charge()
		if !charge.Paid || charge.Metadata[metaDonation] == "" {
			continue
		}
		seen.Looked++
		if seen.Mailed == "" && charge.ReceiptNumber != "" {
			seen.Mailed = charge.ID
		}
	}
	if err := list.Err(); err != nil {
		return OwnReceipts{}, translate(err)
	}
	return seen, nil
}
