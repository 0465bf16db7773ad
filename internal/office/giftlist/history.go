package giftlist

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
)

// Event is something that happened to a gift. The function gift_history of migration 00134 says what its columns are.
type Event struct {
	At     time.Time `db:"at"`
	What   string    `db:"what"`
	Name   string    `db:"name"`
	Amount *int64    `db:"amount"` // minor units
	Ref    string    `db:"ref"`
	Person string    `db:"person"` // a member of the staff, or who ordered it
	Detail string    `db:"detail"`
}

// History returns what happened to a gift, in the order of time.
func History(ctx context.Context, q sqlx.QueryerContext, gift uuid.UUID) (all []Event, err error) {
	const query = `/* giftlist.History */
		SELECT at, what, name, amount, coalesce(ref, '') AS ref, coalesce(person, '') AS person, coalesce(detail, '') AS detail FROM gift_history($1)
		 ORDER BY at, array_position(ARRAY['step', 'payment', 'fee', 'change', 'order', 'receipt', 'void', 'email', 'moved', 'payout'], what), name, ref`
	err = sqlx.SelectContext(ctx, q, &all, query, gift)
	return all, err
}

// Posting is a line of a journal entry about a gift.
type Posting struct {
	EntryID uuid.UUID      `db:"entry_id"`
	Date    ledger.Date    `db:"entry_date"`
	Kind    string         `db:"kind"`
	Serial  int64          `db:"serial"`
	N       int            `db:"n"`
	Account ledger.Account `db:"account_code"`
	FundID  uuid.UUID      `db:"fund_id"`
	Amount  int64          `db:"amount"` // minor units, debit positive
}

// Postings returns the lines of the journal entries about a gift that the reader may see, in the order of the books.
func Postings(ctx context.Context, q sqlx.QueryerContext, gift uuid.UUID) (all []Posting, err error) {
	const query = `/* giftlist.Postings */
		SELECT entry_id, entry_date, kind, serial, n, account_code, fund_id, amount FROM office_gift_entries($1) ORDER BY serial, n`
	err = sqlx.SelectContext(ctx, q, &all, query, gift)
	return all, err
}

// Share is the part of a fund in a gift, in minor units: what it got, and what was taken from it.
type Share struct {
	FundID     uuid.UUID `db:"fund_id"`
	Gift       int64     `db:"gift"`
	Fee        int64     `db:"fee"`
	SponsorFee int64     `db:"sponsor_fee"`
	Returned   int64     `db:"returned"` // refunds, and disputes that are open or lost
}

// ByRef returns a gift by its public reference; nil if the reader sees no such gift.
func ByRef(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, ref string) (*Gift, error) {
	const query = `/* giftlist.ByRef */ SELECT ` + columns + ` FROM gift_row g WHERE g.entity_id = $1 AND g.public_ref = $2 AND g.charged_at IS NOT NULL`
	var found []Gift
	if err := sqlx.SelectContext(ctx, q, &found, query, entity, ref); err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// SharesOf returns the shares of a gift's payment by fund, largest first; none until it is booked.
func SharesOf(ctx context.Context, q sqlx.QueryerContext, gift uuid.UUID) (all []Share, err error) {
	const query = `/* giftlist.SharesOf */ SELECT fund_id, gift, fee, sponsor_fee, returned FROM gift_share WHERE donation_id = $1 ORDER BY gift DESC, fund_id`
	err = sqlx.SelectContext(ctx, q, &all, query, gift)
	return all, err
}
