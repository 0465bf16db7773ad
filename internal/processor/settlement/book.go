package settlement

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/books/task"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/payment"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/dispute"
	"konbit/internal/processor/refundcall"
)

// Booker books balance transactions.
type Booker struct {
	Settler  donation.Settler
	Receipts receipt.Issuer
	Orders   refundcall.Orders // nil: every refund is divided in proportion
	NewID    func() uuid.UUID
	Now      func() time.Time
}

// BookTx books an entity's transactions, listed in the order in which Stripe made them, and returns how many were new.
// Transactions that are booked already are skipped, so a list may be booked again.
//
// Order of locks: donors of changed payments, restricted funds by id, donations by id, counters of receipt numbers.
func (b Booker) BookTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entityID uuid.UUID, listed []Transaction) (int, error) {
	s, err := b.newRun(catalog, entityID)
	if err != nil {
		return 0, err
	}
	unbooked, err := UnbookedTx(ctx, tx, entityID, listed)
	if err != nil {
		return 0, err
	}
	charges, err := s.chargeListTx(ctx, tx, listed, unbooked)
	if err != nil || len(unbooked) == 0 && len(charges.byCharge) == 0 {
		return 0, err
	}
	if err := s.lockFundsOfTx(ctx, tx, unbooked, charges); err != nil {
		return 0, err
	}
	// The rows come before the entries: a list may contain a payout with its members, and with its failure.
	if err := s.recordTx(ctx, tx, unbooked); err != nil {
		return 0, err
	}
	// Charges come first, all at once: each other movement of a charge is later than the charge.
	if err := s.bookChargesTx(ctx, tx, charges); err != nil {
		return 0, err
	}
	for _, t := range unbooked {
		if err := s.bookMovementTx(ctx, tx, t); err != nil {
			return 0, fmt.Errorf("balance transaction %s (%s): %w", t.ID, t.Type, err)
		}
	}
	return len(unbooked), s.reviseReceiptsTx(ctx, tx)
}

// Disputes stores what the processor tells of disputes.
func (b Booker) Disputes() dispute.Store { return dispute.Store{NewID: b.NewID, Now: b.Now} }

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

// bookingRun books one list for one entity.
type bookingRun struct {
	Booker
	catalog    *fund.Catalog
	entity     org.LegalEntity
	operations fund.Fund
	entries    []ledger.Entry // of the charges' fees
	shares     []paymentShare // of the charges
	revisions  []revision     // of receipts; made last, because they lock the counters of receipt numbers
}

// lockFundsOfTx locks the restricted funds that a list may take money from. It first locks the donors whose
// receipts the list may revise.
func (s *bookingRun) lockFundsOfTx(ctx context.Context, tx *sqlx.Tx, unbooked []Transaction, charges chargeList) error {
	var gifts, funds, payments, revised []uuid.UUID
	var changed []string
	for _, t := range charges.byCharge {
		if t.Charge != nil && t.Charge.DonationID != uuid.Nil {
			gifts = append(gifts, t.Charge.DonationID)
		}
	}
	for _, t := range unbooked {
		if t.ChargeID != "" && t.movement() != chargeMade {
			changed = append(changed, t.ChargeID)
		}
	}
	parts, err := donation.DesignationsOf(ctx, tx, gifts)
	if err != nil {
		return err
	}
	for _, of := range parts {
		for _, p := range of {
			funds = append(funds, p.FundID)
		}
	}
	if len(changed) > 0 {
		booked, err := payment.ByChargeTx(ctx, tx, s.entity.ID, payment.Stripe, changed)
		if err != nil {
			return err
		}
		for _, p := range booked {
			payments = append(payments, p.ID)
			if p.DonationID != nil {
				revised = append(revised, *p.DonationID)
			}
		}
		if err := receipt.LockDonorsTx(ctx, tx, revised); err != nil {
			return err
		}
	}
	more, err := fundsOfPaymentsTx(ctx, tx, payments)
	if err != nil {
		return err
	}
	return s.lockFundsTx(ctx, tx, append(funds, more...))
}

// lockFundsOfPaymentsTx locks the restricted funds that have a part of the payments.
func (s *bookingRun) lockFundsOfPaymentsTx(ctx context.Context, tx *sqlx.Tx, payments []uuid.UUID) error {
	funds, err := fundsOfPaymentsTx(ctx, tx, payments)
	if err != nil {
		return err
	}
	return s.lockFundsTx(ctx, tx, funds)
}

func fundsOfPaymentsTx(ctx context.Context, tx *sqlx.Tx, payments []uuid.UUID) (funds []uuid.UUID, err error) {
	const query = `/* settlement.fundsOfPaymentsTx */ SELECT DISTINCT fund_id FROM payment_share WHERE payment_id = ANY($1::uuid[])`
	if len(payments) == 0 {
		return nil, nil
	}
	err = tx.SelectContext(ctx, &funds, query, pg.UUIDs(payments))
	return funds, err
}

// lockFundsTx locks the restricted ones of some funds, in the order of their ids.
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

// bookMovementTx books one transaction that is not a charge: by its rule, or deferred until its charge is booked.
func (s *bookingRun) bookMovementTx(ctx context.Context, tx *sqlx.Tx, t Transaction) error {
	kind := t.movement()
	if kind == chargeMade {
		return nil // booked with the other charges of the list
	}
	if t.Currency != s.entity.Currency {
		return s.openTaskTx(ctx, tx, taskOtherCurrency, t)
	}
	if wait, err := s.mustDeferTx(ctx, tx, t); err != nil {
		return err
	} else if wait {
		return s.deferMovementTx(ctx, tx, t)
	}
	return s.bookByKindTx(ctx, tx, t)
}

// bookByKindTx books a transaction that is not a charge, in the books' currency, by the rule of its kind.
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

// bookToOperationsTx books a transaction's net in operations.
//
//	money that left   account / 1010
//	money that came   1010 / account
func (s *bookingRun) bookToOperationsTx(ctx context.Context, tx *sqlx.Tx, t Transaction, account ledger.Account) error {
	if t.Net == 0 {
		return nil
	}
	entry := t.entry(s.entity, kindMovement)
	entry.Postings = ledger.Move(account, ledger.StripeClearing, s.operations.ID, -t.Net)
	return s.postTx(ctx, tx, t, entry)
}

// postTx writes a transaction's entries, and what they do to Stripe clearing (1010) by fund.
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

// openTaskTx opens a task about a transaction.
func (s *bookingRun) openTaskTx(ctx context.Context, tx *sqlx.Tx, kind *task.Kind, t Transaction) error {
	return task.OpenTx(ctx, tx, task.Task{EntityID: s.entity.ID, Kind: kind, Subject: t.ID, Detail: map[string]string{
		"type": t.Type, "of": t.SourceID, "amount": fmt.Sprint(t.Amount), "fee": fmt.Sprint(t.Fee), "currency": string(t.Currency),
	}}, s.NewID, s.Now())
}
