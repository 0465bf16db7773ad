package suspense

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/task"
	"konbit/internal/giving/donation"
	"konbit/internal/people/approval"
	"konbit/internal/people/audit"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/money"
)

// Accounts are those to which an amount may be booked.
var Accounts = []ledger.Account{ledger.ContributionsWithout, ledger.RefundsWithout, ledger.ChargebacksWithout, ledger.ProcessingFees,
	ledger.DisputeFees, ledger.BankFees, ledger.ForeignExchange}

// Act is what a person asks for: the whole amount of a subject to an account of operations, or as a gift, or back to who paid.
type Act struct {
	EntityID   uuid.UUID
	Subject    string
	Minor      int64 // as in Amount
	Currency   money.Currency
	Account    ledger.Account // empty: DonationID, or Refund
	DonationID uuid.UUID      // the gift that it becomes; see RecordGiftTx
	Refund     bool           // the whole charge goes back
	Reason     string         // names no donor: it is part of what is approved
}

// Amount returns what is resolved.
func (a Act) Amount() money.Amount { return money.New(a.Minor, a.Currency) }

// IsGift reports whether the amount becomes a gift.
func (a Act) IsGift() bool { return a.DonationID != uuid.Nil }

// Body returns the canonical text of an act, as the function suspense_body of migration 00142 has it.
func (a Act) Body() string {
	to := "account " + string(a.Account)
	switch {
	case a.IsGift():
		to = "gift " + a.DonationID.String()
	case a.Refund:
		to = "refund"
	}
	return strings.Join([]string{"suspense", "entity " + a.EntityID.String(), "subject " + a.Subject, fmt.Sprintf("amount %d %s", a.Minor, a.Currency),
		to, "reason " + a.Reason}, "\n")
}

// ReadBody reads a text that Body wrote.
func ReadBody(text string) (a Act, err error) {
	lines := strings.SplitN(text, "\n", 6)
	values := make([]string, 6)
	for i, name := range []string{"suspense", "entity ", "subject ", "amount ", "", "reason "} {
		value, ok := "", false
		if i < len(lines) {
			value, ok = strings.CutPrefix(lines[i], name)
		}
		if !ok {
			return a, fmt.Errorf("suspense: the text of a request has no %q", name)
		}
		values[i] = value
	}
	if a.EntityID, err = uuid.Parse(values[1]); err != nil {
		return a, err
	}
	minor, currency, _ := strings.Cut(values[3], " ")
	if a.Minor, err = strconv.ParseInt(minor, 10, 64); err != nil {
		return a, err
	}
	a.Subject, a.Currency, a.Reason = values[2], money.Currency(currency), values[5]
	switch to, value, _ := strings.Cut(values[4], " "); to {
	case "account":
		a.Account = ledger.Account(value)
	case "gift":
		a.DonationID, err = uuid.Parse(value)
	case "refund":
		a.Refund = true
	default:
		err = fmt.Errorf("suspense: the text of a request books to %q", to)
	}
	return a, err
}

// RequestOf returns the request of an act. id is the resolution's.
func (a Act) RequestOf(request, id, staff uuid.UUID) approval.Request {
	return approval.Request{ID: request, EntityID: a.EntityID, Kind: approval.Suspense, Subject: id.String(), Body: a.Body(), Needs: 1, RequestedBy: staff}
}

// Why a resolution is refused.
var (
	ErrAmount     = fault.New(fault.Conflict, "office.suspense.problem.amount", nil)
	ErrRefund     = fault.New(fault.Conflict, "office.suspense.problem.refund", nil)
	ErrWaits      = fault.New(fault.Conflict, "office.suspense.problem.waits", nil)
	ErrGift       = fault.New(fault.Conflict, "office.suspense.problem.gift", nil)
	ErrSecondOnly = fault.New(fault.Forbidden, "office.suspense.problem.second", nil)
)

// Resolver executes requests.
type Resolver struct {
	Settler donation.Settler
	Queue   *jobs.Queue
	NewID   func() uuid.UUID
	Now     func() time.Time
}

// about are the kinds of tasks that ask for a resolution: it closes them.
var about = []string{
	"payment_of_another_entity", "gift_paid_twice", "replaced_gift_paid", "purged_gift_paid", "payment_differs_from_gift", "movement_does_not_fit",
	"unknown_balance_transaction", "balance_transaction_not_booked", "charge_not_readable",
}

// ResolveTx executes a request that another person approved, in the transaction of the staff session of that person, by:
//
//	debit  credit   fund
//	1090   account  operations; the reverse of money that left
//
// and for a gift, x being the account in which the money is (1010, or that of a payment without a processor), by:
//
//	1090   x        operations
//	x      40xx     each fund of the gift, as donation.Settler books it, with its receipt
//	3900   x        each fund, the sponsor's fee; x / 3900 in operations. The processing fee stays in operations
//
// A charge that goes back is refunded by a job (see Refunds); the books follow what the processor reports.
//
// It reports ErrAmount if something else is in suspense now, ErrRefund if it is no whole charge, ErrWaits if a refund of it was ordered in
// the last week, ErrGift if the gift is paid already or gone, and ErrSecondOnly if
// the request is not approved.
func (s Resolver) ResolveTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, r approval.Stored, by uuid.UUID) error {
	act, err := ReadBody(r.Body)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(r.Subject)
	if err != nil {
		return err
	}
	if err := insertTx(ctx, tx, id, act, r); err != nil {
		return err
	}
	to, after := act.Account, map[string]string{"subject": act.Subject, "amount": strconv.FormatInt(act.Minor, 10), "account": string(act.Account)}
	if act.IsGift() {
		from, err := originTx(ctx, tx, act)
		if err != nil {
			return err
		}
		if err := s.settleTx(ctx, tx, catalog, id, act, from); err != nil {
			return err
		}
		to, after["account"], after["donation"] = from.Account, string(from.Account), act.DonationID.String()
	}
	if act.Refund {
		delete(after, "account")
		after["refund"] = act.Subject
		err = s.Queue.EnqueueTx(ctx, tx, RefundJob{ResolutionID: id})
	} else {
		err = s.postTx(ctx, tx, catalog, id, act, to)
	}
	if err != nil {
		return err
	}
	if err := task.CloseAboutTx(ctx, tx, r.EntityID, about, act.Subject, by, s.Now()); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Act{
		Name: "suspense.resolved", EntityID: uuid.NullUUID{UUID: r.EntityID, Valid: true}, ObjectKind: "suspense_resolution", ObjectID: id.String(),
		After: after, Reason: act.Reason,
	})
}

// insertTx writes the resolution; the database compares it with the request.
func insertTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, act Act, r approval.Stored) error {
	const query = `/* suspense.insertTx */
		INSERT INTO suspense_resolution (id, entity_id, subject, amount, currency, account_code, donation_id, reason, request_id, request_hash, refunded)
		VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7, $8, $9, $10, $11)`
	_, err := tx.ExecContext(ctx, query, id, r.EntityID, act.Subject, act.Minor, act.Currency, act.Account,
		uuid.NullUUID{UUID: act.DonationID, Valid: act.IsGift()}, act.Reason, r.ID, r.StoredHash, act.Refund)
	switch approval.Refused(err) {
	case "suspense_amount":
		return ErrAmount
	case "suspense_gift":
		return ErrGift
	case "suspense_refund":
		return ErrRefund
	case "suspense_refund_waits":
		return ErrWaits
	case "requires_approval":
		return ErrSecondOnly
	}
	return err
}

// postTx takes the amount out of suspense.
func (s Resolver) postTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, id uuid.UUID, act Act, to ledger.Account) error {
	entity, err := catalog.EntityByID(act.EntityID)
	if err != nil {
		return err
	}
	operations, err := catalog.Operations(act.EntityID)
	if err != nil {
		return err
	}
	_, err = ledger.PostTx(ctx, tx, []ledger.Entry{{
		EntityID: act.EntityID, Currency: act.Currency, Date: ledger.DateOf(s.Now(), entity.Location()),
		Source: "suspense resolution", SourceID: id.String(), Kind: "resolved",
		Fact: ledger.Fact{"amount": strconv.FormatInt(act.Minor, 10), "currency": string(act.Currency), "subject": act.Subject,
			"account": string(to)},
		Dimensions: map[string]string{"suspense": act.Subject}, Postings: ledger.Move(ledger.Suspense, to, operations.ID, act.Minor),
	}}, s.NewID)
	return err
}
