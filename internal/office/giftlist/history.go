package giftlist

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/pg"
)

// Event is something that happened to a gift. The function office_gift_history of migration 00134 says what its columns are.
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
		SELECT at, what, name, amount, coalesce(ref, '') AS ref, coalesce(person, '') AS person, coalesce(detail, '') AS detail FROM office_gift_history($1)
		 ORDER BY CASE WHEN what = 'order' OR what = 'step' AND name = 'started'
		               THEN date_trunc('second', at) ELSE at END, -- the processor's times have no fractions
		       array_position(ARRAY['step', 'payment', 'fee', 'order', 'change', 'void', 'receipt', 'email', 'moved', 'payout'], what),
		       array_position(ARRAY['started', 'processing', 'settled'], name), name, ref`
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
	Refunded   int64     `db:"refunded"`
	Disputed   int64     `db:"disputed"` // taken by disputes that are open or lost
}

// ByRef returns a gift by its public reference; nil if the reader sees no such gift.
func ByRef(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, ref string) (*Gift, error) {
	const query = `/* giftlist.ByRef */ SELECT ` + columns + ` FROM office_gift_rows(ARRAY(SELECT k.id FROM gift_key k WHERE k.entity_id = $1 AND k.public_ref = $2)) g`
	var found []Gift
	if err := sqlx.SelectContext(ctx, q, &found, query, entity, ref); err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], addDisputes(ctx, q, found)
}

// addDisputes sets the state of the dispute of each gift that has one.
func addDisputes(ctx context.Context, q sqlx.QueryerContext, gifts []Gift) error {
	const query = `/* giftlist.addDisputes */ SELECT donation_id, state FROM office_gift_disputes($1::uuid[])`
	var found []struct {
		Gift  uuid.UUID `db:"donation_id"`
		State string    `db:"state"`
	}
	ids := make([]uuid.UUID, len(gifts))
	for i, g := range gifts {
		ids[i] = g.ID
	}
	if err := sqlx.SelectContext(ctx, q, &found, query, pg.UUIDs(ids)); err != nil {
		return err
	}
	for _, d := range found {
		gifts[slices.Index(ids, d.Gift)].Dispute = d.State
	}
	return nil
}

// SharesOf returns the shares of a gift's payment by fund, largest first; none until it is booked.
func SharesOf(ctx context.Context, q sqlx.QueryerContext, gift uuid.UUID) (all []Share, err error) {
	const query = `/* giftlist.SharesOf */ SELECT fund_id, gift, fee, sponsor_fee, refunded, disputed FROM office_gift_shares($1) ORDER BY gift DESC, fund_id`
	err = sqlx.SelectContext(ctx, q, &all, query, gift)
	return all, err
}
