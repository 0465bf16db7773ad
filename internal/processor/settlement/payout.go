package settlement

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/payment"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/payout"
	"konbit/internal/processor/share"
)

// bookPayoutTx books a payout.
//
//	debit  credit  fund
//	1015   1010    each fund, what the payout's members left in it
//	1015   1010    operations, the rest (a task says so)
//
// A payout without members is divided in proportion to what each fund has in Stripe clearing.
func (s *bookingRun) bookPayoutTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	shares, err := s.payoutSharesTx(ctx, tx, t)
	if err != nil {
		return err
	}
	entry := t.entry(s.entity, kindMovement)
	entry.Dimensions["payout"] = t.SourceID
	rest := -t.Net
	for _, id := range share.SortedFunds(shares) {
		rest -= shares[id]
		if shares[id] != 0 {
			entry.Postings = append(entry.Postings, ledger.Move(ledger.PayoutsInTransit, ledger.StripeClearing, id, shares[id])...)
		}
	}
	if rest != 0 {
		entry.Postings = append(entry.Postings, ledger.Move(ledger.PayoutsInTransit, ledger.StripeClearing, s.operations.ID, rest)...)
		if err := s.openTaskTx(ctx, tx, taskPayoutDiffers, t); err != nil {
			return err
		}
	}
	if len(entry.Postings) == 0 {
		return nil
	}
	return s.postTx(ctx, tx, t, entry)
}

// bookFailedPayoutTx books a payout that the bank returned or Stripe canceled: the reverse of the payout's entry, with
// a task. One that does not fit its payout goes to suspense.
func (s *bookingRun) bookFailedPayoutTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	const query = `/* settlement.bookFailedPayoutTx */
		SELECT c.fund_id, c.amount FROM balance_transaction b
		  JOIN clearing_share c ON c.transaction_id = b.id AND c.entity_id = b.entity_id
		 WHERE b.entity_id = $1 AND b.source_id = $2 AND b.type = 'payout'`
	status := payout.Failed
	if t.Type == "payout_cancel" {
		status = payout.Canceled
	}
	if err := payout.EndTx(ctx, tx, s.entity.ID, t.SourceID, status); err != nil {
		return err
	}
	shares, err := amountsByFundTx(ctx, tx, query, s.entity.ID, t.SourceID)
	if err != nil {
		return err
	}
	var total int64
	for _, amount := range shares {
		total -= amount // the payout's amounts are negative: it took them out of clearing
	}
	if total != t.Net {
		return s.bookUnexpectedTx(ctx, tx, t)
	}
	entry := t.entry(s.entity, kindMovement)
	entry.Dimensions["payout"] = t.SourceID
	for _, id := range share.SortedFunds(shares) {
		entry.Postings = append(entry.Postings, ledger.Move(ledger.StripeClearing, ledger.PayoutsInTransit, id, -shares[id])...)
	}
	if err := s.openTaskTx(ctx, tx, taskPayoutFailed, t); err != nil {
		return err
	}
	return s.postTx(ctx, tx, t, entry)
}

// payoutSharesTx returns what a payout takes from each fund, in minor units: the sum of what its members left there, and
// what moved between funds since the payout before. A payout without members, or with a member that is not booked because
// it is older than these books, is divided by sharesByClearingTx.
func (s *bookingRun) payoutSharesTx(ctx context.Context, tx *sqlx.Tx, t Transaction) (map[uuid.UUID]int64, error) {
	if !t.IsAutomaticPayout() {
		return s.sharesByClearingTx(ctx, tx, t)
	}
	booked, err := BookedTx(ctx, tx, s.entity.ID, t.Members)
	if err != nil {
		return nil, err
	}
	for _, member := range t.Members {
		if !booked[member] {
			return s.sharesByClearingTx(ctx, tx, t)
		}
	}
	shares, shared, err := s.chargeMembersTx(ctx, tx, t.Members)
	if err != nil {
		return nil, err
	}
	const other = `/* settlement.payoutSharesTx */
		SELECT fund_id, sum(amount)::bigint AS amount FROM (
		    SELECT $3::uuid AS fund_id, p.amount FROM pending_charge p
		     WHERE p.entity_id = $1 AND p.transaction_id = ANY($2) AND p.charge_id <> ALL($4)
		    UNION ALL
		    SELECT $3::uuid, b.net FROM pending_movement m JOIN balance_transaction b ON b.id = m.transaction_id AND b.entity_id = m.entity_id
		     WHERE m.entity_id = $1 AND m.transaction_id = ANY($2) AND m.cleared_at IS NULL
		    UNION ALL
		    SELECT fund_id, amount FROM clearing_share WHERE entity_id = $1 AND transaction_id = ANY($2)) members
		 GROUP BY fund_id`
	rest, err := amountsByFundTx(ctx, tx, other, s.entity.ID, pq.Array(t.Members), s.operations.ID, pq.Array(shared))
	if err != nil {
		return nil, err
	}
	for id, amount := range rest {
		shares[id] += amount
	}
	return shares, payout.CarryTx(ctx, tx, s.entity.ID, t.ID, shares)
}

// chargeMembersTx returns what the charges among a payout's members left in each fund, in minor units, and the charges
// that have shares.
func (s *bookingRun) chargeMembersTx(ctx context.Context, tx *sqlx.Tx, members []string) (shares map[uuid.UUID]int64, charges []string, err error) {
	const sources = `/* settlement.chargeMembersTx */
		SELECT source_id FROM balance_transaction WHERE entity_id = $1 AND id = ANY($2) AND type IN ('charge', 'payment')`
	const query = `/* settlement.chargeMembersTx */
		SELECT payment_id, fund_id, gift - fee - sponsor_fee AS amount FROM payment_share WHERE payment_id = ANY($1::uuid[])`
	var listed []string
	if err := tx.SelectContext(ctx, &listed, sources, s.entity.ID, pq.Array(members)); err != nil {
		return nil, nil, err
	}
	payments, err := payment.ByChargeTx(ctx, tx, s.entity.ID, payment.Stripe, listed)
	if err != nil {
		return nil, nil, err
	}
	ids, chargeOf := make([]uuid.UUID, 0, len(payments)), map[uuid.UUID]string{}
	for charge, p := range payments {
		ids, chargeOf[p.ID] = append(ids, p.ID), charge
	}
	var rows []struct {
		PaymentID uuid.UUID `db:"payment_id"`
		FundID    uuid.UUID `db:"fund_id"`
		Amount    int64     `db:"amount"`
	}
	if err := tx.SelectContext(ctx, &rows, query, pg.UUIDs(ids)); err != nil {
		return nil, nil, err
	}
	shares, charges = map[uuid.UUID]int64{}, []string{}
	for _, r := range rows {
		shares[r.FundID] += r.Amount
		charges = append(charges, chargeOf[r.PaymentID])
	}
	return shares, charges, nil
}

// sharesByClearingTx divides a payout over the funds in proportion to what each has in Stripe clearing (1010). What moved
// between funds is in these balances.
func (s *bookingRun) sharesByClearingTx(ctx context.Context, tx *sqlx.Tx, t Transaction) (map[uuid.UUID]int64, error) {
	if err := payout.CarryTx(ctx, tx, s.entity.ID, t.ID, map[uuid.UUID]int64{}); err != nil {
		return nil, err
	}
	balances, err := ledger.AccountTx(ctx, tx, s.entity.ID, ledger.StripeClearing)
	if err != nil {
		return nil, err
	}
	var funds []uuid.UUID
	var weights []int64
	for _, id := range share.SortedFunds(balances) {
		if balances[id] > 0 {
			funds, weights = append(funds, id), append(weights, balances[id])
		}
	}
	if len(funds) == 0 || t.Net >= 0 {
		return map[uuid.UUID]int64{s.operations.ID: -t.Net}, nil
	}
	parts, err := money.New(-t.Net, t.Currency).Split(weights)
	if err != nil {
		return nil, fmt.Errorf("divide payout %s: %w", t.SourceID, err)
	}
	shares := map[uuid.UUID]int64{}
	for i, id := range funds {
		shares[id] = parts[i].Minor
	}
	return shares, nil
}

// amountsByFundTx returns the rows (fund_id, amount) of a query as a map.
func amountsByFundTx(ctx context.Context, tx *sqlx.Tx, query string, args ...any) (map[uuid.UUID]int64, error) {
	var rows []struct {
		FundID uuid.UUID `db:"fund_id"`
		Amount int64     `db:"amount"`
	}
	if err := tx.SelectContext(ctx, &rows, query, args...); err != nil {
		return nil, err
	}
	shares := make(map[uuid.UUID]int64, len(rows))
	for _, r := range rows {
		shares[r.FundID] = r.Amount
	}
	return shares, nil
}
