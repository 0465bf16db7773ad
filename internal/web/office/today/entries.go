package today

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/office/giftlist"
	"konbit/internal/platform/phrase"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// kindOfRows is what a list of entries has: postings in accounts. credit: a credit counts as more.
type kindOfRows struct {
	accounts []ledger.Account
	credit   bool
	balance  bool // what is there now, not what a month brought
}

// kinds are the values of ?of=.
var kinds = map[string]kindOfRows{
	"gifts":        {accounts: ledger.GiftAccounts, credit: true},
	"fees":         {accounts: []ledger.Account{ledger.ProcessingFees}},
	"dispute_fees": {accounts: []ledger.Account{ledger.DisputeFees}},
	"stripe":       {accounts: []ledger.Account{ledger.StripeClearing}, balance: true},
	"transit":      {accounts: []ledger.Account{ledger.PayoutsInTransit}, balance: true},
	"withheld":     {accounts: []ledger.Account{ledger.DisputedFundsWithheld}, balance: true},
	"checks":       {accounts: []ledger.Account{ledger.UndepositedChecks}, balance: true},
	"bank":         {accounts: []ledger.Account{ledger.Bank}, balance: true},
}

// places are where money is, in the order in which it travels.
var places = []string{"stripe", "transit", "withheld", "checks", "bank"}

// EntriesPage lists entries in the books.
type EntriesPage struct {
	desk.Page
	Title string
	List  desk.List
}

// entriesGet lists the postings that a number of Today is the sum of: of a day or a month, of a fund or all.
func (a *Area) entriesGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	of := desk.Chosen(r, "of", slices.Insert(slices.DeleteFunc(slices.Sorted(maps.Keys(kinds)), func(k string) bool { return k == "gifts" }), 0, "gifts")...)
	kind := kinds[of]
	f := ledger.Rows{EntityID: v.Entity.ID, Accounts: kind.accounts, Funds: fundsOf(v)}
	var unknown desk.Unknown
	unknown.Names(r, "of", "day", "month", "fund")
	unknown.Check(r, "of", slices.Collect(maps.Keys(kinds))...)
	first, _ := a.monthOf(r, v)
	when := ""
	day := unknown.DayOf(r, "day", time.UTC)
	unknown.Check(r, "month", monthText(first))
	switch {
	case kind.balance:
	case of == "gifts" && !day.IsZero():
		f.From = ledger.DateOf(day, time.UTC)
		f.Until, when = f.From.Next(), a.dayText(v, f.From)
	default:
		f.From, f.Until, when = first, first.FirstOfMonth(1), a.monthName(v, first)
	}
	fundName := ""
	if code := r.URL.Query().Get("fund"); code != "" {
		chosen, err := v.Catalog.FundByCode(v.Entity.ID, code)
		if err != nil || f.Funds != nil && !slices.Contains(f.Funds, chosen.ID) {
			return web.NotFound()
		}
		f.Funds, fundName = []uuid.UUID{chosen.ID}, chosen.Name.In(v.Language)
	}
	var after ledger.RowCursor
	desk.ReadCursor(r, &after)
	var rows []ledger.Row
	var next *ledger.RowCursor
	var refs map[uuid.UUID]string
	var total, lines int64
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if rows, next, err = ledger.RowsOf(r.Context(), tx, f, after, desk.PageSize); err != nil {
			return err
		}
		if refs, err = refsOfRows(r.Context(), tx, rows); err != nil {
			return err
		}
		total, lines, err = sumOf(r.Context(), tx, f)
		return err
	})
	if err != nil {
		return err
	}
	p := EntriesPage{Page: a.PageOf(r, v, "scope"), Title: a.say(v, "office.entries.of."+of)}
	sign := int64(1)
	if kind.credit {
		sign = -1
	}
	p.List = desk.List{
		Says:  a.count(v, "office.entries.says", int(lines), "what", p.Title, "amount", a.amount(v, sign*total).Format(string(v.Language))),
		Empty: a.say(v, "office.entries.empty"), Table: a.entriesTable(v, rows, refs, sign, p.Title),
		CSV: desk.With(r.URL, "format", "csv"), XLSX: desk.With(r.URL, "format", "xlsx"),
	}
	p.List.Unknown = unknown
	if when != "" {
		p.List.Says = when + ": " + p.List.Says
	}
	if fundName != "" {
		p.List.Says = fundName + ", " + p.List.Says
	}
	if after != (ledger.RowCursor{}) {
		p.List.First = desk.With(r.URL)
		p.List.CSV, p.List.XLSX = desk.With(r.URL, "format", "csv", "after", r.URL.Query().Get("after")), desk.With(r.URL, "format", "xlsx", "after",
			r.URL.Query().Get("after"))
	}
	if next != nil {
		p.List.Next = desk.With(r.URL, "after", desk.Cursor(next))
	}
	if done, err := a.WriteFile(w, r, v, "entries", p.List.Table); done || err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "entries", v.Language, p)
}

// sumOf returns the sum of a list, debit positive, and how many rows it has.
func sumOf(ctx context.Context, tx *sqlx.Tx, f ledger.Rows) (total, lines int64, err error) {
	if f.Until != (ledger.Date{}) && f.Until == f.From.Next() {
		days, err := ledger.GivenByDay(ctx, tx, f.EntityID, f.From, f.Until, f.Funds)
		for _, d := range days {
			total, lines = total-d.Amount, lines+d.Lines
		}
		return total, lines, err
	}
	m := ledger.Months{EntityID: f.EntityID, From: f.From, Until: f.Until, Funds: f.Funds, Accounts: f.Accounts}
	if f.Until == (ledger.Date{}) {
		m.From, m.Until = ledger.Date{Year: 2000, Month: 1, Day: 1}, ledger.Date{Year: 2100, Month: 1, Day: 1}
	}
	months, err := ledger.SumsByMonth(ctx, tx, m)
	for _, s := range months {
		total, lines = total+s.Amount, lines+s.Lines
	}
	return total, lines, err
}

func refsOfRows(ctx context.Context, tx *sqlx.Tx, rows []ledger.Row) (map[uuid.UUID]string, error) {
	var gifts []uuid.UUID
	for _, row := range rows {
		if id, err := uuid.Parse(row.Dimensions["donation"]); err == nil {
			gifts = append(gifts, id)
		}
	}
	return giftlist.RefsOf(ctx, tx, gifts)
}

func (a *Area) refsIn(r *http.Request, v web.StaffVisit, tx *sqlx.Tx, gifts []uuid.UUID) (map[uuid.UUID]string, error) {
	return giftlist.RefsIn(r.Context(), tx, v.Scope.OrganisationID, gifts)
}

func (a *Area) dayText(v web.StaffVisit, d ledger.Date) string {
	return a.View.Phrase(v.Language, "office.today.on_day", "day", phrase.Date(v.Language, midnight(d)))
}

func (a *Area) entriesTable(v web.StaffVisit, rows []ledger.Row, refs map[uuid.UUID]string, sign int64, caption string) desk.Table {
	t := desk.Table{Caption: caption, Columns: []desk.Column{
		{Name: "day", Label: a.say(v, "office.today.day")}, {Name: "entry", Label: a.say(v, "office.entries.entry")},
		{Name: "about", Label: a.say(v, "office.entries.about"), Wide: true}, {Name: "fund", Label: a.say(v, "office.today.fund")},
		{Name: "amount", Label: a.say(v, "office.today.amount"), Number: true}}}
	for _, row := range rows {
		f, name := nameOf(v, row.FundID)
		what := "office.entries.kind." + strings.ReplaceAll(row.Kind, " ", "_")
		if !a.View.HasPhrase(what) {
			what = "office.entries.kind.other"
		}
		about := desk.Cell{Text: row.SourceID, File: row.SourceID}
		link := ""
		if id, err := uuid.Parse(row.Dimensions["donation"]); err == nil && refs[id] != "" {
			link = v.Path("gifts/" + refs[id])
			about.URL = link
		}
		t.Rows = append(t.Rows, desk.Row{URL: link, Cells: []desk.Cell{
			{Day: midnight(row.Date)}, {Text: a.say(v, what), File: row.Kind}, about, {Text: name, File: f.Code}, desk.AmountCell(a.amount(v, sign*row.Amount)),
		}})
	}
	return t
}

func midnight(d ledger.Date) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}
