package stripepay

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/books/org"
	"konbit/internal/platform/money"
	"konbit/internal/processor/payout"
	"konbit/internal/processor/stripebalance"
	"konbit/internal/processor/stripepay/turns"
)

// Payout is part of stripebalance.Source. It returns nil if Stripe does not have the payout any more.
func (s *Stripe) Payout(ctx context.Context, entity org.LegalEntity, id string) (*payout.Payout, error) {
	ctx = turns.With(ctx, turns.Import)
	a, err := s.account(entity.Slug)
	if err != nil {
		return nil, err
	}
	params := &stripe.PayoutParams{}
	params.Context = ctx
	read, err := a.api.Payouts.Get(id, params)
	if refused := (*stripe.Error)(nil); errors.As(err, &refused) && refused.HTTPStatusCode == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, translate(err)
	}
	return payoutOf(read), nil
}

// payoutOf translates a payout. Stripe's arrival_date is a day, as seconds at midnight UTC.
func payoutOf(p *stripe.Payout) *payout.Payout {
	kind := payout.Manual
	switch {
	case p.Automatic:
		kind = payout.Automatic
	case p.Method == stripe.PayoutMethodInstant:
		kind = payout.Instant
	}
	return &payout.Payout{
		Ref: p.ID, Kind: kind, Amount: p.Amount, Currency: money.Currency(strings.ToUpper(string(p.Currency))),
		ArrivalOn: time.Unix(p.ArrivalDate, 0).UTC(), Status: payout.Status(p.Status), Descriptor: p.StatementDescriptor,
		CreatedAt: time.Unix(p.Created, 0).UTC(),
	}
}

// Members is part of stripebalance.Source.
func (s *Stripe) Members(ctx context.Context, entity org.LegalEntity, payoutID string) ([]stripebalance.Member, error) {
	ctx = turns.With(ctx, turns.Import)
	a, err := s.account(entity.Slug)
	if err != nil {
		return nil, err
	}
	params := &stripe.BalanceTransactionListParams{Payout: stripe.String(payoutID)}
	params.Context = ctx
	params.Limit = stripe.Int64(100)
	var members []stripebalance.Member
	list := a.api.BalanceTransactions.List(params)
	for list.Next() {
		if t := list.BalanceTransaction(); t.Type != stripe.BalanceTransactionTypePayout {
			members = append(members, stripebalance.Member{ID: t.ID, CreatedAt: time.Unix(t.Created, 0).UTC()})
		}
	}
	if err := list.Err(); err != nil {
		return nil, translate(err)
	}
	return members, nil
}
