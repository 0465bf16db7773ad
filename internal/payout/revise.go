package payout

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/donation"
	"konbit/internal/ledger"
	"konbit/internal/money"
	"konbit/internal/receipt"
)

// reviseTx brings the gift's receipt to what is left of the gift: replaced when a part went back, void when
// all of it did. The donor is told by letter. A charge without a gift or a receipt has nothing to revise.
func (s *session) reviseTx(ctx context.Context, tx *sqlx.Tx, c change, why receipt.Reason) error {
	gift, err := donation.ByCharge(ctx, tx, s.entity.ID, c.charge)
	if err != nil || gift == uuid.Nil {
		return err
	}
	standing, err := receipt.StandingOf(ctx, tx, gift)
	if err != nil || standing == nil {
		return err
	}
	left, charged, err := s.keptTx(ctx, tx, c.charge)
	if err != nil {
		return err
	}
	day := ledger.DateOf(c.at, s.entity.Location()).String()
	told := receipt.Change{Reason: why, On: day, By: c.object}
	facts := remaining(standing.Facts, left, charged, day)
	if len(facts.Lines) == 0 {
		return s.Receipts.VoidTx(ctx, tx, []receipt.Void{{Of: standing.ID, Change: told}}, s.Now())
	}
	_, err = s.Receipts.ReplaceTx(ctx, tx, []receipt.Replacement{{Of: standing.ID, Change: told, Facts: facts}}, s.Now())
	return err
}

// remaining is what a receipt says when each fund kept so much of the gift, of charged in all.
func remaining(f receipt.Facts, kept map[uuid.UUID]int64, charged int64, day string) receipt.Facts {
	currency := f.Amount.Currency
	f.Amount = money.New(0, currency)
	var lines []receipt.Line
	for _, line := range f.Lines {
		line.Amount = money.New(kept[line.FundID], currency)
		if line.Amount.Minor > 0 {
			lines = append(lines, line)
			f.Amount.Minor += line.Amount.Minor
		}
	}
	f.Lines = lines
	f.Returned = &receipt.Returned{Charged: money.New(charged, currency), Amount: money.New(charged-f.Amount.Minor, currency), On: day}
	return f
}

// keptTx is what each fund kept of a charge's gift after refunds and lost disputes, and the gift in all.
func (s *session) keptTx(ctx context.Context, tx *sqlx.Tx, charge string) (kept map[uuid.UUID]int64, charged int64, err error) {
	const gifts = `/* payout.keptTx */ SELECT fund_id, gift AS amount FROM charge_share WHERE charge_id = $1 AND entity_id = $2 AND gift > 0`
	const returned = `/* payout.keptTx */
		SELECT s.fund_id, sum(s.amount)::bigint AS amount FROM charge_change h
		  JOIN charge_change_share s ON s.object_id = h.object_id AND s.kind = h.kind AND s.entity_id = h.entity_id
		 WHERE h.charge_id = $1 AND h.entity_id = $2 AND h.kind IN ('refund', 'dispute lost') GROUP BY s.fund_id`
	if kept, err = s.sharesTx(ctx, tx, gifts, charge, s.entity.ID); err != nil {
		return nil, 0, err
	}
	gone, err := s.sharesTx(ctx, tx, returned, charge, s.entity.ID)
	for id := range kept {
		charged += kept[id]
		kept[id] -= gone[id]
	}
	return kept, charged, err
}
