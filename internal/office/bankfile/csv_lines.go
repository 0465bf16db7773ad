package bankfile

import (
	"slices"
	"strings"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bankfile/field"
	"konbit/internal/office/bankfile/layout"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// csvLine is a line with the balance that stands beside it.
type csvLine struct {
	line    Line
	balance *int64
}

// csvAccount collects the lines of one account in the order of the file.
type csvAccount struct {
	statement Statement
	lines     []csvLine
	top       *int64 // balance of a row without an amount above the lines
	bottom    *int64 // the same below them
	reversed  bool   // the file lists the newest line first
}

// csvStatements reads the rows into statements, one for each account that the file names.
func (in *reading) csvStatements(f *File, t *csvTable) error {
	var accounts []*csvAccount
	by := map[string]*csvAccount{}
	if t.layout.Columns.Account == 0 {
		accounts = []*csvAccount{t.newAccount(in, "", 1)}
		by[""] = accounts[0]
	}
	for _, row := range t.rows {
		id := row.Cell(t.layout.Columns.Account)
		a := by[id]
		line, kind, err := in.csvLine(t, row)
		switch {
		case err != nil:
			return err
		case kind == notALine:
			continue
		case a == nil:
			a = t.newAccount(in, id, row.Line)
			accounts, by[id] = append(accounts, a), a
		}
		if err := a.add(in, t, row, line, kind); err != nil {
			return err
		}
	}
	for _, a := range accounts {
		if err := a.finish(in, f, t.layout.NewestFirst); err != nil {
			return err
		}
	}
	return nil
}

func (t *csvTable) newAccount(in *reading, id string, row int) *csvAccount {
	a := &csvAccount{statement: Statement{Account: t.account, Currency: in.currency, Row: row}}
	if id != "" {
		a.statement.Account = accountOf(field.OneLine(id))
	}
	if t.layout.Columns.Account == 0 {
		t.summary(&a.statement)
	}
	return a
}

// The kinds of rows.
const (
	aLine = iota
	balanceOnly
	notALine
)

// csvLine reads a row: a line, a balance alone, or a row that is no movement.
func (in *reading) csvLine(t *csvTable, row layout.Row) (csvLine, int, error) {
	c := t.layout.Columns
	if row.Empty() {
		return csvLine{}, notALine, nil
	}
	day, dated, err := t.day(row)
	if err != nil {
		return csvLine{}, notALine, err
	}
	currency := in.currency
	if code := row.Cell(c.Currency); code != "" {
		if currency, err = field.CurrencyOf(strings.ToUpper(code), row.Line); err != nil {
			return csvLine{}, notALine, err
		}
	}
	var l csvLine
	if text := layout.Blank(row.Cell(c.Balance)); text != "" && dated {
		balance, err := field.AmountOf(text, t.decimal, currency, field.BalanceField, row.Line)
		if err != nil {
			return l, notALine, err
		}
		l.balance = &balance
	}
	if !dated {
		return l, notALine, nil
	}
	if t.amountCells(row) == "" {
		if l.balance == nil {
			return l, notALine, field.Refuse(row.Line, field.AmountField, "", "bankfile.problem.no_amount", nil)
		}
		return l, balanceOnly, nil
	}
	l.line = Line{BookedOn: day, Reference: layout.Blank(row.Cell(c.Reference)), BankID: row.Cell(c.BankID), Row: row.Line}
	if l.line.Amount, err = t.amount(row, currency); err != nil {
		return l, notALine, err
	}
	var texts []string
	for _, column := range c.Text {
		texts = append(texts, row.Cell(column))
	}
	l.line.Text = field.Joined(texts...)
	status := strings.ToLower(row.Cell(c.Status))
	l.line.Pending = isPending(status) || t.layout.PendingWithoutBalance && l.balance == nil
	return l, aLine, nil
}

func isPending(status string) bool {
	for _, word := range []string{"pend", "processing", "scheduled", "en proceso", "em processamento", "vorgemerkt", "hold", "authoriz"} {
		if strings.HasPrefix(status, word) {
			return true
		}
	}
	return false
}

// day reads a row's date. A row without one is a footer or an error.
func (t *csvTable) day(row layout.Row) (day ledger.Date, dated bool, err error) {
	text := row.Cell(t.layout.Columns.Date)
	day, err = field.Date(text, t.layout.DateOrder)
	switch {
	case err == nil:
		return day, true, nil
	case t.isFooter(row):
		return day, false, nil
	case err == field.ErrOrder: //nolint:errorlint // field returns it as it is
		return day, false, field.Refuse(row.Line, field.DateField, text, "bankfile.problem.date_order", fault.Args{"order": string(t.layout.DateOrder)})
	default:
		return day, false, field.BadDate(text, row.Line)
	}
}

// amount reads the amount of a row.
func (t *csvTable) amount(row layout.Row, currency money.Currency) (int64, error) {
	c := t.layout.Columns
	var minor int64
	var err error
	if c.Amount > 0 {
		if minor, err = field.AmountOf(row.Cell(c.Amount), t.decimal, currency, field.AmountField, row.Line); err != nil {
			return 0, err
		}
		if c.Sign > 0 {
			sign := layout.SignOf(row.Cell(c.Sign))
			if sign == 0 {
				return 0, field.Refuse(row.Line, field.DirectionField, row.Cell(c.Sign), "bankfile.problem.direction", nil)
			}
			minor = sign * max(minor, -minor)
		}
	} else {
		var out, in int64
		if out, err = t.part(row, c.Debit, currency); err != nil {
			return 0, err
		}
		if in, err = t.part(row, c.Credit, currency); err != nil {
			return 0, err
		}
		if out != 0 && in != 0 {
			return 0, field.Refuse(row.Line, field.AmountField, row.Cell(c.Debit)+" / "+row.Cell(c.Credit), "bankfile.problem.two_amounts", nil)
		}
		if t.signed {
			out = -out
		}
		minor = in - out
	}
	if t.layout.Negate {
		minor = -minor
	}
	return minor, nil
}

func (t *csvTable) part(row layout.Row, column int, currency money.Currency) (int64, error) {
	text := layout.Blank(row.Cell(column))
	if text == "" {
		return 0, nil
	}
	return field.AmountOf(text, t.decimal, currency, field.AmountField, row.Line)
}

// add takes a row of an account.
func (a *csvAccount) add(in *reading, t *csvTable, row layout.Row, l csvLine, kind int) error {
	if code := row.Cell(t.layout.Columns.Currency); code != "" {
		currency := money.Currency(strings.ToUpper(field.OneLine(code)))
		if len(a.lines) > 0 && currency != a.statement.Currency {
			return field.Refuse(row.Line, field.CurrencyField, code, "bankfile.problem.other_currency", fault.Args{"currency": string(a.statement.Currency)})
		}
		a.statement.Currency = currency
	}
	if kind == balanceOnly {
		if len(a.lines) > 0 {
			a.bottom = l.balance
		} else if a.top == nil {
			a.top = l.balance
		}
		return nil
	}
	a.lines, a.bottom = append(a.lines, l), nil
	if len(a.lines) > in.limits.Lines {
		return field.Refuse(row.Line, field.StructureField, "", "bankfile.problem.too_many", fault.Args{"limit": in.limits.Lines})
	}
	return nil
}

// finish orders the lines and checks the balances beside them.
func (a *csvAccount) finish(in *reading, f *File, newestFirst bool) error {
	s := &a.statement
	a.order(newestFirst)
	if broken, difference := gaps(a.lines); len(broken) > 0 {
		at := a.lines[broken[0]].line.Row
		f.find(Finding{Kind: RunningGap, Statement: len(f.Statements), Row: at, Amount: difference, Phrase: "bankfile.finding.running",
			Args: fault.Args{"line": at, "difference": money.New(difference, s.Currency)}})
	}
	a.balances()
	for _, l := range a.lines {
		if err := in.add(s, l.line); err != nil {
			return err
		}
	}
	f.Statements = append(f.Statements, *s)
	return nil
}

// balances takes opening and closing balance from rows without an amount, or else from the balances beside the lines, where
// the file does not name them above its heading.
func (a *csvAccount) balances() {
	s := &a.statement
	first, last := a.top, a.bottom
	if a.reversed {
		first, last = last, first
	}
	if s.Opening == nil {
		s.Opening = first
	}
	if s.Closing == nil {
		s.Closing = last
	}
	if len(a.lines) == 0 && s.Closing == nil {
		s.Closing = s.Opening
	}
	var sum int64
	for _, l := range a.lines {
		if l.line.Pending {
			continue
		}
		sum += l.line.Amount
		if l.balance != nil && s.Opening == nil {
			opening := *l.balance - sum
			s.Opening = &opening
		}
	}
	for _, l := range slices.Backward(a.lines) {
		if l.line.Pending {
			continue
		}
		if l.balance != nil && s.Closing == nil {
			s.Closing, s.ClosingOn = l.balance, l.line.BookedOn
		}
		break
	}
}
