package deposits

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bank"
	"konbit/internal/office/deposit"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/platform/typeset"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Area serves the pages.
type Area struct {
	*desk.Desk
	Bank  bank.Service   // matches the line of a check that came back
	Fonts *typeset.Fonts // of slips
}

var acts = web.Limit{Name: "staff deposits", Words: "office.limit.deposits", Limit: guard.Limit{Max: 600, Window: time.Hour}}

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	readers, finance := a.In(desk.Readers...), a.In(staff.Finance)
	const all, one = "/office/{entity}/deposits", "/office/{entity}/deposits/{deposit}"
	const returned, owed = "/office/{entity}/deposits/returned", "/office/{entity}/refunds/owed"
	return []web.Route{
		web.Get(all, web.Page, readers, a.listGet).Limited(desk.Pages),
		web.Post(all, web.Page, finance, a.beginPost).Limited(acts),
		web.Get(returned, web.Page, readers, a.returnedGet).Limited(desk.Pages),
		web.Post(returned, web.Page, finance, a.returnedPost).Limited(acts),
		web.Get(one, web.Page, readers, a.depositGet).Limited(desk.Pages),
		web.Post(one, web.Page, finance, a.depositPost).Limited(acts),
		web.Get(one+"/slip", web.Page, desk.Files(readers), a.slipGet).Limited(desk.Pages),
		web.Get(owed, web.Page, readers, a.owedGet).Limited(desk.Pages),
		web.Post(owed, web.Page, finance, a.owedPost).Limited(acts),
	}
}

// say returns a phrase of the area, with amounts to the cent.
func (a *Area) say(v web.StaffVisit, key string, args ...any) string {
	for i, arg := range args {
		if amount, ok := arg.(money.Amount); ok {
			args[i] = amount.FormatExact(string(v.Language))
		}
	}
	return a.View.Phrase(v.Language, key, args...)
}

// mayAct reports whether the visit's person makes deposits.
func mayAct(v web.StaffVisit) bool {
	return v.Has(staff.Scope{EntityID: v.Entity.ID}, staff.Finance) && !v.BreakGlass
}

func day(d ledger.Date) time.Time { return d.In(time.UTC) }

// today is the day of business in the entity's time zone.
func (a *Area) today(v web.StaffVisit) ledger.Date {
	return ledger.DateOf(a.Now(), v.Entity.Location())
}

// readDay reads a day from a form: in the last year, and not after today.
func (a *Area) readDay(v web.StaffVisit, text string) (d ledger.Date, ok bool) {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return d, false
	}
	d, now := ledger.DateOf(at, time.UTC), a.today(v)
	return d, !at.After(day(now)) && at.After(day(now).AddDate(-1, 0, 0))
}

// numberOf returns the number of a deposit in an address.
func numberOf(r *http.Request) (int, error) {
	text := chi.URLParam(r, "deposit")
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || strconv.Itoa(n) != text {
		return 0, web.NotFound()
	}
	return n, nil
}

func depositPath(v web.StaffVisit, n int) string { return v.Path("deposits/" + strconv.Itoa(n)) }

// depositOf reads the deposit of an address.
func (a *Area) depositOf(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) (deposit.Deposit, error) {
	n, err := numberOf(r)
	if err != nil || v.Organisation != nil {
		return deposit.Deposit{}, web.NotFound()
	}
	d, err := deposit.ByN(r.Context(), tx, v.Entity.ID, n)
	if fault.Is(err, fault.NotFound) {
		err = web.NotFound()
	}
	return d, err
}

// write runs an act in a transaction of the visit's session. Why the database refuses it is said at the button; other errors are returned.
func (a *Area) write(r *http.Request, v web.StaffVisit, fn func(tx *sqlx.Tx) error) ([]fault.Field, error) {
	err := bank.Explained(staff.InTx(r.Context(), a.StaffDB, v.Session, fn))
	var known *fault.Error
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, web.NotFound()
	case errors.As(err, &known) && (known.Kind == fault.Conflict || known.Kind == fault.Forbidden || known.Kind == fault.Invalid):
		return []fault.Field{{Name: "submit", Phrase: known.Phrase, Args: known.Args}}, nil
	}
	return nil, err
}

// Choice is a list of accounts to choose from.
type Choice struct {
	Options []Option
	Error   string
}

// Option is an account.
type Option struct {
	Value, Label string
	Selected     bool
}

// choose returns the accounts of a currency; of a single one, it is chosen.
func choose(f view.Form, accounts []bank.Account, c money.Currency, chosen string) (choice Choice) {
	choice.Error = f.ErrorText("account")
	for _, account := range accounts {
		if account.Currency == c {
			choice.Options = append(choice.Options, Option{account.Slug, account.Name + " ···· " + account.Last4, account.Slug == chosen})
		}
	}
	if len(choice.Options) == 1 {
		choice.Options[0].Selected = true
	}
	return choice
}

func (a *Area) dayText(v web.StaffVisit, d ledger.Date) string {
	return phrase.Date(v.Language, day(d))
}

// status is 422 for a page with problems, 409 if they are of what is stored.
func status(problems []fault.Field) int {
	switch {
	case len(problems) == 0:
		return http.StatusOK
	case problems[0].Name == "submit":
		return http.StatusConflict
	}
	return http.StatusUnprocessableEntity
}
