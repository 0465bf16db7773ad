package settlement

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/giving/payment"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/share"
)

// change is what happened to a payment after it was booked.
type change struct {
	object, kind string // the refund's or dispute's id, or the refund order's
	payment      payment.Payment
	amount       int64 // in minor units, always positive
	at           time.Time
}

// The kinds of change, as in payment_change.kind.
const (
	changeRefund       = "refund"
	changeRefundFailed = "refund failed"
	changeWithdrawn    = "dispute withdrawn"
	changeWon          = "dispute won"
	changeLost         = "dispute lost"
)

// insertChangeTx stores a change and its parts.
func (s *bookingRun) insertChangeTx(ctx context.Context, tx *sqlx.Tx, c change, parts []share.Part) error {
	const query = `/* settlement.insertChangeTx */
		INSERT INTO payment_change (entity_id, object_id, kind, payment_id, amount, at) VALUES ($1, $2, $3, $4, $5, $6)`
	const shares = `/* settlement.insertChangeTx */
		INSERT INTO payment_change_share (entity_id, object_id, kind, fund_id, amount, fee, sponsor_fee, absorbed)
		SELECT $1, $2, $3, p.fund_id, p.amount, p.fee, p.sponsor_fee, p.absorbed
		  FROM unnest($4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]) AS p (fund_id, amount, fee, sponsor_fee, absorbed)`
	if _, err := tx.ExecContext(ctx, query, s.entity.ID, c.object, c.kind, c.payment.ID, c.amount, c.at); err != nil {
		return err
	}
	rows := pg.NewColumns(5)
	for _, p := range parts {
		rows.Add(p.Fund.ID, p.Gift, p.Fee, p.SponsorFee, p.Absorbed)
	}
	_, err := tx.ExecContext(ctx, shares, rows.Args(s.entity.ID, c.object, c.kind)...)
	return err
}

// changePartsTx returns the parts of an earlier change of an object; happened is false if there was no such change.
func (s *bookingRun) changePartsTx(ctx context.Context, tx *sqlx.Tx, object, kind string) (parts []share.Part, happened bool, err error) {
	const happens = `/* settlement.changePartsTx */ SELECT EXISTS (SELECT 1 FROM payment_change WHERE object_id = $1 AND kind = $2 AND entity_id = $3)`
	const query = `/* settlement.changePartsTx */
		SELECT fund_id, amount, absorbed FROM payment_change_share WHERE object_id = $1 AND kind = $2 AND entity_id = $3 ORDER BY fund_id`
	if err := tx.GetContext(ctx, &happened, happens, object, kind, s.entity.ID); err != nil || !happened {
		return nil, false, err
	}
	var rows []struct {
		FundID   uuid.UUID `db:"fund_id"`
		Amount   int64     `db:"amount"`
		Absorbed int64     `db:"absorbed"`
	}
	if err := tx.SelectContext(ctx, &rows, query, object, kind, s.entity.ID); err != nil {
		return nil, false, err
	}
	for _, r := range rows {
		var f fund.Fund
		if f, err = s.catalog.Fund(r.FundID); err != nil {
			return nil, false, err
		}
		parts = append(parts, share.Part{Fund: f, Gift: r.Amount, Absorbed: r.Absorbed})
	}
	return parts, true, nil
}
