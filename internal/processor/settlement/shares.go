package settlement

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/books/fund"
	"konbit/internal/platform/pg"
)

// chargeShare is a part of one charge.
type chargeShare struct {
	charge string
	part
}

func insertSharesTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, shares []chargeShare) error {
	const query = `/* settlement.keepSharesTx */
		INSERT INTO charge_share (entity_id, charge_id, fund_id, gift, fee, sponsor)
		SELECT $1, s.charge_id, s.fund_id, s.gift, s.fee, s.sponsor
		  FROM unnest($2::text[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[]) AS s (charge_id, fund_id, gift, fee, sponsor)`
	if len(shares) == 0 {
		return nil
	}
	charges, funds := make([]string, len(shares)), make([]uuid.UUID, len(shares))
	gifts, fees, sponsors := make([]int64, len(shares)), make([]int64, len(shares)), make([]int64, len(shares))
	for i, s := range shares {
		charges[i], funds[i], gifts[i], fees[i], sponsors[i] = s.charge, s.fund.ID, s.gift, s.fee, s.sponsorFee
	}
	_, err := tx.ExecContext(ctx, query, entity, pq.Array(charges), pg.UUIDs(funds), pq.Array(gifts), pq.Array(fees), pq.Array(sponsors))
	return err
}

func insertClearingTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, transaction string, clearing map[uuid.UUID]int64) error {
	const query = `/* settlement.keepClearingTx */
		INSERT INTO clearing_share (transaction_id, entity_id, fund_id, amount)
		SELECT $1, $2, c.fund_id, c.amount FROM unnest($3::uuid[], $4::bigint[]) AS c (fund_id, amount) WHERE c.amount <> 0`
	funds, amounts := make([]uuid.UUID, 0, len(clearing)), make([]int64, 0, len(clearing))
	for id, amount := range clearing {
		funds, amounts = append(funds, id), append(amounts, amount)
	}
	_, err := tx.ExecContext(ctx, query, transaction, entity, pg.UUIDs(funds), pq.Array(amounts))
	return err
}

// holding is what a fund has of a charge, in minor units.
type fundShare struct {
	fund                    fund.Fund
	gift, fee, sponsorFee   int64 // when it was booked
	remaining               int64 // of the gift: less what was refunded and what is or was lost in disputes
	refunded                int64 // of the gift
	feeBack, sponsorFeeBack int64 // given back with refunds
}

// leftTx reads what funds still have of a charge. None: the charge is not known, or stands in suspense.
func (s *bookingRun) remainingByFundTx(ctx context.Context, tx *sqlx.Tx, charge string) ([]fundShare, error) {
	const query = `/* settlement.leftTx */
		SELECT c.fund_id, c.gift, c.fee, c.sponsor, c.gift - coalesce(g.gone, 0), coalesce(g.refunded, 0), coalesce(g.fee, 0), coalesce(g.sponsor, 0)
		  FROM charge_share c
		  LEFT JOIN (SELECT s.fund_id, sum(s.fee)::bigint AS fee, sum(s.sponsor)::bigint AS sponsor,
		                    coalesce(sum(s.amount) FILTER (WHERE s.kind = 'refund'), 0)::bigint AS refunded,
		                    sum(CASE s.kind WHEN 'refund' THEN s.amount WHEN 'dispute withdrawn' THEN s.amount
		                                    WHEN 'dispute won' THEN -s.amount ELSE 0 END)::bigint AS gone
		               FROM charge_change h
		               JOIN charge_change_share s ON s.object_id = h.object_id AND s.kind = h.kind AND s.entity_id = h.entity_id
		              WHERE h.charge_id = $1 AND h.entity_id = $2 GROUP BY s.fund_id) g ON g.fund_id = c.fund_id
		 WHERE c.charge_id = $1 AND c.entity_id = $2 AND c.gift > 0 ORDER BY c.fund_id`
	rows, err := tx.QueryContext(ctx, query, charge, s.entity.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var left []fundShare
	for rows.Next() {
		var id uuid.UUID
		var h fundShare
		if err := rows.Scan(&id, &h.gift, &h.fee, &h.sponsorFee, &h.remaining, &h.refunded, &h.feeBack, &h.sponsorFeeBack); err != nil {
			return nil, err
		}
		if h.fund, err = s.catalog.Fund(id); err != nil {
			return nil, err
		}
		left = append(left, h)
	}
	slices.SortFunc(left, func(a, b fundShare) int { return strings.Compare(a.fund.Code, b.fund.Code) })
	return left, rows.Err()
}

// change is something that happened to a charge after it was made.
type change struct {
	object, kind, charge string
	amount               int64
	at                   time.Time
}

// Kinds of change.
const (
	changeRefund       = "refund"
	changeRefundFailed = "refund failed"
	changeWithdrawn    = "dispute withdrawn"
	changeWon          = "dispute won"
	changeLost         = "dispute lost"
)

func (s *bookingRun) insertChangeTx(ctx context.Context, tx *sqlx.Tx, c change, parts []part) error {
	const query = `/* settlement.keepChangeTx */
		INSERT INTO charge_change (entity_id, object_id, kind, charge_id, amount, at) VALUES ($1, $2, $3, $4, $5, $6)`
	const shares = `/* settlement.keepChangeTx */
		INSERT INTO charge_change_share (entity_id, object_id, kind, fund_id, amount, fee, sponsor, borne)
		SELECT $1, $2, $3, p.fund_id, p.amount, p.fee, p.sponsor, p.borne
		  FROM unnest($4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]) AS p (fund_id, amount, fee, sponsor, borne)`
	if _, err := tx.ExecContext(ctx, query, s.entity.ID, c.object, c.kind, c.charge, c.amount, c.at); err != nil {
		return err
	}
	funds := make([]uuid.UUID, len(parts))
	amounts, fees, sponsors, borne := make([]int64, len(parts)), make([]int64, len(parts)), make([]int64, len(parts)), make([]int64, len(parts))
	for i, p := range parts {
		funds[i], amounts[i], fees[i], sponsors[i], borne[i] = p.fund.ID, p.gift, p.fee, p.sponsorFee, p.absorbed
	}
	_, err := tx.ExecContext(ctx, shares, s.entity.ID, c.object, c.kind, pg.UUIDs(funds), pq.Array(amounts), pq.Array(fees), pq.Array(sponsors), pq.Array(borne))
	return err
}

// changePartsTx reads how an earlier change was shared; false when it has not happened.
func (s *bookingRun) changePartsTx(ctx context.Context, tx *sqlx.Tx, object, kind string) (parts []part, happened bool, err error) {
	const happens = `/* settlement.changePartsTx */ SELECT EXISTS (SELECT 1 FROM charge_change WHERE object_id = $1 AND kind = $2 AND entity_id = $3)`
	const query = `/* settlement.changePartsTx */
		SELECT fund_id, amount, borne FROM charge_change_share WHERE object_id = $1 AND kind = $2 AND entity_id = $3 ORDER BY fund_id`
	if err := tx.GetContext(ctx, &happened, happens, object, kind, s.entity.ID); err != nil || !happened {
		return nil, false, err
	}
	var rows []struct {
		FundID uuid.UUID `db:"fund_id"`
		Amount int64     `db:"amount"`
		Borne  int64     `db:"borne"`
	}
	if err := tx.SelectContext(ctx, &rows, query, object, kind, s.entity.ID); err != nil {
		return nil, false, err
	}
	for _, r := range rows {
		var f fund.Fund
		if f, err = s.catalog.Fund(r.FundID); err != nil {
			return nil, false, err
		}
		parts = append(parts, part{fund: f, gift: r.Amount, absorbed: r.Borne})
	}
	return parts, true, nil
}
