package checkout

import (
	"time"

	"github.com/google/uuid"

	"konbit/internal/giving/donation"
)

// Checkout is a checkout's row.
type Checkout struct {
	DonationID uuid.UUID `db:"donation_id"`
	FormID     uuid.UUID `db:"form_id"`
	FormHash   []byte    `db:"form_hash"` // donation.Request.Hash
	Try        int       `db:"try"`       // part of the idempotency key; see Order
	SessionID  *string   `db:"session_id"`
	SessionURL *string   `db:"session_url"`
	ExpiresAt  time.Time `db:"expires_at"` // of the payment page
}

// Gift is a donation begun on our form.
type Gift struct {
	donation.Donation
	Checkout
}

const (
	// sessionLifetime is how long a payment page can be paid. Stripe's minimum is 30 minutes, and Stripe recommends a
	// short lifetime against card testing. The other five minutes allow for a slow start.
	sessionLifetime = 35 * time.Minute
	// maxCreateDelay is how long after the row's creation a session may still be created with its expiry at least 30
	// minutes away.
	maxCreateDelay = 4 * time.Minute
)

// payable reports whether the gift's payment page can still be used, or still be created.
func (g Gift) payable(now time.Time) bool {
	if g.Status != donation.Started {
		return false
	}
	if g.SessionID == nil {
		return now.Before(g.CreatedAt.Add(maxCreateDelay))
	}
	return now.Before(g.ExpiresAt)
}
