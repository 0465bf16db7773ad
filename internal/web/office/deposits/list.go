package deposits

import (
	"net/http"
	"strconv"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/deposit"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// ListPage lists deposits, and says what waits.
type ListPage struct {
	desk.Page
	List       desk.List
	Waiting    string // how many checks and cash gifts wait, and what they come to
	Action     string // of the form that makes a deposit; empty: nothing waits, or the reader makes none
	Submission string
	Owed       string // address of what is owed; empty: of a project
	Errors     []view.FormError
}

var states = []string{"all", string(deposit.Open), string(deposit.Closed), string(deposit.Booked)}

func (a *Area) listGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	p, err := a.listPage(r, v)
	if err != nil {
		return err
	}
	if done, err := a.WriteFile(w, r, v, "deposits", p.List.Table); done || err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "deposits", v.Language, p)
}

func (a *Area) listPage(r *http.Request, v web.StaffVisit) (p ListPage, err error) {
	state := desk.Chosen(r, "state", states...)
	filter := desk.Filter{Label: a.say(v, "office.deposit.state")}
	for i, name := range states {
		value := name
		if i == 0 {
			value = ""
		}
		filter.Options = append(filter.Options, desk.Option{
			Label: a.say(v, "office.deposit.state."+name), URL: desk.With(r.URL, "state", value), Current: name == state,
		})
	}
	p = ListPage{Page: a.PageOf(r, v, "deposits"), List: desk.List{Filters: []desk.Filter{filter}, Empty: a.say(v, "office.deposit.empty")}}
	if v.Organisation != nil {
		p.List.Empty = a.say(v, "office.deposit.of_entity")
		p.List.Table = a.table(v, nil)
		return p, nil
	}
	if state == states[0] {
		state = ""
	}
	var after deposit.Place
	behind := desk.ReadCursor(r, &after)
	var page []deposit.Deposit
	var next *deposit.Place
	var waiting int
	var sum money.Amount
	err = a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if page, next, err = deposit.Page(r.Context(), tx, v.Entity.ID, deposit.State(state), after, desk.RowsOf(r)); err != nil {
			return err
		}
		waiting, sum, err = deposit.CountWaiting(r.Context(), tx, v.Entity.ID, v.Entity.Currency)
		return err
	})
	if err != nil {
		return p, err
	}
	p.Waiting = a.View.PhraseN(v.Language, "office.deposit.waiting", waiting, "amount", sum.FormatExact(string(v.Language)))
	if waiting > 0 && mayAct(v) {
		p.Action, p.Submission = v.Path("deposits"), a.NewID().String()
	}
	p.Owed = v.Path("refunds/owed")
	total := money.New(0, v.Entity.Currency)
	for _, d := range page {
		total.Minor += d.Amount().Minor
	}
	p.List.Says = a.View.PhraseN(v.Language, "office.deposit.says", len(page), "amount", total.FormatExact(string(v.Language)))
	p.List.Table = a.table(v, page)
	place := r.URL.Query().Get("after")
	p.List.CSV, p.List.XLSX = desk.With(r.URL, "format", "csv", "after", place), desk.With(r.URL, "format", "xlsx", "after", place)
	p.List.Larger = desk.Larger(r)
	if behind {
		p.List.First = desk.With(r.URL)
	}
	if next != nil {
		p.List.Next = desk.With(r.URL, "after", desk.Cursor(next))
	}
	return p, nil
}

func (a *Area) table(v web.StaffVisit, page []deposit.Deposit) desk.Table {
	t := desk.Table{Caption: a.say(v, "office.nav.deposits")}
	for _, name := range []string{"deposit", "state", "amount", "items", "account", "deposited_on", "booked_on"} {
		t.Columns = append(t.Columns, desk.Column{Name: name, Label: a.say(v, "office.deposit.column."+name), Number: name == "amount" || name == "items"})
	}
	for _, d := range page {
		row := desk.Row{URL: depositPath(v, d.N), Cells: []desk.Cell{
			{Text: strconv.Itoa(d.N)}, a.stateOf(v, d), desk.AmountCell(d.Amount()), {Text: strconv.Itoa(d.Count())}, {Text: d.Account}, {}, {},
		}}
		if d.DepositedOn != nil {
			row.Cells[5] = desk.Cell{Day: day(*d.DepositedOn)}
		}
		if d.BookedOn != nil {
			row.Cells[6] = desk.Cell{Day: day(*d.BookedOn)}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// stateOf returns where a deposit stands as a cell.
func (a *Area) stateOf(v web.StaffVisit, d deposit.Deposit) desk.Cell {
	shape := map[deposit.State]string{deposit.Open: "plain", deposit.Closed: "hold", deposit.Booked: "good"}[d.State()]
	return desk.Cell{Text: a.say(v, "office.deposit.state."+string(d.State())), State: shape, File: string(d.State())}
}

// beginPost makes a deposit with everything that waits.
func (a *Area) beginPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	if v.Organisation != nil {
		return web.NotFound()
	}
	submission, err := uuid.Parse(r.PostForm.Get("submission"))
	if err != nil {
		submission = a.NewID()
	}
	var d deposit.Deposit
	problems, err := a.write(r, v, func(tx *sqlx.Tx) (err error) {
		d, err = deposit.BeginTx(r.Context(), tx, a.NewID(), v.Entity.ID, v.Entity.Currency, submission)
		return err
	})
	switch {
	case err != nil:
		return err
	case len(problems) > 0:
		return a.refuseList(w, r, v, problems)
	}
	return desk.Redirect(w, r, depositPath(v, d.N))
}

func (a *Area) refuseList(w http.ResponseWriter, r *http.Request, v web.StaffVisit, problems []fault.Field) error {
	p, err := a.listPage(r, v)
	if err != nil {
		return err
	}
	p.Problems = problems
	p.Errors = desk.ErrorsOf(p.Page.Form(a.View), v.Language, a.View)
	return a.Write(w, status(problems), "deposits", v.Language, p)
}
