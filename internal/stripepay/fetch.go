package stripepay

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stripe/stripe-go/v76"

	"konbit/internal/donation"
	"konbit/internal/fault"
	"konbit/internal/money"
	"konbit/internal/org"
	"konbit/internal/payout"
)

// fetchCharge reads the charge an expectation names with the pinned version; nil when it took no money (yet).
func (s *Stripe) fetchCharge(ctx context.Context, entityID uuid.UUID, entitySlug string, want expectation, cause string) (*donation.Charge, error) {
	a, err := s.account(entitySlug)
	if err != nil {
		return nil, err
	}
	if err := a.limit.Wait(ctx); err != nil {
		return nil, fault.Wrap(fault.Unavailable, "problem.503.text", err)
	}
	var charge *stripe.Charge
	if want.charge != "" {
		params := &stripe.ChargeParams{}
		params.Context = ctx
		charge, err = a.api.Charges.Get(want.charge, params)
	} else {
		params := &stripe.PaymentIntentParams{}
		params.Context = ctx
		params.AddExpand("latest_charge")
		var intent *stripe.PaymentIntent
		if intent, err = a.api.PaymentIntents.Get(want.paymentIntent, params); err == nil {
			charge = intent.LatestCharge
		}
	}
	if err != nil {
		return nil, translate(err)
	}
	if charge == nil {
		return nil, nil
	}
	return chargeOf(entityID, charge, cause)
}

// Transactions lists an entity's balance transactions made since, newest first, a hundred a call.
func (s *Stripe) Transactions(ctx context.Context, entity org.LegalEntity, since time.Time, page func([]payout.Transaction) error) error {
	a, err := s.account(entity.Slug)
	if err != nil {
		return err
	}
	last := ""
	for {
		params := &stripe.BalanceTransactionListParams{CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: since.Unix()}}
		params.Context, params.Single = ctx, true
		params.Limit = stripe.Int64(100)
		if last != "" {
			params.StartingAfter = stripe.String(last)
		}
		if err := a.limit.Wait(ctx); err != nil {
			return fault.Wrap(fault.Unavailable, "problem.503.text", err)
		}
		list := a.api.BalanceTransactions.List(params)
		var listed []payout.Transaction
		for list.Next() {
			listed = append(listed, transactionOf(list.BalanceTransaction()))
		}
		if err := list.Err(); err != nil {
			return translate(err)
		}
		if len(listed) == 0 {
			return nil
		}
		if err := page(listed); err != nil {
			return err
		}
		if !list.Meta().HasMore {
			return nil
		}
		last = listed[len(listed)-1].ID
	}
}

func transactionOf(t *stripe.BalanceTransaction) payout.Transaction {
	transaction := payout.Transaction{
		ID: t.ID, Type: string(t.Type), Amount: t.Amount, Fee: t.Fee, Net: t.Net,
		Currency:  money.Currency(strings.ToUpper(string(t.Currency))),
		CreatedAt: time.Unix(t.Created, 0).UTC(), AvailableOn: time.Unix(t.AvailableOn, 0).UTC(),
	}
	if t.Source != nil {
		transaction.SourceID = t.Source.ID
	}
	return transaction
}
