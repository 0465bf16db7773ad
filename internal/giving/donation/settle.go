package donation

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/task"
	"konbit/internal/giving/dedication"
	"konbit/internal/giving/notice"
	"konbit/internal/giving/payment"
	"konbit/internal/giving/receipt"
)

// Outcome is what became of a payment.
type Outcome string

// The outcomes. The last two wrote nothing: the donation's row does not exist (yet); the invoice that says which
// donation the payment is for is not known yet.
const (
	Booked          Outcome = "settled"
	Repeated        Outcome = "repeated"
	Suspense        Outcome = "suspense"
	MissingDonation Outcome = "missing"
	AwaitsInvoice   Outcome = "waits"
)

// Settler settles donations.
type Settler struct {
	Receipts receipt.Issuer
	Notices  notice.Recorder
	NewID    func() uuid.UUID
	Now      func() time.Time
	Plans    ChargeMatcher
	Offline  OfflineBooker
}

// SettleTx settles the donations of a batch of payments, all in the caller's transaction: the donation's status, the
// payment, its journal entry, the receipt with its number, and the jobs of its emails. It returns an outcome for each
// payment, in order. A repeated payment changes nothing. A payment that is not what its donation expected (another
// amount or currency, a second payment, no donation of ours) is booked to suspense with a task for finance.
//
// The number of statements that it sends does not depend on the size of the batch; triggers run some for each row. It
// locks the donations in the order of their ids and the receipt counters last, so that batches can run side by side.
func (s Settler) SettleTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, payments []IncomingPayment) ([]Outcome, error) {
	payments, err := s.matchTx(ctx, tx, catalog, payments)
	if err != nil {
		return nil, err
	}
	b := &batch{catalog: catalog, now: s.Now(), newID: s.NewID, outcomes: make([]Outcome, len(payments))}
	if err := b.loadTx(ctx, tx, payments); err != nil {
		return nil, err
	}
	for i, p := range payments {
		var err error
		if b.outcomes[i], err = b.decide(p); err != nil {
			return nil, fmt.Errorf("payment %s: %w", p.subject(), err)
		}
	}
	if err := b.writeTx(ctx, tx, s); err != nil {
		return nil, err
	}
	var suspended []IncomingPayment
	for i, p := range payments {
		if p.Invoice != nil && b.outcomes[i] == Suspense {
			suspended = append(suspended, p)
		}
	}
	if len(suspended) == 0 {
		return b.outcomes, nil
	}
	return b.outcomes, s.Plans.PaymentsSuspendedTx(ctx, tx, suspended)
}

// batch is what one SettleTx reads, decides and writes.
type batch struct {
	catalog *fund.Catalog
	now     time.Time
	newID   func() uuid.UUID

	gifts    map[uuid.UUID]*gift
	booked   map[string]bool // payments that have a journal entry, by entryKey
	outcomes []Outcome

	entries     []ledger.Entry
	payments    []payment.Payment
	settled     []*gift
	needsReview []*gift
	feesDue     []IncomingPayment // payments whose processing fee is not booked yet
	offline     []OfflineGift
	tasks       []task.Task
	sources     []payment.Source              // of payments that other programs made
	ignored     map[uuid.UUID]map[string]bool // marks of such payments that finance ignores, by entity
	receipts    []receipt.Request
	notices     []notice.Notice
}

// gift is a donation with what settling it needs.
type gift struct {
	Donation
	Contact
	known      bool                   // the contact was not purged
	dedication *dedication.Dedication // nil: none
	parts      []Designation
	superseded bool // its form has another donation that is neither expired nor failed
	paidBy     string
}

// decide books a payment to its donation or to suspense.
func (b *batch) decide(p IncomingPayment) (Outcome, error) {
	g := b.gifts[p.DonationID]
	switch {
	case !p.method().IsValid():
		return "", fmt.Errorf("the method %q is unknown", p.Method)
	case !p.method().HasProcessor() && p.PaymentID == uuid.Nil:
		return "", fmt.Errorf("a payment by %s needs an id", p.Method)
	case b.booked[entryKey(p)], g != nil && g.ChargeID != nil && *g.ChargeID == p.ChargeRef:
		return Repeated, nil
	case p.rejected == awaitsInvoice:
		return AwaitsInvoice, nil
	case p.rejected == BeyondPlan:
		return b.suspend(p, nil, taskBeyondPlan)
	case p.rejected == PlanEnded:
		return b.suspend(p, nil, taskPlanEnded)
	case p.isOthers():
		return b.bookOthers(p)
	case p.DonationID == uuid.Nil:
		return b.suspend(p, nil, taskWithoutGift)
	case g == nil:
		return MissingDonation, nil
	case g.EntityID != p.EntityID:
		return b.suspend(p, nil, taskOtherEntity)
	case g.Status == Settled || g.Status == NeedsReview:
		return b.suspend(p, nil, taskPaidTwice)
	case g.superseded:
		return b.suspend(p, nil, taskReplaced)
	case !g.known:
		return b.suspend(p, g, taskPurged) // the receipt would name no donor
	case g.Amount() != p.Amount:
		return b.suspend(p, g, taskDiffers)
	default:
		return b.settle(p, g)
	}
}

func entryKey(p IncomingPayment) string { return p.EntityID.String() + " " + p.key() }

// settle books a payment to its donation.
func (b *batch) settle(p IncomingPayment, g *gift) (Outcome, error) {
	entity, err := b.catalog.EntityByID(p.EntityID)
	if err != nil {
		return "", err
	}
	funds := make(map[string]fund.Fund, len(g.parts))
	for _, part := range g.parts {
		if funds[part.FundID.String()], err = b.catalog.Fund(part.FundID); err != nil {
			return "", err
		}
	}
	issue, err := b.receiptRequest(entity, p, g, funds)
	if err != nil {
		return "", err
	}
	g.Status = Settled
	g.setPayment(p, entity, b.now)
	b.entries = append(b.entries, giftEntry(entity, p, g.Donation, g.parts, funds))
	if g.GivenBy.HasReceipt() {
		b.receipts = append(b.receipts, issue)
	}
	b.settled = append(b.settled, g)
	row := b.markBooked(p, &g.ID, payment.Settled)
	if !p.method().HasProcessor() {
		b.offline = append(b.offline, OfflineGift{g.Donation, row, g.parts})
	}
	return Booked, nil
}

// suspend books a payment that does not fit to suspense and opens a task. g is the donation it was meant for if that
// donation now needs review; nil if the payment changes no donation.
func (b *batch) suspend(p IncomingPayment, g *gift, kind *task.Kind) (Outcome, error) {
	entity, err := b.catalog.EntityByID(p.EntityID)
	if err != nil {
		return "", err
	}
	operations, err := b.catalog.Operations(entity.ID)
	if err != nil {
		return "", err
	}
	opened := task.Task{
		EntityID: entity.ID, Kind: kind, Subject: p.key(),
		Detail: map[string]string{"amount": p.Amount.Decimal(), "currency": string(p.Amount.Currency)},
	}
	if p.method().HasProcessor() {
		opened.Detail["charge"] = p.ChargeRef
	} else {
		opened.Detail["payment"] = p.PaymentID.String()
	}
	if p.DonationID != uuid.Nil {
		opened.Detail["donation"] = p.DonationID.String()
	}
	if p.Amount.Currency == entity.Currency {
		b.entries = append(b.entries, suspenseEntry(entity, p, operations))
	} else {
		opened.Kind = taskOtherCurrency // the balance transaction says how much arrives in the books' currency
	}
	var donation *uuid.UUID
	if g != nil {
		g.Status, donation = NeedsReview, &g.ID
		g.setPayment(p, entity, b.now)
		b.needsReview = append(b.needsReview, g)
	}
	b.tasks = append(b.tasks, opened)
	b.noticeHeld(p)
	b.markBooked(p, donation, payment.Suspense)
	return Suspense, nil
}

// noticeHeld tells the donor of the donation that a payment in suspense was meant for. Staff who enter a payment
// without a processor see themselves that it does not fit.
func (b *batch) noticeHeld(p IncomingPayment) {
	if g := b.gifts[p.DonationID]; g != nil && g.EntityID == p.EntityID && p.method().HasProcessor() {
		b.notices = append(b.notices, notice.Notice{
			DonationID: g.ID, Kind: notice.Held, Cause: p.ChargeRef, AmountMinor: p.Amount.Minor, Currency: string(p.Amount.Currency), At: b.now,
		})
	}
}

// markBooked adds the payment's row, and its processing fee to those that are due. It returns the row.
func (b *batch) markBooked(p IncomingPayment, donation *uuid.UUID, status payment.Status) payment.Payment {
	b.booked[entryKey(p)] = true
	row := p.stored(b.newID(), donation, status, b.now)
	b.payments = append(b.payments, row)
	if p.method().HasProcessor() {
		b.feesDue = append(b.feesDue, p)
	}
	return row
}
