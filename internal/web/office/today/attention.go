package today

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/office/refund"
	"konbit/internal/platform/phrase"
	"konbit/internal/processor/dispute"
	"konbit/internal/processor/stripebalance"
	"konbit/internal/processor/stripepay/webhook"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// attention returns what needs a person in a scope, the most urgent first.
func (a *Area) attention(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) (groups []Group, err error) {
	steps := []func(*http.Request, web.StaffVisit, *sqlx.Tx) ([]Group, error){a.approvals}
	if desk.IsReader(v) {
		steps = []func(*http.Request, web.StaffVisit, *sqlx.Tx) ([]Group, error){a.disputes, a.refunds, a.approvals}
		if v.Organisation == nil { // tasks, events and the balance belong to the entity
			steps = append(steps, a.taskGroups, a.events, a.balance)
		}
	}
	for _, step := range steps {
		more, err := step(r, v, tx)
		if err != nil {
			return nil, err
		}
		groups = append(groups, more...)
	}
	return slices.DeleteFunc(groups, func(g Group) bool { return len(g.Items) == 0 }), nil
}

func (a *Area) say(v web.StaffVisit, key string, args ...any) string {
	return a.View.Phrase(v.Language, key, args...)
}

func (a *Area) count(v web.StaffVisit, key string, n int, args ...any) string {
	return a.View.PhraseN(v.Language, key, n, args...)
}

// moment returns a time as pages write it.
func (a *Area) moment(v web.StaffVisit, at time.Time) string {
	at = a.Moment(at, desk.ZoneOf(v))
	return phrase.Date(v.Language, at) + ", " + at.Format("15:04")
}

func (a *Area) disputes(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) ([]Group, error) {
	waiting, err := dispute.Waiting(r.Context(), tx, dispute.Filter{EntityID: v.Entity.ID, OrganisationID: v.Scope.OrganisationID}, 50)
	if err != nil {
		return nil, err
	}
	g := Group{Title: a.count(v, "office.today.disputes", len(waiting)), All: address(v, "disputes", "state", "waiting")}
	for _, d := range waiting {
		item := Item{Title: a.say(v, "office.today.dispute", "amount", d.Amount()), URL: v.Path("disputes/" + d.Ref), State: "bad", Next: a.say(v,
			"office.dispute.next."+string(d.State))}
		if d.DueAt != nil {
			item.Says = a.say(v, "office.today.answer_by", "moment", a.moment(v, *d.DueAt))
		} else {
			item.Says = a.say(v, "office.dispute.state."+string(d.State))
		}
		g.Items = append(g.Items, item)
	}
	return []Group{a.shorten(v, g)}, nil
}

// refunds returns the refunds that are on their way, those that failed while the books owe the money to the donor, and those that
// failed or were refused whose task is open.
func (a *Area) refunds(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) ([]Group, error) {
	all, err := refund.List(r.Context(), tx, refund.Filter{EntityID: v.Entity.ID, Waiting: true})
	if err != nil {
		return nil, err
	}
	open, err := task.List(r.Context(), tx, task.Filter{EntityID: v.Entity.ID})
	if err != nil {
		return nil, err
	}
	about := map[string]bool{}
	for _, t := range open {
		about[t.Subject], about[t.Detail["of"]], about[t.Detail["order"]] = true, true, true
	}
	var gifts []uuid.UUID
	for _, l := range all {
		if l.DonationID != nil {
			gifts = append(gifts, *l.DonationID)
		}
	}
	refs, err := a.refsIn(r, v, tx, gifts)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(x, y refund.Listed) int { return cmp.Compare(urgency[x.State], urgency[y.State]) })
	g := Group{All: v.Path("refunds")}
	for _, l := range all {
		ended := l.State == refund.Failed || l.State == refund.Refused
		if v.Organisation == nil && ended && !l.Owed && !(l.OrderID != nil && about[l.OrderID.String()] || l.RefundID != nil && about[*l.RefundID]) {
			continue // a person has seen to it
		}
		item := Item{Title: a.say(v, "office.today.refund", "amount", l.Amount()), Next: a.say(v, l.NextKey()), Says: a.say(v,
			"refund.state."+string(l.State)), State: "hold"}
		if l.Owed {
			item.Says = a.say(v, "refund.state.owed")
		}
		if ended {
			item.State = "bad"
		}
		if l.DonationID != nil {
			ref, seen := refs[*l.DonationID]
			if !seen {
				continue // of another organisation
			}
			item.URL = v.Path("gifts/" + ref)
		} else if v.Organisation != nil {
			continue
		}
		g.Items = append(g.Items, item)
	}
	g.Title = a.count(v, "office.today.refunds", len(g.Items))
	return []Group{a.shorten(v, g)}, nil
}

// urgency orders refunds.
var urgency = map[refund.State]int{refund.Failed: 1, refund.Refused: 2, refund.Sent: 3, refund.Ordered: 4, refund.Pending: 5}

// approvals returns the requests of others that wait for the visit's person.
func (a *Area) approvals(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) ([]Group, error) {
	waiting, err := a.WaitingTx(r.Context(), tx, v)
	if err != nil {
		return nil, err
	}
	g := Group{All: v.Path("approvals")}
	for _, q := range waiting {
		title, err := a.TitleTx(r.Context(), tx, v, q)
		if err != nil {
			return nil, err
		}
		g.Items = append(g.Items, Item{
			Title: title, URL: v.Path("approvals/" + q.ID.String()), State: "hold",
			Next: a.say(v, "office.today.approval", "moment", a.moment(v, q.RequestedAt)), Says: a.say(v, "office.today.until", "moment", a.moment(v,
				q.ExpiresAt)),
		})
	}
	g.Title = a.count(v, "office.today.approvals", len(g.Items))
	return []Group{a.shorten(v, g)}, nil
}

// section returns under which title the page shows tasks of a kind; "" for those that a group of their own shows.
func section(k *task.Kind) string {
	switch {
	case k == nil:
		return "tasks"
	case k.Code == "payment_disputed":
		return ""
	case k.Link.Object == task.Checker:
		return "checkers"
	case k.Link.Object == task.Email, k.Link.Object == task.Delivery, k.Code == "letter_refused", k.Code == "plan_link_refused":
		return "emails"
	default:
		return "tasks"
	}
}

var severities = map[task.Severity]int{task.Urgent: 1, task.Normal: 2, task.Low: 3}

// taskGroups returns the open tasks: what finance decides first, then refused emails, then what checkers found.
func (a *Area) taskGroups(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) (groups []Group, err error) {
	open, err := task.List(r.Context(), tx, task.Filter{EntityID: v.Entity.ID})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(open, func(x, y task.Stored) int { return cmp.Compare(urgencyOf(x), urgencyOf(y)) })
	for _, name := range sections {
		g := Group{All: address(v, "tasks", "about", name)}
		for _, t := range open {
			if section(t.Kind()) == name {
				g.Items = append(g.Items, a.itemOf(v, t))
			}
		}
		g.Title = a.count(v, "office.today."+name, len(g.Items))
		groups = append(groups, a.shorten(v, g))
	}
	return groups, nil
}

func urgencyOf(t task.Stored) int {
	if k := t.Kind(); k != nil {
		return severities[k.Severity]
	}
	return severities[task.Normal]
}

func (a *Area) itemOf(v web.StaffVisit, t task.Stored) Item {
	item := Item{Title: t.Code, Next: a.say(v, "task.unknown_kind"), URL: v.Path("tasks/" + t.ID.String()), State: "hold", Says: a.say(v,
		"office.today.since", "moment", a.moment(v, t.OpenedAt))}
	if k := t.Kind(); k != nil {
		item.Title, item.Next = a.say(v, k.TitleKey()), a.nextOf(v, k, t)
		if k.Severity == task.Urgent {
			item.State = "bad"
		}
	}
	return item
}

// nextOf returns what to do about a task, by the problem that it names.
func (a *Area) nextOf(v web.StaffVisit, k *task.Kind, t task.Stored) string {
	if key := k.NextKey() + "." + t.Detail["problem"]; a.View.HasPhrase(key) {
		return a.say(v, key)
	}
	return a.say(v, k.NextKey())
}

func (a *Area) events(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) ([]Group, error) {
	held, err := webhook.HeldOf(r.Context(), tx, v.Entity.ID)
	if err != nil {
		return nil, err
	}
	g := Group{Title: a.count(v, "office.today.events", held.Parked+held.SetAside)}
	if held.SetAside > 0 {
		g.Items = append(g.Items, Item{Title: a.count(v, "office.today.set_aside", held.SetAside), Next: a.say(v, "office.today.set_aside_next"),
			State: "bad", Says: a.say(v, "office.today.stopped")})
	}
	if held.Parked > 0 {
		g.Items = append(g.Items, Item{Title: a.count(v, "office.today.parked", held.Parked), Next: a.say(v, "office.today.parked_next"),
			State: "hold", Says: a.say(v, "office.today.tried_again")})
	}
	return []Group{g}, nil
}

// balance says if Stripe's balance was not read for long, or cannot be read.
func (a *Area) balance(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) ([]Group, error) {
	reading, err := stripebalance.ReadingOf(r.Context(), tx, v.Entity.ID)
	if err != nil || reading == nil || reading.FailingSince == nil {
		return nil, err
	}
	return []Group{{Title: a.say(v, "office.today.balance"), Items: []Item{{
		Title: a.say(v, "office.today.not_read", "moment", a.moment(v, *reading.FailingSince)), Next: a.say(v, "office.today.not_read_next"), State: "bad",
		Says: a.say(v, "office.today.read_through", "moment", a.moment(v, reading.ReadThrough)),
	}}}}, nil
}

// shorten leaves the first items of a group.
func (a *Area) shorten(v web.StaffVisit, g Group) Group {
	if n := len(g.Items); n > maxItems {
		g.Items, g.More = g.Items[:maxItems], a.say(v, "office.today.all", "n", strconv.Itoa(n))
	}
	return g
}
