package bank

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bank"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/typeset"
	"konbit/internal/web"
	"konbit/internal/web/office/batches"
	"konbit/internal/web/office/desk"
)

// Area serves the pages.
type Area struct {
	*desk.Desk
	Bank  bank.Service
	Fonts *typeset.Fonts // of the proof's PDF
	Gifts *batches.Area  // the form of a gift
}

var (
	matches  = web.Limit{Name: "staff bank matches", Words: "office.limit.bank", Limit: guard.Limit{Max: 600, Window: 10 * time.Minute}}
	files    = web.Limit{Name: "staff bank files", Words: "office.limit.bank_files", Limit: guard.Limit{Max: 120, Window: time.Hour}}
	openings = web.Limit{Name: "staff bank openings", Words: "office.limit.bank_openings", Limit: guard.Limit{Max: 60, Window: time.Hour}}
)

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	readers, finance := a.In(desk.Readers...), a.In(staff.Finance)
	const account = "/office/{entity}/bank/{account}"
	return []web.Route{
		web.Get("/office/{entity}/bank", web.Page, readers, a.listGet).Limited(desk.Pages),
		web.Get(account, web.Page, readers, a.accountGet).Limited(desk.Pages),
		web.Post(account, web.Page, finance, a.openingPost).Limited(openings),
		web.Get(account+"/files", web.Page, readers, a.filesGet).Limited(desk.Pages),
		web.Post(account+"/files", web.Upload, finance, a.filesPost).Limited(files),
		web.Get(account+"/lines", web.Page, readers, a.linesGet).Limited(desk.Pages),
		web.Post(account+"/lines", web.Page, finance, a.linesPost).Limited(matches),
		web.Get(account+"/rule", web.Page, readers, a.ruleGet).Limited(desk.Pages),
		web.Post(account+"/rule", web.Page, finance, a.rulePost).Limited(matches),
		web.Get(account+"/gift", web.Page, readers, a.giftGet).Limited(desk.Pages),
		web.Post(account+"/gift", web.Page, finance, a.giftPost).Limited(matches),
		web.Get(account+"/{month}", web.Page, readers, a.proofGet).Limited(desk.Pages),
	}
}

func (a *Area) say(v web.StaffVisit, key string, args ...any) string {
	return a.View.Phrase(v.Language, key, args...)
}

// account returns the account that the address names. The bank belongs to the entity: staff of a project see none.
func (a *Area) account(ctx context.Context, q sqlx.QueryerContext, r *http.Request, v web.StaffVisit) (bank.Account, error) {
	if v.Organisation != nil {
		return bank.Account{}, web.NotFound()
	}
	account, err := bank.AccountOf(ctx, q, v.Entity.ID, chi.URLParam(r, "account"))
	if fault.Is(err, fault.NotFound) {
		return account, web.NotFound()
	}
	return account, err
}

func pathOf(v web.StaffVisit, account bank.Account, rest string) string {
	return v.Path("bank/" + account.Slug + rest)
}

func (a *Area) mayAct(v web.StaffVisit) bool {
	return v.Has(staff.Scope{EntityID: v.Entity.ID}, staff.Finance)
}

func midnight(d ledger.Date) time.Time {
	if d == (ledger.Date{}) {
		return time.Time{}
	}
	return d.In(time.UTC)
}

// monthOf returns the month of an address (?month=2026-10), or the current one.
func (a *Area) monthOf(r *http.Request, v web.StaffVisit) bank.Month {
	if m, err := bank.ParseMonth(r.URL.Query().Get("month")); err == nil {
		return m
	}
	today := ledger.DateOf(a.Now(), v.Entity.Location())
	return bank.Month{Year: today.Year, Month: today.Month}
}

// monthName returns a month in words.
func (a *Area) monthName(v web.StaffVisit, m bank.Month) string {
	return a.say(v, "office.bank.month", "month", a.say(v, "office.bank.month."+strconv.Itoa(int(m.Month))), "year", fmt.Sprint(m.Year))
}

// itemWords says what an item is, in words.
func (a *Area) itemWords(v web.StaffVisit, kind, ref string) string {
	switch kind {
	case bank.Spending:
		s, err := bank.ParseSpending(ref)
		if err != nil {
			return ref
		}
		return a.say(v, "office.bank.item.spending", "fund", s.Fund, "function", a.say(v, "office.bank.function."+string(s.Function)), "nature", s.Nature)
	case bank.Fee, bank.Interest:
		return a.say(v, "office.bank.item."+kind)
	}
	if a.View.HasPhrase("office.bank.item." + kind) {
		return a.say(v, "office.bank.item."+kind, "ref", ref)
	}
	return kind + " " + ref
}

// refused returns what a page says about an act that was refused; nil if err is no such refusal.
func refused(err error) []fault.Field {
	var known *fault.Error
	if errors.As(bank.Explained(err), &known) && (known.Kind == fault.Conflict || known.Kind == fault.Invalid || known.Kind == fault.Forbidden) {
		if len(known.Fields) > 0 {
			return known.Fields
		}
		return []fault.Field{{Name: "submit", Phrase: known.Phrase, Args: known.Args}}
	}
	return nil
}
