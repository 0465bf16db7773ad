package bank

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/office/bankfile"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// Reading is what a file would add to an account. Nothing is stored yet.
type Reading struct {
	Account    Account
	Name       string
	Bytes      int64
	Hash       [sha256.Size]byte
	File       bankfile.File
	Statements []bankfile.Statement // of the account
	Days       Days                 // of its statements
	Decision   bankfile.Decision
	Before     int // lines on or before the day on which the books of the account began: they are not stored
	Warnings   []Warning
	StoredAt   *time.Time // when the same file was stored; nil: it was not
}

// Days are the days that a file has, both included. Zero: none.
type Days struct{ From, Until ledger.Date }

// Warning is something that people see before they store a file: what does not balance, or is missing.
type Warning struct {
	Phrase string         `json:"phrase"`
	Args   map[string]any `json:"args,omitempty"`
}

// ErrOtherAccount is reported for a file of another account.
func errOtherAccount(last4 string) error {
	return fault.New(fault.Invalid, "office.bank.file.other_account", fault.Args{"digits": last4})
}

// ReadFile reads a file of an account and says what it would add. Its errors are those of bankfile.Read, and one for a file of another account
// or currency. layout is what a person said of a CSV file; nil: it is known or the error asks.
func ReadFile(ctx context.Context, q sqlx.QueryerContext, a Account, name string, raw []byte, layout *bankfile.Layout) (r Reading, err error) {
	known, err := LayoutsOf(ctx, q, a.EntityID)
	if err != nil {
		return r, err
	}
	r = Reading{Account: a, Name: name, Bytes: int64(len(raw)), Hash: sha256.Sum256(raw)}
	if r.File, err = bankfile.Read(bytes.NewReader(raw), name, bankfile.Options{Currency: a.Currency, Layout: layout, Layouts: known}); err != nil {
		return r, err
	}
	if err := r.chooseStatements(); err != nil {
		return r, err
	}
	for i, s := range r.Statements {
		r.Statements[i] = withDays(s)
		if d := r.Statements[i]; d.From != (ledger.Date{}) {
			if r.Days.From == (ledger.Date{}) || d.From.String() < r.Days.From.String() {
				r.Days.From = d.From
			}
			r.Days.Until = later(r.Days.Until, d.To)
		}
	}
	return r, r.compare(ctx, q)
}

// chooseStatements keeps the statements of the account. It reports an error if the file has none.
func (r *Reading) chooseStatements() error {
	other := ""
	for _, s := range r.File.Statements {
		if s.Account.Last4 != "" && !endsAlike(s.Account.Last4, r.Account.Last4) {
			other = s.Account.Last4
			continue
		}
		if s.Currency != "" && s.Currency != r.Account.Currency {
			return fault.New(fault.Invalid, "office.bank.file.other_currency", fault.Args{"currency": string(s.Currency)})
		}
		r.Statements = append(r.Statements, s)
	}
	if len(r.Statements) == 0 && other != "" {
		return errOtherAccount(other)
	}
	return nil
}

func endsAlike(a, b string) bool {
	n := min(len(a), len(b))
	return a[len(a)-n:] == b[len(b)-n:]
}

func later(a, b ledger.Date) ledger.Date {
	if a.String() < b.String() {
		return b
	}
	return a
}

// withDays adds the days that a statement does not name: those of its lines and of its balance.
func withDays(s bankfile.Statement) bankfile.Statement {
	for _, l := range s.Lines {
		if l.Pending {
			continue
		}
		if s.From == (ledger.Date{}) || l.BookedOn.String() < s.From.String() {
			s.From = l.BookedOn
		}
		s.To = later(s.To, l.BookedOn)
	}
	if s.From == (ledger.Date{}) && s.ClosingOn != (ledger.Date{}) {
		s.From, s.To = s.ClosingOn, s.ClosingOn
	}
	s.To = later(s.To, s.From)
	return s
}

// compare decides which lines are new, and what does not fit what is stored.
func (r *Reading) compare(ctx context.Context, q sqlx.QueryerContext) error {
	const file = `/* bank.compare */ SELECT stored_at FROM bank_file WHERE account_id = $1 AND sha256 = $2`
	const opened = `/* bank.compare */ SELECT min(on_date) FROM bank_opening WHERE account_id = $1 HAVING count(*) > 0`
	const known = `/* bank.compare */ SELECT booked_on, amount, text, text_hash, reference, bank_ref, nth FROM bank_line WHERE account_id = $1 AND booked_on BETWEEN $2 AND $3
		ORDER BY booked_on, nth, id`
	var at []time.Time
	if err := sqlx.SelectContext(ctx, q, &at, file, r.Account.ID, r.Hash[:]); err != nil {
		return err
	}
	if len(at) > 0 {
		r.StoredAt = &at[0]
	}
	var begun []ledger.Date
	if err := sqlx.SelectContext(ctx, q, &begun, opened, r.Account.ID); err != nil {
		return err
	}
	var lines []bankfile.Line
	texts := map[string]string{} // of the file, by hash: an erasure may have emptied the stored ones
	for _, s := range r.Statements {
		for _, l := range s.Lines {
			if !l.Pending && len(begun) > 0 && l.BookedOn.String() <= begun[0].String() {
				r.Before++
				continue
			}
			lines = append(lines, l)
			texts[string(hashOf(l.Text))] = l.Text
		}
	}
	var rows []struct {
		BookedOn  ledger.Date `db:"booked_on"`
		Amount    int64       `db:"amount"`
		Text      string      `db:"text"`
		TextHash  []byte      `db:"text_hash"`
		Reference string      `db:"reference"`
		BankRef   string      `db:"bank_ref"`
		Nth       int         `db:"nth"`
	}
	from, until := r.Days.From, r.Days.Until
	if from == (ledger.Date{}) {
		from, until = ledger.Date{Year: 1, Month: time.January, Day: 1}, ledger.Date{Year: 1, Month: time.January, Day: 1}
	}
	for _, l := range lines { // a line may be outside the days that its statement names
		if !l.Pending {
			if l.BookedOn.String() < from.String() {
				from = l.BookedOn
			}
			until = later(until, l.BookedOn)
		}
	}
	if err := sqlx.SelectContext(ctx, q, &rows, known, r.Account.ID, from.String(), until.String()); err != nil {
		return err
	}
	stored := make([]bankfile.Line, len(rows))
	for i, row := range rows {
		text := row.Text
		if text == "" {
			text = cmp.Or(texts[string(row.TextHash)], hex.EncodeToString(row.TextHash))
		}
		stored[i] = bankfile.Line{BookedOn: row.BookedOn, Amount: row.Amount, Text: text, Reference: row.Reference, BankID: row.BankRef, Nth: row.Nth}
	}
	r.Decision = bankfile.Compare(stored, lines)
	return r.warn(ctx, q)
}

func hashOf(text string) []byte {
	hash := sha256.Sum256([]byte(text))
	return hash[:]
}

// warn says what does not balance, and which days are missing between the statements that are stored and this file.
func (r *Reading) warn(ctx context.Context, q sqlx.QueryerContext) error {
	for _, f := range r.File.Findings {
		if f.Statement < len(r.File.Statements) && slices.ContainsFunc(r.Statements,
			func(s bankfile.Statement) bool { return s.Row == r.File.Statements[f.Statement].Row }) {
			r.Warnings = append(r.Warnings, Warning{f.Phrase, said(f.Args)})
		}
	}
	if len(r.Statements) == 0 || r.Days.From == (ledger.Date{}) {
		return nil
	}
	const before = `/* bank.warn */ SELECT until_on, closing FROM bank_statement WHERE account_id = $1 AND from_on <= $2 ORDER BY until_on DESC, closing IS NULL, id LIMIT 1`
	const through = `/* bank.warn */ SELECT coalesce((SELECT sum(amount) FROM bank_opening WHERE account_id = $1 AND on_date <= $2), 0)::bigint
		+ coalesce((SELECT sum(p.amount) FROM bank_line p WHERE p.account_id = $1 AND p.booked_on <= $2` + begins + `), 0)::bigint AS sum,
		EXISTS (SELECT FROM bank_opening WHERE account_id = $1 AND on_date <= $2) AS begun`
	var last []struct {
		Until   ledger.Date `db:"until_on"`
		Closing *int64      `db:"closing"`
	}
	if err := sqlx.SelectContext(ctx, q, &last, before, r.Account.ID, r.Days.From.String()); err != nil {
		return err
	}
	if len(last) > 0 && last[0].Until.Next().String() < r.Days.From.String() {
		r.Warnings = append(r.Warnings, Warning{"office.bank.file.gap", map[string]any{"from": last[0].Until.Next().String(),
			"until": dayBefore(r.Days.From).String()}})
	}
	for _, s := range r.Statements {
		if s.Closing == nil || s.From == (ledger.Date{}) {
			continue
		}
		var sum struct {
			Sum   int64 `db:"sum"`
			Begun bool  `db:"begun"`
		}
		if err := sqlx.GetContext(ctx, q, &sum, through, r.Account.ID, s.To.String()); err != nil {
			return err
		}
		for _, l := range r.Decision.New {
			if l.BookedOn.String() <= s.To.String() {
				sum.Sum += l.Amount
			}
		}
		if differs := *s.Closing - sum.Sum; sum.Begun && differs != 0 {
			r.Warnings = append(r.Warnings, Warning{"office.bank.file.differs", map[string]any{"day": s.To.String(),
				"closing": r.amount(*s.Closing), "sum": r.amount(sum.Sum), "difference": r.amount(differs)}})
		}
	}
	return nil
}

func (r *Reading) amount(minor int64) string { return money.New(minor, r.Account.Currency).Decimal() }

// said returns the arguments of a phrase as JSON has them.
func said(args fault.Args) map[string]any {
	all := map[string]any{}
	for name, value := range args {
		switch v := value.(type) {
		case money.Amount:
			all[name] = v.Decimal()
		case ledger.Date:
			all[name] = v.String()
		default:
			all[name] = fmt.Sprint(v)
		}
	}
	return all
}

// Stored is what came of storing a file.
type Stored struct {
	ID      uuid.UUID
	Added   int
	Applied []Applied // what rules did
}

// ErrStored is reported for a file that was stored.
var ErrStored = fault.New(fault.Conflict, "office.bank.file.stored", nil)

// StoreFileTx stores a file with its statements and its new lines, and applies the rules of the account to them. What is new is decided again,
// under a lock of the account. It reports ErrStored if the same file was stored.
func (s Service) StoreFileTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, r Reading) (done Stored, err error) {
	const lock = `/* bank.StoreFileTx */ SELECT pg_advisory_xact_lock(hashtextextended('bank file ' || $1::text, 0))`
	if _, err := tx.ExecContext(ctx, lock, r.Account.ID); err != nil {
		return done, err
	}
	r.Decision, r.Warnings, r.Before, r.StoredAt = bankfile.Decision{}, nil, 0, nil
	if err := r.compare(ctx, tx); err != nil {
		return done, err
	}
	if r.StoredAt != nil {
		return done, ErrStored
	}
	done.ID, done.Added = s.NewID(), len(r.Decision.New)
	warnings, err := json.Marshal(append([]Warning{}, r.Warnings...))
	if err != nil {
		return done, err
	}
	const file = `/* bank.StoreFileTx */ INSERT INTO bank_file (id, entity_id, account_id, sha256, format, bytes, lines, added, warnings) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	lines := len(r.Decision.New) + len(r.Decision.Known)
	if _, err := tx.ExecContext(ctx, file, done.ID, r.Account.EntityID, r.Account.ID, r.Hash[:], string(r.File.Format), r.Bytes, lines, done.Added,
		string(warnings)); err != nil {
		return done, err
	}
	if err := s.storeLinesTx(ctx, tx, r, done.ID); err != nil {
		return done, err
	}
	err = s.recordTx(ctx, tx, r.Account.EntityID, "bank.file_stored", "bank_file", done.ID, map[string]any{"account": r.Account.Slug,
		"sha256": hex.EncodeToString(r.Hash[:]), "lines": lines, "added": done.Added, "warnings": len(r.Warnings)}, "")
	if err != nil {
		return done, err
	}
	done.Applied, err = s.ApplyRulesTx(ctx, tx, catalog, r.Account)
	return done, err
}

// storeLinesTx stores the statements, and each new line with the first statement that has its day.
func (s Service) storeLinesTx(ctx context.Context, tx *sqlx.Tx, r Reading, file uuid.UUID) error {
	const statement = `/* bank.storeLinesTx */
		INSERT INTO bank_statement (id, entity_id, account_id, file_id, n, from_on, until_on, opening, closing)
		SELECT s.id, $1, $2, $3, s.n, s.from_on, s.until_on, s.opening, s.closing
		  FROM unnest($4::uuid[], $5::integer[], $6::date[], $7::date[], $8::bigint[], $9::bigint[]) AS s (id, n, from_on, until_on, opening, closing)`
	const line = `/* bank.storeLinesTx */
		INSERT INTO bank_line (id, entity_id, account_id, statement_id, n, booked_on, amount, text, text_hash, reference, bank_ref, nth)
		SELECT l.id, $1, $2, l.statement_id, l.n, l.booked_on, l.amount, l.text, l.text_hash, l.reference, l.bank_ref, l.nth
		  FROM unnest($3::uuid[], $4::uuid[], $5::integer[], $6::date[], $7::bigint[], $8::text[], $9::bytea[], $10::text[], $11::text[], $12::integer[])
		       AS l (id, statement_id, n, booked_on, amount, text, text_hash, reference, bank_ref, nth)`
	type placed struct {
		id uuid.UUID
		bankfile.Statement
	}
	var statements []placed
	rows := pg.NewColumns(6)
	for _, st := range r.Statements {
		if st.From == (ledger.Date{}) {
			continue // it has neither lines nor a balance
		}
		statements = append(statements, placed{s.NewID(), st})
		rows.Add(statements[len(statements)-1].id, len(statements), st.From.String(), st.To.String(), st.Opening, st.Closing)
	}
	if len(statements) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, statement, rows.Args(r.Account.EntityID, r.Account.ID, file)...); err != nil {
		return err
	}
	rows = pg.NewColumns(10)
	for n, l := range r.Decision.New {
		of := statements[0].id
		for _, st := range statements {
			if l.BookedOn.String() >= st.From.String() && l.BookedOn.String() <= st.To.String() {
				of = st.id
				break
			}
		}
		rows.Add(s.NewID(), of, n+1, l.BookedOn.String(), l.Amount, l.Text, hashOf(l.Text), l.Reference, l.BankID, l.Nth)
	}
	_, err := tx.ExecContext(ctx, line, rows.Args(r.Account.EntityID, r.Account.ID)...)
	return err
}
