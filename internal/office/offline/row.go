package offline

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// Row is a row of a batch as it is stored.
type Row struct {
	BatchID     uuid.UUID     `db:"batch_id"`
	N           int           `db:"n"`
	EntityID    uuid.UUID     `db:"entity_id"`
	Submission  uuid.UUID     `db:"submission"`
	Typed       Typed         `db:"typed"`    // empty after an erasure of the donor
	DonorID     uuid.NullUUID `db:"donor_id"` // not valid: a new donor, whom the row names
	SameAs      int           `db:"same_as"`  // the new donor of this earlier row; 0: none
	Method      Method        `db:"method"`
	GivenBy     GivenBy       `db:"given_by"`
	Minor       int64         `db:"amount"` // 0: a thing that nobody values
	ReturnMinor int64         `db:"in_return_value"`
	Number      string        `db:"number"`
	Postmarked  string        `db:"postmarked_on"` // YYYY-MM-DD; empty: not known
	SoftCredit  uuid.NullUUID `db:"soft_credit"`
	GiftID      uuid.NullUUID `db:"gift_id"` // after posting
	ChangedAt   time.Time     `db:"changed_at"`
	Parts       []Part        `db:"-"`
}

const rowColumns = `r.batch_id, r.n, r.entity_id, r.submission, r.typed, r.donor_id, coalesce(r.same_as, 0) AS same_as, r.method, r.given_by,
	coalesce(r.amount, 0) AS amount, coalesce(r.in_return_value, 0) AS in_return_value, r.number, coalesce(r.postmarked_on::text, '') AS postmarked_on,
	r.soft_credit, r.gift_id, r.changed_at FROM gift_batch_row r `

// RowsOf returns the rows of a batch that were not removed, with their parts, in the order of their numbers.
func RowsOf(ctx context.Context, q sqlx.QueryerContext, batch uuid.UUID) (all []Row, err error) {
	const rows = `/* offline.RowsOf */ SELECT ` + rowColumns + `WHERE r.batch_id = $1 AND r.removed_at IS NULL ORDER BY r.n`
	const parts = `/* offline.RowsOf */ SELECT p.row_n, p.fund_id, p.amount FROM gift_batch_row_part p WHERE p.batch_id = $1 ORDER BY p.row_n, p.n`
	if err := sqlx.SelectContext(ctx, q, &all, rows, batch); err != nil {
		return nil, err
	}
	var of []struct {
		RowN int `db:"row_n"`
		Part
	}
	if err := sqlx.SelectContext(ctx, q, &of, parts, batch); err != nil {
		return nil, err
	}
	at := make(map[int]int, len(all))
	for i, r := range all {
		at[r.N] = i
	}
	for _, p := range of {
		if i, ok := at[p.RowN]; ok {
			all[i].Parts = append(all[i].Parts, p.Part)
		}
	}
	return all, nil
}

// DonationOf returns the id of the donation that a row becomes.
func DonationOf(r Row) uuid.UUID {
	return uuid.NewSHA1(r.BatchID, []byte("donation "+strconv.Itoa(r.N)))
}

// giftIDOf returns the id of the gift that a row becomes, and of its payment.
func giftIDOf(r Row) uuid.UUID { return uuid.NewSHA1(r.BatchID, []byte("row "+strconv.Itoa(r.N))) }

// StoreTx writes a row, in the session of who types it: a new one, or with n > 0 row n as it is corrected. The same form sent
// again is the same row. It returns the row's number. It reports ErrEnded if the batch is posted or put away.
func StoreTx(ctx context.Context, tx *sqlx.Tx, b Batch, n int, submission uuid.UUID, t Typed, m Meaning) (int, error) {
	const again = `/* offline.StoreTx */ SELECT r.n FROM gift_batch_row r WHERE r.submission = $1 AND r.batch_id = $2`
	const insert = `/* offline.StoreTx */
		INSERT INTO gift_batch_row (batch_id, entity_id, submission, typed, donor_id, same_as, method, given_by, amount, in_return_value, number, soft_credit, postmarked_on)
		VALUES ($1, $2, $3, $4, $5, nullif($6, 0), $7, $8, nullif($9, 0), nullif($10, 0), $11, $12, nullif($13, '')::date) ON CONFLICT (submission) DO NOTHING RETURNING n`
	const update = `/* offline.StoreTx */
		UPDATE gift_batch_row SET typed = $3, donor_id = $4, same_as = nullif($5, 0), method = $6, given_by = $7, amount = nullif($8, 0),
		       in_return_value = nullif($9, 0), number = $10, soft_credit = $11, postmarked_on = nullif($12, '')::date WHERE batch_id = $1 AND n = $2 AND removed_at IS NULL RETURNING n`
	const forget = `/* offline.StoreTx */ DELETE FROM gift_batch_row_part WHERE batch_id = $1 AND row_n = $2`
	const part = `/* offline.StoreTx */
		INSERT INTO gift_batch_row_part (batch_id, row_n, entity_id, n, fund_id, amount)
		SELECT $1, $2, $3, p.n, p.fund_id, p.amount FROM unnest($4::uuid[], $5::bigint[]) WITH ORDINALITY AS p (fund_id, amount, n)`
	donorID := uuid.NullUUID{UUID: m.Donor.ID, Valid: m.Donor.ID != uuid.Nil}
	var stored []int
	var err error
	act := "batch.row_added"
	if n == 0 {
		err = tx.SelectContext(ctx, &stored, insert, b.ID, b.EntityID, submission, t, donorID, m.Donor.SameAs, m.Method, m.GivenBy, m.Minor, m.ReturnMinor,
			m.Number,
			m.SoftCredit, m.postmarked())
		if err == nil && len(stored) == 0 { // the same form again
			if err = tx.SelectContext(ctx, &stored, again, submission, b.ID); err == nil && len(stored) == 0 {
				return 0, ErrOtherForm
			}
			return first(stored), err
		}
	} else {
		act = "batch.row_changed"
		if err = tx.SelectContext(ctx, &stored, update, b.ID, n, t, donorID, m.Donor.SameAs, m.Method, m.GivenBy, m.Minor, m.ReturnMinor, m.Number,
			m.SoftCredit,
			m.postmarked()); err == nil {
			_, err = tx.ExecContext(ctx, forget, b.ID, n)
		}
	}
	if err != nil {
		return 0, explained(err)
	}
	if len(stored) == 0 {
		return 0, errNoBatch
	}
	rows := pg.NewColumns(2)
	for _, p := range m.Parts {
		rows.Add(p.FundID, p.Minor)
	}
	if _, err := tx.ExecContext(ctx, part, rows.Args(b.ID, stored[0], b.EntityID)...); err != nil {
		return 0, explained(err)
	}
	return stored[0], recordTx(ctx, tx, act, b, nil, map[string]any{"row": stored[0], "amount": m.Minor, "method": m.Method})
}

func first(all []int) int {
	if len(all) == 0 {
		return 0
	}
	return all[0]
}

// RemoveRowTx removes a row of a batch that is not posted. Its number is not used again. A row that was removed stays so.
func RemoveRowTx(ctx context.Context, tx *sqlx.Tx, b Batch, n int) error {
	const query = `/* offline.RemoveRowTx */ UPDATE gift_batch_row SET removed_at = 'epoch' WHERE batch_id = $1 AND n = $2 AND removed_at IS NULL`
	done, err := tx.ExecContext(ctx, query, b.ID, n)
	if err != nil {
		return explained(err)
	}
	if removed, err := done.RowsAffected(); err != nil || removed == 0 {
		return err
	}
	return recordTx(ctx, tx, "batch.row_removed", b, map[string]any{"row": n}, nil)
}
