package donor

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Consent is a donor's decision about a kind of email.
type Consent struct {
	Kind  string    `db:"kind" json:"letters"`
	Given bool      `db:"given" json:"wished"`
	At    time.Time `db:"at" json:"at"`
	By    string    `db:"by" json:"by"`
}

// Consents returns all decisions of a donor about emails, oldest first. What was chosen on a form is stored with its
// donation.
func Consents(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (all []Consent, err error) {
	const query = `/* donor.Consents */ SELECT kind, given, at, by FROM donor_consent WHERE donor_id = $1 ORDER BY n`
	err = sqlx.SelectContext(ctx, q, &all, query, id)
	return all, err
}

// Dates are the dates of a donor's row.
type Dates struct {
	Known      time.Time  `db:"created_at" json:"known_since"`
	FirstGift  *time.Time `db:"first_gift_at" json:"first_gift,omitempty"`
	ProfileSet *time.Time `db:"said_at" json:"said_who_they_are,omitempty"`
}

// DatesOf returns a donor's dates.
func DatesOf(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (t Dates, err error) {
	const query = `/* donor.DatesOf */ SELECT created_at, first_gift_at, said_at FROM donor WHERE id = $1`
	err = sqlx.GetContext(ctx, q, &t, query, id)
	return t, err
}
