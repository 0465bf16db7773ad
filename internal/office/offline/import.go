package offline

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// NewRow is a row that is stored with others.
type NewRow struct {
	Submission uuid.UUID
	Typed      Typed
	Meaning    Meaning
}

// StoreAllTx writes the rows of a batch that has none, in their order: the first is row 1. It is for imports: the audit log has one entry of all.
func StoreAllTx(ctx context.Context, tx *sqlx.Tx, b Batch, rows []NewRow) error {
	const insert = `/* offline.StoreAllTx */
		INSERT INTO gift_batch_row (batch_id, entity_id, submission, typed, donor_id, same_as, method, given_by, amount, in_return_value, number, postmarked_on)
		SELECT $1, $2, r.submission, r.typed::jsonb, nullif(r.donor_id, '')::uuid, nullif(r.same_as, 0), r.method, r.given_by, nullif(r.amount, 0),
		       nullif(r.in_return_value, 0), r.number, nullif(r.postmarked_on, '')::date
		  FROM unnest($3::integer[], $4::uuid[], $5::text[], $6::text[], $7::integer[], $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::text[], $13::text[])
		       AS r (n, submission, typed, donor_id, same_as, method, given_by, amount, in_return_value, number, postmarked_on) ORDER BY r.n`
	const parts = `/* offline.StoreAllTx */
		INSERT INTO gift_batch_row_part (batch_id, row_n, entity_id, n, fund_id, amount)
		SELECT $1, p.row_n, $2, p.n, p.fund_id, p.amount FROM unnest($3::integer[], $4::integer[], $5::uuid[], $6::bigint[]) AS p (row_n, n, fund_id, amount)`
	all, of := pg.NewColumns(11), pg.NewColumns(4)
	for i, r := range rows {
		typed, err := r.Typed.Value()
		if err != nil {
			return err
		}
		m, donor := r.Meaning, ""
		if m.Donor.ID != uuid.Nil {
			donor = m.Donor.ID.String()
		}
		all.Add(i+1, r.Submission, typed, donor, m.Donor.SameAs, string(m.Method), string(m.GivenBy), m.Minor, m.ReturnMinor, m.Number, m.postmarked())
		for n, p := range m.Parts {
			of.Add(i+1, n+1, p.FundID, p.Minor)
		}
	}
	if _, err := tx.ExecContext(ctx, insert, all.Args(b.ID, b.EntityID)...); err != nil {
		return explained(err)
	}
	if _, err := tx.ExecContext(ctx, parts, of.Args(b.ID, b.EntityID)...); err != nil {
		return explained(err)
	}
	return recordTx(ctx, tx, "batch.rows_imported", b, nil, map[string]any{"rows": len(rows), "at": b.ReceivedOn.In(time.UTC).Format(time.DateOnly)})
}
