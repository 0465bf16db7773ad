package bank

import (
	"bytes"
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
)

// bookedItem is an item of a match that is being made.
type bookedItem struct {
	kind, ref string
	amount    int64
	postings  []ledger.Posting
	clears    uuid.UUID // of an own transfer: the match of the other account
	follower  Follower
}

func (b bookedItem) booked() bool { return len(b.postings) > 0 }

// bookOwnTx books an item of bank itself. amount is as on the statement: negative if money left.
//
//	item                            debit  credit  fund
//	fee                             5200   1100    operations
//	interest                        1100   4300    operations
//	transfer:ACCOUNT                1100   1100    operations: of the other account, and of this one; none if the other account's match booked it
//	spending:FUND:FUNCTION:NATURE   65xx   1100    the fund, by the function; and 4900 / 4910 if it is restricted
//	aside:REASON                    none
//
// It reports ErrBeyondFund if a fund has less than was spent.
func (s Service) bookOwnTx(ctx context.Context, tx *sqlx.Tx, m *making, c Chosen) (b bookedItem, err error) {
	b = bookedItem{kind: c.kind(), ref: c.ref(), amount: c.Amount}
	operations, err := m.catalog.Operations(m.account.EntityID)
	if err != nil {
		return b, err
	}
	switch {
	case c.Amount == 0:
		return b, ErrAmount
	case b.kind == Fee && b.ref == "":
		b.postings = ledger.Move(ledger.BankFees, ledger.Bank, operations.ID, -c.Amount)
	case b.kind == Interest && b.ref == "":
		b.postings = ledger.Move(ledger.Bank, ledger.OtherIncome, operations.ID, c.Amount)
	case b.kind == Transfer:
		return b, s.bookTransferTx(ctx, tx, m, &b, operations)
	case b.kind == Spending:
		return b, bookSpending(m, &b)
	case b.kind == Aside:
		if n := len([]rune(b.ref)); n == 0 || n > 500 {
			return b, ErrReason
		}
	default:
		return b, errNotFound
	}
	return b, nil
}

// bookTransferTx books money that went to another account of the entity, or came from it. If a match of the other account booked it and no
// line of this account has it yet, this one clears it.
func (s Service) bookTransferTx(ctx context.Context, tx *sqlx.Tx, m *making, b *bookedItem, operations fund.Fund) error {
	other, err := AccountOf(ctx, tx, m.account.EntityID, b.ref)
	if err != nil || other.ID == m.account.ID {
		return ErrTransfer
	}
	const query = `/* bank.bookTransferTx */
		SELECT i.match_id FROM bank_match_item i
		 WHERE i.entity_id = $1 AND i.account_id = $2 AND i.kind = 'transfer' AND i.ref = $3 AND i.booked AND NOT i.undone
		   AND NOT EXISTS (SELECT FROM bank_match_item o WHERE o.clears_match = i.match_id AND o.account_id = $4 AND NOT o.undone)
		 GROUP BY i.match_id HAVING sum(i.amount) = -$5::bigint ORDER BY min(i.match_id::text)`
	var waiting []uuid.UUID
	if err := tx.SelectContext(ctx, &waiting, query, m.account.EntityID, other.ID, m.account.Slug, m.account.ID, b.amount); err != nil {
		return err
	}
	waiting = slices.DeleteFunc(waiting, func(id uuid.UUID) bool { return slices.Contains(m.cleared, id) })
	if len(waiting) > 0 {
		b.clears, m.cleared = waiting[0], append(m.cleared, waiting[0])
		return nil
	}
	b.postings = ledger.Move(ledger.Bank, ledger.Bank, operations.ID, b.amount)
	b.postings[0].Dimensions = map[string]string{ledger.BankDimension: m.account.Slug}
	b.postings[1].Dimensions = map[string]string{ledger.BankDimension: other.Slug}
	return nil
}

// bookSpending books what was spent of a fund, or came back of it.
func bookSpending(m *making, b *bookedItem) error {
	ref, err := ParseSpending(b.ref)
	if err != nil {
		return err
	}
	f, err := m.catalog.FundByCode(m.account.EntityID, ref.Fund)
	if err != nil {
		return ErrSpending
	}
	spent := -b.amount
	b.postings = ledger.Move(spendingAccounts[ref.Function], ledger.Bank, f.ID, spent)
	b.postings[0].Dimensions = map[string]string{"nature": ref.Nature}
	if f.Restricted() {
		b.postings = append(b.postings, ledger.Move(ledger.ReleasedWith, ledger.ReleasedWithout, f.ID, spent)...)
	}
	m.spent[f.ID] += spent
	return nil
}

// checkSpentTx reports ErrBeyondFund if a fund has less than the match spends of it: a restricted fund of what is restricted, another one of
// what is not. It locks the funds in the order of their ids.
func (s Service) checkSpentTx(ctx context.Context, tx *sqlx.Tx, m *making) error {
	var ids []uuid.UUID
	for id, spent := range m.spent {
		if spent > 0 {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range ids {
		if err := fund.LockTx(ctx, tx, id); err != nil {
			return err
		}
		f, err := m.catalog.Fund(id)
		if err != nil {
			return err
		}
		position, err := ledger.ReadPosition(ctx, tx, id)
		if err != nil {
			return err
		}
		has := position.WithoutRestrictions
		if f.Restricted() {
			has = position.WithRestrictions
		}
		if has < m.spent[id] {
			return beyondFund(f, has, m.account.Currency)
		}
	}
	return nil
}
