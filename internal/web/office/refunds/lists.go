package refunds

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/refund"
	"konbit/internal/people/approval"
	"konbit/internal/people/staff"
	"konbit/internal/platform/money"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// ListPage is a list of refunds, or of requests.
type ListPage struct {
	desk.Page
	Title string
	List  desk.List
}

// listGet lists the refunds of the scope, the newest first.
func (a *Area) listGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	states := []string{"", "waiting"}
	for _, s := range refund.States {
		states = append(states, string(s))
	}
	origins := []string{""}
	for _, o := range refund.Origins {
		origins = append(origins, string(o))
	}
	state, origin := desk.Chosen(r, "state", states...), desk.Chosen(r, "origin", origins...)
	f := refund.Filter{EntityID: v.Entity.ID, OrganisationID: organisationOf(v), Origin: refund.Origin(origin), Limit: desk.PageSize + 1}
	if f.Waiting = state == "waiting"; !f.Waiting {
		f.State = refund.State(state)
	}
	var after refund.Place
	if desk.ReadCursor(r, &after) {
		f.After = &after
	}
	var all []refund.Listed
	var names map[uuid.UUID]string
	var orders []uuid.UUID
	var approvers map[uuid.UUID]uuid.UUID
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if all, err = refund.List(r.Context(), tx, f); err != nil {
			return err
		}
		var people []uuid.UUID
		for _, l := range all {
			if l.RequestedBy != nil {
				people = append(people, *l.RequestedBy)
			}
			if l.OrderID != nil {
				orders = append(orders, *l.OrderID)
			}
		}
		if approvers, err = refund.ApproversOf(r.Context(), tx, orders); err != nil {
			return err
		}
		people = slices.AppendSeq(people, maps.Values(approvers))
		names, err = staff.NamesOf(r.Context(), tx, people...)
		return err
	})
	if err != nil {
		return err
	}
	more := len(all) > desk.PageSize
	all = all[:min(len(all), desk.PageSize)]
	table := a.refundTable(v, all, names, approvers)
	if done, err := a.WriteFile(w, r, v, "refunds", withIDs(table, all)); done || err != nil {
		return err
	}
	p := ListPage{Page: a.PageOf(r, v, "refunds"), Title: a.phrase(v, "office.refunds.title")}
	p.List = desk.List{Empty: a.phrase(v, "office.refunds.empty"), Filters: []desk.Filter{
		a.filter(v, r, "state", state, states, func(s string) string {
			switch s {
			case "":
				return a.phrase(v, "office.refunds.all")
			case "waiting":
				return a.phrase(v, "office.refunds.waiting")
			}
			return a.phrase(v, refund.State(s).TitleKey())
		}),
	}, More: []desk.Filter{
		a.filter(v, r, "origin", origin, origins, func(o string) string {
			if o == "" {
				return a.phrase(v, "office.refunds.all")
			}
			return a.phrase(v, refund.Origin(o).TitleKey())
		}),
	}}
	if more {
		p.List.Next = desk.With(r.URL, "after", desk.Cursor(all[len(all)-1].Place()))
	}
	if f.After != nil {
		p.List.First = desk.With(r.URL)
	}
	p.List.Unknown.Names(r, "state", "origin")
	p.List.Unknown.Check(r, "state", states...)
	p.List.Unknown.Check(r, "origin", origins...)
	p.List.Table, p.List.CSV, p.List.XLSX = table, file(r, "csv"), file(r, "xlsx")
	p.List.Says = a.saysOf(v, all)
	return a.Write(w, http.StatusOK, "refunds", v.Language, p)
}

// file returns the address of the rows of this page in a format.
func file(r *http.Request, format string) string {
	return desk.With(r.URL, "after", r.URL.Query().Get("after"), "format", format)
}

// saysOf counts what was or will be refunded, and names beside it what failed and what was refused.
func (a *Area) saysOf(v web.StaffVisit, all []refund.Listed) string {
	count, sum := map[refund.State]int{}, map[refund.State]int64{}
	for _, l := range all {
		state := l.State
		if !ended(l) {
			state = refund.Succeeded
		}
		count[state]++
		sum[state] += l.AmountMinor
	}
	var says []string
	for _, part := range []struct {
		state refund.State
		key   string
	}{{refund.Succeeded, "office.refunds.says"}, {refund.Failed, "office.refunds.says_failed"}, {refund.Refused, "office.refunds.says_refused"}} {
		if n := count[part.state]; n > 0 || part.state == refund.Succeeded && len(count) == 0 {
			says = append(says, a.View.PhraseN(v.Language, part.key, n, "amount", money.New(sum[part.state], v.Entity.Currency).Format(string(v.Language))))
		}
	}
	return strings.Join(says, "; ")
}

// ended reports whether a refund ended without its money at the donor.
func ended(l refund.Listed) bool { return l.State == refund.Failed || l.State == refund.Refused }

// sumOfListed returns what was refunded, or will be.
func sumOfListed(all []refund.Listed) (sum int64) {
	for _, l := range all {
		if !ended(l) {
			sum += l.AmountMinor
		}
	}
	return sum
}

// filter returns a group of links that set a value of the address.
func (a *Area) filter(v web.StaffVisit, r *http.Request, name, chosen string, values []string, label func(value string) string) desk.Filter {
	f := desk.Filter{Label: a.phrase(v, "office.refunds.filter."+name)}
	for _, value := range values {
		f.Options = append(f.Options, desk.Option{Label: label(value), URL: desk.With(r.URL, name, value), Current: value == chosen})
	}
	return f
}

// refundTable returns the rows of the list. A row opens its gift.
func (a *Area) refundTable(v web.StaffVisit, all []refund.Listed, names map[uuid.UUID]string, approvers map[uuid.UUID]uuid.UUID) desk.Table {
	column := func(name string) desk.Column {
		return desk.Column{Name: name, Label: a.phrase(v, "office.refunds.column."+name), Number: name == "amount", Wide: name == "state"}
	}
	t := desk.Table{Caption: a.phrase(v, "office.refunds.title"), Columns: []desk.Column{
		column("donor"), column("amount"), column("state"), column("at"), column("origin"), column("reason"), column("by"),
	}}
	zone := desk.ZoneOf(v)
	for _, l := range all {
		at := l.At.In(zone) // the processor's
		if l.OrderID != nil {
			at = a.Moment(l.At, zone)
		}
		reason, by := "", ""
		if l.Reason != nil {
			reason = a.phrase(v, "office.refund.reason."+string(*l.Reason))
		}
		if l.RequestedBy != nil {
			by = a.byWhom(v, l, names, approvers)
		}
		next := a.phrase(v, l.NextKey())
		if l.State == refund.Succeeded {
			next = ""
		}
		row := desk.Row{Cells: []desk.Cell{
			{Text: a.donorOf(v, l)}, desk.AmountCell(l.Amount()),
			{State: marks[l.State], Text: a.stateOf(v, l), Soft: next, File: string(l.State)}, {At: at},
			{Text: a.phrase(v, l.Origin.TitleKey()), File: string(l.Origin)}, {Text: reason, File: reasonCode(l)}, {Text: by},
		}}
		if l.Ref != "" {
			row.URL = v.Path("gifts/" + l.Ref)
		}
		t.Rows = append(t.Rows, row)
	}
	if len(all) > 1 {
		t.Total = make([]desk.Cell, len(t.Columns))
		t.Total[0], t.Total[1] = desk.Cell{Text: a.phrase(v, "office.refunds.total")}, desk.AmountCell(money.New(sumOfListed(all), all[0].Currency))
	}
	return t
}

// byWhom says who requested a refund, and who approved it.
func (a *Area) byWhom(v web.StaffVisit, l refund.Listed, names map[uuid.UUID]string, approvers map[uuid.UUID]uuid.UUID) string {
	by := a.nameIn(v, names, *l.RequestedBy)
	if l.OrderID == nil || approvers[*l.OrderID] == uuid.Nil {
		return by
	}
	return a.phrase(v, "office.refunds.approved_by", "name", by, "approver", a.nameIn(v, names, approvers[*l.OrderID]))
}

// withIDs returns the table as files have it, with the references of the gift, the refund and the charge.
func withIDs(t desk.Table, all []refund.Listed) desk.Table {
	t.Columns, t.Rows = slices.Clone(t.Columns), slices.Clone(t.Rows)
	for _, name := range []string{"gift", "refund", "charge"} {
		t.Columns = append(t.Columns, desk.Column{Name: name})
	}
	for i, l := range all {
		id := ""
		if l.RefundID != nil {
			id = *l.RefundID
		}
		t.Rows[i].Cells = append(slices.Clone(t.Rows[i].Cells), desk.Cell{Text: l.Ref}, desk.Cell{Text: id}, desk.Cell{Text: l.ChargeRef})
	}
	return t
}

// stateOf returns the state of a refund in words.
func (a *Area) stateOf(v web.StaffVisit, l refund.Listed) string {
	if l.Owed {
		return a.phrase(v, "refund.state.owed")
	}
	return a.phrase(v, l.State.TitleKey())
}

func reasonCode(l refund.Listed) string {
	if l.Reason == nil {
		return ""
	}
	return string(*l.Reason)
}

// donorOf returns the donor's name, or what stands in its place.
func (a *Area) donorOf(v web.StaffVisit, l refund.Listed) string {
	switch {
	case l.Ref == "":
		return a.phrase(v, "office.refunds.no_gift")
	case l.Donor == "":
		return a.phrase(v, "office.refunds.no_name")
	}
	return l.Donor
}

// filterOf returns what a list of requests of the scope asks for.
func (a *Area) filterOf(v web.StaffVisit, list string, limit int) approval.Filter {
	f := approval.Filter{EntityID: v.Entity.ID, OrganisationID: organisationOf(v), StaffID: v.StaffID, List: list, Limit: limit}
	for _, act := range a.acts() {
		if mayDecide(v, approval.Stored{Request: approval.Request{Kind: act.Kind, EntityID: v.Entity.ID, OrganisationID: v.Scope.OrganisationID}}) {
			f.Kinds = append(f.Kinds, act.Kind)
		}
	}
	return f
}

// mostWaiting bounds how many requests WaitingTx returns.
const mostWaiting = 200

// WaitingTx returns the requests that wait for the visit's person, as the list of requests has them, the oldest first. tx is a
// transaction of Desk.Read.
func (a *Area) WaitingTx(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit) ([]approval.Stored, error) {
	all, err := approval.Find(ctx, tx, a.filterOf(v, approval.Waiting, mostWaiting))
	slices.Reverse(all)
	return all, err
}

// approvalsGet lists the requests of the scope: those that wait for this person, this person's own, all that were decided.
func (a *Area) approvalsGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	lists := []string{approval.Waiting, approval.Mine, approval.Decided, approval.All}
	list := desk.Chosen(r, "list", lists...)
	f := a.filterOf(v, list, desk.PageSize+1)
	var after approval.Place
	if desk.ReadCursor(r, &after) {
		f.After = &after
	}
	var all []approval.Stored
	var names map[uuid.UUID]string
	titles := map[uuid.UUID]string{}
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if all, err = approval.Find(r.Context(), tx, f); err != nil {
			return err
		}
		var people []uuid.UUID
		for _, q := range all {
			people = append(people, q.RequestedBy)
			title, err := a.TitleTx(r.Context(), tx, v, q)
			if err != nil {
				return err
			}
			titles[q.ID] = title
		}
		names, err = staff.NamesOf(r.Context(), tx, people...)
		return err
	})
	if err != nil {
		return err
	}
	more := len(all) > desk.PageSize
	all = all[:min(len(all), desk.PageSize)]
	table := a.approvalTable(v, all, names, titles)
	if done, err := a.WriteFile(w, r, v, "approvals", table); done || err != nil {
		return err
	}
	p := ListPage{Page: a.PageOf(r, v, "approvals"), Title: a.phrase(v, "office.approvals.title")}
	p.List = desk.List{Empty: a.phrase(v, "office.approvals.empty."+list), Filters: []desk.Filter{
		a.filter(v, r, "list", list, lists, func(l string) string { return a.phrase(v, "office.approvals.list."+l) }),
	}}
	if more {
		last := all[len(all)-1]
		p.List.Next = desk.With(r.URL, "after", desk.Cursor(approval.Place{At: last.RequestedAt, ID: last.ID}))
	}
	if f.After != nil {
		p.List.First = desk.With(r.URL)
	}
	p.List.Unknown.Names(r, "list")
	p.List.Unknown.Check(r, "list", lists...)
	p.List.Table, p.List.CSV, p.List.XLSX = table, file(r, "csv"), file(r, "xlsx")
	p.List.Says = a.View.PhraseN(v.Language, "office.approvals.says", len(all))
	return a.Write(w, http.StatusOK, "refunds", v.Language, p)
}

func (a *Area) approvalTable(v web.StaffVisit, all []approval.Stored, names, titles map[uuid.UUID]string) desk.Table {
	column := func(name string) desk.Column {
		return desk.Column{Name: name, Label: a.phrase(v, "office.approvals.column."+name)}
	}
	t := desk.Table{Caption: a.phrase(v, "office.approvals.title"), Columns: []desk.Column{
		column("what"), column("state"), column("by"), column("at"), column("expires"),
	}}
	zone := desk.ZoneOf(v)
	for _, q := range all {
		expires := desk.Cell{}
		if q.State == approval.Open {
			expires.At = a.Moment(q.ExpiresAt, zone)
		}
		t.Rows = append(t.Rows, desk.Row{URL: closed(approvalURL(v, q.ID)), Cells: []desk.Cell{
			{Text: titles[q.ID]}, {State: decisionMarks[q.State], Text: a.phrase(v, "office.approval.state."+string(q.State)), File: string(q.State)},
			{Text: a.nameIn(v, names, q.RequestedBy)}, {At: a.Moment(q.RequestedAt, zone)}, expires,
		}})
	}
	return t
}

// takesCodes reports whether the entity lets a code prove an act of a request's kind.
func (a *Area) takesCodes(v web.StaffVisit, r approval.Stored) bool {
	return r.Kind == approval.Roles || v.Entity.MoneyFactor != "passkey"
}
