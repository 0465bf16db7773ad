package donation

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
	"konbit/internal/books/task"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
)

// Charge is the fact that a card or bank account was charged, as the payment processor told it.
type IncomingPayment struct {
	EntityID   uuid.UUID
	ChargeRef  string    // the charge's
	IntentRef  string    // empty for a charge made without one
	DonationID uuid.UUID // uuid.Nil when the charge names no gift of ours
	Amount     money.Amount
	ReceivedAt time.Time // when it was charged: dates the gift and its receipt
	Cause      string    // the event that told it
	Invoice    *Invoice  // the bill it paid; nil: none, a gift given once

	instalment *receipt.Instalment // which of its plan's it is
	rejected   RejectReason        // why its plan has no room for it
}

// Invoice is a bill of a plan.
type Invoice struct {
	ID             string
	Known          bool      // what follows is known
	PlanID         uuid.UUID // uuid.Nil: no plan of ours
	SubscriptionID string
	CustomerID     string
	First          bool // the one the plan began with
	CreatedAt      time.Time
}

// Match says where a plan has a charge.
type Match struct {
	DonationID    uuid.UUID           // the gift it pays, whose row stands; uuid.Nil: none
	Instalment    *receipt.Instalment // for the receipt
	AwaitsInvoice bool                // its bill is not known yet
	Rejected      RejectReason        // why it is no gift
}

// RejectReason is why a plan has no room for a charge; empty: it has.
type RejectReason string

// A charge comes after the last payment of N, or of a bill made after the plan had ended. Its money is given back.
const (
	BeyondPlan RejectReason = "beyond"
	PlanEnded  RejectReason = "ended"
)

// Places finds the gifts of charges that pay bills; recurring does.
type ChargeMatcher interface {
	// MatchChargesTx answers for each charge of a bill, in order, where it belongs, and writes the gift of each that comes for the
	// first time.
	MatchChargesTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, charges []IncomingPayment) ([]Match, error)
	// UnknownInvoicesTx answers those of an entity's bills that are not known.
	UnknownInvoicesTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, bills []string) ([]string, error)
	// RefundsChargeTx tells whether a charge is given back from here because its plan has no room for it.
	RefundsChargeTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, charge string) (bool, error)
	// PaymentsSuspendedTx is told of charges of plans that settled no gift.
	PaymentsSuspendedTx(ctx context.Context, tx *sqlx.Tx, charges []IncomingPayment) error
}

// intent is what the payment is known by.
func (c IncomingPayment) key() string {
	if c.IntentRef == "" {
		return c.ChargeRef
	}
	return c.IntentRef
}

// Outcome is what became of a charge.
type Outcome string

// The outcomes. Missing and Waits wrote nothing: the gift's row is not here (yet); the bill that tells the gift is not known yet.
const (
	Booked          Outcome = "settled"
	Repeated        Outcome = "repeated"
	Suspense        Outcome = "suspense"
	MissingDonation Outcome = "missing"
	AwaitsInvoice   Outcome = "waits"
)

// Settler settles gifts.
type Settler struct {
	Receipts receipt.Issuer
	NewID    func() uuid.UUID
	Now      func() time.Time
	Plans    ChargeMatcher
}

// SettleTx settles the gifts of a batch of charges, all in the caller's transaction: the gift's status, its
// journal entry, the receipt with its number, and the jobs of its letter and card. It answers an outcome for each charge,
// in order. A repeat changes nothing. A charge that is not what its gift expected (another amount or
// currency, a second payment, no gift of ours) is booked to suspense with a task for finance.
//
// It takes a constant number of statements however large the batch. The gifts' rows are locked in the
// order of their ids and the receipt counter last, so batches may run side by side.
func (s Settler) SettleTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, charges []IncomingPayment) ([]Outcome, error) {
	charges, err := s.matchTx(ctx, tx, catalog, charges)
	if err != nil {
		return nil, err
	}
	b := &batch{catalog: catalog, now: s.Now(), newID: s.NewID, outcomes: make([]Outcome, len(charges))}
	if err := b.loadTx(ctx, tx, charges); err != nil {
		return nil, err
	}
	for i, c := range charges {
		var err error
		if b.outcomes[i], err = b.decide(c); err != nil {
			return nil, fmt.Errorf("charge %s: %w", c.ChargeRef, err)
		}
	}
	if err := b.writeTx(ctx, tx, s.Receipts); err != nil {
		return nil, err
	}
	var suspended []IncomingPayment
	for i, c := range charges {
		if c.Invoice != nil && b.outcomes[i] == Suspense {
			suspended = append(suspended, c)
		}
	}
	if len(suspended) == 0 {
		return b.outcomes, nil
	}
	return b.outcomes, s.Plans.PaymentsSuspendedTx(ctx, tx, suspended)
}

// placeTx gives charges of bills their gifts.
func (s Settler) matchTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, charges []IncomingPayment) ([]IncomingPayment, error) {
	var positions []int
	var invoiced []IncomingPayment
	for i, c := range charges {
		if c.Invoice != nil && c.DonationID == uuid.Nil {
			positions, invoiced = append(positions, i), append(invoiced, c)
		}
	}
	positions, invoiced, err := unbookedTx(ctx, tx, catalog, positions, invoiced)
	if err != nil || len(invoiced) == 0 {
		return charges, err
	}
	matches, err := s.Plans.MatchChargesTx(ctx, tx, catalog, invoiced)
	if err != nil {
		return nil, err
	}
	charges = slices.Clone(charges)
	for i, p := range matches {
		c := &charges[positions[i]]
		c.DonationID, c.instalment, c.rejected = p.DonationID, p.Instalment, p.Rejected
		if p.AwaitsInvoice {
			c.rejected = awaitsInvoice
		}
	}
	return charges, nil
}

// unbookedTx leaves out charges that are booked, as a plan's or in suspense: they need no place.
func unbookedTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, positions []int, charges []IncomingPayment) (remaining []int, unbooked []IncomingPayment, err error) {
	if len(charges) == 0 {
		return nil, nil, nil
	}
	booked, err := bookedTx(ctx, tx, catalog, charges)
	if err != nil {
		return nil, nil, err
	}
	for i, c := range charges {
		if !booked[i] {
			remaining, unbooked = append(remaining, positions[i]), append(unbooked, c)
		}
	}
	return remaining, unbooked, nil
}

// waits marks a charge whose bill is not known yet.
const awaitsInvoice RejectReason = "waits"

// batch is what one SettleTx reads, decides and writes.
type batch struct {
	catalog *fund.Catalog
	now     time.Time
	newID   func() uuid.UUID

	gifts    map[uuid.UUID]*gift
	booked   map[string]bool // payment intents with an entry already, by entity
	outcomes []Outcome

	entries     []ledger.Entry
	settled     []*gift
	needsReview []*gift
	due         []IncomingPayment
	tasks       []task.Task
	receipts    []receipt.Request
}

// gift is a donation with what settling it needs.
type gift struct {
	Donation
	Contact
	dedication *Dedication // nil: none
	parts      []Designation
	superseded bool // its form has another gift that is not over
}

func (b *batch) decide(c IncomingPayment) (Outcome, error) {
	g := b.gifts[c.DonationID]
	switch {
	case b.booked[entryKey(c)], g != nil && g.ChargeID != nil && *g.ChargeID == c.ChargeRef:
		return Repeated, nil
	case c.rejected == awaitsInvoice:
		return AwaitsInvoice, nil
	case c.rejected == BeyondPlan:
		return b.suspend(c, nil, taskBeyondPlan)
	case c.rejected == PlanEnded:
		return b.suspend(c, nil, taskPlanEnded)
	case c.DonationID == uuid.Nil:
		return b.suspend(c, nil, taskWithoutGift)
	case g == nil:
		return MissingDonation, nil
	case g.EntityID != c.EntityID:
		return b.suspend(c, nil, taskOtherEntity)
	case g.Status == Settled || g.Status == NeedsReview:
		return b.suspend(c, nil, taskPaidTwice)
	case g.superseded:
		return b.suspend(c, nil, taskReplaced)
	case g.Email == "":
		return b.suspend(c, g, taskPurged) // nobody is left to send a receipt to
	case g.Amount() != c.Amount:
		return b.suspend(c, g, taskDiffers)
	default:
		return b.settle(c, g)
	}
}

func entryKey(c IncomingPayment) string { return c.EntityID.String() + " " + c.key() }

func (b *batch) settle(c IncomingPayment, g *gift) (Outcome, error) {
	entity, err := b.catalog.EntityByID(c.EntityID)
	if err != nil {
		return "", err
	}
	funds := make(map[string]fund.Fund, len(g.parts))
	for _, p := range g.parts {
		if funds[p.FundID.String()], err = b.catalog.Fund(p.FundID); err != nil {
			return "", err
		}
	}
	issue, err := b.issue(entity, c, g, funds)
	if err != nil {
		return "", err
	}
	g.Status = Settled
	g.setPayment(c, b.now)
	b.entries = append(b.entries, giftEntry(entity, c, g.Donation, g.parts, funds))
	b.receipts = append(b.receipts, issue)
	b.settled = append(b.settled, g)
	b.markBooked(c)
	return Booked, nil
}

// suspend books a charge that does not fit. g is the gift it was meant for, when that gift is now held.
func (b *batch) suspend(c IncomingPayment, g *gift, kind *task.Kind) (Outcome, error) {
	entity, err := b.catalog.EntityByID(c.EntityID)
	if err != nil {
		return "", err
	}
	operations, err := b.catalog.Operations(entity.ID)
	if err != nil {
		return "", err
	}
	opened := task.Task{
		EntityID: entity.ID, Kind: kind, Subject: c.key(),
		Detail: map[string]string{"charge": c.ChargeRef, "amount": c.Amount.Decimal(), "currency": string(c.Amount.Currency)},
	}
	if c.DonationID != uuid.Nil {
		opened.Detail["donation"] = c.DonationID.String()
	}
	if c.Amount.Currency == entity.Currency {
		b.entries = append(b.entries, suspenseEntry(entity, c, operations))
	} else {
		opened.Kind = taskOtherCurrency // what arrives in the books' currency, the balance transaction tells
	}
	if g != nil {
		g.Status = NeedsReview
		g.setPayment(c, b.now)
		b.needsReview = append(b.needsReview, g)
	}
	b.tasks = append(b.tasks, opened)
	b.markBooked(c)
	return Suspense, nil
}

func (b *batch) markBooked(c IncomingPayment) {
	b.booked[entryKey(c)] = true
	b.due = append(b.due, c)
}

// charged notes the payment on the gift.
func (g *gift) setPayment(c IncomingPayment, now time.Time) {
	intent := c.key()
	g.PaymentIntentID, g.ChargeID, g.ChargedAt, g.SettledAt = &intent, &c.ChargeRef, &c.ReceivedAt, &now
}

func (b *batch) writeTx(ctx context.Context, tx *sqlx.Tx, desk receipt.Issuer) error {
	changed := slices.Concat(b.settled, b.needsReview)
	slices.SortFunc(changed, func(x, y *gift) int { return strings.Compare(x.ID.String(), y.ID.String()) })
	if err := updateTx(ctx, tx, changed); err != nil {
		return err
	}
	steps := make([]statusChange, len(changed))
	for i, g := range changed {
		steps[i] = statusChange{g.ID, g.Status, *g.ChargeID}
	}
	if err := recordStatusTx(ctx, tx, steps, b.now); err != nil {
		return err
	}
	if err := feesDueTx(ctx, tx, b.due); err != nil {
		return err
	}
	if err := donor.RecordPaidGiftsTx(ctx, tx, b.gave()); err != nil {
		return err
	}
	if _, err := ledger.PostTx(ctx, tx, b.entries, b.newID); err != nil {
		return err
	}
	for _, t := range b.tasks {
		if err := task.OpenTx(ctx, tx, t, b.newID, b.now); err != nil {
			return err
		}
	}
	if err := desk.Queue.EnqueueTx(ctx, tx, b.tributeCardJobs()...); err != nil {
		return err
	}
	_, err := desk.IssueTx(ctx, tx, b.receipts, b.now)
	return err
}

func (b *batch) gave() []donor.PaidGift {
	gave := make([]donor.PaidGift, len(b.settled))
	for i, g := range b.settled {
		gave[i] = donor.PaidGift{
			DonorID: g.DonorID, FirstName: g.FirstName, LastName: g.LastName, Language: g.Language, News: g.News, At: *g.ChargedAt,
		}
	}
	return gave
}
