package deposit

import (
	"context"
	"strconv"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bank"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// Kind finds closed deposits for lines of the bank, and books them.
type Kind struct{}

var _ bank.Follower = Kind{}

// Kind returns the kind's name.
func (Kind) Kind() string { return "deposit" }

// Open returns the closed deposits of an account that no line has.
func (Kind) Open(ctx context.Context, q sqlx.QueryerContext, of bank.Account) (items []bank.Item, err error) {
	const query = `/* deposit.Open */ SELECT ` + depositColumns + `WHERE account_id = $1 AND closed_at IS NOT NULL AND match_id IS NULL ORDER BY n`
	var open []Deposit
	err = sqlx.SelectContext(ctx, q, &open, query, of.ID)
	for _, d := range open {
		ref := strconv.Itoa(d.N)
		items = append(items, bank.Item{
			Kind: "deposit", Ref: ref, Amount: d.Amount().Minor, On: *d.DepositedOn, Text: "DEPOSIT", Number: ref, Path: "deposits/" + ref,
		})
	}
	return items, err
}

// BookTx returns what a deposit books: 1100 / 1050, by what its checks and cash have in 1050 of each fund. It locks the deposit. It reports
// ErrDiffers if that is not what the slip says.
func (Kind) BookTx(ctx context.Context, tx *sqlx.Tx, of bank.Account, ref string, _ ledger.Date) (b bank.Booking, err error) {
	d, err := ofRefTx(ctx, tx, of, ref)
	if err != nil {
		return b, err
	}
	if d.State() == Booked {
		return b, bank.ErrItem
	}
	lines, err := LinesOf(ctx, tx, d.ID)
	if err != nil {
		return b, err
	}
	if err := lockMoneyTx(ctx, tx, of.EntityID); err != nil {
		return b, err
	}
	parts, err := undepositedTx(ctx, tx, of.EntityID, idsOf(lines))
	if err != nil {
		return b, err
	}
	for _, p := range parts {
		b.Amount += p.Amount
		b.Postings = append(b.Postings, ledger.Move(ledger.Bank, ledger.UndepositedChecks, p.FundID, p.Amount)...)
	}
	if b.Amount != d.Amount().Minor {
		return b, ErrDiffers
	}
	return b, nil
}

// MatchedTx is part of bank.Follower.
func (Kind) MatchedTx(context.Context, *sqlx.Tx, bank.Account, string, ledger.Date) error { return nil }

// UndoneTx reports ErrReturned while the bank has taken one of the deposit's checks back.
func (Kind) UndoneTx(ctx context.Context, tx *sqlx.Tx, of bank.Account, ref string) error {
	d, err := ofRefTx(ctx, tx, of, ref)
	if err != nil {
		return err
	}
	lines, err := LinesOf(ctx, tx, d.ID)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if l.ReturnedBy.Valid {
			return ErrReturned
		}
	}
	return nil
}

// ofRefTx locks and returns the closed deposit of an account that an item names.
func ofRefTx(ctx context.Context, tx *sqlx.Tx, of bank.Account, ref string) (Deposit, error) {
	n, err := strconv.Atoi(ref)
	if err != nil || strconv.Itoa(n) != ref {
		return Deposit{}, errNotFound
	}
	d, err := lockTx(ctx, tx, of.EntityID, n)
	if err == nil && (d.State() == Open || d.AccountID.UUID != of.ID) {
		err = errNotFound
	}
	return d, err
}

// undepositedTx returns what gifts have in 1050 by fund: what posting them booked there, and what refunds of them moved between funds.
func undepositedTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, gifts []uuid.UUID) (parts []ledger.FundAmount, err error) {
	const orders = `/* deposit.undepositedTx */ SELECT object_id FROM deposit_refund WHERE payment_id = ANY($1::uuid[])`
	payments, refunds := make([]string, len(gifts)), []string{}
	for i, id := range gifts {
		payments[i] = id.String()
	}
	if err := tx.SelectContext(ctx, &refunds, orders, pg.UUIDs(gifts)); err != nil {
		return nil, err
	}
	sum := map[uuid.UUID]int64{}
	for source, ids := range map[string][]string{"payment": payments, "refund order": refunds} {
		some, err := ledger.LeftBySources(ctx, tx, entity, ledger.UndepositedChecks, source, ids)
		if err != nil {
			return nil, err
		}
		for _, p := range some {
			sum[p.FundID] += p.Amount
		}
	}
	return sorted(sum), nil
}

// lockMoneyTx makes whoever books a deposit, and whoever refunds one of its gifts, wait for each other: a refund gives the sponsor's fee back
// where the money is.
func lockMoneyTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID) error {
	const query = `/* deposit.lockMoneyTx */ SELECT pg_advisory_xact_lock(hashtextextended('deposit money ' || $1::uuid, 0))`
	_, err := tx.ExecContext(ctx, query, entity)
	return err
}

// MoneyOfTx returns where the money of a payment without a processor is: account 1050 or 1100, and the bank account's slug. asset is the account
// that the payment was debited to. Until the transaction ends, its deposit is not booked.
func MoneyOfTx(ctx context.Context, tx *sqlx.Tx, entity, payment uuid.UUID, asset ledger.Account) (ledger.Account, string, error) {
	const query = `/* deposit.MoneyOfTx */ SELECT d.account FROM deposit_line l JOIN deposit_row d ON d.id = l.deposit_id WHERE l.gift_id = $1 AND d.match_id IS NOT NULL`
	if asset == ledger.Bank {
		slug, err := ledger.BankOf(ctx, tx, entity, "payment", payment.String())
		return asset, slug, err
	}
	if asset != ledger.UndepositedChecks {
		return asset, "", nil
	}
	if err := lockMoneyTx(ctx, tx, entity); err != nil {
		return asset, "", err
	}
	var slugs []string
	if err := tx.SelectContext(ctx, &slugs, query, payment); err != nil || len(slugs) == 0 {
		return asset, "", err
	}
	return ledger.Bank, slugs[0], nil
}

// amountOf returns an amount of an account.
func amountOf(of bank.Account, minor int64) money.Amount { return money.New(minor, of.Currency) }
