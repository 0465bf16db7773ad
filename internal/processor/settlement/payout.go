package settlement

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
)

// payoutTx books a payout: 1015 / 1010 fund by fund, by what its own transactions left in each fund. A payout
// made by hand names no transactions; it is shared by what each fund has in clearing.
func (s *bookingRun) bookPayoutTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	shares, err := s.payoutSharesTx(ctx, tx, t)
	if err != nil {
		return err
	}
	entry := t.entry(s.entity, kindMovement)
	entry.Dimensions["payout"] = t.SourceID
	rest := -t.Net
	for _, id := range sortedFunds(shares) {
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

// payoutFailedTx books a payout the bank sent back: the same shares the other way.
func (s *bookingRun) bookFailedPayoutTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	if err := s.endPayoutTx(ctx, tx, t); err != nil {
		return err
	}
	const query = `/* settlement.bookFailedPayoutTx */
		SELECT c.fund_id, c.amount FROM balance_transaction b
		  JOIN clearing_share c ON c.transaction_id = b.id AND c.entity_id = b.entity_id
		 WHERE b.entity_id = $1 AND b.source_id = $2 AND b.type = 'payout'`
	shares, err := s.amountsByFundTx(ctx, tx, query, s.entity.ID, t.SourceID)
	if err != nil {
		return err
	}
	var total int64
	for _, amount := range shares {
		total -= amount // what the payout took out of clearing
	}
	if total != t.Net {
		return s.bookUnexpectedTx(ctx, tx, t)
	}
	entry := t.entry(s.entity, kindMovement)
	entry.Dimensions["payout"] = t.SourceID
	for _, id := range sortedFunds(shares) {
		entry.Postings = append(entry.Postings, ledger.Move(ledger.StripeClearing, ledger.PayoutsInTransit, id, -shares[id])...)
	}
	if err := s.openTaskTx(ctx, tx, taskPayoutFailed, t); err != nil {
		return err
	}
	return s.postTx(ctx, tx, t, entry)
}

// payoutSharesTx sums what the payout's transactions left in each fund. All of them must be booked.
func (s *bookingRun) payoutSharesTx(ctx context.Context, tx *sqlx.Tx, t Transaction) (map[uuid.UUID]int64, error) {
	if !t.IsAutomaticPayout() {
		return s.sharesByClearingTx(ctx, tx, t)
	}
	const query = `/* settlement.payoutSharesTx */
		SELECT fund_id, sum(amount)::bigint AS amount FROM (
		    SELECT c.fund_id, c.gift - c.fee - c.sponsor AS amount FROM balance_transaction b
		      JOIN charge_share c ON c.charge_id = b.source_id AND c.entity_id = b.entity_id
		     WHERE b.entity_id = $1 AND b.id = ANY($2) AND b.type IN ('charge', 'payment')
		    UNION ALL
		    SELECT $3::uuid, p.amount FROM pending_charge p WHERE p.entity_id = $1 AND p.transaction_id = ANY($2)
		       AND NOT EXISTS (SELECT 1 FROM charge_share c WHERE c.charge_id = p.charge_id AND c.entity_id = p.entity_id)
		    UNION ALL
		    SELECT $3::uuid, b.net FROM pending_movement m JOIN balance_transaction b ON b.id = m.transaction_id AND b.entity_id = m.entity_id
		     WHERE m.entity_id = $1 AND m.transaction_id = ANY($2) AND m.cleared_at IS NULL
		    UNION ALL
		    SELECT fund_id, amount FROM clearing_share WHERE entity_id = $1 AND transaction_id = ANY($2)) shares
		 GROUP BY fund_id`
	booked, err := BookedTx(ctx, tx, s.entity.ID, t.Members)
	if err != nil {
		return nil, err
	}
	for _, member := range t.Members {
		if !booked[member] {
			return s.sharesByClearingTx(ctx, tx, t) // it pays out what came before these books were opened
		}
	}
	return s.amountsByFundTx(ctx, tx, query, s.entity.ID, pq.Array(t.Members), s.operations.ID)
}

// byClearingTx shares a payout over the funds in proportion to what each has in clearing.
func (s *bookingRun) sharesByClearingTx(ctx context.Context, tx *sqlx.Tx, t Transaction) (map[uuid.UUID]int64, error) {
	balances, err := ledger.AccountTx(ctx, tx, s.entity.ID, ledger.StripeClearing)
	if err != nil {
		return nil, err
	}
	var funds []uuid.UUID
	var weights []int64
	for _, id := range sortedFunds(balances) {
		if balances[id] > 0 {
			funds, weights = append(funds, id), append(weights, balances[id])
		}
	}
	if len(funds) == 0 || t.Net >= 0 {
		return map[uuid.UUID]int64{s.operations.ID: -t.Net}, nil
	}
	parts, err := money.New(-t.Net, t.Currency).Split(weights)
	if err != nil {
		return nil, fmt.Errorf("share out payout %s: %w", t.SourceID, err)
	}
	shares := map[uuid.UUID]int64{}
	for i, id := range funds {
		shares[id] = parts[i].Minor
	}
	return shares, nil
}

func (s *bookingRun) amountsByFundTx(ctx context.Context, tx *sqlx.Tx, query string, args ...any) (map[uuid.UUID]int64, error) {
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

func sortedFunds(shares map[uuid.UUID]int64) []uuid.UUID {
	ids := make([]uuid.UUID, 0, len(shares))
	for id := range shares {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	return ids
}
