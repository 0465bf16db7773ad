package auditlog

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Acts are the acts that pages have words for, as office.audit.act.ACT: the choices of the form.
var Acts = []string{
	"batch.begun", "batch.changed", "batch.removed", "batch.row_added", "batch.row_changed", "batch.row_removed", "batch.posted", "batch.printed",
	"refund.ordered", "approval.requested", "approval.approved", "approval.declined", "approval.withdrawn", "approval.executed",
	"staff.role_requested", "staff.role_granted", "staff.role_ended", "staff.invite", "staff.reset", "staff.joined", "staff.split", "staff.sessions_ended",
	"staff.disabled",
	"staff.factor_changed", "staff.recovery_codes_made", "staff.recovery_used", "staff.break_glass",
	"donor.opened", "donor.corrected", "erasure.requested", "erasure.withdrawn", "plan.paused", "plan.resumed", "plan.cancelled", "receipt.opened",
	"receipt.sent_again", "receipt.redirected", "receipt.corrected", "dispute.evidence_read", "gifts.export", "gifts.exported", "list.filed", "note.added",
	"payout.compared", "suspense.resolved", "task.closed", "bank.opened", "bank.file_stored", "bank.layout_made",
	"bank.matched", "bank.undone", "bank.split", "bank.joined", "bank.rule_made", "bank.rule_ended",
}

// kinds are the kinds of objects that pages have words for, as office.audit.kind.KIND.
var kinds = []string{"staff", "staff_note", "approval_request", "refund_order", "donation", "donor", "plan", "receipt", "finance_task", "gift_export",
	"suspense_resolution", "erasure", "list", "dispute"}

// groupOf reports whether a text is the first word of a known act. An address with it shows all acts of a kind.
func groupOf(text string) bool {
	return text != "" && slices.ContainsFunc(Acts, func(act string) bool { return strings.HasPrefix(act, text+".") })
}

// actWords returns an act in words; the act itself if the program has none for it.
func (a *Area) actWords(v web.StaffVisit, act string) string {
	if key := "office.audit.act." + act; a.View.HasPhrase(key) {
		return a.View.Phrase(v.Language, key)
	}
	return act
}

// pages are the pages of objects, by their kind, below the scope: %s is the object's id.
var pages = map[string]string{
	"staff": "people#person-%s", "approval_request": "approvals/%s", "donor": "donors/%s", "refund_order": "refunds", "finance_task": "tasks/%s",
	"dispute": "disputes", "suspense": "suspense",
}

// peoplesPages are those of pages that an admin opens too.
var peoplesPages = []string{"staff", "approval_request"}

// linksOf returns the addresses of the pages of the objects of entries, by serial. An object about a gift leads to the gift.
func linksOf(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, entries []audit.Entry) (map[int64]string, error) {
	links, refs := map[int64]string{}, map[uuid.UUID]string{}
	for _, e := range entries {
		if gift, ok := giftOf(e); ok {
			if _, known := refs[gift]; !known {
				g, err := donation.ByID(ctx, tx, gift)
				if err != nil && !fault.Is(err, fault.NotFound) {
					return nil, err
				}
				refs[gift] = g.PublicRef
			}
			if refs[gift] != "" {
				links[e.Serial] = pathTo(v, "gifts/"+refs[gift])
				continue
			}
		}
		if path := pages[e.ObjectKind]; path != "" && (desk.IsReader(v) || slices.Contains(peoplesPages, e.ObjectKind)) {
			links[e.Serial] = pathTo(v, strings.ReplaceAll(path, "%s", e.ObjectID))
		}
	}
	return links, nil
}

// pathTo is v.Path for a page with a place in it, which stands behind ?org=.
func pathTo(v web.StaffVisit, page string) string {
	page, place, has := strings.Cut(page, "#")
	if has {
		return v.Path(page) + "#" + place
	}
	return v.Path(page)
}

// giftOf returns the donation that an entry is about.
func giftOf(e audit.Entry) (uuid.UUID, bool) {
	text := ""
	if e.ObjectKind == "donation" {
		text = e.ObjectID
	} else {
		text, _ = fieldsOf(e.After)["donation"].(string)
	}
	id, err := uuid.Parse(text)
	return id, err == nil
}

// fieldsOf returns the fields of a value before or after an act; nil if it has none.
func fieldsOf(text *string) (fields map[string]any) {
	if text != nil {
		d := json.NewDecoder(strings.NewReader(*text))
		d.UseNumber()
		_ = d.Decode(&fields) // the column is JSON; another value has no fields
	}
	return fields
}

// listOf returns the list that a page shows.
func (a *Area) listOf(r *http.Request, v web.StaffVisit, entries []audit.Entry, people []staff.Colleague, links map[int64]string, more bool) desk.List {
	say := func(key string, args ...any) string { return a.View.Phrase(v.Language, key, args...) }
	names := map[uuid.UUID]string{}
	for _, c := range people {
		names[c.ID] = c.Name
	}
	t := desk.Table{Caption: say("office.audit.title")}
	for _, name := range []string{"at", "person", "act", "object", "change", "reason"} {
		t.Columns = append(t.Columns, desk.Column{Name: name, Label: say("office.audit.column." + name),
			Wide: name == "object" || name == "change" || name == "reason"})
	}
	for _, e := range entries {
		t.Rows = append(t.Rows, desk.Row{URL: links[e.Serial], Cells: []desk.Cell{
			{At: a.Moment(e.At, desk.ZoneOf(v))}, {Text: a.who(v, e, names)}, {Text: a.actWords(v, e.Act), File: e.Act},
			a.object(v, e, names), a.change(v, e, names), {Text: e.Reason},
		}})
	}
	l := desk.List{Says: a.View.PhraseN(v.Language, "office.audit.says", len(entries)), Table: t, Empty: say("office.audit.empty")}
	after := r.URL.Query().Get("after") // a file has the rows of this page
	l.CSV, l.XLSX = desk.With(r.URL, "after", after, "format", "csv"), desk.With(r.URL, "after", after, "format", "xlsx")
	if after != "" {
		l.First = desk.With(r.URL)
	}
	if more {
		l.Next = desk.With(r.URL, "after", desk.Cursor(struct{ Before int64 }{entries[len(entries)-1].Serial}))
	}
	return l
}

// who returns the person of an entry in words.
func (a *Area) who(v web.StaffVisit, e audit.Entry, names map[uuid.UUID]string) string {
	switch name := names[e.StaffID.UUID]; {
	case e.Operator:
		return a.View.Phrase(v.Language, "office.audit.operator")
	case !e.StaffID.Valid:
		return a.View.Phrase(v.Language, "office.audit.program")
	case name != "":
		return name
	}
	return a.Somebody(v, "office.audit.elsewhere")
}

// object returns the cell of an entry's object, with the beginning of its id below.
func (a *Area) object(v web.StaffVisit, e audit.Entry, names map[uuid.UUID]string) desk.Cell {
	kind := e.ObjectKind
	if key := "office.audit.kind." + kind; a.View.HasPhrase(key) {
		kind = a.View.Phrase(v.Language, key)
	}
	if id, err := uuid.Parse(e.ObjectID); err == nil && e.ObjectKind == "staff" && names[id] != "" {
		kind = names[id]
	}
	cell := desk.Cell{Text: kind, Soft: short(e.ObjectID), File: e.ObjectKind + " " + e.ObjectID}
	if cell.Soft != e.ObjectID {
		cell.Title = e.ObjectID
	}
	if o, err := v.Catalog.OrganisationByID(e.OrganisationID.UUID); err == nil && e.OrganisationID.Valid && v.Organisation == nil {
		cell.Text = a.View.Phrase(v.Language, "office.audit.of_project", "object", cell.Text, "project", o.Name.In(v.Language))
		cell.File += " " + o.Slug
	}
	return cell
}

// statusAfter is which status a recurring gift has after an act.
var statusAfter = map[string]string{"plan.paused": "paused", "plan.resumed": "active", "plan.cancelled": "cancelled"}

// change returns the cell of what an act changed: each field with its value before and after. Values are ids, amounts and states.
// Pages show them in words and the beginnings of ids; files have them as they are stored.
func (a *Area) change(v web.StaffVisit, e audit.Entry, names map[uuid.UUID]string) desk.Cell {
	before, after := fieldsOf(e.Before), fieldsOf(e.After)
	if status := statusAfter[e.Act]; status != "" && before["status"] != nil && after["status"] == nil {
		after = maps.Clone(after) // an entry of before, which did not say it
		if after == nil {
			after = map[string]any{}
		}
		after["status"] = status
	}
	all := maps.Clone(before)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, after)
	var shown, stored []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		was, is := textOf(before[name]), textOf(after[name])
		if was == is {
			continue
		}
		stored = append(stored, changed(name, was, is))
		if label := a.label(v, name, all); label != "" {
			if id, err := uuid.Parse(is); err == nil && (name == "requested_by" || name == "detail") && names[id] != "" {
				is = names[id]
			}
			shown = append(shown, changed(label, a.value(v, name, was, before), a.value(v, name, is, after)))
		}
	}
	return desk.Cell{Text: strings.Join(shown, "; "), File: strings.Join(stored, "; ")}
}

// changed returns a field with its value before and after. The field detail names itself.
func changed(name, was, is string) string {
	switch {
	case was == "" && name == "detail":
		return is
	case was == "":
		return name + ": " + is
	case is == "":
		return name + ": " + was + " →"
	}
	return name + ": " + was + " → " + is
}

// label returns what a page calls a field; "" if it does not show it: hashes say nothing to people, funds are in the gift's page,
// and an amount has its currency.
func (a *Area) label(v web.StaffVisit, name string, all map[string]any) string {
	if name == "hash" || name == "sha256" || name == "parts" || name == "currency" && all["amount"] != nil {
		return ""
	}
	if key := "office.audit.field." + name; a.View.HasPhrase(key) {
		return a.View.Phrase(v.Language, key)
	}
	return name
}

// value returns a value of a field in words.
func (a *Area) value(v web.StaffVisit, name, value string, of map[string]any) string {
	say := func(key string) string {
		if a.View.HasPhrase(key) {
			return a.View.Phrase(v.Language, key)
		}
		return value
	}
	minor, notWhole := strconv.ParseInt(value, 10, 64)
	currency := cmp.Or(textOf(of["currency"]), string(v.Entity.Currency))
	var parts []string
	act, role, two := strings.Cut(value, " ")
	switch {
	case name == "amount" && notWhole == nil && currency != "":
		return money.New(minor, money.Currency(currency)).Format(string(v.Language))
	case value == "", notWhole == nil:
		return value
	case value == "true" || value == "false":
		return say("office.audit.value." + value)
	case strings.HasPrefix(value, "[") && json.Unmarshal([]byte(value), &parts) == nil:
		for i, part := range parts {
			parts[i] = short(part)
			if key := "office.audit.part." + part; a.View.HasPhrase(key) {
				parts[i] = a.View.Phrase(v.Language, key)
			}
		}
		return strings.Join(parts, ", ")
	case name == "status" || name == "state":
		return say("office.audit.state." + value)
	case name == "kind":
		if key := "office.today.approval." + value; a.View.HasPhrase(key) {
			return say(key)
		}
		return say("task." + value + ".title")
	case name == "reason":
		return say("office.refund.reason." + value)
	case name == "detail" && two && a.View.HasPhrase("office.role."+role) && a.View.HasPhrase("office.roles.act."+act):
		return a.View.Phrase(v.Language, "office.roles.act."+act, "role", a.View.Phrase(v.Language, "office.role."+role))
	case name == "detail":
		return short(say("office.role." + value))
	}
	return short(value)
}

// longID matches ids of rows, of objects at Stripe, and hashes.
var longID = regexp.MustCompile(`^([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22,}$|^([a-z]{2,6}_[A-Za-z0-9]{8}|[0-9a-f]{8})[A-Za-z0-9]{8,}$`)

// short returns the beginning of an id; another text as it is.
func short(text string) string {
	if id := longID.FindStringSubmatch(text); id != nil {
		return id[1] + id[2] + "…"
	}
	return text
}

// textOf returns a value of an entry as text; "" for none.
func textOf(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case json.Number:
		return value.String()
	}
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}
