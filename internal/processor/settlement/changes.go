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
	amount       int64 // what was taken of the gift, in minor units; 0 if nothing was left
	beyond       int64 // what operations paid beyond the gift, in minor units
	at           time.Time
	quiet        bool // no email about a void receipt: that of another gift says that it replaces it
}

// Change is a change as package offlinepay has it.
type Change struct {
	Object, Kind string
	Payment      payment.Payment
	At           time.Time
	Quiet        bool // no email about a void receipt
}

func (c Change) change() change { return change{object: c.Object, kind: c.Kind, payment: c.Payment, at: c.At, quiet: c.Quiet} }

// taking is how money that went back was divided.
type taking struct {
	parts  []share.Part // of the funds of the gift
	beyond int64        // more than was left of the gift, in minor units: operations pays it
}

// total returns the amount that went back, in minor units.
func (t taking) total() int64 { return share.TotalGift(t.parts) + share.TotalOwed(t.parts) + t.beyond }

// The kinds of change, as in payment_change.kind.
const (
	ChangeRefund       = "refund"
	changeRefundFailed = "refund failed"
	ChangeWithdrawn    = "dispute withdrawn"
	ChangeWon          = "dispute won"
	ChangeLost         = "dispute lost"
)

// insertChangeTx stores a change and its parts.
func (s *bookingRun) insertChangeTx(ctx context.Context, tx *sqlx.Tx, c change, parts []share.Part) error {
	const query = `/* settlement.insertChangeTx */
		INSERT INTO payment_change (entity_id, object_id, kind, payment_id, amount, owed, beyond, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	const shares = `/* settlement.insertChangeTx */
		INSERT INTO payment_change_share (entity_id, object_id, kind, fund_id, amount, fee, sponsor_fee, absorbed, owed)
		SELECT $1, $2, $3, p.fund_id, p.amount, p.fee, p.sponsor_fee, p.absorbed, p.owed
		  FROM unnest($4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
		       AS p (fund_id, amount, fee, sponsor_fee, absorbed, owed)`
	if _, err := tx.ExecContext(ctx, query, s.entity.ID, c.object, c.kind, c.payment.ID, c.amount, share.TotalOwed(parts), c.beyond, c.at); err != nil {
		return err
	}
	rows := pg.NewColumns(6)
	for _, p := range parts {
		rows.Add(p.Fund.ID, p.Gift, p.Fee, p.SponsorFee, p.Absorbed, p.Owed)
	}
	_, err := tx.ExecContext(ctx, shares, rows.Args(s.entity.ID, c.object, c.kind)...)
	return err
}

// insertTakingTx stores a change whose amount was divided.
func (s *bookingRun) insertTakingTx(ctx context.Context, tx *sqlx.Tx, c change, taken taking) error {
	c.amount, c.beyond = share.TotalGift(taken.parts), taken.beyond
	return s.insertChangeTx(ctx, tx, c, taken.parts)
}

// earlierTx returns how an earlier change of an object was divided; happened is false if there was no such change.
func (s *bookingRun) earlierTx(ctx context.Context, tx *sqlx.Tx, object, kind string) (taken taking, happened bool, err error) {
	const change = `/* settlement.earlierTx */ SELECT beyond FROM payment_change WHERE object_id = $1 AND kind = $2 AND entity_id = $3`
	const query = `/* settlement.earlierTx */
		SELECT fund_id, amount, absorbed, owed FROM payment_change_share WHERE object_id = $1 AND kind = $2 AND entity_id = $3 ORDER BY fund_id`
	var beyond []int64
	if err := tx.SelectContext(ctx, &beyond, change, object, kind, s.entity.ID); err != nil || len(beyond) == 0 {
		return taken, false, err
	}
	taken.beyond = beyond[0]
	var rows []struct {
		FundID   uuid.UUID `db:"fund_id"`
		Amount   int64     `db:"amount"`
		Absorbed int64     `db:"absorbed"`
		Owed     int64     `db:"owed"`
	}
	if err := tx.SelectContext(ctx, &rows, query, object, kind, s.entity.ID); err != nil {
		return taken, false, err
	}
	for _, r := range rows {
		var f fund.Fund
		if f, err = s.catalog.Fund(r.FundID); err != nil {
			return taken, false, err
		}
		taken.parts = append(taken.parts, share.Part{Fund: f, Gift: r.Amount, Absorbed: r.Absorbed, Owed: r.Owed})
	}
	return taken, true, nil
}

// StoredTx returns which payment a change is of, and its amount in minor units; uuid.Nil if there is none.
func (r Run) StoredTx(ctx context.Context, tx *sqlx.Tx, object, kind string) (payment uuid.UUID, amount int64, err error) {
	const query = `/* settlement.StoredTx */ SELECT payment_id, amount FROM payment_change WHERE object_id = $1 AND kind = $2 AND entity_id = $3`
	var found []struct {
		PaymentID uuid.UUID `db:"payment_id"`
		Amount    int64     `db:"amount"`
	}
	if err := tx.SelectContext(ctx, &found, query, object, kind, r.s.entity.ID); err != nil || len(found) == 0 {
		return uuid.Nil, 0, err
	}
	return found[0].PaymentID, found[0].Amount, nil
}

// CountTx returns how often a payment changed so.
func (r Run) CountTx(ctx context.Context, tx *sqlx.Tx, payment uuid.UUID, kind string) (n int, err error) {
	const query = `/* settlement.CountTx */ SELECT count(*) FROM payment_change WHERE payment_id = $1 AND kind = $2`
	err = tx.GetContext(ctx, &n, query, payment, kind)
	return n, err
}

// SponsorFeesTx returns what a change gave back of the sponsor's fee, in minor units by fund.
func (r Run) SponsorFeesTx(ctx context.Context, tx *sqlx.Tx, object, kind string) (map[uuid.UUID]int64, error) {
	const query = `/* settlement.SponsorFeesTx */ SELECT fund_id, sponsor_fee FROM payment_change_share WHERE object_id = $1 AND kind = $2 AND entity_id = $3`
	var given []struct {
		FundID uuid.UUID `db:"fund_id"`
		Fee    int64     `db:"sponsor_fee"`
	}
	err := tx.SelectContext(ctx, &given, query, object, kind, r.s.entity.ID)
	fees := make(map[uuid.UUID]int64, len(given))
	for _, g := range given {
		fees[g.FundID] = g.Fee
	}
	return fees, err
}
