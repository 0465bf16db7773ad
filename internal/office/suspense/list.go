package suspense

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// Amount is an amount in suspense.
type Amount struct {
	EntityID     uuid.UUID      `db:"entity_id"`
	Subject      string         `db:"subject"` // a charge, or a balance transaction of none
	Currency     money.Currency `db:"currency"`
	Minor        int64          `db:"amount"` // money that came; negative: that left; zero: resolved
	Since        ledger.Date    `db:"since"`
	Serial       int64          `db:"serial"` // of the first entry
	Entries      int            `db:"entries"`
	ClearsItself bool           `db:"clears_itself"` // a bank debit on its way: the program clears it
}

// Amount returns it as money.
func (a Amount) Amount() money.Amount { return money.New(a.Minor, a.Currency) }

const columns = `entity_id, subject, currency, amount, since, serial, entries, clears_itself`

// Open returns the amounts in suspense of an entity, the newest first, at most limit; before is the serial of the last one of the
// page before, 0 for the first page.
func Open(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, before int64, limit int) (all []Amount, err error) {
	const query = `/* suspense.Open */ SELECT ` + columns + ` FROM suspense_row WHERE entity_id = $1 AND amount <> 0 AND ($2 = 0 OR serial < $2)
		ORDER BY serial DESC LIMIT $3`
	err = sqlx.SelectContext(ctx, q, &all, query, entity, before, limit)
	return all, err
}

// Sum is how many amounts are in suspense, and what they come to in minor units.
type Sum struct {
	Count  int   `db:"count"`
	Amount int64 `db:"amount"`
}

// SumOf returns the sum of Open.
func SumOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID) (s Sum, err error) {
	const query = `/* suspense.SumOf */ SELECT count(*) AS count, coalesce(sum(amount), 0)::bigint AS amount FROM suspense_row WHERE entity_id = $1
		AND amount <> 0`
	err = sqlx.GetContext(ctx, q, &s, query, entity)
	return s, err
}

// Of returns what is in suspense of a subject, also if it is zero now; fault.NotFound if q may see nothing of it.
func Of(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, subject string) (a Amount, err error) {
	const query = `/* suspense.Of */ SELECT ` + columns + ` FROM suspense_row WHERE entity_id = $1 AND subject = $2 ORDER BY amount DESC LIMIT 1`
	var found []Amount
	if err := sqlx.SelectContext(ctx, q, &found, query, entity, subject); err != nil {
		return a, err
	}
	if len(found) == 0 {
		return a, fault.New(fault.NotFound, "", nil)
	}
	return found[0], nil
}

// Posting is a posting in suspense.
type Posting struct {
	Date     ledger.Date `db:"entry_date"`
	Kind     string      `db:"kind"`
	Source   string      `db:"source"`
	SourceID string      `db:"source_id"`
	Minor    int64       `db:"amount"` // as in Amount
}

// History returns the postings of a subject in the order of the books.
func History(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, subject string) (all []Posting, err error) {
	const query = `/* suspense.History */ SELECT entry_date, kind, source, source_id, amount FROM suspense_posting WHERE entity_id = $1 AND subject =
		$2 ORDER BY serial, n`
	err = sqlx.SelectContext(ctx, q, &all, query, entity, subject)
	return all, err
}

// Resolution is a resolution as it is stored.
type Resolution struct {
	ID         uuid.UUID      `db:"id"`
	Account    ledger.Account `db:"account_code"` // empty: it is a gift, or went back
	DonationID *uuid.UUID     `db:"donation_id"`
	Refunded   bool           `db:"refunded"`
	Waits      bool           `db:"waits"` // a refund that was ordered less than a week ago
	Reason     string         `db:"reason"`
	RequestID  uuid.UUID      `db:"request_id"`
	ResolvedBy uuid.UUID      `db:"resolved_by"`
	ResolvedAt time.Time      `db:"resolved_at"`
}

// ResolutionsOf returns the resolutions of a subject, in the order of time.
func ResolutionsOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, subject string) (all []Resolution, err error) {
	const query = `/* suspense.ResolutionsOf */
		SELECT id, coalesce(account_code, '') AS account_code, donation_id, refunded, refunded AND resolved_at > now() - interval '7 days' AS waits, reason, request_id, resolved_by, resolved_at FROM suspense_resolution WHERE entity_id = $1 AND subject = $2 ORDER BY
			resolved_at`
	err = sqlx.SelectContext(ctx, q, &all, query, entity, subject)
	return all, err
}
