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
	"konbit/internal/processor/share"
)

// BookToSuspenseTx books a transaction that its rule cannot book, with a task that names it and the reason:
//
//	charge     as a payment of no donation (1010 / 1090 in operations), its fee in operations. If its donation is settled
//	           already, the gift keeps its funds, and operations pays the whole fee
//	any other  its net, 1010 / 1090 in operations
func (b Booker) BookToSuspenseTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entityID uuid.UUID, t Transaction, reason error) error {
	s, err := b.newRun(catalog, entityID)
	if err != nil {
		return err
	}
	if err := s.recordTx(ctx, tx, []Transaction{t}); err != nil {
		return err
	}
	err = task.OpenTx(ctx, tx, task.Task{EntityID: entityID, Kind: taskNotBooked, Subject: t.ID, Detail: map[string]string{
		"type": t.Type, "of": t.SourceID, "net": fmt.Sprint(t.Net), "currency": string(t.Currency), "reason": reason.Error(),
	}}, b.NewID, b.Now())
	if err != nil || t.Currency != s.entity.Currency {
		return err
	}
	if t.movement() != chargeMade || t.Charge == nil {
		return s.bookToOperationsTx(ctx, tx, t, ledger.Suspense)
	}
	return s.suspendChargeTx(ctx, tx, t)
}

// suspendChargeTx books a charge as BookToSuspenseTx says.
func (s *bookingRun) suspendChargeTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	charge := *t.Charge
	charge.DonationID, charge.Invoice = uuid.Nil, nil
	if _, err := s.Settler.SettleTx(ctx, tx, s.catalog, []donation.IncomingPayment{charge}); err != nil {
		return err
	}
	due, err := donation.TakeFeesDueTx(ctx, tx, s.entity.ID, []string{t.SourceID})
	if err != nil {
		return err
	}
	p, err := s.paymentOfTx(ctx, tx, t.SourceID)
	if err != nil || p == nil {
		return err
	}
	shares := []paymentShare{{p.ID, share.Part{Fund: s.operations, Fee: t.Fee}}}
	inSuspense := true
	for _, charge := range due {
		for _, d := range charge.Parts {
			inSuspense = false
			if d.FundID == s.operations.ID {
				shares[0].Gift += d.Amount.Minor
				continue
			}
			f, err := s.catalog.Fund(d.FundID)
			if err != nil {
				return err
			}
			shares = append(shares, paymentShare{p.ID, share.Part{Fund: f, Gift: d.Amount.Minor}})
		}
	}
	if inSuspense {
		if err := insertClearingTx(ctx, tx, s.entity.ID, t.ID, map[uuid.UUID]int64{s.operations.ID: t.Amount}); err != nil {
			return err
		}
	}
	if err := insertSharesTx(ctx, tx, s.entity.ID, shares); err != nil {
		return err
	}
	entry := t.entry(s.entity, kindFee)
	if entry.Postings = share.FeePostings(ledger.StripeClearing, s.operations, t.Fee); len(entry.Postings) == 0 {
		return nil
	}
	_, err = ledger.PostTx(ctx, tx, []ledger.Entry{entry}, s.NewID)
	return err
}
