package disputes

import (
	"net/http"
	"strings"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/money"
	"konbit/internal/processor/dispute"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// ListPage lists disputes.
type ListPage struct {
	desk.Page
	List desk.List
}

// filters are the values of ?state=, in the order of the page.
var filters = []struct {
	name     string
	states   []dispute.State
	withheld bool
}{
	{name: "all"},
	{name: "waiting", states: []dispute.State{dispute.Open, dispute.Inquiry}},
	{name: "answered", states: []dispute.State{dispute.Answered}},
	{name: "withheld", withheld: true},
	{name: "won", states: []dispute.State{dispute.Won, dispute.WonAfterLost}},
	{name: "lost", states: []dispute.State{dispute.Lost}},
	{name: "closed", states: []dispute.State{dispute.Closed}},
}

func (a *Area) say(v web.StaffVisit, key string, args ...any) string {
	return a.View.Phrase(v.Language, key, args...)
}

func (a *Area) listGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	f := dispute.Filter{EntityID: v.Entity.ID, OrganisationID: v.Scope.OrganisationID}
	options := desk.Filter{Label: a.say(v, "office.dispute.filter")}
	chosen, names := filters[0].name, []string{}
	for _, one := range filters {
		names = append(names, one.name)
		if r.URL.Query().Get("state") == one.name {
			chosen, f.States, f.Withheld = one.name, one.states, one.withheld
		}
	}
	for _, one := range filters {
		name := one.name
		if name == filters[0].name {
			name = ""
		}
		options.Options = append(options.Options, desk.Option{Label: a.say(v, "office.dispute.filter."+one.name), URL: desk.With(r.URL, "state",
			name), Current: chosen == one.name})
	}
	var after dispute.Cursor
	desk.ReadCursor(r, &after)
	var page []dispute.Dispute
	var next *dispute.Cursor
	var sum dispute.Sum
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if page, next, err = dispute.Page(r.Context(), tx, f, after, desk.PageSize); err != nil {
			return err
		}
		sum, err = dispute.SumOf(r.Context(), tx, f)
		return err
	})
	if err != nil {
		return err
	}
	p := ListPage{Page: a.PageOf(r, v, "disputes"), List: desk.List{
		Says:    a.View.PhraseN(v.Language, "office.dispute.says", sum.Count, "amount", money.New(sum.Amount, v.Entity.Currency).Format(string(v.Language))),
		Filters: []desk.Filter{options}, Empty: a.say(v, "office.dispute.empty"), Table: a.table(v, page),
		CSV: desk.With(r.URL, "format", "csv", "after", r.URL.Query().Get("after")), XLSX: desk.With(r.URL, "format", "xlsx", "after",
			r.URL.Query().Get("after")),
	}}
	p.List.Unknown.Names(r, "state")
	p.List.Unknown.Check(r, "state", names...)
	if after != (dispute.Cursor{}) {
		p.List.First = desk.With(r.URL)
	}
	if next != nil {
		p.List.Next = desk.With(r.URL, "after", desk.Cursor(next))
	}
	if done, err := a.WriteFile(w, r, v, "disputes", p.List.Table); done || err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "disputes", v.Language, p)
}

// stateOf returns a dispute's state as a cell.
func (a *Area) stateOf(v web.StaffVisit, d dispute.Dispute) desk.Cell {
	shape := map[dispute.State]string{dispute.Open: "bad", dispute.Inquiry: "bad", dispute.Answered: "hold", dispute.Won: "good",
		dispute.WonAfterLost: "good"}[d.State]
	if shape == "" {
		shape = "plain"
	}
	return desk.Cell{Text: a.say(v, "office.dispute.state."+string(d.State)), State: shape, File: string(d.State)}
}

// reasonOf returns the bank's reason in words.
func (a *Area) reasonOf(v web.StaffVisit, d dispute.Dispute) string {
	switch {
	case d.Reason == nil:
		return ""
	case a.View.HasPhrase("office.dispute.reason." + *d.Reason):
		return a.say(v, "office.dispute.reason."+*d.Reason)
	}
	return strings.ReplaceAll(*d.Reason, "_", " ")
}

func (a *Area) table(v web.StaffVisit, page []dispute.Dispute) desk.Table {
	t := desk.Table{Caption: a.say(v, "office.nav.disputes"), Columns: []desk.Column{
		{Name: "opened_at", Label: a.say(v, "office.dispute.opened")}, {Name: "amount", Label: a.say(v, "office.today.amount"), Number: true},
		{Name: "state", Label: a.say(v, "office.dispute.state")}, {Name: "evidence_due", Label: a.say(v, "office.dispute.due")},
		{Name: "reason", Label: a.say(v, "office.dispute.reason")}, {Name: "gift", Label: a.say(v, "office.dispute.gift")}}}
	zone := desk.ZoneOf(v)
	for _, d := range page {
		due, gift, reason := desk.Cell{}, desk.Cell{}, desk.Cell{Text: a.reasonOf(v, d)}
		if d.DueAt != nil && d.State.AsksForEvidence() {
			due.At = d.DueAt.In(zone)
		}
		if d.PublicRef != nil {
			gift = desk.Cell{Text: a.say(v, "office.dispute.its_gift"), URL: v.Path("gifts/" + *d.PublicRef), File: *d.PublicRef}
		}
		if d.Reason != nil {
			reason.File = *d.Reason
		}
		t.Rows = append(t.Rows, desk.Row{URL: v.Path("disputes/" + d.Ref), Cells: []desk.Cell{
			{At: d.OpenedAt.In(zone)}, desk.AmountCell(d.Amount()), a.stateOf(v, d), due, reason, gift}})
	}
	return t
}
