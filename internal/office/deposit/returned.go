package deposit

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/office/bank"
	"konbit/internal/processor/offlinepay"
)

// Books stores what becomes of a gift whose check comes back. offlinepay.Booker is one.
type Books interface {
	ReturnCheckTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, c offlinepay.ReturnedCheck) ([]ledger.Posting, error)
	ReviseReturnedTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, c offlinepay.ReturnedCheck, paidAfterAll bool) error
	PayCheckAfterAllTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, c offlinepay.ReturnedCheck) error
}

// Owed are the refunds of gifts that are owed and not paid.
type Owed interface {
	// SettleTx returns what is owed of a payment by fund and stores that it is settled, since its check came back.
	SettleTx(ctx context.Context, tx *sqlx.Tx, entity, payment uuid.UUID, on ledger.Date) (map[uuid.UUID]int64, error)
	// OweAgainTx undoes it.
	OweAgainTx(ctx context.Context, tx *sqlx.Tx, entity, payment uuid.UUID) error
}

// Returned finds checks that came back for lines of the bank. The item's reference is the gift's.
type Returned struct {
	Catalog *fund.CatalogCache
	Books   Books
	Owed    Owed
	Now     func() time.Time
}

var _ bank.Follower = Returned{}

// Kind returns the kind's name.
func (Returned) Kind() string { return "returned" }

// check is a check in a deposit that a line of the bank has.
type check struct {
	Line
	DepositedOn ledger.Date `db:"deposited_on"`
	InReturn    int64       `db:"in_return"`
}

const checkColumns = `l.gift_id, l.entity_id, l.deposit_id, l.amount, l.currency, l.method, l.number, l.public_ref, l.organisation_id, l.received_on, l.batch, l.row_n,
	l.payer, l.returned_by, d.deposited_on, coalesce(o.in_return_value, 0) AS in_return
	FROM deposit_line l JOIN deposit_row d ON d.id = l.deposit_id JOIN deposit_gift o ON o.id = l.gift_id
	WHERE l.method = 'check' AND d.match_id IS NOT NULL `

// Open returns the checks that were deposited in an account in the last ninety days before the newest deposit, and did not come back. They
// have no day: a check that comes back is proposed by its amount, and is sure by its number only.
func (Returned) Open(ctx context.Context, q sqlx.QueryerContext, of bank.Account) (items []bank.Item, err error) {
	const query = `/* deposit.Open */ SELECT ` + checkColumns + `AND d.account_id = $1 AND l.returned_by IS NULL
		AND d.deposited_on > (SELECT max(n.deposited_on) - 90 FROM deposit n WHERE n.account_id = $1) ORDER BY l.gift_id`
	var all []check
	err = sqlx.SelectContext(ctx, q, &all, query, of.ID)
	for _, c := range all {
		items = append(items, bank.Item{
			Kind: "returned", Ref: c.PublicRef, Amount: -c.Minor, Text: "RETURNED " + c.Payer, Number: c.Number, Path: "gifts/" + c.PublicRef,
		})
	}
	return items, err
}

// BookTx stores that a check came back, and returns what that books (offlinepay.Booker.ReturnCheckTx).
func (r Returned) BookTx(ctx context.Context, tx *sqlx.Tx, of bank.Account, ref string, on ledger.Date) (b bank.Booking, err error) {
	c, err := checkTx(ctx, tx, of, ref)
	if err != nil {
		return b, err
	}
	if c.ReturnedBy.Valid {
		return b, bank.ErrItem
	}
	catalog, err := r.Catalog.Current(ctx)
	if err != nil {
		return b, err
	}
	returned := c.returned(of, on)
	if returned.Owed, err = r.Owed.SettleTx(ctx, tx, of.EntityID, c.GiftID, on); err != nil {
		return b, err
	}
	b.Amount = -c.Minor
	b.Postings, err = r.Books.ReturnCheckTx(ctx, tx, catalog, returned)
	return b, err
}

// MatchedTx makes the receipt void; the donor gets the email or the letter about that.
func (r Returned) MatchedTx(ctx context.Context, tx *sqlx.Tx, of bank.Account, ref string, on ledger.Date) error {
	c, err := checkTx(ctx, tx, of, ref)
	if err != nil {
		return err
	}
	catalog, err := r.Catalog.Current(ctx)
	if err != nil {
		return err
	}
	return r.Books.ReviseReturnedTx(ctx, tx, catalog, c.returned(of, on), false)
}

// UndoneTx stores that the check did not come back. The receipt is valid again, by a new one.
func (r Returned) UndoneTx(ctx context.Context, tx *sqlx.Tx, of bank.Account, ref string) error {
	c, err := checkTx(ctx, tx, of, ref)
	if err != nil {
		return err
	}
	catalog, err := r.Catalog.Current(ctx)
	if err != nil {
		return err
	}
	if err := r.Owed.OweAgainTx(ctx, tx, of.EntityID, c.GiftID); err != nil {
		return err
	}
	entity, err := catalog.EntityByID(of.EntityID)
	if err != nil {
		return err
	}
	return r.Books.PayCheckAfterAllTx(ctx, tx, catalog, c.returned(of, ledger.DateOf(r.Now(), entity.Location())))
}

func (c check) returned(of bank.Account, on ledger.Date) offlinepay.ReturnedCheck {
	return offlinepay.ReturnedCheck{EntityID: of.EntityID, PaymentID: c.GiftID, Paid: amountOf(of, c.Minor), InReturn: c.InReturn, On: on}
}

// checkTx locks the deposit of a check in an account and returns the check.
func checkTx(ctx context.Context, tx *sqlx.Tx, of bank.Account, ref string) (check, error) {
	const deposit = `/* deposit.checkTx */ SELECT d.n FROM deposit_line l JOIN deposit d ON d.id = l.deposit_id WHERE l.public_ref = $1 AND l.entity_id = $2`
	const query = `/* deposit.checkTx */ SELECT ` + checkColumns + `AND d.account_id = $1 AND l.public_ref = $2 AND l.entity_id = $3`
	var ns []int
	if err := tx.SelectContext(ctx, &ns, deposit, ref, of.EntityID); err != nil {
		return check{}, err
	}
	if len(ns) == 0 {
		return check{}, errNotFound
	}
	if _, err := lockTx(ctx, tx, of.EntityID, ns[0]); err != nil {
		return check{}, err
	}
	var found []check
	if err := tx.SelectContext(ctx, &found, query, of.ID, ref, of.EntityID); err != nil {
		return check{}, err
	}
	if len(found) == 0 {
		return check{}, errNotFound
	}
	return found[0], nil
}

// Candidates returns the checks of an account that a line may have taken back: those of the amount that did not come back, whose number stands in the
// text first. amount is positive.
func Candidates(ctx context.Context, q sqlx.QueryerContext, of bank.Account, amount int64, text string) (lines []Line, err error) {
	const query = `/* deposit.Candidates */ SELECT ` + checkColumns + `AND d.account_id = $1 AND l.amount = $2 AND l.returned_by IS NULL
		ORDER BY d.deposited_on DESC, l.gift_id LIMIT 50`
	var all []check
	if err := sqlx.SelectContext(ctx, q, &all, query, of.ID, amount); err != nil {
		return nil, err
	}
	for _, c := range all {
		lines = append(lines, c.Line)
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return boolOrder(named(a, text), named(b, text)) })
	return lines, nil
}

// named reports whether a text has the number of a check.
func named(l Line, text string) bool {
	number := strings.TrimLeft(l.Number, "0")
	return number != "" && slices.ContainsFunc(strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }), func(word string) bool {
		return strings.TrimLeft(word, "0") == number
	})
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// sorted returns what each fund has, in the order of the funds' ids, without zeros.
func sorted(sum map[uuid.UUID]int64) (parts []ledger.FundAmount) {
	for id, amount := range sum {
		if amount != 0 {
			parts = append(parts, ledger.FundAmount{FundID: id, Amount: amount})
		}
	}
	slices.SortFunc(parts, func(a, b ledger.FundAmount) int { return strings.Compare(a.FundID.String(), b.FundID.String()) })
	return parts
}

// Named returns the check of an account that did not come back and whose number stands in a text, if there is exactly one of at most this amount: a
// bank may take its fee in the same line.
func Named(ctx context.Context, q sqlx.QueryerContext, of bank.Account, most int64, text string) (Line, bool, error) {
	const query = `/* deposit.Named */ SELECT ` + checkColumns + `AND d.account_id = $1 AND l.amount < $2 AND l.returned_by IS NULL AND l.number <> ''
		AND ltrim(l.number, '0') = ANY($3::text[]) ORDER BY d.deposited_on DESC, l.gift_id LIMIT 50`
	var words []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		words = append(words, strings.TrimLeft(word, "0"))
	}
	var all []check
	err := sqlx.SelectContext(ctx, q, &all, query, of.ID, most, pq.Array(words))
	if err != nil || len(all) != 1 {
		return Line{}, false, err
	}
	return all[0].Line, true, nil
}
