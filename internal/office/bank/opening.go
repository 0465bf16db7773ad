package bank

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/people/approval"
	"konbit/internal/people/audit"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// Opening is what was in an account at the end of a day, by fund. Another person approves it.
type Opening struct {
	EntityID uuid.UUID
	Account  string // slug
	On       ledger.Date
	Currency money.Currency
	Parts    []OpeningPart
}

// OpeningPart is what one fund had in the account.
type OpeningPart struct {
	Fund   string // code
	Amount int64  // minor units, not zero
}

// Amount returns the sum of the parts.
func (o Opening) Amount() money.Amount {
	var sum int64
	for _, p := range o.Parts {
		sum += p.Amount
	}
	return money.New(sum, o.Currency)
}

// Body returns the canonical text of an opening, as the trigger bank_opening_is_booked of migration 00160 has it.
func (o Opening) Body() string {
	lines := []string{"opening", "entity " + o.EntityID.String(), "account " + o.Account, "day " + o.On.String(),
		fmt.Sprintf("amount %d %s", o.Amount().Minor, o.Currency)}
	parts := slices.SortedFunc(slices.Values(o.Parts), func(a, b OpeningPart) int { return cmp.Compare(a.Fund, b.Fund) })
	for _, p := range parts {
		lines = append(lines, fmt.Sprintf("fund %s %d", p.Fund, p.Amount))
	}
	return strings.Join(lines, "\n")
}

// ReadOpening reads a text that Body wrote.
func ReadOpening(text string) (o Opening, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 6 || lines[0] != "opening" {
		return o, fmt.Errorf("bank: the text of a request is no opening")
	}
	value := func(i int, name string) string {
		v, ok := strings.CutPrefix(lines[i], name+" ")
		if !ok && err == nil {
			err = fmt.Errorf("bank: the text of an opening has no %s", name)
		}
		return v
	}
	entity, account, day, amount := value(1, "entity"), value(2, "account"), value(3, "day"), value(4, "amount")
	if err != nil {
		return o, err
	}
	o.Account = account
	if o.EntityID, err = uuid.Parse(entity); err != nil {
		return o, err
	}
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return o, err
	}
	o.On = ledger.DateOf(at, time.UTC)
	_, currency, _ := strings.Cut(amount, " ")
	o.Currency = money.Currency(currency)
	for i := range lines[5:] {
		code, minor, _ := strings.Cut(value(5+i, "fund"), " ")
		n, err := strconv.ParseInt(minor, 10, 64)
		if err != nil {
			return o, err
		}
		o.Parts = append(o.Parts, OpeningPart{code, n})
	}
	return o, err
}

// RequestOf returns the request of an opening. id is the opening's.
func (o Opening) RequestOf(request, id, staff uuid.UUID) approval.Request {
	return approval.Request{ID: request, EntityID: o.EntityID, Kind: approval.Opening, Subject: id.String(), Body: o.Body(), Needs: 1, RequestedBy: staff}
}

// Why an opening is refused.
var (
	ErrOpened     = fault.New(fault.Conflict, "office.bank.problem.opened", nil)
	ErrSecondOnly = fault.New(fault.Forbidden, "office.bank.problem.second", nil)
)

// OpenTx executes a request that another person approved, in the transaction of the staff session of that person:
//
//	debit  credit        fund
//	1100   3000 or 3010  each fund, what it had; the reverse of less than nothing
//
// It reports ErrOpened if a fund has an opening of this account and day, and ErrSecondOnly if the request is not approved.
func (s Service) OpenTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, r approval.Stored) error {
	o, err := ReadOpening(r.Body)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(r.Subject)
	if err != nil {
		return err
	}
	account, err := AccountOf(ctx, tx, r.EntityID, o.Account)
	if err != nil {
		return err
	}
	entry := ledger.Entry{EntityID: r.EntityID, Currency: o.Currency, Date: o.On, Source: "bank opening", SourceID: id.String(), Kind: "opening",
		Fact: ledger.Fact{"opening": o.Body()}, Dimensions: map[string]string{ledger.BankDimension: account.Slug}}
	const insert = `/* bank.OpenTx */ INSERT INTO bank_opening (id, entity_id, account_id, on_date, amount, currency, request_id, request_hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	const part = `/* bank.OpenTx */ INSERT INTO bank_opening_part (opening_id, entity_id, account_id, on_date, fund_id, amount) VALUES ($1, $2, $3, $4, $5, $6)`
	if _, err = tx.ExecContext(ctx, insert, id, r.EntityID, account.ID, o.On.String(), o.Amount().Minor, o.Currency, r.ID, r.StoredHash); err != nil {
		if approval.Refused(err) == "requires_approval" {
			return ErrSecondOnly
		}
		return err
	}
	for _, p := range o.Parts {
		f, err := catalog.FundByCode(r.EntityID, p.Fund)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, part, id, r.EntityID, account.ID, o.On.String(), f.ID, p.Amount); err != nil {
			if approval.Refused(err) == "bank_opening_part_entity_id_on_date_account_id_fund_id_key" {
				return ErrOpened
			}
			return err
		}
		assets := ledger.OpeningWithout
		if f.Restricted() {
			assets = ledger.OpeningWith
		}
		entry.Postings = append(entry.Postings, ledger.Move(ledger.Bank, assets, f.ID, p.Amount)...)
	}
	ledger.InBank(entry.Postings, account.Slug)
	if _, err := ledger.PostTx(ctx, tx, []ledger.Entry{entry}, s.NewID); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, audit.Act{
		Name: "bank.opened", EntityID: uuid.NullUUID{UUID: r.EntityID, Valid: true}, ObjectKind: "bank_opening", ObjectID: id.String(),
		After: map[string]string{"account": account.Slug, "day": o.On.String(), "amount": strconv.FormatInt(o.Amount().Minor, 10)},
	})
}

// StoredOpening is an opening as it is stored.
type StoredOpening struct {
	ID       uuid.UUID   `db:"id"`
	On       ledger.Date `db:"on_date"`
	Amount   int64       `db:"amount"`
	OpenedBy uuid.UUID   `db:"opened_by"`
	OpenedAt time.Time   `db:"opened_at"`
}

// OpeningsOf returns the openings of an account, the oldest first.
func OpeningsOf(ctx context.Context, q sqlx.QueryerContext, account uuid.UUID) (all []StoredOpening, err error) {
	const query = `/* bank.OpeningsOf */ SELECT id, on_date, amount, opened_by, opened_at FROM bank_opening WHERE account_id = $1 ORDER BY on_date, opened_at`
	err = sqlx.SelectContext(ctx, q, &all, query, account)
	return all, err
}
