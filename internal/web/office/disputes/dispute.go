package disputes

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/processor/dispute"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Page is a dispute.
type Page struct {
	desk.Page
	Title       string
	State       desk.Cell
	Next        string // what to do, or what happens
	AtProcessor string
	Evidence    string // address of the document; empty if the gift is not known
	Facts       []Fact
	History     []Event
	Money       *desk.Table // where the money went, by fund; nil if none moved
}

// Fact is a label with a value.
type Fact struct {
	Label string
	desk.Cell
}

// Event is something that happened to the dispute.
type Event struct {
	At   time.Time
	Text string
}

// disputeOf returns the dispute that the address names. The same 404 answers for one of another scope.
func (a *Area) disputeOf(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) (d dispute.Dispute, err error) {
	d, err = dispute.ByRef(r.Context(), tx, v.Entity.ID, chi.URLParam(r, "dispute"))
	if fault.Is(err, fault.NotFound) || err == nil && v.Organisation != nil && (d.OrganisationID == nil || *d.OrganisationID != v.Organisation.ID) {
		return d, web.NotFound()
	}
	return d, err
}

func (a *Area) disputeGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	p := Page{Page: a.PageOf(r, v, "disputes")}
	err := a.Read(r, v, func(tx *sqlx.Tx) error {
		d, err := a.disputeOf(r, v, tx)
		if err != nil {
			return err
		}
		a.fill(v, &p, d)
		shares, err := dispute.Shares(r.Context(), tx, v.Entity.ID, d.Ref)
		p.Money = a.moneyTable(v, shares)
		return err
	})
	if err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "dispute", v.Language, p)
}

// fill says what the dispute is, what to do, and what happened.
func (a *Area) fill(v web.StaffVisit, p *Page, d dispute.Dispute) {
	zone := desk.ZoneOf(v)
	p.Title = a.say(v, "office.dispute.title", "amount", d.Amount())
	p.State, p.Next = a.stateOf(v, d), a.say(v, "office.dispute.next."+string(d.State))
	if a.AtProcessor != nil {
		p.AtProcessor = a.AtProcessor(v.Entity.Slug, d.Ref)
	}
	add := func(key string, cell desk.Cell) { p.Facts = append(p.Facts, Fact{a.say(v, key), cell}) }
	if d.DueAt != nil && d.State.AsksForEvidence() {
		add("office.dispute.due", desk.Cell{At: d.DueAt.In(zone)})
	}
	if reason := a.reasonOf(v, d); reason != "" {
		add("office.dispute.reason", desk.Cell{Text: reason})
	}
	if d.PublicRef != nil {
		p.Evidence = v.Path("disputes/" + d.Ref + "/evidence")
		add("office.dispute.gift", desk.Cell{Text: a.say(v, "office.dispute.its_gift"), URL: v.Path("gifts/" + *d.PublicRef)})
	}
	add("office.dispute.payment", desk.Cell{Text: d.ChargeRef})
	add("office.dispute.ref", desk.Cell{Text: d.Ref})
	happened := func(at *time.Time, key string) {
		if at != nil {
			p.History = append(p.History, Event{at.In(zone), a.say(v, key, "amount", d.Amount())})
		}
	}
	happened(&d.OpenedAt, "office.dispute.was.opened")
	happened(d.WithdrawnAt, "office.dispute.was.withdrawn")
	if d.WonAt != nil && d.LostAt != nil && d.WonAt.Before(*d.LostAt) { // the books may learn of them in the other order
		happened(d.WonAt, "office.dispute.was.won")
		d.WonAt = nil
	}
	happened(d.LostAt, "office.dispute.was.lost")
	happened(d.WonAt, "office.dispute.was.won")
}

// moneyTable shows what a dispute took from each fund, and what it gave back or took for good.
func (a *Area) moneyTable(v web.StaffVisit, shares []dispute.Share) *desk.Table {
	if len(shares) == 0 {
		return nil
	}
	t := &desk.Table{Caption: a.say(v, "office.dispute.money"), Columns: []desk.Column{
		{Name: "fund", Label: a.say(v, "office.today.fund")}, {Name: "step", Label: a.say(v, "office.dispute.step")}, {Name: "amount", Label: a.say(v,
			"office.today.amount"), Number: true}}}
	for _, s := range shares {
		name := a.say(v, "office.dispute.operations")
		if s.FundID != nil {
			if f, err := v.Catalog.Fund(*s.FundID); err == nil {
				name = f.Name.In(v.Language)
			}
		}
		t.Rows = append(t.Rows, desk.Row{Cells: []desk.Cell{{Text: name}, {Text: a.say(v, "office.dispute.step."+s.Step)},
			desk.AmountCell(money.New(s.Minor, v.Entity.Currency))}})
	}
	return t
}
