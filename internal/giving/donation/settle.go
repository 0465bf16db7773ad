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
	"konbit/internal/giving/donor"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
)

// Charge is the fact that a card or bank account was charged, as the payment processor told it.
type Charge struct {
	EntityID        uuid.UUID
	ID              string    // the charge's
	PaymentIntentID string    // empty for a charge made without one
	DonationID      uuid.UUID // uuid.Nil when the charge names no gift of ours
	Amount          money.Amount
	At              time.Time // when it was charged: dates the gift and its receipt
	Cause           string    // the event that told it
	Invoice         *Invoice  // the bill it paid; nil: none, a gift given once

	instalment *receipt.Instalment // which of its plan's it is
	unfit      Unfit               // why its plan has no room for it
}

// Invoice is a bill of a plan.
type Invoice struct {
	ID             string
	Read           bool      // what follows is known
	PlanID         uuid.UUID // uuid.Nil: no plan of ours
	SubscriptionID string
	CustomerID     string
	First          bool // the one the plan began with
	CreatedAt      time.Time
}

// Placed is where a plan has a charge.
type Placed struct {
	DonationID uuid.UUID           // the gift it pays, whose row stands; uuid.Nil: none
	Instalment *receipt.Instalment // for the receipt
	Waits      bool                // its bill is not known yet
	Unfit      Unfit               // why it is no gift
}

// Unfit is why a plan has no room for a charge; empty: it has.
type Unfit string

// A charge comes after the last payment of N, or of a bill made after the plan had ended. Its money is given back.
const (
	Beyond Unfit = "beyond"
	Ended  Unfit = "ended"
)

// The tasks about such charges.
const (
	taskBeyond = "payment_beyond_plan"
	taskEnded  = "payment_after_plan_ended"
)

// Unfits are the kinds of tasks about charges that are given back by themselves. They end with their refund.
func Unfits() []string { return []string{taskBeyond, taskEnded} }

// Places finds the gifts of charges that pay bills; recurring does.
type Places interface {
	// PlaceTx answers for each charge of a bill, in order, where it belongs, and writes the gift of each that comes for the
	// first time.
	PlaceTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, charges []Charge) ([]Placed, error)
	// UntoldTx answers those of an entity's bills that are not known.
	UntoldTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, bills []string) ([]string, error)
	// GivesBackTx tells whether a charge is given back from here because its plan has no room for it.
	GivesBackTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, charge string) (bool, error)
	// HeldTx is told of charges of plans that settled no gift.
	HeldTx(ctx context.Context, tx *sqlx.Tx, charges []Charge) error
}

// intent is what the payment is known by.
func (c Charge) intent() string {
	if c.PaymentIntentID == "" {
		return c.ID
	}
	return c.PaymentIntentID
}

// Outcome is what became of a charge.
type Outcome string

// The outcomes. Missing and Waits wrote nothing: the gift's row is not here (yet); the bill that tells the gift is not known yet.
const (
	Booked   Outcome = "settled"
	Repeated Outcome = "repeated"
	Suspense Outcome = "suspense"
	Missing  Outcome = "missing"
	Waits    Outcome = "waits"
)

// Settler settles gifts.
type Settler struct {
	Receipts receipt.Desk
	NewID    func() uuid.UUID
	Now      func() time.Time
	Plans    Places
}

// SettleTx settles the gifts of a batch of charges, all in the caller's transaction: the gift's status, its
// journal entry, the receipt with its number, and the jobs of its letter and card. It answers an outcome for each charge,
// in order. A repeat changes nothing. A charge that is not what its gift expected (another amount or
// currency, a second payment, no gift of ours) is booked to suspense with a task for finance.
//
// It takes a constant number of statements however large the batch. The gifts' rows are locked in the
// order of their ids and the receipt counter last, so batches may run side by side.
func (s Settler) SettleTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, charges []Charge) ([]Outcome, error) {
	charges, err := s.placeTx(ctx, tx, catalog, charges)
	if err != nil {
		return nil, err
	}
	b := &batch{catalog: catalog, now: s.Now(), newID: s.NewID, outcomes: make([]Outcome, len(charges))}
	if err := b.loadTx(ctx, tx, charges); err != nil {
		return nil, err
	}
	for i, c := range charges {
		var err error
		if b.outcomes[i], err = b.judge(c); err != nil {
			return nil, fmt.Errorf("charge %s: %w", c.ID, err)
		}
	}
	if err := b.writeTx(ctx, tx, s.Receipts); err != nil {
		return nil, err
	}
	var held []Charge
	for i, c := range charges {
		if c.Invoice != nil && b.outcomes[i] == Suspense {
			held = append(held, c)
		}
	}
	if len(held) == 0 {
		return b.outcomes, nil
	}
	return b.outcomes, s.Plans.HeldTx(ctx, tx, held)
}

// placeTx gives charges of bills their gifts.
func (s Settler) placeTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, charges []Charge) ([]Charge, error) {
	var of []int
	var billed []Charge
	for i, c := range charges {
		if c.Invoice != nil && c.DonationID == uuid.Nil {
			of, billed = append(of, i), append(billed, c)
		}
	}
	of, billed, err := unbookedTx(ctx, tx, catalog, of, billed)
	if err != nil || len(billed) == 0 {
		return charges, err
	}
	placed, err := s.Plans.PlaceTx(ctx, tx, catalog, billed)
	if err != nil {
		return nil, err
	}
	charges = slices.Clone(charges)
	for i, p := range placed {
		c := &charges[of[i]]
		c.DonationID, c.instalment, c.unfit = p.DonationID, p.Instalment, p.Unfit
		if p.Waits {
			c.unfit = waits
		}
	}
	return charges, nil
}

// unbookedTx leaves out charges that are booked, as a plan's or in suspense: they need no place.
func unbookedTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, of []int, charges []Charge) (left []int, unbooked []Charge, err error) {
	if len(charges) == 0 {
		return nil, nil, nil
	}
	booked, err := bookedTx(ctx, tx, catalog, charges)
	if err != nil {
		return nil, nil, err
	}
	for i, c := range charges {
		if !booked[i] {
			left, unbooked = append(left, of[i]), append(unbooked, c)
		}
	}
	return left, unbooked, nil
}

// waits marks a charge whose bill is not known yet.
const waits Unfit = "waits"

// batch is what one SettleTx reads, decides and writes.
type batch struct {
	catalog *fund.Catalog
	now     time.Time
	newID   func() uuid.UUID

	gifts    map[uuid.UUID]*gift
	booked   map[string]bool // payment intents with an entry already, by entity
	outcomes []Outcome

	entries  []ledger.Entry
	settled  []*gift
	held     []*gift
	due      []Charge
	tasks    []ledger.Task
	receipts []receipt.Issue
}

// gift is a donation with what settling it needs.
type gift struct {
	Donation
	Contact
	dedication *Dedication // nil: none
	parts      []Designation
	replaced   bool // its form has another gift that is not over
}

func (b *batch) judge(c Charge) (Outcome, error) {
	g := b.gifts[c.DonationID]
	switch {
	case b.booked[entryKey(c)], g != nil && g.ChargeID != nil && *g.ChargeID == c.ID:
		return Repeated, nil
	case c.unfit == waits:
		return Waits, nil
	case c.unfit == Beyond:
		return b.suspend(c, nil, taskBeyond)
	case c.unfit == Ended:
		return b.suspend(c, nil, taskEnded)
	case c.DonationID == uuid.Nil:
		return b.suspend(c, nil, "payment_without_gift")
	case g == nil:
		return Missing, nil
	case g.EntityID != c.EntityID:
		return b.suspend(c, nil, "payment_of_another_entity")
	case g.Status == Settled || g.Status == Held:
		return b.suspend(c, nil, "gift_paid_twice")
	case g.replaced:
		return b.suspend(c, nil, "replaced_gift_paid")
	case g.Email == "":
		return b.suspend(c, g, "purged_gift_paid") // nobody is left to send a receipt to
	case g.Amount() != c.Amount:
		return b.suspend(c, g, "payment_differs_from_gift")
	default:
		return b.settle(c, g)
	}
}

func entryKey(c Charge) string { return c.EntityID.String() + " " + c.intent() }

func (b *batch) settle(c Charge, g *gift) (Outcome, error) {
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
	g.charged(c, b.now)
	b.entries = append(b.entries, giftEntry(entity, c, g.Donation, g.parts, funds))
	b.receipts = append(b.receipts, issue)
	b.settled = append(b.settled, g)
	b.note(c)
	return Booked, nil
}

// suspend books a charge that does not fit. g is the gift it was meant for, when that gift is now held.
func (b *batch) suspend(c Charge, g *gift, why string) (Outcome, error) {
	entity, err := b.catalog.EntityByID(c.EntityID)
	if err != nil {
		return "", err
	}
	operations, err := b.catalog.Operations(entity.ID)
	if err != nil {
		return "", err
	}
	task := ledger.Task{
		EntityID: entity.ID, Kind: why, Subject: c.intent(),
		Detail: map[string]string{"charge": c.ID, "amount": c.Amount.Decimal(), "currency": string(c.Amount.Currency)},
	}
	if c.DonationID != uuid.Nil {
		task.Detail["donation"] = c.DonationID.String()
	}
	if c.Amount.Currency == entity.Currency {
		b.entries = append(b.entries, suspenseEntry(entity, c, operations))
	} else {
		task.Kind = "payment_in_other_currency" // what arrives in the books' currency, the balance transaction tells
	}
	if g != nil {
		g.Status = Held
		g.charged(c, b.now)
		b.held = append(b.held, g)
	}
	b.tasks = append(b.tasks, task)
	b.note(c)
	return Suspense, nil
}

func (b *batch) note(c Charge) {
	b.booked[entryKey(c)] = true
	b.due = append(b.due, c)
}

// charged notes the payment on the gift.
func (g *gift) charged(c Charge, now time.Time) {
	intent := c.intent()
	g.PaymentIntentID, g.ChargeID, g.ChargedAt, g.SettledAt = &intent, &c.ID, &c.At, &now
}

func (b *batch) writeTx(ctx context.Context, tx *sqlx.Tx, desk receipt.Desk) error {
	changed := slices.Concat(b.settled, b.held)
	slices.SortFunc(changed, func(x, y *gift) int { return strings.Compare(x.ID.String(), y.ID.String()) })
	if err := updateTx(ctx, tx, changed); err != nil {
		return err
	}
	steps := make([]step, len(changed))
	for i, g := range changed {
		steps[i] = step{g.ID, g.Status, *g.ChargeID}
	}
	if err := stepsTx(ctx, tx, steps, b.now); err != nil {
		return err
	}
	if err := feesDueTx(ctx, tx, b.due); err != nil {
		return err
	}
	if err := donor.GaveTx(ctx, tx, b.gave()); err != nil {
		return err
	}
	if _, err := ledger.PostTx(ctx, tx, b.entries, b.newID); err != nil {
		return err
	}
	for _, task := range b.tasks {
		if err := ledger.OpenTaskTx(ctx, tx, task, b.newID, b.now); err != nil {
			return err
		}
	}
	if err := desk.Queue.EnqueueTx(ctx, tx, b.cards()...); err != nil {
		return err
	}
	_, err := desk.IssueTx(ctx, tx, b.receipts, b.now)
	return err
}

func (b *batch) gave() []donor.Gave {
	gave := make([]donor.Gave, len(b.settled))
	for i, g := range b.settled {
		gave[i] = donor.Gave{
			DonorID: g.DonorID, FirstName: g.FirstName, LastName: g.LastName, Language: g.Language, News: g.News, At: *g.ChargedAt,
		}
	}
	return gave
}
