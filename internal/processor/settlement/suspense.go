package settlement

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/task"
	"konbit/internal/giving/donation"
)

// BookToSuspenseTx books a transaction that its rule cannot book: money of a charge as a payment that is no gift's, anything else's net to
// suspense. A task names the transaction and why.
func (b Booker) BookToSuspenseTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entityID uuid.UUID, t Transaction, why error) error {
	s, err := b.newRun(catalog, entityID)
	if err != nil {
		return err
	}
	if err := s.recordTx(ctx, tx, []Transaction{t}); err != nil {
		return err
	}
	err = task.OpenTx(ctx, tx, task.Task{EntityID: entityID, Kind: taskNotBooked, Subject: t.ID, Detail: map[string]string{
		"type": t.Type, "of": t.SourceID, "net": fmt.Sprint(t.Net), "currency": string(t.Currency), "reason": why.Error(),
	}}, b.NewID, b.Now())
	if err != nil || t.Currency != s.entity.Currency {
		return err
	}
	if t.movement() != chargeMade || t.Charge == nil {
		return s.bookToOperationsTx(ctx, tx, t, ledger.Suspense)
	}
	orphan := *t.Charge
	orphan.DonationID, orphan.Invoice = uuid.Nil, nil
	if _, err := s.Settler.SettleTx(ctx, tx, catalog, []donation.IncomingPayment{orphan}); err != nil {
		return err
	}
	due, err := donation.TakeFeesDueTx(ctx, tx, entityID, []string{t.SourceID})
	if err != nil {
		return err
	}
	shares := []chargeShare{{t.SourceID, part{fund: s.operations, fee: t.Fee}}}
	for _, charge := range due {
		for _, p := range charge.Parts { // its gift stands; only its fees cannot be shared out
			f, err := catalog.Fund(p.FundID)
			if err != nil {
				return err
			}
			shares = append(shares, chargeShare{t.SourceID, part{fund: f, gift: p.Amount.Minor}})
		}
	}
	if len(shares) == 1 {
		if err := insertClearingTx(ctx, tx, entityID, t.ID, map[uuid.UUID]int64{s.operations.ID: t.Amount}); err != nil {
			return err
		}
	}
	if err := insertSharesTx(ctx, tx, entityID, shares); err != nil {
		return err
	}
	entry := t.entry(s.entity, kindFee)
	entry.Postings = feePostings(s.operations, t.Fee)
	if len(entry.Postings) == 0 {
		return nil
	}
	_, err = ledger.PostTx(ctx, tx, []ledger.Entry{entry}, s.NewID)
	return err
}
