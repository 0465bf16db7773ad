package settlement

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
)

// revision is a change for which a gift's receipt must be brought to what is left of the gift.
type revision struct {
	change
	why receipt.Reason
}

// revise notes a revision; several changes of one charge make one, for the last.
func (s *bookingRun) reviseReceiptOf(c change, why receipt.Reason) {
	s.revisions = slices.DeleteFunc(s.revisions, func(r revision) bool { return r.charge == c.charge })
	s.revisions = append(s.revisions, revision{c, why})
}

// reviseTx brings the receipts of changed gifts to what is left of each: replaced when a part went back, void when all of it did,
// issued anew when it came back. The donor is told by letter. A charge without a gift or a receipt has nothing to revise.
// It locks the counters of numbers: call it last.
func (s *bookingRun) reviseReceiptsTx(ctx context.Context, tx *sqlx.Tx) error {
	var voids []receipt.Void
	var replacements []receipt.Replacement
	for _, r := range s.revisions {
		gift, err := donation.ByCharge(ctx, tx, s.entity.ID, r.charge)
		if err != nil {
			return err
		}
		latest, err := receipt.Latest(ctx, tx, []uuid.UUID{gift})
		if err != nil {
			return err
		}
		was, issued := latest[gift]
		if !issued {
			continue
		}
		left, charged, err := s.keptByFundTx(ctx, tx, r.charge)
		if err != nil {
			return err
		}
		day := ledger.DateOf(r.at, s.entity.Location()).String()
		told := receipt.Change{Reason: r.why, On: day, By: r.object}
		facts := reducedFacts(was.Facts, left, charged, day)
		switch {
		case was.IsValid() && len(facts.Lines) == 0:
			voids = append(voids, receipt.Void{Of: was.ID, Change: told})
		case was.IsValid() && r.why == receipt.Reinstated: // a part was lost and came back: what stands says too little
			told.Reason = receipt.Corrected
			fallthrough
		case was.IsValid(), r.why == receipt.Reinstated && len(facts.Lines) > 0:
			replacements = append(replacements, receipt.Replacement{Of: was.ID, Change: told, Facts: facts})
		}
	}
	if len(voids) > 0 {
		if err := s.Receipts.VoidTx(ctx, tx, voids, s.Now()); err != nil {
			return err
		}
	}
	if len(replacements) == 0 {
		return nil
	}
	_, err := s.Receipts.ReplaceTx(ctx, tx, replacements, s.Now())
	return err
}

// remaining is what a receipt says when each fund kept so much of the gift, of charged in all.
func reducedFacts(f receipt.Facts, kept map[uuid.UUID]int64, charged int64, day string) receipt.Facts {
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
	if f.Returned = nil; f.Amount.Minor == charged {
		return f
	}
	f.Returned = &receipt.Returned{Charged: money.New(charged, currency), Amount: money.New(charged-f.Amount.Minor, currency), On: day}
	return f
}

// keptTx is what each fund kept of a charge's gift after refunds and disputes lost for good, and the gift in all.
func (s *bookingRun) keptByFundTx(ctx context.Context, tx *sqlx.Tx, charge string) (kept map[uuid.UUID]int64, charged int64, err error) {
	const gifts = `/* settlement.keptTx */ SELECT fund_id, gift AS amount FROM charge_share WHERE charge_id = $1 AND entity_id = $2 AND gift > 0`
	const returned = `/* settlement.keptTx */
		SELECT s.fund_id, sum(s.amount)::bigint AS amount FROM charge_change h
		  JOIN charge_change_share s ON s.object_id = h.object_id AND s.kind = h.kind AND s.entity_id = h.entity_id
		 WHERE h.charge_id = $1 AND h.entity_id = $2 AND (h.kind = 'refund' OR h.kind = 'dispute lost' AND NOT EXISTS (
		       SELECT 1 FROM charge_change w WHERE w.object_id = h.object_id AND w.entity_id = h.entity_id AND w.kind = 'dispute won'))
		 GROUP BY s.fund_id`
	if kept, err = s.amountsByFundTx(ctx, tx, gifts, charge, s.entity.ID); err != nil {
		return nil, 0, err
	}
	gone, err := s.amountsByFundTx(ctx, tx, returned, charge, s.entity.ID)
	for id := range kept {
		charged += kept[id]
		kept[id] -= gone[id]
	}
	return kept, charged, err
}
