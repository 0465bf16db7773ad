package bank

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/bank"
	"konbit/internal/office/bankfile"
	"konbit/internal/office/bankfile/field"
	"konbit/internal/platform/fault"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// LayoutForm asks what the columns of a CSV file are. It shows the first rows as they would be read now.
type LayoutForm struct {
	Guess   string // the layout as JSON, which the form sends back: the answers are laid over it
	Columns []ColumnChoice
	Order   bool // day or month first must be said
	Samples string
	Rows    desk.Table // as read
}

// ColumnChoice is a meaning, and which column has it.
type ColumnChoice struct {
	Name, Label string
	Options     []ColumnOption
	Several     bool
}

// ColumnOption is a column of the file.
type ColumnOption struct {
	N      int
	Label  string
	Chosen bool
}

// meanings are the columns that a person says, by the names of the form.
var meanings = []string{"date", "amount", "debit", "credit", "text", "reference", "balance", "sign"}

func columnsOf(l *bankfile.Layout, meaning string) *int {
	c := &l.Columns
	return map[string]*int{"date": &c.Date, "amount": &c.Amount, "debit": &c.Debit, "credit": &c.Credit, "reference": &c.Reference, "balance": &c.Balance,
		"sign": &c.Sign}[meaning]
}

func (a *Area) layoutForm(v web.StaffVisit, ask *bankfile.AskLayout, order *bankfile.AskDayFirst) *LayoutForm {
	f := &LayoutForm{}
	guess := bankfile.Layout{}
	if order != nil {
		guess = order.Layout
	}
	if ask != nil {
		guess = ask.Guess
		if ask.DayFirst != nil {
			order = ask.DayFirst
		}
	}
	if order != nil {
		f.Order = true
		f.Samples = strings.Join(order.Samples, ", ")
		guess.DateOrder = ""
	}
	text, err := json.Marshal(guess)
	if err != nil {
		panic("bank: a layout that is no JSON: " + err.Error())
	}
	f.Guess = string(text)
	if ask == nil {
		return f
	}
	width := len(ask.Heading)
	for _, row := range ask.Rows {
		width = max(width, len(row.Cells))
	}
	for _, meaning := range meanings {
		choice := ColumnChoice{Name: meaning, Label: a.say(v, "office.bank.column."+meaning), Several: meaning == "text"}
		for n := 1; n <= width; n++ {
			label := a.say(v, "office.bank.column.n", "n", n)
			if n <= len(ask.Heading) && ask.Heading[n-1] != "" {
				label = ask.Heading[n-1]
			}
			chosen := slices.Contains(guess.Columns.Text, n)
			if meaning != "text" {
				chosen = *columnsOf(&guess, meaning) == n
			}
			choice.Options = append(choice.Options, ColumnOption{n, label, chosen})
		}
		f.Columns = append(f.Columns, choice)
	}
	f.Rows = desk.Table{Caption: a.say(v, "office.bank.files.as_read"), Columns: []desk.Column{{Name: "row", Label: a.say(v, "office.bank.files.row")},
		{Name: "cells", Label: a.say(v, "office.bank.files.cells"), Wide: true}, {Name: "day", Label: a.say(v, "office.today.day")},
		{Name: "text", Label: a.say(v, "office.bank.text"), Wide: true}, {Name: "amount", Label: a.say(v, "office.today.amount"), Number: true}}}
	for _, row := range ask.Rows {
		cells := []desk.Cell{{Text: strconv.Itoa(row.Row)}, {Text: strings.Join(row.Cells, " | ")}, {}, {}, {}}
		switch {
		case row.Line != nil:
			cells[2], cells[3] = desk.Cell{Day: midnight(row.Line.BookedOn)}, desk.Cell{Text: row.Line.Text}
			cells[4] = desk.AmountCell(v.Entity.Amount(row.Line.Amount))
		case row.Error != nil:
			phrase, args := row.Error.Phrase()
			cells[3] = desk.Cell{Text: a.View.ErrorText(v.Language, fault.Field{Phrase: phrase, Args: args})}
		}
		f.Rows.Rows = append(f.Rows.Rows, desk.Row{Cells: cells})
	}
	return f
}

// setLayout takes what a person said of the columns of a file that waits, and remembers it for files with the same heading.
func (a *Area) setLayout(r *http.Request, v web.StaffVisit, account bank.Account, id uuid.UUID) error {
	var l bankfile.Layout
	if err := json.Unmarshal([]byte(r.PostForm.Get("guess")), &l); err != nil {
		return web.Malformed(err)
	}
	for _, meaning := range meanings {
		if to := columnsOf(&l, meaning); to != nil && r.PostForm.Has(meaning) {
			*to, _ = strconv.Atoi(r.PostForm.Get(meaning)) // what is no number is no column
		}
	}
	if r.PostForm.Has("text") {
		l.Columns.Text = nil
		for _, typed := range r.PostForm["text"] {
			if n, err := strconv.Atoi(typed); err == nil {
				l.Columns.Text = append(l.Columns.Text, n)
			}
		}
	}
	if order := r.PostForm.Get("date_order"); order != "" {
		l.DateOrder = field.Order(order)
	}
	l.Negate = r.PostForm.Get("negate") != ""
	if err := l.Check(); err != nil {
		return err
	}
	return a.write(r, v, func(tx *sqlx.Tx) error {
		if err := a.Bank.SetLayoutTx(r.Context(), tx, account.ID, id, l); err != nil {
			return err
		}
		return a.Bank.RememberLayoutTx(r.Context(), tx, account.EntityID, l)
	})
}
