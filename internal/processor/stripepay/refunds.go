package stripepay

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/platform/money"
	"konbit/internal/processor/refundcall"
	"konbit/internal/processor/stripepay/remote"
)

// metaRefund is the key of metadata under which a refund has the id of the order that asked for it.
const metaRefund = metaPrefix + "refund"

// CreateRefund is part of refund.Processor. It returns a RefusedError if Stripe made no refund and repeats why, and
// ErrKeySpent if Stripe repeats that it failed; after any other error the same request may be made again.
func (s *Stripe) CreateRefund(ctx context.Context, r refundcall.Request) (refundcall.Refund, error) {
	a, err := s.account(r.Entity)
	if err != nil {
		return refundcall.Refund{}, err
	}
	params := &stripe.RefundParams{Charge: stripe.String(r.Charge), Amount: stripe.Int64(r.Amount.Minor), Reason: stripe.String(string(r.Reason))}
	params.AddMetadata(metaRefund, r.Order.String())
	params.Context = ctx
	params.SetIdempotencyKey(r.Key)
	made, err := a.api.Refunds.New(params)
	if err != nil {
		return refundcall.Refund{}, translateRefundError(err)
	}
	return refundOf(made), nil
}

// translateRefundError separates what Stripe says for good from what may change. A failure that Stripe stored (500) is
// repeated for a day: then the header says so. An answer 502 to 504 may come from a proxy while the request goes on.
func translateRefundError(err error) error {
	var refused *stripe.Error
	if !errors.As(err, &refused) {
		return translate(err)
	}
	switch code := refused.HTTPStatusCode; {
	case refused.Type == stripe.ErrorTypeIdempotency && code == http.StatusBadRequest:
		return refundcall.ErrKeySpent
	case code >= 500 && refused.LastResponse != nil && refused.LastResponse.Header.Get("Idempotent-Replayed") == "true":
		return refundcall.ErrKeySpent
	case code >= 500, isRetryable(refused), code == http.StatusUnauthorized, code == http.StatusForbidden:
		return translate(err)
	}
	return refundcall.RefusedError{Code: cmp.Or(string(refused.Code), remote.Refusal(refused))}
}

// RefundsOf is part of refund.Processor. It lists the refunds of a charge, newest first.
func (s *Stripe) RefundsOf(ctx context.Context, entitySlug, charge string) ([]refundcall.Refund, error) {
	a, err := s.account(entitySlug)
	if err != nil {
		return nil, err
	}
	params := &stripe.RefundListParams{Charge: stripe.String(charge)}
	params.Context = ctx
	params.Limit = stripe.Int64(100)
	list := a.api.Refunds.List(params)
	var found []refundcall.Refund
	for list.Next() {
		found = append(found, refundOf(list.Refund()))
	}
	if err := list.Err(); err != nil {
		return nil, translate(err)
	}
	return found, nil
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
		ID: r.ID, Order: r.Metadata[metaRefund], Amount: money.New(r.Amount, money.Currency(strings.ToUpper(string(r.Currency)))), Status: status,
		Problem: string(r.FailureReason), Debited: r.BalanceTransaction != nil,
	}
}
