package payment

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// A payment without a mark of ours was made by another program that uses the same account at the processor, such as a
// shop. Its marks say where it comes from: "metadata KEY" for each key of its metadata, "product ID" for each product of
// its invoice. Values of metadata are not kept: they may name a person.

// NoMark is the source of a payment without any mark.
const NoMark = "no mark"

// Source says where a payment came from.
type Source struct {
	PaymentID, EntityID uuid.UUID
	Name                string // SourceName of its marks
	Ignored             bool   // finance had chosen to ignore it
}

// SourceName returns the name of the source of payments with these marks.
func SourceName(marks []string) string {
	if len(marks) == 0 {
		return NoMark
	}
	marks = slices.Compact(slices.Sorted(slices.Values(marks)))
	return strings.Join(marks, ", ")
}

// InsertSourcesTx stores the sources of payments. A payment whose source is stored keeps it, and one that another
// transaction stored first, under another id, gets none.
func InsertSourcesTx(ctx context.Context, tx *sqlx.Tx, sources []Source) error {
	const query = `/* payment.InsertSourcesTx */
		INSERT INTO payment_source (payment_id, entity_id, source, ignored)
		SELECT s.payment_id, s.entity_id, s.source, s.ignored
		  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::boolean[]) AS s (payment_id, entity_id, source, ignored)
		  JOIN payment p ON p.id = s.payment_id
		ON CONFLICT DO NOTHING`
	if len(sources) == 0 {
		return nil
	}
	rows := pg.NewColumns(4)
	for _, s := range sources {
		rows.Add(s.PaymentID, s.EntityID, s.Name, s.Ignored)
	}
	_, err := tx.ExecContext(ctx, query, rows.Args()...)
	return err
}

// IgnoredMarks returns which marks are ignored, by entity.
func IgnoredMarks(ctx context.Context, q sqlx.QueryerContext, entities []uuid.UUID) (map[uuid.UUID]map[string]bool, error) {
	const query = `/* payment.IgnoredMarks */
		SELECT entity_id, mark FROM (SELECT DISTINCT ON (entity_id, mark) entity_id, mark, ignored FROM source_choice
		  WHERE entity_id = ANY($1::uuid[]) ORDER BY entity_id, mark, n DESC) newest WHERE ignored`
	var rows []struct {
		EntityID uuid.UUID `db:"entity_id"`
		Mark     string    `db:"mark"`
	}
	err := sqlx.SelectContext(ctx, q, &rows, query, pg.UUIDs(entities))
	ignored := map[uuid.UUID]map[string]bool{}
	for _, r := range rows {
		if ignored[r.EntityID] == nil {
			ignored[r.EntityID] = map[string]bool{}
		}
		ignored[r.EntityID][r.Mark] = true
	}
	return ignored, err
}

// IsIgnored reports whether a payment is another program's and finance had chosen to ignore it.
func IsIgnored(ctx context.Context, q sqlx.QueryerContext, payment uuid.UUID) (ignored bool, err error) {
	const query = `/* payment.IsIgnored */ SELECT EXISTS (SELECT 1 FROM payment_source WHERE payment_id = $1 AND ignored)`
	err = sqlx.GetContext(ctx, q, &ignored, query, payment)
	return ignored, err
}

// SourceTotal counts the payments of a source.
type SourceTotal struct {
	EntityID uuid.UUID      `db:"entity_id"`
	Name     string         `db:"source"`
	Ignored  bool           `db:"ignored"`
	Payments int            `db:"payments"`
	Minor    int64          `db:"amount"` // in minor units of Currency
	Currency money.Currency `db:"currency"`
	First    time.Time      `db:"first"`
	Last     time.Time      `db:"last"`
}

// InSuspense returns how many payments of a source are in suspense in a currency, and their sum.
func InSuspense(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, source string, c money.Currency) (n int, sum money.Amount, err error) {
	all, err := SourceTotals(ctx, q, entity, source)
	for _, t := range all {
		if !t.Ignored && t.Currency == c {
			n, sum = t.Payments, money.New(t.Minor, c)
		}
	}
	return n, sum, err
}

// SourceTotals counts payments by source, currency and whether they were ignored. Of an entity's sources it returns the
// one with the name, or all if name is empty; uuid.Nil is every entity.
func SourceTotals(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, name string) (all []SourceTotal, err error) {
	const query = `/* payment.SourceTotals */
		SELECT s.entity_id, s.source, s.ignored, p.currency, count(*) AS payments, sum(p.amount)::bigint AS amount,
		       min(p.received_at) AS first, max(p.received_at) AS last
		  FROM payment_source s JOIN payment p ON p.id = s.payment_id
		 WHERE (s.entity_id = $1 OR $1 = $2) AND (s.source = $3 OR $3 = '')
		 GROUP BY s.entity_id, s.source, s.ignored, p.currency ORDER BY s.entity_id, s.source, s.ignored, p.currency`
	err = sqlx.SelectContext(ctx, q, &all, query, entity, uuid.Nil, name)
	return all, err
}

// ChooseTx records that payments of an entity with a mark are ignored from now on, or not any more. by is who chose.
func ChooseTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, mark string, ignored bool, by string, now time.Time) error {
	const query = `/* payment.ChooseTx */ INSERT INTO source_choice (entity_id, mark, ignored, chosen_by, chosen_at) VALUES ($1, $2, $3, $4, $5)`
	_, err := tx.ExecContext(ctx, query, entity, mark, ignored, by, now)
	return err
}
