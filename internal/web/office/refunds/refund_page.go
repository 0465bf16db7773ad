package refunds

import (
	"net/http"
	"slices"
	"time"

	"konbit/internal/office/refund"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// RefundPage is the form of a refund, then what it does, and the refunds of the gift.
type RefundPage struct {
	desk.Page
	Action, GiftURL string
	Donor           string // name
	Given           money.Amount
	GivenOn         time.Time
	WhyNot          string // why there is no form; empty: there is one
	Ask             string // whom to ask, if the person may not order; may be empty

	Form      Form
	Funds     []FundField
	Left      money.Amount
	Spread    view.Field // one amount for all funds; shown if there are several
	Locale    string     // in which scripts write amounts as the server does
	Scale     int64      // how many minor units make a major unit
	Old       bool       // the address of the page that shows the effect does not work any more
	AllError  string
	Reasons   []view.Choice
	ReasonBad string
	Note      view.Field

	Effect    *desk.Shown // what the refund does; nil: the page has the form
	Amount    money.Amount
	Second    string // why it needs a second person; empty: it needs none
	Approvers string // who may be the second person, in a sentence; empty: nobody
	Factor    desk.Factor

	Made    []MadeRefund
	Waiting []WaitingRefund
	Looks   bool   // a refund is on its way: the page looks again
	Again   string // the address for that
	ByBank  string // address of the list of refunds owed, if the money goes back without a processor; empty: it does not
	Ordered bool   // the page shows a refund that was ordered just now, and no form
}

// FundField is a fund of the gift with the field of its amount.
type FundField struct {
	view.Field
	Given, Left money.Amount
}

// MadeRefund is a refund of the gift.
type MadeRefund struct {
	refund.Listed
	Mark    string // good, hold or bad: the state's shape
	At      time.Time
	By      string // who ordered it; empty: nobody here
	Parts   []string
	New     bool // it was ordered just now
	Problem string
	Next    string // the phrase key of what happens next
	Steps   []Step
}

// Step is a step of an order.
type Step struct {
	Key           string // of its name
	Done, Current bool
}

// WaitingRefund is a request that waits for a second person.
type WaitingRefund struct {
	URL, By string
	Amount  money.Amount
	At      time.Time
}

// marks are the shapes of the states.
var marks = map[refund.State]string{
	refund.Ordered: "hold", refund.Sent: "hold", refund.Pending: "hold", refund.Succeeded: "good", refund.Failed: "bad", refund.Refused: "bad",
}

func (a *Area) showRefund(w http.ResponseWriter, r *http.Request, v web.StaffVisit, s state) (err error) {
	p := RefundPage{Page: a.PageOf(r, v, "gifts"), Donor: s.name, Given: s.gift.Amount(), Form: s.form}
	p.Action, p.GiftURL = closed(refundURL(v, s.gift.PublicRef)), v.Path("gifts/"+s.gift.PublicRef)
	p.GivenOn = s.gift.CreatedAt
	if s.gift.ChargedAt != nil {
		p.GivenOn = *s.gift.ChargedAt
	}
	p.GivenOn = p.GivenOn.In(desk.ZoneOf(v))
	p.Problems = append(s.problems, s.asked.Problems...)
	if s.byBank && v.Organisation == nil {
		p.ByBank = v.Path("refunds/owed")
	}
	a.fillMade(r, v, s, &p)
	switch {
	case s.whyNot != "":
		p.WhyNot = a.phrase(v, s.whyNot, "entity", v.Entity.LegalName)
		if !mayOrder(v) && len(s.approvers) > 0 {
			p.Ask = a.phrase(v, "office.refund.ask", "names", a.names(v, s))
		}
	case s.check:
		effect := a.effect(v, *s.preview, a.cardOf(r.Context(), v, *s.preview))
		p.Effect, p.Amount = &effect, s.preview.Amount
		if s.needsSecond() {
			p.Second = a.whySecond(v, *s.preview)
			p.Effect.Button = a.phrase(v, "office.refund.button.second")
			if n := len(s.approvers); n > 0 {
				p.Approvers = a.View.PhraseN(v.Language, "office.refund.approvers", n, "names", a.names(v, s))
			}
		}
		if p.Factor, err = a.MoneyFactorOf(r, v, s.asked, false); err != nil {
			return err
		}
	default:
		a.fillForm(v, s, &p)
	}
	f := p.Page.Form(a.View)
	status := s.status
	if status == 0 {
		status = desk.StatusOf(p.Problems)
	}
	return a.Write(w, status, "refund", v.Language, struct {
		RefundPage
		Errors []view.FormError
	}{p, a.errorsOf(v, f, s)})
}

// whySecond returns why a refund needs a second person, with the sum that is above the limit.
func (a *Area) whySecond(v web.StaffVisit, p refund.Preview) string {
	switch {
	case p.Limit.Minor == 0:
		return a.phrase(v, "office.refund.second.every")
	case p.Amount.Minor <= p.Limit.Minor && p.ByPerson.Minor > p.Limit.Minor:
		return a.phrase(v, "office.refund.second.person", "sum", p.ByPerson, "limit", p.Limit)
	case p.Amount.Minor <= p.Limit.Minor && p.OfGift.Minor > p.Limit.Minor:
		return a.phrase(v, "office.refund.second.gift", "sum", p.OfGift, "limit", p.Limit)
	}
	return a.phrase(v, "office.refund.second.amount", "limit", p.Limit)
}

// fillForm fills the fields with what was typed.
func (a *Area) fillForm(v web.StaffVisit, s state, p *RefundPage) {
	f := p.Page.Form(a.View)
	if p.Form.Submission == "" {
		p.Form.Submission = a.NewID().String()
	}
	sum := int64(0)
	for _, fund := range s.left {
		slug, left := fund.Fund.Slug, max(fund.Left, 0)
		sum += left
		if left == 0 && s.form.Parts[slug] == "" {
			continue // nothing is to be refunded of it
		}
		field := view.Field{PostName: "part[" + slug + "]", Value: s.form.Parts[slug], Type: "text", Mode: "decimal", HideOptional: true}
		field.FieldText = view.FieldText{Name: partID(slug), Label: fund.Fund.Name.In(v.Language), Error: f.ErrorText(partID(slug))}
		p.Funds = append(p.Funds, FundField{field, money.New(fund.Given, currencyOf(s.gift)), money.New(left, currencyOf(s.gift))})
	}
	p.Left, p.Old = money.New(sum, currencyOf(s.gift)), s.old
	p.Spread = desk.Field(f, a.View, "amount", s.form.Amount, view.Field{Mode: "decimal", Autocomplete: "on", HideOptional: true})
	p.Spread.Label, p.Spread.Hint = a.phrase(v, "office.refund.spread"), a.phrase(v, "office.refund.spread_hint")
	one, _ := money.Major(1, p.Left.Currency) // never out of range
	p.Locale, p.Scale = "en-US", one.Minor
	p.AllError, p.ReasonBad = f.ErrorText("all"), f.ErrorText("reason")
	for i, reason := range refund.Reasons {
		id := "reason"
		if i > 0 {
			id = "reason-" + string(reason)
		}
		p.Reasons = append(p.Reasons, view.Choice{
			ID: id, Name: "reason", Value: string(reason), Label: a.phrase(v, "office.refund.reason."+string(reason)), Checked: s.form.Reason == string(reason),
		})
	}
	p.Note = desk.Field(f, a.View, "note", s.form.Note, view.Field{Area: true})
}

// fillMade fills the refunds of the gift and the requests that wait.
func (a *Area) fillMade(r *http.Request, v web.StaffVisit, s state, p *RefundPage) {
	zone, ordered := desk.ZoneOf(v), r.URL.Query().Get("order")
	for _, o := range s.orders {
		m := MadeRefund{Listed: o, Mark: marks[o.State], At: o.At.In(zone)}
		since := o.At
		if o.OrderID != nil {
			since = a.Moment(o.ChangedAt, zone)
		}
		m.Next = a.nextKey(o.State, o.NextKey(), o.Booked, since)
		if o.Problem != nil {
			m.Problem = *o.Problem
		}
		if o.OrderID != nil {
			m.At, m.By, m.New = a.Moment(o.At, zone), a.byWhom(v, o, s.names, s.approvedBy), o.OrderID.String() == ordered
			m.Parts, m.Steps = a.partTexts(v, s.parts[*o.OrderID], o.Currency), stepsOf(o.State)
			if m.New {
				p.Done, p.Ordered = "refund_ordered", true
				p.Looks = o.State == refund.Ordered || o.State == refund.Sent
				p.Again = refundURL(v, s.gift.PublicRef) + "order=" + ordered
			}
		}
		p.Made = append(p.Made, m)
	}
	for _, asked := range s.waiting {
		q, _, currency, err := refund.ReadBody(asked.Body)
		if err != nil {
			continue
		}
		p.Waiting = append(p.Waiting, WaitingRefund{
			URL: closed(approvalURL(v, asked.ID)), By: a.nameIn(v, s.names, asked.RequestedBy), Amount: money.New(sumOf(q.Parts), currency),
			At: a.Moment(asked.RequestedAt, zone),
		})
	}
}

// bankShows is how long a bank takes to show a refund to the donor.
const bankShows = 10 * 24 * time.Hour

// nextKey returns the phrase key of what happens next to a refund that has a state since a time: nothing, some days after the
// processor made it. booked reports that the books have it: then the receipt was replaced or is void.
func (a *Area) nextKey(state refund.State, key string, booked bool, since time.Time) string {
	if state != refund.Succeeded || key != refund.Succeeded.NextKey() { // the latter is of one by check or transfer
		return key
	}
	if a.Now().Sub(since) > bankShows {
		key = "refund.next.shown"
	}
	if booked {
		key += "_booked"
	}
	return key
}

// partTexts returns parts as "General $20.00".
func (a *Area) partTexts(v web.StaffVisit, parts []refund.Part, c money.Currency) (texts []string) {
	for _, part := range parts {
		name := ""
		if f, err := v.Catalog.Fund(part.FundID); err == nil {
			name = f.Name.In(v.Language)
		}
		texts = append(texts, name+" "+money.New(part.Amount, c).Format(string(v.Language)))
	}
	return texts
}

func sumOf(parts []refund.Part) (sum int64) {
	for _, p := range parts {
		sum += p.Amount
	}
	return sum
}

// stepsOf returns the steps of an order up to its state, and what follows if all goes well.
func stepsOf(now refund.State) []Step {
	way := []refund.State{refund.Ordered, refund.Sent, refund.Succeeded}
	switch now {
	case refund.Pending:
		way = []refund.State{refund.Ordered, refund.Sent, refund.Pending, refund.Succeeded}
	case refund.Failed, refund.Refused:
		way[2] = now
	}
	at := slices.Index(way, now)
	steps := make([]Step, len(way))
	for i, state := range way {
		steps[i] = Step{Key: state.TitleKey(), Done: i < at, Current: i == at}
	}
	return steps
}

// names lists who may be the second person.
func (a *Area) names(v web.StaffVisit, s state) string {
	names := make([]string, len(s.approvers))
	for i, m := range s.approvers {
		names[i] = m.Name
	}
	return a.View.List(v.Language, names)
}

// errorsOf returns the lines of the summary of errors. A fund's field is called by the fund's name.
func (a *Area) errorsOf(v web.StaffVisit, f view.Form, s state) []view.FormError {
	names := map[string]string{"amount": a.phrase(v, "office.refund.spread"), "reason": a.phrase(v, "office.refund.why")}
	for _, fund := range s.left {
		names[partID(fund.Fund.Slug)] = fund.Fund.Name.In(v.Language)
	}
	var all []view.FormError
	for _, e := range desk.ErrorsOf(f, v.Language, a.View, view.Field{FieldText: view.FieldText{Name: "submit", Label: f.Phrase("office.field.submit")}}) {
		if name := names[e.Target]; name != "" {
			e.Field = name
		}
		all = append(all, e)
	}
	return all
}
