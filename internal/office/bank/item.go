package bank

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
)

// Item is something of ours that waits for a line of an account.
type Item struct {
	Kind, Ref string      // a form's item[] is Kind:Ref
	Amount    int64       // minor units, signed as on the bank's statement
	On        ledger.Date // the day on which the bank is expected to book it
	Text      string      // words that the bank's text may have: payer, descriptor
	Number    string      // check or reference number; may be empty
	Path      string      // of its page below the scope, such as "payouts/po_1"; may be empty
}

// Name returns what forms and rules call the item.
func (i Item) Name() string { return i.Kind + ":" + i.Ref }

// Booking is what clearing an item books. Postings balance in each fund, and their lines on 1100 come to Amount; the account's dimension is
// added. nil: the item stands in 1100 of the account already.
type Booking struct {
	Amount   int64 // as Item.Amount
	Postings []ledger.Posting
}

// ItemKind finds and books the items of one kind.
type ItemKind interface {
	// Kind returns the kind's name in forms, such as "payout".
	Kind() string
	// Open returns the items that wait for a line of an account. q may be a transaction of konbit_office.
	Open(ctx context.Context, q sqlx.QueryerContext, of Account) ([]Item, error)
	// BookTx locks an item and returns what a line of that day books. It reports fault.NotFound for an item that the account cannot have,
	// and fault.Conflict for one that waits for nothing.
	BookTx(ctx context.Context, tx *sqlx.Tx, of Account, ref string, on ledger.Date) (Booking, error)
}

// Follower is an ItemKind of which more follows than an entry, in the same transaction.
type Follower interface {
	// MatchedTx is called after the match of an item is stored and booked.
	MatchedTx(ctx context.Context, tx *sqlx.Tx, of Account, ref string, on ledger.Date) error
	// UndoneTx is called after the match is undone.
	UndoneTx(ctx context.Context, tx *sqlx.Tx, of Account, ref string) error
}

// Kinds of items that belong to bank, and of those that stand in 1100 already.
const (
	Fee      = "fee"
	Interest = "interest"
	Transfer = "transfer"
	Spending = "spending"
	Aside    = "aside"
	gift     = "gift"
	entry    = "entry"
)

// ownKinds have no row elsewhere: a match may name one any number of times, with an amount.
var ownKinds = []string{Fee, Interest, Transfer, Spending, Aside}

// IsOwn reports whether a kind of items belongs to bank: whoever chooses one says the amount.
func IsOwn(kind string) bool { return slices.Contains(ownKinds, kind) }

// Chosen is an item as a person chose it.
type Chosen struct {
	Item   string // "payout:po_1", "fee", "spending:general:program:rent"
	Amount int64  // minor units, as on the statement; 0: the item's own
}

func (c Chosen) kind() string {
	kind, _, _ := strings.Cut(c.Item, ":")
	return kind
}

func (c Chosen) ref() string {
	_, ref, _ := strings.Cut(c.Item, ":")
	return ref
}

// Part is a part of a line: part 0 is what is left of it, or all of it.
type Part struct {
	LineID uuid.UUID
	N      int
}

// String returns the part as a form has it: the line's id, and .N of a part that was split off.
func (p Part) String() string {
	if p.N == 0 {
		return p.LineID.String()
	}
	return fmt.Sprintf("%s.%d", p.LineID, p.N)
}

// ParsePart reads a part of a line.
func ParsePart(text string) (p Part, err error) {
	line, n, split := strings.Cut(text, ".")
	if p.LineID, err = uuid.Parse(line); err != nil || len(line) != 36 {
		return Part{}, errNotFound
	}
	if split {
		if p.N, err = strconv.Atoi(n); err != nil || p.N < 1 {
			return Part{}, errNotFound
		}
	}
	return p, nil
}

func compareParts(a, b Part) int {
	return cmp.Or(slices.Compare(a.LineID[:], b.LineID[:]), cmp.Compare(a.N, b.N))
}

// SpendingRef is what a line was spent on.
type SpendingRef struct {
	Fund     string // code
	Function Function
	Nature   string // pay, rent, travel
}

// Function is what spending is for, as statements by function have it.
type Function string

// The functions, with their accounts.
const (
	Program     Function = "program"
	Management  Function = "management"
	Fundraising Function = "fundraising"
)

// Functions are all functions.
var Functions = []Function{Program, Management, Fundraising}

var spendingAccounts = map[Function]ledger.Account{
	Program: ledger.ProgramSpending, Management: ledger.ManagementSpending, Fundraising: ledger.FundraisingSpending,
}

var natureForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// String returns it as a form has it, without the kind.
func (s SpendingRef) String() string { return s.Fund + ":" + string(s.Function) + ":" + s.Nature }

// ParseSpending reads FUND:FUNCTION:NATURE.
func ParseSpending(ref string) (s SpendingRef, err error) {
	parts := strings.Split(ref, ":")
	if len(parts) != 3 {
		return s, ErrSpending
	}
	s = SpendingRef{parts[0], Function(parts[1]), parts[2]}
	if spendingAccounts[s.Function] == "" || !natureForm.MatchString(s.Nature) || len(s.Nature) > 40 {
		return s, ErrSpending
	}
	return s, nil
}
