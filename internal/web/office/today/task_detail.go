package today

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/office/giftlist"
	"konbit/internal/people/staff"
	"konbit/internal/platform/money"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// pairsOf shows what a task is about: its object, as a link where there is a page of it, and its details.
func (a *Area) pairsOf(r *http.Request, v web.StaffVisit, tx *sqlx.Tx, p *TaskPage, t task.Stored) error {
	add := func(label string, cell desk.Cell) { p.Labels, p.Pairs = append(p.Labels, label), append(p.Pairs, cell) }
	object, id := t.Target()
	if id != "" {
		url, err := a.pageOfObject(r, v, tx, object, id)
		if err != nil {
			return err
		}
		if object == task.Transaction && slices.Contains(suspended, t.Code) {
			url = v.Path("suspense")
		}
		cell := desk.Cell{Text: id, URL: url}
		if object == task.Donation && url != "" {
			cell.Text = a.say(v, "office.dispute.its_gift")
		}
		add(a.say(v, "office.tasks.object."+string(object)), cell)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Detail)) {
		value := t.Detail[name]
		if value == "" || value == id {
			continue
		}
		label := name
		if key := "office.tasks.detail." + strings.ReplaceAll(name, " ", "_"); a.View.HasPhrase(key) {
			label = a.say(v, key)
		}
		cell, err := a.detail(r, v, tx, t, name)
		if err != nil {
			return err
		}
		if cell != nil {
			add(label, *cell)
		}
	}
	add(a.say(v, "office.tasks.since"), desk.Cell{At: a.Moment(t.OpenedAt, desk.ZoneOf(v))})
	if t.Times > 1 {
		add(a.say(v, "office.tasks.times"), desk.Cell{Text: a.count(v, "office.tasks.opened", t.Times)})
	}
	return nil
}

// amounts are the details that are amounts, in minor units if they are whole numbers.
var amounts = []string{"amount", "net", "fee"}

// detail returns a detail of a task in words; nil if another row has it.
func (a *Area) detail(r *http.Request, v web.StaffVisit, tx *sqlx.Tx, t task.Stored, name string) (*desk.Cell, error) {
	value := t.Detail[name]
	cell := desk.Cell{Text: value}
	words := ""
	switch name {
	case "problem":
		words = "office.tasks.problem." + value
	case "type":
		words = "office.tasks.type." + value
	}
	minor, notWhole := strconv.ParseInt(value, 10, 64)
	person, isStaff := strings.CutPrefix(value, "staff ")
	staffID, noID := uuid.Parse(person)
	switch {
	case slices.Contains(amounts, name) && notWhole == nil:
		cell = desk.AmountCell(money.New(minor, cmp.Or(money.Currency(t.Detail["currency"]), v.Entity.Currency)))
	case name == "currency" && t.Detail["amount"] != "":
		return nil, nil // the amount has it
	case a.View.HasPhrase(words):
		cell.Text = a.say(v, words)
	case name == "of" && strings.HasPrefix(value, "po_"):
		cell.URL = v.Path("payouts/" + value)
	case name == "order":
		cell = desk.Cell{Text: a.say(v, "office.refunds.title"), URL: v.Path("refunds")}
	case name == "donation":
		url, err := a.pageOfObject(r, v, tx, task.Donation, value)
		if err != nil {
			return nil, err
		}
		if cell.URL = url; url != "" {
			cell.Text = a.say(v, "office.dispute.its_gift")
		}
	case isStaff && noID == nil:
		names, err := staff.NamesOf(r.Context(), tx, staffID)
		if err != nil {
			return nil, err
		}
		cell.Text = cmp.Or(names[staffID], a.say(v, "office.approval.somebody"))
	}
	return &cell, nil
}

// suspended are the kinds of tasks about a movement that is in suspense.
var suspended = []string{"unknown_balance_transaction", "movement_does_not_fit", "balance_transaction_not_booked"}

// pageOfObject returns the address of the page of the object of a task; "" if there is none.
func (a *Area) pageOfObject(r *http.Request, v web.StaffVisit, tx *sqlx.Tx, object task.Object, id string) (string, error) {
	switch object {
	case task.Donation:
		gift, err := uuid.Parse(id)
		if err != nil {
			return "", nil //nolint:nilerr // shown without a link
		}
		refs, err := giftlist.RefsOf(r.Context(), tx, []uuid.UUID{gift})
		if err != nil || refs[gift] == "" {
			return "", err
		}
		return v.Path("gifts/" + refs[gift]), nil
	case task.Payment:
		refs, err := giftlist.RefsOfPayments(r.Context(), tx, v.Entity.ID, []string{id})
		if err != nil || refs[id] == "" {
			return "", err
		}
		return v.Path("gifts/" + refs[id]), nil
	case task.Dispute:
		return v.Path("disputes/" + id), nil
	case task.Fund:
		return address(v, "entries", "of", "gifts", "fund", id), nil
	case task.Staff:
		return v.Path("people"), nil
	}
	return "", nil
}
