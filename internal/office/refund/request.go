package refund

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/task"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/payment"
	"konbit/internal/office/deposit"
	"konbit/internal/people/audit"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/offlinepay"
	"konbit/internal/processor/refundcall"
)

// Processor makes refunds.
type Processor interface {
	// CreateRefund asks for a refund. A RefusedError and ErrKeySpent say that the request has ended; after any
	// other error it may have been executed, and may be made again with the same key.
	CreateRefund(ctx context.Context, r refundcall.Request) (refundcall.Refund, error)
	// RefundsOf lists all refunds of a charge.
	RefundsOf(ctx context.Context, entitySlug, charge string) ([]refundcall.Refund, error)
	// CardOf returns the card that paid a charge, to which a refund goes.
	CardOf(ctx context.Context, entitySlug, charge string) (refundcall.Card, error)
}

// Books books refunds of payments without a processor. offlinepay.Booker is one.
type Books interface {
	RefundOfflineTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, r offlinepay.OfflineRefund) (bool, error)
}

// Service orders and makes refunds.
type Service struct {
	DB        *sqlx.DB
	Queue     *jobs.Queue
	Catalog   *fund.CatalogCache
	Processor Processor
	Books     Books
	NewID     func() uuid.UUID
	Now       func() time.Time
}

// Why an order is refused. Their phrases are templates/office's.
var (
	ErrSecondPerson = fault.New(fault.Forbidden, "refund.problem.second_person", nil)
	ErrTooMuch      = fault.New(fault.Invalid, "refund.problem.too_much", nil)
	ErrDisputed     = fault.New(fault.Conflict, "refund.problem.disputed", nil)
	ErrNotMoney     = fault.New(fault.Conflict, "refund.problem.not_money", nil)
	ErrReturned     = fault.New(fault.Conflict, "refund.problem.returned", nil)
	ErrNotBooked    = fault.New(fault.Unavailable, "refund.problem.not_booked", nil)
	ErrPerson       = fault.New(fault.Forbidden, "refund.problem.person", nil)
	errParts        = fault.New(fault.Invalid, "refund.problem.parts", nil)
	ErrOtherForm    = fault.New(fault.Conflict, "refund.problem.other_form", nil)
)

// maxNote is the longest note, in bytes.
const maxNote = 2000

// OrderTx writes an order and enqueues its job; an order of a payment by check, cash or transfer it books at once: the donor is owed the money
// (2300) until it is repaid (package repayment). The same form sent again returns its order, and a Conflict if it
// says something else now. It reports ErrTooMuch if a fund has less of the payment, ErrDisputed while the bank
// disputes it, ErrReturned if the check came back, ErrNotMoney for stock and things, ErrNotBooked for a gift of the last
// minutes whose fee is not known yet, and ErrSecondPerson above the entity's limit if no second person approved
// exactly this. After an error the transaction is of no use.
//
// The transaction is one of staff.InTx. Without an approval its person is r.RequestedBy, who has the role finance
// in the entity and used a factor in the last five minutes; a passkey has signed Body. With an approval its person
// has the role, and the request is executed. It reports ErrPerson otherwise. The act is in the audit log. It locks
// the payment.
func (s Service) OrderTx(ctx context.Context, tx *sqlx.Tx, r Request) (Order, error) {
	p, err := s.paymentOf(ctx, tx, r)
	if err != nil {
		return Order{}, err
	}
	if earlier, err := OfForm(ctx, tx, r.Submission); err != nil {
		return Order{}, err
	} else if earlier != nil {
		return same(*earlier, r, p)
	}
	parts, err := partsOf(ctx, tx, r, p)
	if err != nil {
		return Order{}, err
	}
	id := r.ID
	if id == uuid.Nil {
		id = s.NewID()
	}
	switch err := insertTx(ctx, tx, id, p.ID, r, parts); {
	case pg.Violates(err, "refund_order_ceiling"):
		return Order{}, ErrTooMuch
	case pg.Violates(err, "refund_order_second_person"):
		return Order{}, ErrSecondPerson
	case pg.Violates(err, "refund_order_person"):
		return Order{}, ErrPerson
	case pg.Violates(err, "refund_order_submission_key"): // the same form at the same time: it finds its order if it is sent again
		return Order{}, fault.Wrap(fault.Unavailable, "problem.503.text", err)
	case err != nil:
		return Order{}, err
	}
	if p.Processor == "" {
		err = s.bookTx(ctx, tx, id, p, parts)
	} else {
		err = s.Queue.EnqueueTx(ctx, tx, Job{id})
	}
	if err != nil {
		return Order{}, err
	}
	o, err := ByID(ctx, tx, id)
	if err != nil {
		return Order{}, err
	}
	return o, recordTx(ctx, tx, o)
}

// bookTx books an order of a payment without a processor. The sponsor's fee is given back where the payment's money is.
func (s Service) bookTx(ctx context.Context, tx *sqlx.Tx, order uuid.UUID, p payment.Payment, parts []Part) error {
	catalog, err := s.Catalog.Current(ctx)
	if err != nil {
		return err
	}
	r := offlinepay.OfflineRefund{
		EntityID: p.EntityID, OrderID: order, PaymentID: p.ID, Amount: money.New(total(parts), p.Currency), Parts: byFund(parts), At: s.Now(),
	}
	if r.FeesIn, r.Bank, err = deposit.MoneyOfTx(ctx, tx, p.EntityID, p.ID, p.AssetAccount); err != nil {
		return err
	}
	_, err = s.Books.RefundOfflineTx(ctx, tx, catalog, r)
	if errors.Is(err, offlinepay.ErrRefundTooLarge) {
		return ErrTooMuch
	}
	return err
}

// byMoney are the methods without a processor of which money is refunded.
var byMoney = []payment.Method{payment.Check, payment.Cash, payment.BankTransfer, payment.DonorAdvisedFund}

// paymentOf returns the payment that is refunded.
func (s Service) paymentOf(ctx context.Context, q sqlx.QueryerContext, r Request) (payment.Payment, error) {
	found, err := payment.SettledOf(ctx, q, []uuid.UUID{r.DonationID})
	if err != nil {
		return payment.Payment{}, err
	}
	p, ok := found[r.DonationID]
	switch {
	case !ok || p.EntityID != r.EntityID:
		return payment.Payment{}, fault.New(fault.NotFound, "problem.404.text", nil)
	case p.Processor == "" && !slices.Contains(byMoney, p.Method):
		return payment.Payment{}, ErrNotMoney
	}
	return p, nil
}

// partsOf returns what is refunded from each fund: the request's parts, or all that is left.
func partsOf(ctx context.Context, q sqlx.QueryerContext, r Request, p payment.Payment) ([]Part, error) {
	if !slices.Contains(Reasons, r.Reason) || len(r.Note) > maxNote || r.All != (len(r.Parts) == 0) {
		return nil, errParts
	}
	left, disputed, err := refundable(ctx, q, p.ID)
	if err != nil {
		return nil, err
	}
	if err := refusal(p, left, disputed); err != nil {
		return nil, err
	}
	if r.All {
		left = slices.DeleteFunc(left, func(p Part) bool { return p.Amount <= 0 })
		if len(left) == 0 {
			return nil, ErrTooMuch
		}
		return left, nil
	}
	seen := map[uuid.UUID]bool{}
	for _, part := range r.Parts {
		at := slices.IndexFunc(left, func(l Part) bool { return l.FundID == part.FundID })
		if part.Amount <= 0 || seen[part.FundID] || at < 0 {
			return nil, errParts
		}
		if part.Amount > left[at].Amount {
			return nil, ErrTooMuch
		}
		seen[part.FundID] = true
	}
	return sorted(r.Parts), nil
}

// refusal returns why nothing of a payment can be ordered; nil if something can.
func refusal(p payment.Payment, left []Part, disputed bool) error {
	switch {
	case disputed && p.Processor == "":
		return ErrReturned
	case disputed:
		return ErrDisputed
	case len(left) == 0:
		return ErrNotBooked
	}
	return nil
}

// recordTx writes an order to the audit log.
func recordTx(ctx context.Context, tx *sqlx.Tx, o Order) error {
	gift, err := donation.ByID(ctx, tx, o.DonationID)
	if err != nil {
		return err
	}
	parts := map[string]int64{}
	for _, p := range o.Parts {
		parts[p.FundID.String()] = p.Amount
	}
	after := map[string]any{
		"donation": o.DonationID, "charge": o.ChargeRef, "amount": o.AmountMinor, "currency": o.Currency, "parts": parts,
		"reason": o.Reason, "request": o.RequestID,
	}
	if o.RequestID != nil { // the entry's person approved it
		after["requested_by"] = o.RequestedBy
	}
	return audit.RecordTx(ctx, tx, audit.Act{
		Name: "refund.ordered", EntityID: uuid.NullUUID{UUID: o.EntityID, Valid: true}, OrganisationID: uuid.NullUUID{UUID: gift.OrganisationID, Valid: true},
		ObjectKind: "refund_order", ObjectID: o.ID.String(), After: after,
	})
}

// same returns the order of a form that was sent again.
func same(o Order, r Request, p payment.Payment) (Order, error) {
	if o.PaymentID != p.ID || o.RequestedBy != r.RequestedBy || o.Reason != r.Reason || !r.All && !slices.Equal(o.Parts, sorted(r.Parts)) {
		return Order{}, ErrOtherForm
	}
	return o, nil
}

// note returns a request's note as it is stored.
func (r Request) note() string { return strings.TrimSpace(r.Note) }

// Tasks about orders. The subject is the order's id.
var (
	taskRefused = task.Register(task.Kind{
		Code: "refund_refused", Severity: task.Urgent, For: task.Finance, Link: task.Link{Object: task.Donation, Detail: "donation"}, Closes: task.ByPerson,
	})
	taskNotMade = task.Register(task.Kind{
		Code: "refund_not_made", Severity: task.Urgent, For: task.Finance, Link: task.Link{Object: task.Donation, Detail: "donation"}, Closes: task.ByPerson,
	})
	taskStuck = task.Register(task.Kind{
		Code: "refund_stuck", Severity: task.Urgent, For: task.Operator, Link: task.Link{Object: task.Donation, Detail: "donation"}, Closes: task.Automatically,
	})
)

// errAgain makes a job run again.
var errAgain = errors.New("refund: the processor's answer is not known yet")
