// Package repayment owns how refunds that are owed to donors (2300) are repaid: tables repayment, repayment_part.
//
//	owed ──▶ repaid by check or transfer, with its number ──▶ on the bank's statement: 2300 / 1100
//	  ▲              │
//	  └── withdrawn ─┘ while no line of the bank has it
//
// Owed is what a refund by card left that the bank could not deliver (package settlement), and what was ordered of a gift without a processor
// (package refund). A repayment is of all that is owed of a payment. From then on it is not owed: nobody refunds it to the card as well.
// It is booked when a line of the bank is matched with it, as an item of kind refund (Kind).
package repayment

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bank"
	"konbit/internal/people/audit"
	"konbit/internal/platform/clean"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// Owed is what is owed of a payment and has no repayment.
type Owed struct {
	EntityID       uuid.UUID      `db:"entity_id"`
	PaymentID      uuid.UUID      `db:"payment_id"`
	Since          time.Time      `db:"since"`
	Method         string         `db:"method"` // of the payment
	Currency       money.Currency `db:"currency"`
	Minor          int64          `db:"amount"`
	DonationID     uuid.UUID      `db:"donation_id"`
	PublicRef      string         `db:"public_ref"`
	OrganisationID uuid.UUID      `db:"organisation_id"`
	Donor          string         `db:"donor"` // name; empty after an erasure
}

// Amount returns what is owed.
func (o Owed) Amount() money.Amount { return money.New(o.Minor, o.Currency) }

// Repayment is how something owed is repaid.
type Repayment struct {
	ID          uuid.UUID      `db:"id"`
	EntityID    uuid.UUID      `db:"entity_id"`
	N           int            `db:"n"`
	PaymentID   uuid.UUID      `db:"payment_id"`
	DonationID  uuid.UUID      `db:"donation_id"`
	Currency    money.Currency `db:"currency"`
	Minor       int64          `db:"amount"`
	Method      Method         `db:"method"`
	Number      string         `db:"number"`
	PaidOn      ledger.Date    `db:"paid_on"`
	AccountID   uuid.NullUUID  `db:"account_id"`
	Account     string         `db:"account"` // slug; empty: the gift's own check came back
	Submission  uuid.UUID      `db:"submission"`
	MadeBy      uuid.NullUUID  `db:"made_by"`
	MadeAt      time.Time      `db:"made_at"`
	WithdrawnAt *time.Time     `db:"withdrawn_at"`
	MatchID     uuid.NullUUID  `db:"match_id"` // valid: a line of the bank has it
	BookedOn    *ledger.Date   `db:"booked_on"`
	PublicRef   string         `db:"public_ref"`
	Donor       string         `db:"donor"`

	OrganisationID uuid.UUID `db:"organisation_id"`
}

// Amount returns what is repaid.
func (r Repayment) Amount() money.Amount { return money.New(r.Minor, r.Currency) }

// State is where a repayment stands.
type State string

// The states.
const (
	Made      State = "made"
	Booked    State = "booked" // on the bank's statement
	Withdrawn State = "withdrawn"
	Returned  State = "returned" // the gift's own check came back
)

// State returns where the repayment stands.
func (r Repayment) State() State {
	switch {
	case r.WithdrawnAt != nil:
		return Withdrawn
	case r.MatchID.Valid:
		return Booked
	case r.Method == ByReturn:
		return Returned
	}
	return Made
}

// Method is how something owed is repaid.
type Method string

// The methods. People choose the first two.
const (
	Check    Method = "check"
	Transfer Method = "transfer"
	ByReturn Method = "returned"
)

// Why an act is refused. The phrases are templates/office's.
var (
	ErrOwed     error = fault.New(fault.Conflict, "office.owed.problem.owed", nil)
	ErrBooked   error = fault.New(fault.Conflict, "office.owed.problem.booked", nil)
	ErrPerson   error = fault.New(fault.Forbidden, "office.owed.problem.person", nil)
	ErrForm     error = fault.New(fault.Conflict, "office.owed.problem.other_form", nil)
	errNotFound error = fault.New(fault.NotFound, "problem.404.text", nil)
)

func explained(err error) error {
	for constraint, reason := range map[string]error{
		"repayment_ceiling": ErrOwed, "repayment_parts": ErrOwed, "repayment_is_matched": ErrBooked, "repayment_person": ErrPerson,
		"repayment_keeps": ErrBooked,
	} {
		if pg.Violates(err, constraint) {
			return reason
		}
	}
	return err
}

const rowColumns = `id, entity_id, n, payment_id, donation_id, currency, amount, method, number, paid_on, account_id, coalesce(account, '') AS account, submission, made_by,
	made_at, withdrawn_at, match_id, booked_on, public_ref, donor, organisation_id FROM repayment_row `

// List returns what is owed, the oldest first, at most limit; of one payment if payment is not uuid.Nil.
func List(ctx context.Context, q sqlx.QueryerContext, entity, payment uuid.UUID, limit int) (all []Owed, err error) {
	const query = `/* repayment.List */ SELECT entity_id, payment_id, since, method, currency, amount, donation_id, public_ref, organisation_id, donor FROM owed_row
		WHERE entity_id = $1 AND ($2::uuid IS NULL OR payment_id = $2) ORDER BY since, payment_id LIMIT $3`
	err = sqlx.SelectContext(ctx, q, &all, query, entity, uuid.NullUUID{UUID: payment, Valid: payment != uuid.Nil}, limit)
	return all, err
}

// Page returns repayments of an entity, the newest first, with numbers below before (0: from the newest), and whether there are more.
func Page(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, before, limit int) (page []Repayment, more bool, err error) {
	const query = `/* repayment.Page */ SELECT ` + rowColumns + `WHERE entity_id = $1 AND ($2 = 0 OR n < $2) ORDER BY n DESC LIMIT $3`
	if err := sqlx.SelectContext(ctx, q, &page, query, entity, before, limit+1); err != nil {
		return nil, false, err
	}
	return page[:min(len(page), limit)], len(page) > limit, nil
}

// ByN returns a repayment of an entity; fault.NotFound if there is none that q may see.
func ByN(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, n int) (Repayment, error) {
	const query = `/* repayment.ByN */ SELECT ` + rowColumns + `WHERE entity_id = $1 AND n = $2`
	var found []Repayment
	if err := sqlx.SelectContext(ctx, q, &found, query, entity, n); err != nil {
		return Repayment{}, err
	}
	if len(found) == 0 {
		return Repayment{}, errNotFound
	}
	return found[0], nil
}

// Order asks that what is owed of a payment is repaid.
type Order struct {
	ID, EntityID, PaymentID uuid.UUID
	Minor                   int64 // what the person saw as owed
	Method                  Method
	Number                  string
	PaidOn                  ledger.Date
	AccountID               uuid.UUID
	Submission              uuid.UUID
}

// MakeTx stores how all that is owed of a payment is repaid, in the session of a person of the entity's finance, and returns the number. The
// same form sent again is the same repayment. It reports ErrOwed if another sum is owed now.
func MakeTx(ctx context.Context, tx *sqlx.Tx, o Order) (int, error) {
	const again = `/* repayment.MakeTx */ SELECT r.n FROM repayment r WHERE r.submission = $1 AND r.entity_id = $2 AND r.payment_id = $3 AND r.amount = $4`
	const taken = `/* repayment.MakeTx */ SELECT EXISTS (SELECT FROM repayment WHERE submission = $1)`
	var ns []int
	if err := tx.SelectContext(ctx, &ns, again, o.Submission, o.EntityID, o.PaymentID, o.Minor); err != nil || len(ns) > 0 {
		return first(ns), err
	}
	var other bool
	if err := tx.GetContext(ctx, &other, taken, o.Submission); err != nil {
		return 0, err
	}
	if other {
		return 0, ErrForm
	}
	parts, err := owedTx(ctx, tx, o.EntityID, o.PaymentID)
	if err != nil {
		return 0, err
	}
	if total(parts) != o.Minor || o.Minor <= 0 {
		return 0, ErrOwed
	}
	n, err := insertTx(ctx, tx, o, parts)
	if err != nil {
		return 0, err
	}
	return n, recordTx(ctx, tx, "repayment.made", o.EntityID, o.ID, map[string]any{
		"payment": o.PaymentID, "amount": o.Minor, "method": o.Method, "number": o.Number, "paid_on": o.PaidOn.String(), "account": o.AccountID,
	})
}

func insertTx(ctx context.Context, tx *sqlx.Tx, o Order, parts []ledger.FundAmount) (int, error) {
	const insert = `/* repayment.insertTx */
		INSERT INTO repayment (id, entity_id, payment_id, amount, method, number, paid_on, account_id, submission) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING n`
	const part = `/* repayment.insertTx */
		INSERT INTO repayment_part (repayment_id, entity_id, fund_id, amount) SELECT $1, $2, p.fund_id, p.amount FROM unnest($3::uuid[], $4::bigint[]) AS p (fund_id, amount)`
	const check = `/* repayment.insertTx */ SET CONSTRAINTS repayment_is_whole IMMEDIATE`
	var n int
	account := uuid.NullUUID{UUID: o.AccountID, Valid: o.AccountID != uuid.Nil}
	err := tx.GetContext(ctx, &n, insert, o.ID, o.EntityID, o.PaymentID, total(parts), o.Method, clean.Line(o.Number), o.PaidOn.String(), account, o.Submission)
	if err != nil {
		return 0, explained(err)
	}
	rows := pg.NewColumns(2)
	for _, p := range parts {
		rows.Add(p.FundID, p.Amount)
	}
	if _, err := tx.ExecContext(ctx, part, rows.Args(o.ID, o.EntityID)...); err != nil {
		return 0, explained(err)
	}
	_, err = tx.ExecContext(ctx, check)
	return n, explained(err)
}

// WithdrawTx withdraws a repayment that no line of the bank has: the check was not sent, or not cashed. It is owed again.
func WithdrawTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, n int) error {
	const query = `/* repayment.WithdrawTx */ UPDATE repayment SET withdrawn_at = 'epoch' WHERE id = $1`
	r, err := lockTx(ctx, tx, entity, n)
	if err != nil {
		return err
	}
	switch r.State() {
	case Withdrawn:
		return nil
	case Booked, Returned:
		return ErrBooked
	}
	if _, err := tx.ExecContext(ctx, query, r.ID); err != nil {
		return explained(err)
	}
	return recordTx(ctx, tx, "repayment.withdrawn", entity, r.ID, map[string]any{"payment": r.PaymentID, "amount": r.Minor})
}

// lockTx locks a repayment until the transaction ends, and returns it.
func lockTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, n int) (Repayment, error) {
	const query = `/* repayment.lockTx */ SELECT id FROM repayment WHERE entity_id = $1 AND n = $2 FOR NO KEY UPDATE`
	if _, err := tx.ExecContext(ctx, query, entity, n); err != nil {
		return Repayment{}, err
	}
	return ByN(ctx, tx, entity, n)
}

// owedTx returns what is owed of a payment of an entity, by fund.
func owedTx(ctx context.Context, tx *sqlx.Tx, entity, payment uuid.UUID) (parts []ledger.FundAmount, err error) {
	const query = `/* repayment.owedTx */ SELECT o.fund_id, o.amount FROM owed_payment w CROSS JOIN LATERAL payment_owed(w.payment_id) o
		WHERE w.payment_id = $1 AND w.entity_id = $2 AND o.amount > 0 ORDER BY o.fund_id`
	err = tx.SelectContext(ctx, &parts, query, payment, entity)
	return parts, err
}

func total(parts []ledger.FundAmount) (sum int64) {
	for _, p := range parts {
		sum += p.Amount
	}
	return sum
}

func first(ns []int) int {
	if len(ns) == 0 {
		return 0
	}
	return ns[0]
}

func recordTx(ctx context.Context, tx *sqlx.Tx, name string, entity, id uuid.UUID, after any) error {
	return audit.RecordTx(ctx, tx, audit.Act{
		Name: name, EntityID: uuid.NullUUID{UUID: entity, Valid: true}, ObjectKind: "repayment", ObjectID: id.String(), After: after,
	})
}

// text returns words that the bank's text of a repayment may have.
func (r Repayment) text() string {
	return strings.TrimSpace(string(r.Method) + " " + r.Donor)
}

var _ bank.ItemKind = Kind{}
