package gifts

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/office/correction"
	"konbit/internal/office/offline"
	"konbit/internal/platform/clean"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

func itoa(n int) string { return strconv.Itoa(n) }

// standing returns what a gift is now, as a correction would say it.
func (a *Area) standing(v web.StaffVisit, g correction.Gift) correction.New {
	typed := correction.Canonical(g.Row.Typed, g.Row.Meaning(), a.codeOf(v), g.Batch.Currency)
	maps.DeleteFunc(typed, func(name, _ string) bool { return offline.IsDonorField(name) }) // the donor is there by now
	return correction.New{Typed: typed, DonorID: uuid.NullUUID{UUID: g.Donation.DonorID, Valid: true}, ReceivedOn: g.Batch.ReceivedOn, Account: g.Batch.Account}
}

// codeOf returns the function that returns the code of a fund.
func (a *Area) codeOf(v web.StaffVisit) func(id uuid.UUID) string {
	return func(id uuid.UUID) string {
		f, err := v.Catalog.Fund(id)
		if err != nil {
			return id.String()
		}
		return f.Code
	}
}

// batchOf returns the batch of one row of the gift in the place of another one.
func batchOf(v web.StaffVisit, received ledger.Date, account string) offline.Batch {
	return offline.Batch{EntityID: v.Entity.ID, ReceivedOn: received, Currency: v.Entity.Currency, Account: account}
}

func (a *Area) correctGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	c, err := a.loaded(r, v)
	if err != nil {
		return err
	}
	now := a.standing(v, c.gift)
	c.received, c.account = now.ReceivedOn.String(), now.Account
	c.form = a.Rows.SingleFrom(v, batchOf(v, now.ReceivedOn, now.Account), now.Typed, now.DonorID, c.who)
	return a.showChange(w, r, v, c)
}

// correctPost shows what a correction does, and with do=ask asks a second person for it.
func (a *Area) correctPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var c change
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if c, err = a.load(r.Context(), tx, r, v); err != nil || c.whyNot != "" {
			return err
		}
		return a.readCorrection(r.Context(), tx, r, v, &c)
	})
	if fault.Is(err, fault.NotFound) {
		return web.NotFound()
	}
	if err != nil {
		return err
	}
	if c.form == nil { // the person may not
		c.form = a.Rows.SingleFrom(v, batchOf(v, c.gift.Batch.ReceivedOn, ""), offline.Typed{}, uuid.NullUUID{}, "")
		return a.ask(w, r, v, c)
	}
	if r.PostForm.Get("do") == "ask" && c.ready {
		return a.ask(w, r, v, c)
	}
	c.reasonOf(r)
	c.ready = c.ready && len(c.problems) == 0
	return a.showChange(w, r, v, c)
}

// readCorrection reads the form of the gift in the place of another one: act says it, if nothing is missing.
func (a *Area) readCorrection(ctx context.Context, tx *sqlx.Tx, r *http.Request, v web.StaffVisit, c *change) error {
	now := a.standing(v, c.gift)
	c.received, c.account = clean.Line(r.PostForm.Get("received_on")), clean.Code(r.PostForm.Get("account"))
	today := ledger.DateOf(a.Now(), v.Entity.Location())
	day, ok := offline.ReadDay(c.received, today, v.Language)
	problem := func(name, phrase string) { c.problems = append(c.problems, fault.Field{Name: name, Phrase: phrase}) }
	closed, err := ledger.ClosedThrough(ctx, tx, v.Entity.ID)
	switch {
	case err != nil:
		return err
	case !ok:
		problem("received_on", "office.batch.error.day")
	case day.In(time.UTC).After(today.In(time.UTC)):
		problem("received_on", "office.batch.error.received_later")
	case day.Year < today.Year-2:
		problem("received_on", "office.batch.error.received_old")
	case day.String() <= closed.String():
		problem("received_on", "office.void.problem.day_closed")
	}
	if !ok {
		day = now.ReceivedOn
	}
	if c.account != "" && !offline.IsAccount(c.account) {
		problem("account", "office.batch.error.account")
	}
	c.form = a.Rows.SingleOf(r, v, batchOf(v, day, c.account), nil)
	if err := c.form.Find(ctx, tx); err != nil {
		return err
	}
	typed, meaning, ok := c.form.Check()
	if !ok {
		return nil
	}
	if meaning.Minor == 0 {
		problem("amount", "office.batch.error.amount")
		return nil
	}
	next := &correction.New{Typed: correction.Canonical(typed, meaning, a.codeOf(v), v.Entity.Currency), ReceivedOn: day, Account: c.account,
		DonorID: uuid.NullUUID{UUID: meaning.Donor.ID, Valid: meaning.Donor.ID != uuid.Nil}}
	if next.DonorID.Valid {
		maps.DeleteFunc(next.Typed, func(name, _ string) bool {
			return offline.IsDonorField(name) && name != "address_line1" && name != "address_line2" &&
				name != "city" && name != "region" && name != "postal_code" && name != "country"
		})
	}
	if same := (correction.Act{New: &now}).Body() == (correction.Act{New: next}).Body(); same {
		problem("submit", "office.void.problem.same")
		return nil
	}
	c.act.New, c.ready = next, len(c.problems) == 0
	return nil
}

// addForm adds the form of the gift in the place of another one.
func (a *Area) addForm(v web.StaffVisit, c change, form view.Form, p *ChangePage) {
	p.Row = c.form.Form(form, p.Action)
	p.Row.Submission = p.Submission
	p.Head = []view.Field{
		c.form.Field(form, "received_on", c.received, view.Field{Type: "date", Required: true}), c.form.Field(form, "account", c.account, view.Field{}),
	}
	if c.ready {
		p.Row.Focus = ""
	}
	_ = v
}

// amountCell returns an amount of an entity as a cell.
func amountCell(v web.StaffVisit, minor int64) desk.Cell {
	return desk.AmountCell(money.New(minor, v.Entity.Currency))
}
