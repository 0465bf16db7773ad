// Package refunds makes refunds at Stripe: those that staff ordered, and those of payments that a plan did not
// accept. It is a part of the adapter of package stripepay, and decides nothing.
package refunds

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"

	"konbit/internal/platform/money"
	"konbit/internal/processor/refundcall"
	"konbit/internal/processor/stripepay/remote"
)

// Metadata is the key of metadata under which a refund has the id of the order that asked for it.
const Metadata = "konbit_refund"

// Client implements refund.Processor.
type Client struct {
	API       func(entitySlug string) (*client.API, error)
	Translate func(error) error // of a call that failed, into an error of this program
}

// CreateRefund is part of refund.Processor. It returns a RefusedError if Stripe made no refund and repeats why, and
// ErrKeySpent if Stripe repeats that it failed; after any other error the same request may be made again.
func (c Client) CreateRefund(ctx context.Context, r refundcall.Request) (refundcall.Refund, error) {
	api, err := c.API(r.Entity)
	if err != nil {
		return refundcall.Refund{}, err
	}
	params := &stripe.RefundParams{Charge: stripe.String(r.Charge), Amount: stripe.Int64(r.Amount.Minor), Reason: stripe.String(string(r.Reason))}
	params.AddMetadata(Metadata, r.Order.String())
	params.Context = ctx
	params.SetIdempotencyKey(r.Key)
	made, err := api.Refunds.New(params)
	if err != nil {
		return refundcall.Refund{}, c.translate(err)
	}
	return refundOf(made), nil
}

// translate separates what Stripe says for good from what may change. A failure that Stripe stored (500) is
// repeated for a day: then the header says so. An answer 502 to 504 may come from a proxy while the request goes on.
func (c Client) translate(err error) error {
	var refused *stripe.Error
	if !errors.As(err, &refused) {
		return c.Translate(err)
	}
	switch code := refused.HTTPStatusCode; {
	case refused.Type == stripe.ErrorTypeIdempotency && code == http.StatusBadRequest:
		return refundcall.ErrKeySpent
	case code >= 500 && refused.LastResponse != nil && refused.LastResponse.Header.Get("Idempotent-Replayed") == "true":
		return refundcall.ErrKeySpent
	case code >= 500, code == http.StatusConflict, code == http.StatusTooManyRequests,
		code == http.StatusUnauthorized, code == http.StatusForbidden:
		return c.Translate(err)
	}
	return refundcall.RefusedError{Code: cmp.Or(string(refused.Code), remote.Refusal(refused))}
}

// RefundsOf is part of refund.Processor. It lists the refunds of a charge, newest first.
func (c Client) RefundsOf(ctx context.Context, entitySlug, charge string) ([]refundcall.Refund, error) {
	api, err := c.API(entitySlug)
	if err != nil {
		return nil, err
	}
	params := &stripe.RefundListParams{Charge: stripe.String(charge)}
	params.Context = ctx
	params.Limit = stripe.Int64(100)
	list := api.Refunds.List(params)
	var found []refundcall.Refund
	for list.Next() {
		found = append(found, refundOf(list.Refund()))
	}
	if err := list.Err(); err != nil {
		return nil, c.Translate(err)
	}
	return found, nil
}

// CardOf is part of refund.Processor.
func (c Client) CardOf(ctx context.Context, entitySlug, charge string) (refundcall.Card, error) {
	api, err := c.API(entitySlug)
	if err != nil {
		return refundcall.Card{}, err
	}
	params := &stripe.ChargeParams{}
	params.Context = ctx
	paid, err := api.Charges.Get(charge, params)
	if err != nil {
		return refundcall.Card{}, c.Translate(err)
	}
	if paid.PaymentMethodDetails == nil || paid.PaymentMethodDetails.Card == nil {
		return refundcall.Card{}, nil
	}
	card := paid.PaymentMethodDetails.Card
	return refundcall.Card{Brand: string(card.Brand), Last4: card.Last4}, nil
}

// mostCharges is how many charges ChargesOfCard returns at most.
const mostCharges = 500

// ChargesOfCard returns the ids of the charges that a card with these last four digits paid from a time on and before another (both
// zero: at any time), newest first, and whether there are more than mostCharges. Stripe's index may lack the charges of the last minute
// (https://docs.stripe.com/search).
func (c Client) ChargesOfCard(ctx context.Context, entitySlug, last4 string, from, until time.Time) (ids []string, more bool, err error) {
	api, err := c.API(entitySlug)
	if err != nil {
		return nil, false, err
	}
	params := &stripe.ChargeSearchParams{}
	params.Context = ctx
	params.Query = `payment_method_details.card.last4:"` + last4 + `"`
	if !from.IsZero() {
		params.Query += fmt.Sprintf(" AND created>=%d AND created<%d", from.Unix(), until.Unix())
	}
	params.Limit = stripe.Int64(100)
	found := api.Charges.Search(params)
	for found.Next() {
		if len(ids) == mostCharges {
			return ids, true, nil
		}
		ids = append(ids, found.Charge().ID)
	}
	if err := found.Err(); err != nil {
		return nil, false, c.Translate(err)
	}
	return ids, false, nil
}

func refundOf(r *stripe.Refund) refundcall.Refund {
	status := refundcall.Pending // also requires_action
	switch r.Status {
	case stripe.RefundStatusSucceeded:
		status = refundcall.Succeeded
	case stripe.RefundStatusFailed, stripe.RefundStatusCanceled:
		status = refundcall.Failed
	}
	return refundcall.Refund{
		ID: r.ID, Order: r.Metadata[Metadata], Amount: money.New(r.Amount, money.Currency(strings.ToUpper(string(r.Currency)))), Status: status,
		Problem: string(r.FailureReason), Debited: r.BalanceTransaction != nil,
	}
}

// Whole refunds a whole charge that nobody ordered to refund: its plan did not accept it. It does nothing if a part was
// refunded already. It returns a RefusedError if Stripe made no refund and repeats why.
func (c Client) Whole(ctx context.Context, entitySlug, charge, key string) error {
	api, err := c.API(entitySlug)
	if err != nil {
		return err
	}
	get := &stripe.ChargeParams{}
	get.Context = ctx
	ch, err := api.Charges.Get(charge, get)
	if err != nil {
		return c.Translate(err)
	}
	if ch.Refunded || ch.AmountRefunded > 0 {
		return nil
	}
	params := &stripe.RefundParams{Charge: stripe.String(charge)}
	params.Context = ctx
	params.SetIdempotencyKey(key)
	if _, err := api.Refunds.New(params); err != nil {
		return c.translate(err)
	}
	return nil
}
