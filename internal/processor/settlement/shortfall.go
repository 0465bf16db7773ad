package settlement

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/task"
	"konbit/internal/platform/money"
	"konbit/internal/processor/share"
)

// A restricted fund never falls below zero. What it cannot pay, operations pays (absorbs), and a task says so.

// restrictedBalances are the balances of restricted funds while the fees of a list are computed, in minor units by
// fund.
type restrictedBalances map[uuid.UUID]int64

// absorbFeesTx moves to operations what a restricted fund can no longer pay of the sponsor's fee and of the processing
// fee, in this order: the fund may have given the gift away before its fee was known. The funds must be locked.
func (s *bookingRun) absorbFeesTx(ctx context.Context, tx *sqlx.Tx, t Transaction, parts []share.Part, balances restrictedBalances) ([]share.Part, error) {
	operationsPart := share.Part{Fund: s.operations}
	for i := range parts {
		p := &parts[i]
		if !p.Fund.Restricted() {
			continue
		}
		if _, known := balances[p.Fund.ID]; !known {
			var err error
			if balances[p.Fund.ID], err = ledger.RestrictedTx(ctx, tx, p.Fund.ID); err != nil {
				return nil, err
			}
		}
		short := max(p.Fee+p.SponsorFee-max(balances[p.Fund.ID], 0), 0)
		sponsorFee := min(short, p.SponsorFee)
		p.SponsorFee, operationsPart.SponsorFee = p.SponsorFee-sponsorFee, operationsPart.SponsorFee+sponsorFee
		p.Fee, operationsPart.Fee = p.Fee-(short-sponsorFee), operationsPart.Fee+short-sponsorFee
		balances[p.Fund.ID] -= p.Fee + p.SponsorFee
		if err := s.openShortfallTaskTx(ctx, tx, t.SourceID, t.Currency, p.Fund, short); err != nil {
			return nil, err
		}
	}
	if operationsPart.Fee == 0 && operationsPart.SponsorFee == 0 {
		return parts, nil
	}
	if last := &parts[len(parts)-1]; last.Fund.ID == s.operations.ID {
		last.Fee, last.SponsorFee = last.Fee+operationsPart.Fee, last.SponsorFee+operationsPart.SponsorFee
		return parts, nil
	}
	return append(parts, operationsPart), nil
}

// absorbShortfallsTx sets on each part that is taken from a restricted fund the amount that operations absorbs, so that
// the fund does not fall below zero. It locks the funds, so that nothing is awarded from them meanwhile.
func (s *bookingRun) absorbShortfallsTx(ctx context.Context, tx *sqlx.Tx, taken []share.Part) error {
	funds := make([]uuid.UUID, len(taken))
	for i, p := range taken {
		funds[i] = p.Fund.ID
	}
	if err := s.lockFundsTx(ctx, tx, funds); err != nil {
		return err
	}
	for i := range taken {
		p := &taken[i]
		if !p.Fund.Restricted() {
			continue
		}
		balance, err := ledger.RestrictedTx(ctx, tx, p.Fund.ID)
		if err != nil {
			return err
		}
		// The fees that are given back are restricted again and pay their part.
		p.Absorbed = min(max(p.Gift-p.Fee-p.SponsorFee-balance, 0), p.Gift)
	}
	return nil
}

// openShortfallTasksTx opens a task for each part of which operations absorbed something.
func (s *bookingRun) openShortfallTasksTx(ctx context.Context, tx *sqlx.Tx, object string, c money.Currency, taken []share.Part) error {
	for _, p := range taken {
		if err := s.openShortfallTaskTx(ctx, tx, object, c, p.Fund, p.Absorbed); err != nil {
			return err
		}
	}
	return nil
}

// openShortfallTaskTx opens the task about what operations absorbed in a fund's place because of a charge, refund or
// dispute, in minor units.
func (s *bookingRun) openShortfallTaskTx(ctx context.Context, tx *sqlx.Tx, object string, c money.Currency, f fund.Fund, absorbed int64) error {
	if absorbed == 0 {
		return nil
	}
	return task.OpenTx(ctx, tx, task.Task{
		EntityID: s.entity.ID, Kind: taskShortfall, Subject: object + " " + f.Code,
		Detail: map[string]string{"fund": f.Code, "amount": fmt.Sprint(absorbed), "of": object, "currency": string(c)},
	}, s.NewID, s.Now())
}

// openBeyondTaskTx opens the task about what went back beyond what was left of the gift, and operations paid.
func (s *bookingRun) openBeyondTaskTx(ctx context.Context, tx *sqlx.Tx, t Transaction, taken taking) error {
	if taken.beyond == 0 {
		return nil
	}
	return task.OpenTx(ctx, tx, task.Task{EntityID: s.entity.ID, Kind: taskBeyond, Subject: t.ID, Detail: map[string]string{
		"of": t.SourceID, "charge": t.ChargeID, "amount": fmt.Sprint(-t.Amount), "beyond": fmt.Sprint(taken.beyond), "currency": string(t.Currency),
	}}, s.NewID, s.Now())
}
