package bank

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/people/approval"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// Service matches lines of the bank and what they are.
type Service struct {
	Kinds []ItemKind // besides those of bank itself
	Gifts GiftWords  // nil: gifts have neither words nor an address
	NewID func() uuid.UUID
	Now   func() time.Time
	Why   string // of an operator, for the audit log; empty: staff act
}

// GiftWords returns who gave gifts, and their numbers on paper, by their public references: words that a line of the bank may have.
type GiftWords func(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, refs []string) (names, numbers map[string]string, err error)

// kinds returns all kinds of items that have a row somewhere.
func (s Service) kinds() []ItemKind {
	return append([]ItemKind{standingKind{gift, s.Gifts}, standingKind{entry, nil}}, s.Kinds...)
}

func (s Service) kind(name string) ItemKind {
	for _, k := range s.kinds() {
		if k.Kind() == name {
			return k
		}
	}
	return nil
}

// Why an act is refused.
var (
	ErrUnequal   = fault.New(fault.Conflict, "office.bank.problem.unequal", nil)
	ErrMatched   = fault.New(fault.Conflict, "office.bank.problem.matched", nil)
	ErrItem      = fault.New(fault.Conflict, "office.bank.problem.item", nil)
	ErrAmount    = fault.New(fault.Conflict, "office.bank.problem.amount", nil)
	ErrReason    = fault.New(fault.Conflict, "office.bank.problem.reason", nil)
	ErrTransfer  = fault.New(fault.Conflict, "office.bank.problem.transfer", nil)
	ErrSpending  = fault.New(fault.Conflict, "office.bank.problem.spending", nil)
	ErrSplit     = fault.New(fault.Conflict, "office.bank.problem.split", nil)
	ErrClosed    = fault.New(fault.Conflict, "office.bank.problem.closed", nil)
	ErrUndone    = fault.New(fault.Conflict, "office.bank.problem.undone", nil)
	ErrOtherSide = fault.New(fault.Conflict, "office.bank.problem.other_side", nil)
	ErrRule      = fault.New(fault.Conflict, "office.bank.problem.rule", nil)
)

func beyondFund(f fund.Fund, has int64, c money.Currency) error {
	return fault.New(fault.Conflict, "office.bank.problem.beyond_fund", fault.Args{"fund": f.Code, "has": money.New(has, c)})
}

// refusals are the rules of the database that a page explains.
var refusals = map[string]error{
	"bank_match_line_live": ErrMatched, "bank_match_item_live": ErrItem, "bank_match_item_clears": ErrItem, "bank_match_of_part": ErrMatched,
	"bank_match_of_item": ErrItem, "bank_match_is_equal": ErrUnequal, "bank_match_month_is_open": ErrClosed, "bank_match_keeps": ErrUndone,
	"bank_transfer_is_live": ErrOtherSide, "bank_split_leaves_rest": ErrSplit, "bank_split_keeps": ErrSplit, "bank_split_pkey": ErrSplit,
	"bank_rule_keeps": ErrRule,
}

// Explained returns the refusal that a page shows for an error of an act's transaction, its commit included; other errors as they are.
func Explained(err error) error {
	if refused := refusals[approval.Refused(err)]; refused != nil {
		return refused
	}
	return err
}
