package deposit

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// Deposit is a deposit.
type Deposit struct {
	ID           uuid.UUID      `db:"id"`
	EntityID     uuid.UUID      `db:"entity_id"`
	N            int            `db:"n"`
	Currency     money.Currency `db:"currency"`
	AccountID    uuid.NullUUID  `db:"account_id"` // not valid until it is closed
	Account      string         `db:"account"`    // slug; empty until it is closed
	DepositedOn  *ledger.Date   `db:"deposited_on"`
	CreatedBy    uuid.NullUUID  `db:"created_by"` // not valid: an operator
	CreatedAt    time.Time      `db:"created_at"`
	ClosedBy     uuid.NullUUID  `db:"closed_by"`
	ClosedAt     *time.Time     `db:"closed_at"`
	Checks       int            `db:"checks"`
	ChecksAmount int64          `db:"checks_amount"` // minor units
	Cash         int            `db:"cash"`          // gifts by cash
	CashAmount   int64          `db:"cash_amount"`
	MatchID      uuid.NullUUID  `db:"match_id"`  // valid: a line of the bank has it
	BookedOn     *ledger.Date   `db:"booked_on"` // the line's day
}

// State is where a deposit stands.
type State string

// The states.
const (
	Open   State = "open"
	Closed State = "closed"
	Booked State = "booked" // on the bank's statement
)

// State returns where the deposit stands.
func (d Deposit) State() State {
	switch {
	case d.MatchID.Valid:
		return Booked
	case d.ClosedAt != nil:
		return Closed
	}
	return Open
}

// Count returns how many items the slip has: each check, and the cash as one.
func (d Deposit) Count() int { return d.Checks + min(d.Cash, 1) }

// Amount returns what the deposit comes to.
func (d Deposit) Amount() money.Amount { return money.New(d.ChecksAmount+d.CashAmount, d.Currency) }

// Method is how a gift came.
type Method string

// The methods of gifts that are deposited.
const (
	Check Method = "check"
	Cash  Method = "cash"
)

// Line is a gift by check or cash that waits, or is in a deposit.
type Line struct {
	GiftID         uuid.UUID      `db:"gift_id"`
	EntityID       uuid.UUID      `db:"entity_id"`
	DepositID      uuid.NullUUID  `db:"deposit_id"`
	Minor          int64          `db:"amount"` // the whole check
	Currency       money.Currency `db:"currency"`
	Method         Method         `db:"method"`
	Number         string         `db:"number"` // of the check; may be empty
	PublicRef      string         `db:"public_ref"`
	OrganisationID uuid.UUID      `db:"organisation_id"`
	ReceivedOn     ledger.Date    `db:"received_on"`
	Batch          *int           `db:"batch"` // its number; nil: it came otherwise
	RowN           int            `db:"row_n"`
	Payer          string         `db:"payer"`       // empty after an erasure
	ReturnedBy     uuid.NullUUID  `db:"returned_by"` // the match by which the check came back
}

// Amount returns the amount of the check.
func (l Line) Amount() money.Amount { return money.New(l.Minor, l.Currency) }

const depositColumns = `id, entity_id, n, currency, account_id, coalesce(account, '') AS account, deposited_on, created_by, created_at, closed_by, closed_at,
	checks, checks_amount, cash, cash_amount, match_id, booked_on FROM deposit_row `

const lineColumns = `gift_id, entity_id, deposit_id, amount, currency, method, number, public_ref, organisation_id, received_on, batch, row_n, payer, returned_by
	FROM deposit_line `

// order is the order of a slip: as the checks lie on the desk.
const order = ` ORDER BY method, received_on, batch NULLS FIRST, row_n, gift_id`

// Place is a place in a list of deposits, the newest first.
type Place struct {
	N int `json:"n"`
}

// Page returns deposits of an entity, the newest first, and the place after them; nil: there are no more.
func Page(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, state State, after Place, limit int) (page []Deposit, next *Place, err error) {
	const query = `/* deposit.Page */ SELECT ` + depositColumns + `WHERE entity_id = $1 AND ($2 = 0 OR n < $2) AND ($3 = ''
		OR $3 = CASE WHEN match_id IS NOT NULL THEN 'booked' WHEN closed_at IS NOT NULL THEN 'closed' ELSE 'open' END) ORDER BY n DESC LIMIT $4`
	if err := sqlx.SelectContext(ctx, q, &page, query, entity, after.N, state, limit+1); err != nil {
		return nil, nil, err
	}
	if len(page) > limit {
		page = page[:limit]
		next = &Place{page[limit-1].N}
	}
	return page, next, nil
}

// ByN returns a deposit of an entity; fault.NotFound if there is none that q may see.
func ByN(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, n int) (Deposit, error) {
	const query = `/* deposit.ByN */ SELECT ` + depositColumns + `WHERE entity_id = $1 AND n = $2`
	return one(ctx, q, query, entity, n)
}

func one(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) (Deposit, error) {
	var found []Deposit
	if err := sqlx.SelectContext(ctx, q, &found, query, args...); err != nil {
		return Deposit{}, err
	}
	if len(found) == 0 {
		return Deposit{}, errNotFound
	}
	return found[0], nil
}

// LinesOf returns the items of a deposit, in the order of its slip.
func LinesOf(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (lines []Line, err error) {
	const query = `/* deposit.LinesOf */ SELECT ` + lineColumns + `WHERE deposit_id = $1` + order
	err = sqlx.SelectContext(ctx, q, &lines, query, id)
	return lines, err
}

// MaxItems is how many items a deposit has at most, and how many that wait a page shows.
const MaxItems = 500

// Waiting returns what waits to be deposited, the oldest first, at most MaxItems.
func Waiting(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, c money.Currency) (lines []Line, err error) {
	const query = `/* deposit.Waiting */ SELECT ` + lineColumns + `WHERE entity_id = $1 AND currency = $2 AND deposit_id IS NULL
		ORDER BY received_on, batch NULLS FIRST, row_n, gift_id LIMIT $3`
	err = sqlx.SelectContext(ctx, q, &lines, query, entity, c, MaxItems)
	return lines, err
}

// CountWaiting returns how many gifts wait to be deposited, and what they come to.
func CountWaiting(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, c money.Currency) (n int, sum money.Amount, err error) {
	const query = `/* deposit.CountWaiting */ SELECT count(*) AS n, coalesce(sum(amount), 0)::bigint AS sum FROM deposit_item
		WHERE entity_id = $1 AND currency = $2 AND deposit_id IS NULL AND left_at IS NULL`
	var found struct {
		N   int   `db:"n"`
		Sum int64 `db:"sum"`
	}
	err = sqlx.GetContext(ctx, q, &found, query, entity, c)
	return found.N, money.New(found.Sum, c), err
}

// Why an act is refused. The phrases are templates/office's.
var (
	ErrClosed   error = fault.New(fault.Conflict, "office.deposit.problem.closed", nil)
	ErrBooked   error = fault.New(fault.Conflict, "office.deposit.problem.booked", nil)
	ErrEmpty    error = fault.New(fault.Conflict, "office.deposit.problem.empty", nil)
	ErrHasItems error = fault.New(fault.Conflict, "office.deposit.problem.has_items", nil)
	ErrTaken    error = fault.New(fault.Conflict, "office.deposit.problem.taken", nil)
	ErrChanged  error = fault.New(fault.Conflict, "office.deposit.problem.changed", nil)
	ErrDiffers  error = fault.New(fault.Conflict, "office.deposit.problem.differs", nil)
	ErrReturned error = fault.New(fault.Conflict, "office.deposit.problem.returned", nil)
	ErrAccount  error = fault.New(fault.Conflict, "office.deposit.problem.account", nil)
	ErrTooMany  error = fault.New(fault.Conflict, "office.deposit.problem.too_many", fault.Args{"most": MaxItems})
	ErrPerson   error = fault.New(fault.Forbidden, "office.deposit.problem.person", nil)
	ErrForm     error = fault.New(fault.Conflict, "office.deposit.problem.other_form", nil)
	errNotFound error = fault.New(fault.NotFound, "problem.404.text", nil)
)

// explained returns the reason for which the database refused; else err.
func explained(err error) error {
	for constraint, reason := range map[string]error{
		"deposit_is_closed": ErrClosed, "deposit_is_matched": ErrBooked, "deposit_has_items": ErrEmpty, "deposit_account": ErrAccount,
		"deposit_person": ErrPerson, "deposit_item_keeps": ErrTaken, "deposit_keeps": ErrClosed, "deposit_has_returned": ErrReturned,
	} {
		if pg.Violates(err, constraint) {
			return reason
		}
	}
	return err
}

// OfGift returns the deposit that a gift is in; nil if it is in none.
func OfGift(ctx context.Context, q sqlx.QueryerContext, gift uuid.UUID) (*Deposit, error) {
	const query = `/* deposit.OfGift */ SELECT ` + depositColumns + `WHERE id = (SELECT i.deposit_id FROM deposit_item i WHERE i.gift_id = $1)`
	var found []Deposit
	if err := sqlx.SelectContext(ctx, q, &found, query, gift); err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}
