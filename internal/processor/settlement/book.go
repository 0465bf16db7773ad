package settlement

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/books/task"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
)

// Booker books balance transactions.
type Booker struct {
	Settler  donation.Settler
	Receipts receipt.Issuer
	NewID    func() uuid.UUID
	Now      func() time.Time
}

// BookTx books the transactions of an entity, given in the order in which Stripe made them, and answers how
// many were new. What is booked already is left alone, so any list may be given again.
func (b Booker) BookTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entityID uuid.UUID, listed []Transaction) (int, error) {
	s, err := b.newRun(catalog, entityID)
	if err != nil {
		return 0, err
	}
	fresh, err := UnbookedTx(ctx, tx, entityID, listed)
	if err != nil {
		return 0, err
	}
	charges, err := s.chargeListTx(ctx, tx, listed, fresh)
	if err != nil || len(fresh) == 0 && len(charges.byCharge) == 0 {
		return 0, err
	}
	if err := s.lockFundsOfTx(ctx, tx, fresh, charges); err != nil {
		return 0, err
	}
	// Kept before they are booked: a payout may stand in one list with what it pays out, and with its failure.
	if err := s.recordTx(ctx, tx, fresh); err != nil {
		return 0, err
	}
	// The charges of a list go first, all at once: nothing can have happened to a charge before it was made.
	if err := s.bookChargesTx(ctx, tx, charges); err != nil {
		return 0, err
	}
	for _, t := range fresh {
		if err := s.bookMovementTx(ctx, tx, t); err != nil {
			return 0, fmt.Errorf("balance transaction %s (%s): %w", t.ID, t.Type, err)
		}
	}
	return len(fresh), s.reviseReceiptsTx(ctx, tx)
}

func (b Booker) newRun(catalog *fund.Catalog, entityID uuid.UUID) (*bookingRun, error) {
	entity, err := catalog.EntityByID(entityID)
	if err != nil {
		return nil, err
	}
	operations, err := catalog.Operations(entityID)
	if err != nil {
		return nil, err
	}
	return &bookingRun{Booker: b, catalog: catalog, entity: entity, operations: operations}, nil
}

// session books one list for one entity.
type bookingRun struct {
	Booker
	catalog    *fund.Catalog
	entity     org.LegalEntity
	operations fund.Fund
	entries    []ledger.Entry // of charges' fees
	shares     []chargeShare  // of charges
	revisions  []revision     // of receipts, made when all else is: they lock the counter of numbers
}

// lockTx locks the restricted funds that a list may take from, in the order of their ids, before anything else is locked.
func (s *bookingRun) lockFundsOfTx(ctx context.Context, tx *sqlx.Tx, fresh []Transaction, charges chargeList) error {
	const query = `/* settlement.lockTx */ SELECT DISTINCT fund_id FROM charge_share WHERE entity_id = $1 AND charge_id = ANY($2)`
	var gifts, funds []uuid.UUID
	var about []string
	for _, t := range charges.byCharge {
		if t.Charge != nil && t.Charge.DonationID != uuid.Nil {
			gifts = append(gifts, t.Charge.DonationID)
		}
	}
	for _, t := range fresh {
		if t.ChargeID != "" {
			about = append(about, t.ChargeID)
		}
	}
	parts, err := donation.DesignationsOf(ctx, tx, gifts)
	if err != nil {
		return err
	}
	if err := tx.SelectContext(ctx, &funds, query, s.entity.ID, pq.Array(about)); err != nil {
		return err
	}
	for _, of := range parts {
		for _, p := range of {
			funds = append(funds, p.FundID)
		}
	}
	return s.lockFundsTx(ctx, tx, funds)
}

func (s *bookingRun) lockFundsTx(ctx context.Context, tx *sqlx.Tx, funds []uuid.UUID) error {
	slices.SortFunc(funds, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	for _, id := range slices.Compact(funds) {
		f, err := s.catalog.Fund(id)
		if err != nil {
			return err
		}
		if !f.Restricted() {
			continue
		}
		if err := fund.LockTx(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

// bookTx books one transaction that is no charge.
func (s *bookingRun) bookMovementTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	kind := t.movement()
	if kind == chargeMade {
		return nil // booked with the others of its list
	}
	if t.Currency != s.entity.Currency {
		return s.openTaskTx(ctx, tx, taskOtherCurrency, t)
	}
	if waits, err := s.mustDeferTx(ctx, tx, t); err != nil {
		return err
	} else if waits {
		return s.deferMovementTx(ctx, tx, t)
	}
	return s.bookByKindTx(ctx, tx, t)
}

// ruleTx books a transaction in the books' currency that is no charge by the rule of its kind.
func (s *bookingRun) bookByKindTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	switch t.movement() {
	case chargeFailed:
		return s.chargeFailedTx(ctx, tx, t)
	case refunded:
		return s.refundTx(ctx, tx, t)
	case refundFailed:
		return s.refundFailedTx(ctx, tx, t)
	case disputeWithdrawn:
		return s.disputeWithdrawnTx(ctx, tx, t)
	case disputeWon:
		return s.disputeWonTx(ctx, tx, t)
	case payoutPaid:
		return s.bookPayoutTx(ctx, tx, t)
	case payoutFailed:
		return s.bookFailedPayoutTx(ctx, tx, t)
	case processorFee:
		return s.bookToOperationsTx(ctx, tx, t, ledger.ProcessingFees)
	default:
		if err := s.openTaskTx(ctx, tx, taskUnknown, t); err != nil {
			return err
		}
		return s.bookToOperationsTx(ctx, tx, t, ledger.Suspense)
	}
}

// onOperationsTx books a transaction's net against an account of operations: Dr account / Cr 1010 for money
// that left, the reverse for money that came.
func (s *bookingRun) bookToOperationsTx(ctx context.Context, tx *sqlx.Tx, t Transaction, account ledger.Account) error {
	if t.Net == 0 {
		return nil
	}
	entry := t.entry(s.entity, kindMovement)
	entry.Postings = ledger.Move(account, ledger.StripeClearing, s.operations.ID, -t.Net)
	return s.postTx(ctx, tx, t, entry)
}

// postTx writes a transaction's entries and what they did to 1010, fund by fund.
func (s *bookingRun) postTx(ctx context.Context, tx *sqlx.Tx, t Transaction, entries ...ledger.Entry) error {
	clearing := map[uuid.UUID]int64{}
	for _, e := range entries {
		for _, p := range e.Postings {
			if p.Account == ledger.StripeClearing {
				clearing[p.FundID] += p.Amount
			}
		}
	}
	if _, err := ledger.PostTx(ctx, tx, entries, s.NewID); err != nil {
		return err
	}
	return insertClearingTx(ctx, tx, s.entity.ID, t.ID, clearing)
}

func (s *bookingRun) openTaskTx(ctx context.Context, tx *sqlx.Tx, kind *task.Kind, t Transaction) error {
	return task.OpenTx(ctx, tx, task.Task{EntityID: s.entity.ID, Kind: kind, Subject: t.ID, Detail: map[string]string{
		"type": t.Type, "of": t.SourceID, "amount": fmt.Sprint(t.Amount), "fee": fmt.Sprint(t.Fee), "currency": string(t.Currency),
	}}, s.NewID, s.Now())
}
