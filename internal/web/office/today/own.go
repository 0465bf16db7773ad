package today

import (
	"cmp"
	"net/http"

	"github.com/jmoiron/sqlx"

	"konbit/internal/people/approval"
	"konbit/internal/people/staff"
	"konbit/internal/web"
)

// own returns the requests of the visit's person: those that wait for a second person, and what became of others in the last three
// days. waits reports whether one waits.
func (a *Area) own(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) (g Group, waits bool, err error) {
	all, err := approval.OwnOf(r.Context(), tx, v.Entity.ID, v.StaffID)
	if err != nil {
		return g, false, err
	}
	marks := map[approval.State]string{approval.Open: "hold", approval.Executed: "good", approval.Declined: "bad"}
	g = Group{All: address(v, "approvals", "list", approval.Mine)}
	for _, q := range all {
		if v.Organisation != nil && q.OrganisationID != v.Scope.OrganisationID {
			continue
		}
		title, err := a.TitleTx(r.Context(), tx, v, q)
		if err != nil {
			return g, false, err
		}
		item := Item{
			Title: title, URL: v.Path("approvals/" + q.ID.String()), State: marks[q.State],
			Says: a.say(v, "office.approval.state."+string(q.State)), Next: a.say(v, "office.today.you_asked", "moment", a.moment(v, q.RequestedAt)),
		}
		if q.State == approval.Open {
			waits = true
		} else if item.Next, err = a.decided(r, v, tx, q); err != nil {
			return g, false, err
		}
		g.Items = append(g.Items, item)
	}
	g.Title = a.count(v, "office.today.own", len(g.Items))
	return a.shorten(v, g), waits, nil
}

// decided says who decided about a request, when, and the reason for declining it.
func (a *Area) decided(r *http.Request, v web.StaffVisit, tx *sqlx.Tx, q approval.Stored) (string, error) {
	decisions, err := approval.Decisions(r.Context(), tx, q.ID)
	if err != nil || len(decisions) == 0 {
		return "", err
	}
	last := decisions[len(decisions)-1]
	by := a.say(v, "office.approval.operator")
	if last.StaffID.Valid {
		names, err := staff.NamesOf(r.Context(), tx, last.StaffID.UUID)
		if err != nil {
			return "", err
		}
		by = cmp.Or(names[last.StaffID.UUID], a.Somebody(v, "office.approval.somebody"))
	}
	says := a.say(v, "office.approval.did."+last.Decision, "name", by) + " " + a.moment(v, last.At) + "."
	if last.Reason != "" {
		says += " " + a.say(v, "office.today.because", "reason", last.Reason)
	}
	return says, nil
}
