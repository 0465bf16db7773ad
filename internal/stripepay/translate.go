package stripepay

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stripe/stripe-go/v76"

	"konbit/internal/donation"
	"konbit/internal/money"
)

// event is a stored webhook.
type event struct {
	EntityID   uuid.UUID `db:"entity_id"`
	ID         string    `db:"id"`
	Type       string    `db:"type"`
	APIVersion string    `db:"api_version"`
	Payload    []byte    `db:"payload"`
	Tries      int       `db:"tries"`    // looks that did not finish it; paces the next one
	Failures   int       `db:"failures"` // of those, the ones that failed
}

// news is what an event tells us: at most one of its parts. None: nothing for us to do.
type news struct {
	charge *donation.Charge // a charge succeeded
	mark   *donation.Mark   // a gift is on its way, failed or ran out
	// A payment succeeded, so the charge must be there or come; if it doesn't, it is to be fetched.
	expect *expectation
}

type expectation struct {
	donation      uuid.UUID // uuid.Nil when it names no gift of ours
	paymentIntent string
	charge        string // known instead of the payment intent when an event of another version told of a charge
}

// translateEvent reads an event. Of another API version only ids are believed; the object is fetched.
func translateEvent(e event) (news, error) {
	var envelope struct {
		Data struct {
			Object json.RawMessage `json:"object"`
		} `json:"data"`
	}
	if err := json.Unmarshal(e.Payload, &envelope); err != nil {
		return news{}, fmt.Errorf("not an event: %w", err)
	}
	object := envelope.Data.Object
	switch e.Type {
	case "charge.succeeded":
		return chargeNews(e, object)
	case "payment_intent.succeeded":
		var intent stripe.PaymentIntent
		if err := json.Unmarshal(object, &intent); err != nil {
			return news{}, err
		}
		return news{expect: &expectation{donation: giftID(intent.Metadata), paymentIntent: intent.ID}}, nil
	case "checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed", "checkout.session.expired":
		return sessionNews(e, object)
	default:
		return news{}, nil
	}
}

func chargeNews(e event, object json.RawMessage) (news, error) {
	var charge stripe.Charge
	if err := json.Unmarshal(object, &charge); err != nil {
		return news{}, err
	}
	if e.APIVersion != stripe.APIVersion {
		return news{expect: &expectation{donation: giftID(charge.Metadata), charge: charge.ID}}, nil
	}
	c, err := chargeOf(e.EntityID, &charge, e.ID)
	return news{charge: c}, err
}

// chargeOf translates a charge; nil when it took no money (yet).
func chargeOf(entity uuid.UUID, c *stripe.Charge, cause string) (*donation.Charge, error) {
	if c.Status != stripe.ChargeStatusSucceeded || !c.Paid || !c.Captured {
		return nil, nil
	}
	currency := money.Currency(strings.ToUpper(string(c.Currency)))
	if c.ID == "" || c.AmountCaptured <= 0 || !currency.Valid() || c.Created <= 0 {
		return nil, fmt.Errorf("charge %q lacks its amount, currency or date", c.ID)
	}
	charge := &donation.Charge{
		EntityID: entity, ID: c.ID, DonationID: giftID(c.Metadata), Amount: money.New(c.AmountCaptured, currency),
		At: time.Unix(c.Created, 0).UTC(), Cause: cause,
	}
	if c.PaymentIntent != nil {
		charge.PaymentIntentID = c.PaymentIntent.ID
	}
	return charge, nil
}

func sessionNews(e event, object json.RawMessage) (news, error) {
	var session stripe.CheckoutSession
	if err := json.Unmarshal(object, &session); err != nil {
		return news{}, err
	}
	gift := giftID(session.Metadata)
	if gift == uuid.Nil {
		return news{}, nil // not one of ours; its charge, if any, tells the rest
	}
	mark := &donation.Mark{DonationID: gift, EntityID: e.EntityID, Cause: e.ID}
	switch {
	case e.Type == "checkout.session.expired":
		mark.To = donation.Expired
	case e.Type == "checkout.session.async_payment_failed":
		mark.To = donation.Failed
	case session.PaymentStatus == stripe.CheckoutSessionPaymentStatusPaid && session.PaymentIntent != nil:
		return news{expect: &expectation{donation: gift, paymentIntent: session.PaymentIntent.ID}}, nil
	default:
		mark.To = donation.Processing
	}
	return news{mark: mark}, nil
}

// giftID reads the gift's id from an object's metadata; uuid.Nil when there is none of ours.
func giftID(metadata map[string]string) uuid.UUID {
	id, err := uuid.Parse(metadata[metaDonation])
	if err != nil {
		return uuid.Nil
	}
	return id
}
