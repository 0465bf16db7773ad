package bank

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// Holds says what an account is for. Its values stand in bank_account.holds.
type Holds string

// What an account holds: every line is booked, or gifts are and other lines are set aside.
const (
	HoldsAll   Holds = "all"
	HoldsGifts Holds = "gifts"
)

// Account is a bank account of a legal entity.
type Account struct {
	ID       uuid.UUID      `db:"id"`
	EntityID uuid.UUID      `db:"entity_id"`
	Slug     string         `db:"slug"` // unique in the installation; the dimension "bank" of postings on 1100; never changes
	Name     string         `db:"name"`
	Last4    string         `db:"last4"`    // of its number
	Currency money.Currency `db:"currency"` // of the entity's books
	Holds    Holds          `db:"holds"`
}

// StripeSlug stands for the balance at Stripe in addresses. No account has it.
const StripeSlug = "stripe"

// ValidSlug reports whether s can be the slug of an account.
func ValidSlug(s string) bool { return org.ValidSlug(s) && s != StripeSlug }

const accountColumns = `SELECT id, entity_id, slug, name, last4, currency, holds FROM bank_account `

// Accounts returns all accounts that q may see, by entity and slug.
func Accounts(ctx context.Context, q sqlx.QueryerContext) (all []Account, err error) {
	err = sqlx.SelectContext(ctx, q, &all, `/* bank.Accounts */ `+accountColumns+`ORDER BY entity_id, slug`)
	return all, err
}

// AccountsOf returns the accounts of an entity, by slug.
func AccountsOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID) (all []Account, err error) {
	err = sqlx.SelectContext(ctx, q, &all, `/* bank.AccountsOf */ `+accountColumns+`WHERE entity_id = $1 ORDER BY slug`, entity)
	return all, err
}

// AccountOf returns an account of an entity by its slug; fault.NotFound if there is none.
func AccountOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, slug string) (Account, error) {
	return oneAccount(ctx, q, `/* bank.AccountOf */ `+accountColumns+`WHERE entity_id = $1 AND slug = $2`, entity, slug)
}

// AccountBySlug returns an account by its slug, for commands; fault.NotFound if there is none.
func AccountBySlug(ctx context.Context, q sqlx.QueryerContext, slug string) (Account, error) {
	return oneAccount(ctx, q, `/* bank.AccountBySlug */ `+accountColumns+`WHERE slug = $1`, slug)
}

func oneAccount(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) (Account, error) {
	var found []Account
	if err := sqlx.SelectContext(ctx, q, &found, query, args...); err != nil {
		return Account{}, err
	}
	if len(found) == 0 {
		return Account{}, errNotFound
	}
	return found[0], nil
}

var errNotFound = fault.New(fault.NotFound, "problem.404.text", nil)

// UpsertAccountTx inserts an account, or updates the row with its id; now is the time of the change. An update changes the name, the last
// digits and what it holds.
func UpsertAccountTx(ctx context.Context, tx *sqlx.Tx, a Account, now time.Time) error {
	const query = `/* bank.UpsertAccountTx */
		INSERT INTO bank_account (id, entity_id, slug, name, last4, currency, holds, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, last4 = excluded.last4, holds = excluded.holds, updated_at = excluded.updated_at`
	_, err := tx.ExecContext(ctx, query, a.ID, a.EntityID, a.Slug, a.Name, a.Last4, a.Currency, a.Holds, now)
	return err
}

// Amount returns an amount of minor units in the account's currency.
func (a Account) Amount(minor int64) money.Amount { return money.New(minor, a.Currency) }
