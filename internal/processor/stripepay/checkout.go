package stripepay

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/books/org"
	"konbit/internal/giving/checkout"
	"konbit/internal/platform/fault"
	"konbit/internal/processor/stripepay/remote"
	"konbit/internal/processor/stripepay/turns"
)

// Names of our metadata on Stripe's objects. Stripe holds them: they never change.
const (
	metaPrefix       = "konbit_"
	metaDonation     = "konbit_donation"
	metaOrganisation = "konbit_organisation"
	metaMigration    = "konbit_move" // the request by which a plan moved to another customer
	metaInvoice      = "konbit_bill" // the void invoice that a payment of ours pays instead
)

const (
	// maxBrokenCalls is the number of failed calls to Stripe after which the donor must try later.
	maxBrokenCalls = 3
	// maxSessionAge is longer than a session can be paid, with an allowance for a wrong clock of ours.
	maxSessionAge = 2 * time.Hour
)

// Create is part of checkout.Sessions. The idempotency key is made of the donation's id and the try, so any number of
// calls creates one session. What happens after a failed call, while ctx lasts:
//
//	no answer, or 5xx from Stripe           repeated with the same key, at most maxBrokenCalls times
//	too many calls, or the key is in use    repeated with the same key
//	5xx that Stripe stored under the key    the error for a spent key (https://docs.stripe.com/api/idempotent_requests)
//	the key was used for other parameters   the same: a fund was renamed since the first call
//	a refusal that names a donor's field    fault.Invalid with that field of the form
//	any other refusal                       reported: a defect of ours
func (s *Stripe) Create(ctx context.Context, o checkout.Order) (checkout.Session, error) {
	ctx = turns.With(ctx, turns.Gift)
	a, err := s.account(o.EntitySlug)
	if err != nil {
		return checkout.Session{}, err
	}
	wait := 100 * time.Millisecond
	for broken := 0; ; {
		params := sessionParams(o)
		params.Context = ctx
		session, err := a.api.CheckoutSessions.New(params)
		if err == nil {
			return s.checkoutSession(session)
		}
		var refused *stripe.Error
		switch {
		case !errors.As(err, &refused), refused.HTTPStatusCode >= 500 && !isReplayed(refused):
			if broken++; broken == maxBrokenCalls {
				return checkout.Session{}, translate(err)
			}
		case isRetryable(refused): // before the next case: a key in use (409) has the type of an idempotency error too
		case refused.HTTPStatusCode >= 500, refused.Type == stripe.ErrorTypeIdempotency:
			return checkout.Session{}, fmt.Errorf("%w: %w", checkout.ErrTryUsed, translate(err))
		default:
			return checkout.Session{}, translateDonorField(refused)
		}
		select {
		case <-ctx.Done():
			return checkout.Session{}, translate(err)
		case <-time.After(wait):
			wait *= 2
		}
	}
}

// donorFields are the parameters of a session whose value a donor typed, with the field of the form and the phrase that
// asks to correct it.
var donorFields = map[string]fault.Field{
	"customer_email":                         {Name: "email", Phrase: "give.error.email.refused"},
	"payment_intent_data[receipt_email]":     {Name: "email", Phrase: "give.error.email.refused"},
	"line_items[0][price_data][unit_amount]": {Name: "amount", Phrase: "give.error.amount.refused"},
}

// donorCodes are the codes of refusals that are always about a value that a donor typed, for any parameter
// (https://docs.stripe.com/error-codes).
var donorCodes = map[stripe.ErrorCode]fault.Field{
	stripe.ErrorCodeEmailInvalid:   {Name: "email", Phrase: "give.error.email.refused"},
	stripe.ErrorCodeAmountTooSmall: {Name: "amount", Phrase: "give.error.amount.refused"},
	stripe.ErrorCodeAmountTooLarge: {Name: "amount", Phrase: "give.error.amount.refused"},
}

// translateDonorField returns fault.Invalid with the field of the form that Stripe refused, else what translate
// returns.
func translateDonorField(refused *stripe.Error) error {
	for _, field := range []fault.Field{donorFields[refused.Param], donorCodes[refused.Code]} {
		if field.Name != "" {
			return fault.Fields([]fault.Field{field})
		}
	}
	return translate(refused)
}

// isReplayed reports whether Stripe stored the answer at an earlier call with the same key.
func isReplayed(e *stripe.Error) bool {
	return e.LastResponse != nil && e.LastResponse.Header.Get("Idempotent-Replayed") == "true"
}

func sessionParams(o checkout.Order) *stripe.CheckoutSessionParams {
	metadata := map[string]string{metaDonation: o.DonationID.String(), metaOrganisation: o.OrgSlug}
	params := &stripe.CheckoutSessionParams{
		ClientReferenceID: stripe.String(o.DonationID.String()),
		Locale:            stripe.String(remote.Locale(o.Language)),
		ExpiresAt:         stripe.Int64(o.ExpiresAt.Unix()),
		SuccessURL:        stripe.String(o.SuccessURL),
		CancelURL:         stripe.String(o.BackURL),
		LineItems:         lineItems(o.Lines, o.Frequency),
	}
	// A session's metadata is not copied to what it creates, and charge.succeeded may come first.
	if o.Frequency == org.Once {
		params.Mode, params.SubmitType = stripe.String(string(stripe.CheckoutSessionModePayment)), stripe.String(string(stripe.CheckoutSessionSubmitTypeDonate))
		params.PaymentIntentData = &stripe.CheckoutSessionPaymentIntentDataParams{Metadata: metadata}
	} else {
		params.Mode = stripe.String(string(stripe.CheckoutSessionModeSubscription))
		params.SubscriptionData = &stripe.CheckoutSessionSubscriptionDataParams{Metadata: metadata}
		schedule := &stripe.CheckoutSessionCustomTextSubmitParams{Message: stripe.String(o.ScheduleText)}
		params.CustomText = &stripe.CheckoutSessionCustomTextParams{Submit: schedule}
	}
	// Stripe's page shows a customer's cards. The order names a customer only if the donor is signed in as that one.
	if o.Customer != "" {
		params.Customer = stripe.String(o.Customer)
	} else {
		params.CustomerEmail = stripe.String(o.Email)
	}
	params.Metadata = metadata
	params.SetIdempotencyKey(fmt.Sprintf("checkout:%s:%d", o.DonationID, o.Try))
	return params
}

func lineItems(lines []checkout.OrderLine, frequency org.Frequency) []*stripe.CheckoutSessionLineItemParams {
	items := make([]*stripe.CheckoutSessionLineItemParams, len(lines))
	for i, l := range lines {
		product := &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: stripe.String(l.Title)}
		if l.Description != "" {
			product.Description = stripe.String(l.Description)
		}
		items[i] = &stripe.CheckoutSessionLineItemParams{
			Quantity: stripe.Int64(1),
			PriceData: &stripe.CheckoutSessionLineItemPriceDataParams{
				Currency:    stripe.String(strings.ToLower(string(l.Amount.Currency))),
				UnitAmount:  stripe.Int64(l.Amount.Minor),
				ProductData: product,
			},
		}
		if frequency != org.Once {
			interval, count := remote.Interval(frequency)
			items[i].PriceData.Recurring = &stripe.CheckoutSessionLineItemPriceDataRecurringParams{
				Interval: stripe.String(interval), IntervalCount: stripe.Int64(count),
			}
		}
	}
	return items
}

// checkoutSession returns a session of Stripe. It reports an error if its address is not on a host of payment pages.
func (s *Stripe) checkoutSession(session *stripe.CheckoutSession) (checkout.Session, error) {
	address, err := url.Parse(session.URL)
	if err != nil || address.Scheme != s.scheme || address.User != nil || !slices.Contains(s.pages, address.Host) {
		return checkout.Session{}, fmt.Errorf("stripe: session %s is at an unexpected address", session.ID)
	}
	return checkout.Session{ID: session.ID, URL: session.URL}, nil
}

// Find is part of checkout.Sessions. It searches all open sessions that were created since the order could have been.
func (s *Stripe) Find(ctx context.Context, o checkout.Order) (*checkout.Session, error) {
	ctx = turns.With(ctx, turns.Gift)
	a, err := s.account(o.EntitySlug)
	if err != nil {
		return nil, err
	}
	params := &stripe.CheckoutSessionListParams{
		Status:       stripe.String(string(stripe.CheckoutSessionStatusOpen)),
		CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: o.ExpiresAt.Add(-maxSessionAge).Unix()},
	}
	params.Context = ctx
	params.Limit = stripe.Int64(100)
	list := a.api.CheckoutSessions.List(params)
	for list.Next() {
		if session := list.CheckoutSession(); session.ClientReferenceID == o.DonationID.String() {
			found, err := s.checkoutSession(session)
			return &found, err
		}
	}
	if err := list.Err(); err != nil {
		return nil, translate(err)
	}
	return nil, nil
}

// Expire is part of checkout.Sessions. It returns false if the session is paid, and true if it had expired already.
func (s *Stripe) Expire(ctx context.Context, entitySlug, sessionID string) (bool, error) {
	ctx = turns.With(ctx, turns.Gift)
	a, err := s.account(entitySlug)
	if err != nil {
		return false, err
	}
	expire := &stripe.CheckoutSessionExpireParams{}
	expire.Context = ctx
	if _, err = a.api.CheckoutSessions.Expire(sessionID, expire); err == nil {
		return true, nil
	}
	get := &stripe.CheckoutSessionParams{}
	get.Context = ctx
	session, getErr := a.api.CheckoutSessions.Get(sessionID, get)
	switch {
	case getErr != nil:
		return false, translate(getErr)
	case session.Status == stripe.CheckoutSessionStatusExpired:
		return true, nil
	case session.Status == stripe.CheckoutSessionStatusComplete:
		return false, nil
	default:
		return false, translate(err)
	}
}
