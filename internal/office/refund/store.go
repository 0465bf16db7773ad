package refund

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

const orderColumns = `id, entity_id, donation_id, payment_id, charge_ref, currency, amount, reason, note, submission, requested_by, request_id, ordered_at,
	state, tries, stripe_refund_id, problem, changed_at`

// insertTx writes an order with its parts. The rules of the whole order hold from here on, not at the commit.
func insertTx(ctx context.Context, tx *sqlx.Tx, id, payment uuid.UUID, r Request, parts []Part) error {
	const order = `/* refund.insertTx */
		INSERT INTO refund_order (id, entity_id, payment_id, amount, reason, note, submission, requested_by, request_id, request_hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	const part = `/* refund.insertTx */
		INSERT INTO refund_order_part (order_id, entity_id, fund_id, amount)
		SELECT $1, $2, p.fund_id, p.amount FROM unnest($3::uuid[], $4::bigint[]) AS p (fund_id, amount)`
	const check = `/* refund.insertTx */ SET CONSTRAINTS refund_order_is_whole IMMEDIATE`
	var request *uuid.UUID
	var hash []byte
	if r.Approval != nil {
		request, hash = &r.Approval.RequestID, r.Approval.Hash[:]
	}
	if _, err := tx.ExecContext(ctx, order, id, r.EntityID, payment, total(parts), r.Reason, r.note(), r.Submission, r.RequestedBy, request, hash); err != nil {
		return err
	}
	rows := pg.NewColumns(2)
	for _, p := range parts {
		rows.Add(p.FundID, p.Amount)
	}
	if _, err := tx.ExecContext(ctx, part, rows.Args(id, r.EntityID)...); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, check)
	return err
}

// ByID returns an order.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (o Order, err error) {
	const query = `/* refund.ByID */ SELECT ` + orderColumns + ` FROM refund_order WHERE id = $1`
	if err := sqlx.GetContext(ctx, q, &o, query, id); err != nil {
		return o, err
	}
	o.Parts, err = partsOfOrder(ctx, q, id)
	return o, err
}

// OfForm returns the order of a form, by its one-time id; nil if there is none.
func OfForm(ctx context.Context, q sqlx.QueryerContext, submission uuid.UUID) (*Order, error) {
	const query = `/* refund.OfForm */ SELECT id FROM refund_order WHERE submission = $1`
	var ids []uuid.UUID
	if err := sqlx.SelectContext(ctx, q, &ids, query, submission); err != nil || len(ids) == 0 {
		return nil, err
	}
	o, err := ByID(ctx, q, ids[0])
	return &o, err
}

func partsOfOrder(ctx context.Context, q sqlx.QueryerContext, order uuid.UUID) (parts []Part, err error) {
	const query = `/* refund.partsOfOrder */ SELECT fund_id, amount FROM refund_order_part WHERE order_id = $1 ORDER BY fund_id`
	err = sqlx.SelectContext(ctx, q, &parts, query, order)
	return parts, err
}

// refundable returns what may still be ordered of a payment, by fund, and whether the bank disputes the payment or
// took it back, so that the processor refunds nothing of it.
func refundable(ctx context.Context, q sqlx.QueryerContext, payment uuid.UUID) (left []Part, disputed bool, err error) {
	const query = `/* refund.refundable */ SELECT fund_id, amount FROM payment_refundable($1) ORDER BY fund_id`
	const dispute = `/* refund.refundable */ SELECT payment_is_disputed($1)`
	if err := sqlx.SelectContext(ctx, q, &left, query, payment); err != nil {
		return nil, false, err
	}
	err = sqlx.GetContext(ctx, q, &disputed, dispute, payment)
	return left, disputed, err
}

// storeTryTx stores that the processor is called with the next key. It returns false if another process did so, or
// stored a result.
func storeTryTx(ctx context.Context, tx *sqlx.Tx, o Order) (bool, error) {
	const query = `/* refund.storeTryTx */
		UPDATE refund_order SET state = 'sent', tries = tries + 1 WHERE id = $1 AND tries = $2 AND state IN ('ordered', 'sent') AND stripe_refund_id IS NULL`
	return changed(ctx, tx, query, o.ID, o.Tries)
}

// storeResultTx stores how a refund stands, and that it was asked about. It returns false if the state is the
// same, or is one that does not follow.
func storeResultTx(ctx context.Context, tx *sqlx.Tx, order uuid.UUID, to State, refund, problem string) (bool, error) {
	const query = `/* refund.storeResultTx */
		UPDATE refund_order SET state = $2, stripe_refund_id = $3, problem = nullif($4, ''), checked_at = clock_timestamp()
		 WHERE id = $1 AND coalesce(stripe_refund_id, $3) = $3 AND state <> $2
		   AND (state = 'sent' OR state = 'pending' AND $2 IN ('succeeded', 'failed') OR state = 'succeeded' AND $2 = 'failed')`
	const asked = `/* refund.storeResultTx */ UPDATE refund_order SET checked_at = clock_timestamp() WHERE id = $1 AND state = 'pending'`
	if done, err := changed(ctx, tx, query, order, to, refund, problem); err != nil || done {
		return done, err
	}
	_, err := changed(ctx, tx, asked, order)
	return false, err
}

// storeRefusalTx stores that the processor refuses an order's try. It returns false if there is a result, or
// another try.
func storeRefusalTx(ctx context.Context, tx *sqlx.Tx, o Order, code string) (bool, error) {
	const query = `/* refund.storeRefusalTx */
		UPDATE refund_order SET state = 'refused', problem = $3 WHERE id = $1 AND tries = $2 AND state = 'sent' AND stripe_refund_id IS NULL`
	return changed(ctx, tx, query, o.ID, o.Tries, code)
}

func changed(ctx context.Context, tx *sqlx.Tx, query string, args ...any) (bool, error) {
	done, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

// dueOrder is an order that CheckDue executes.
type dueOrder struct {
	ID    uuid.UUID `db:"id"`
	Stuck bool      `db:"stuck"` // it has had no answer for a day
}

// dueOrders returns orders that a job should have executed by now, and pending ones that were not asked about lately.
func dueOrders(ctx context.Context, q sqlx.QueryerContext) (due []dueOrder, err error) {
	const query = `/* refund.dueOrders */
		SELECT id, state <> 'pending' AND ordered_at < clock_timestamp() - interval '1 day' AS stuck FROM refund_order
		 WHERE state IN ('ordered', 'sent') AND changed_at < clock_timestamp() - interval '10 minutes'
		    OR state = 'pending' AND coalesce(checked_at, changed_at) < clock_timestamp() - interval '15 minutes'
		 ORDER BY changed_at LIMIT 100`
	err = sqlx.SelectContext(ctx, q, &due, query)
	return due, err
}

// orderedBefore returns what counts against the entity's limit beside a new order, in minor units: what was
// ordered of the gift, and by the person, under whichever account, in 24 hours, without a second person. The database
// computes the same when an order is written.
func orderedBefore(ctx context.Context, q sqlx.QueryerContext, r Request, payment uuid.UUID) (gift, person int64, err error) {
	const query = `/* refund.orderedBefore */
		SELECT (SELECT coalesce(sum(amount), 0)::bigint FROM refund_order WHERE payment_id = $1 AND request_id IS NULL
		           AND (state <> 'refused' OR ordered_at > clock_timestamp() - interval '24 hours')) AS gift,
		       (SELECT coalesce(sum(amount), 0)::bigint FROM refund_order WHERE entity_id = $3 AND ordered_at > clock_timestamp() - interval '24 hours'
		           AND staff_person_of(requested_by) = staff_person_of($2) AND request_id IS NULL) AS person`
	var sums struct {
		Gift   int64 `db:"gift"`
		Person int64 `db:"person"`
	}
	err = sqlx.GetContext(ctx, q, &sums, query, payment, r.RequestedBy, r.EntityID)
	return sums.Gift, sums.Person, err
}

// ApproversOf returns who approved orders, by order: the person whose session ordered what somebody else had requested.
func ApproversOf(ctx context.Context, q sqlx.QueryerContext, orders []uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	const query = `/* refund.ApproversOf */ SELECT id, ordered_by FROM refund_order WHERE id = ANY($1::uuid[]) AND request_id IS NOT NULL AND ordered_by <> requested_by`
	var found []struct {
		ID uuid.UUID `db:"id"`
		By uuid.UUID `db:"ordered_by"`
	}
	if err := sqlx.SelectContext(ctx, q, &found, query, pg.UUIDs(orders)); err != nil {
		return nil, err
	}
	by := map[uuid.UUID]uuid.UUID{}
	for _, f := range found {
		by[f.ID] = f.By
	}
	return by, nil
}
