package payouts

import (
	"net/http"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/guard"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/processor/payout"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Area serves the pages.
type Area struct{ *desk.Desk }

var uploads = web.Limit{Name: "staff payout reports", Words: "office.limit.payouts", Limit: guard.Limit{Max: 60, Window: time.Hour}}

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	readers := a.In(desk.Readers...)
	return []web.Route{
		web.Get("/office/{entity}/payouts", web.Page, readers, a.listGet).Limited(desk.Pages),
		web.Post("/office/{entity}/payouts", web.Upload, desk.Files(readers), a.comparePost).Limited(uploads),
		web.Get("/office/{entity}/payouts/{payout}", web.Page, readers, a.payoutGet).Limited(desk.Pages),
	}
}

func (a *Area) say(v web.StaffVisit, key string, args ...any) string {
	for i, arg := range args {
		if amount, ok := arg.(money.Amount); ok {
			args[i] = amount.FormatExact(string(v.Language))
		}
	}
	return a.View.Phrase(v.Language, "office.payouts."+key, args...)
}

// ListPage lists payouts and has the form for a report.
type ListPage struct {
	desk.Page
	List   desk.List
	Errors []view.FormError
	Action string // of the form for a report; empty: the reader has none
	Note   string // what is wrong with the file that was sent
}

// states are the values of ?state= after the first, which is all.
var states = []struct {
	name     string
	statuses []payout.Status
}{
	{"all", nil}, {"way", []payout.Status{payout.Pending, payout.InTransit}}, {"paid", []payout.Status{payout.Paid}},
	{"returned", []payout.Status{payout.Failed, payout.Canceled}},
}

func (a *Area) listGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	p, err := a.listPage(r, v)
	if err != nil {
		return err
	}
	if done, err := desk.WriteFile(w, r, "payouts", p.List.Table); done || err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "payouts", v.Language, p)
}

// listPage returns the page of a list.
func (a *Area) listPage(r *http.Request, v web.StaffVisit) (p ListPage, err error) {
	f := payout.Filter{EntityID: v.Entity.ID}
	p = ListPage{Page: a.PageOf(r, v, "payouts"), List: desk.List{}}
	filters := a.filters(r, v, &f)
	p.List.Filters, p.List.More = filters[:2], filters[2:]
	var after payout.Cursor
	behind := desk.ReadCursor(r, &after)
	var page []payout.Stored
	var next *payout.Cursor
	var sums []payout.Sum
	if v.Organisation == nil {
		err = a.Read(r, v, func(tx *sqlx.Tx) (err error) {
			if page, next, err = payout.Page(r.Context(), tx, f, after, desk.RowsOf(r)); err != nil {
				return err
			}
			sums, err = payout.SumOf(r.Context(), tx, f)
			return err
		})
	}
	if err != nil {
		return p, err
	}
	place := r.URL.Query().Get("after")
	p.List.Says, p.List.Table, p.List.Empty = a.says(v, sums), a.table(v, page), a.say(v, "empty")
	p.List.CSV, p.List.XLSX = desk.With(r.URL, "format", "csv", "after", place), desk.With(r.URL, "format", "xlsx", "after", place)
	p.List.Larger = desk.Larger(r)
	if v.Organisation != nil {
		p.List.Empty = a.say(v, "of_entity")
	} else if !v.BreakGlass {
		p.Action = v.Path("payouts")
	}
	if behind {
		p.List.First = desk.With(r.URL)
	}
	if next != nil {
		p.List.Next = desk.With(r.URL, "after", desk.Cursor(next))
	}
	return p, nil
}

// says returns how many payouts there are, and what they come to in each currency.
func (a *Area) says(v web.StaffVisit, sums []payout.Sum) string {
	count, amounts := 0, make([]string, 0, 1)
	for _, s := range sums {
		count += s.Count
		amounts = append(amounts, money.New(s.Amount, s.Currency).FormatExact(string(v.Language)))
	}
	if count == 0 {
		amounts = []string{money.New(0, v.Entity.Currency).FormatExact(string(v.Language))}
	}
	return a.View.PhraseN(v.Language, "office.payouts.says", count, "amount", strings.Join(amounts, " + "))
}

// filters returns the groups of links of a list, and sets what the address chooses of them.
func (a *Area) filters(r *http.Request, v web.StaffVisit, f *payout.Filter) []desk.Filter {
	group := func(name string, values []string, label func(value string) string) (desk.Filter, string) {
		chosen := desk.Chosen(r, name, values...)
		filter := desk.Filter{Label: a.say(v, "filter."+name)}
		for i, value := range values {
			address := value
			if i == 0 {
				address = ""
			}
			filter.Options = append(filter.Options, desk.Option{Label: label(value), URL: desk.With(r.URL, name, address), Current: value == chosen})
		}
		return filter, chosen
	}
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = s.name
	}
	byState, state := group("state", names, func(value string) string { return a.say(v, "filter.state."+value) })
	for _, s := range states {
		if s.name == state {
			f.Statuses = s.statuses
		}
	}
	kinds := []string{"all"}
	for _, kind := range payout.Kinds {
		kinds = append(kinds, string(kind))
	}
	byKind, kind := group("kind", kinds, func(value string) string {
		if value == "all" {
			return a.say(v, "filter.state.all")
		}
		return a.say(v, "kind."+value)
	})
	if kind != "all" {
		f.Kind = payout.Kind(kind)
	}
	now := a.Now().In(desk.ZoneOf(v))
	months := []string{"all"}
	for n := range 12 {
		months = append(months, time.Date(now.Year(), now.Month()-time.Month(n), 1, 0, 0, 0, 0, time.UTC).Format("2006-01"))
	}
	if asked, err := time.Parse("2006-01", r.URL.Query().Get("month")); err == nil {
		if name := asked.Format("2006-01"); name < months[len(months)-1] || name > months[1] {
			months = append(months, name)
		}
	}
	byMonth, month := group("month", months, func(value string) string {
		at, err := time.Parse("2006-01", value)
		if err != nil {
			return a.say(v, "filter.state.all")
		}
		return phrase.Month(v.Language, at)
	})
	if at, err := time.Parse("2006-01", month); err == nil {
		f.From, f.Until = at, at.AddDate(0, 1, 0)
	}
	return []desk.Filter{byState, byKind, byMonth}
}

// stateOf returns a payout's status as a cell.
func (a *Area) stateOf(v web.StaffVisit, s payout.Status) desk.Cell {
	shape := "hold"
	switch {
	case s == payout.Paid:
		shape = "good"
	case s.Returned():
		shape = "bad"
	}
	return desk.Cell{Text: a.say(v, "status."+string(s)), State: shape, File: string(s)}
}

func (a *Area) kindOf(v web.StaffVisit, kind payout.Kind) desk.Cell {
	name := string(kind)
	if name == "" {
		name = "unknown"
	}
	return desk.Cell{Text: a.say(v, "kind."+name), File: name}
}

func (a *Area) table(v web.StaffVisit, page []payout.Stored) desk.Table {
	t := desk.Table{Caption: a.View.Phrase(v.Language, "office.nav.payouts")}
	for _, name := range []string{"arrival_on", "amount", "status", "kind", "descriptor", "created_at", "payout"} {
		t.Columns = append(t.Columns, desk.Column{Name: name, Label: a.say(v, "column."+name), Number: name == "amount"})
	}
	for _, p := range page {
		t.Rows = append(t.Rows, desk.Row{URL: v.Path("payouts/" + p.Ref), Cells: []desk.Cell{
			{Day: p.ArrivalOn}, desk.AmountCell(money.New(p.Amount, p.Currency)), a.stateOf(v, p.Status), a.kindOf(v, p.Kind), {Text: p.Descriptor},
			{At: p.CreatedAt.In(desk.ZoneOf(v))}, {Text: p.Ref},
		}})
	}
	return t
}
