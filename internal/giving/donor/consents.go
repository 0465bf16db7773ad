package donor

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Consent is a donor's word on a kind of letters: wished for, or no longer.
type Consent struct {
	Kind  string    `db:"kind" json:"letters"`
	Given bool      `db:"given" json:"wished"`
	At    time.Time `db:"at" json:"at"`
	By    string    `db:"by" json:"by"`
}

// Consents are all words of a donor on letters, oldest first. What forms asked for stands with their gifts.
func Consents(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (all []Consent, err error) {
	const query = `/* donor.Consents */ SELECT kind, given, at, by FROM donor_consent WHERE donor_id = $1 ORDER BY n`
	err = sqlx.SelectContext(ctx, q, &all, query, id)
	return all, err
}

// Times are what the row of a donor tells of when.
type Dates struct {
	Known      time.Time  `db:"created_at" json:"known_since"`
	FirstGift  *time.Time `db:"first_gift_at" json:"first_gift,omitempty"`
	ProfileSet *time.Time `db:"said_at" json:"said_who_they_are,omitempty"`
}

// TimesOf reads them.
func DatesOf(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (t Dates, err error) {
	const query = `/* donor.DatesOf */ SELECT created_at, first_gift_at, said_at FROM donor WHERE id = $1`
	err = sqlx.GetContext(ctx, q, &t, query, id)
	return t, err
}
