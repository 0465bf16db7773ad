package donors

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"konbit/internal/giving/contact"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/office/donorfile"
	"konbit/internal/people/staff"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// DonorPage shows everything about a donor.
type DonorPage struct {
	desk.Page
	DonorName   string
	Says        string // how much they gave
	ErasedOn    time.Time
	ErasureDue  time.Time
	OfOffice    bool // the erasure that is due was requested here: finance of the entity can withdraw it
	Acts        []Link
	Moved       []Link // donors to whom gifts of this one belong now
	Pairs       []Pair
	Gifts       desk.Table
	First, Next string
	CSV, XLSX   string
	Plans       desk.Table
	Receipts    desk.Table
	Statements  desk.Table
	Emails      desk.Table
	Addresses   []typedAddress
	Consents    desk.Table
	Notes       desk.Notes
}

// Link is a link with its words.
type Link struct{ Label, URL string }

// Pair is a line about the donor. Lines are shown below each other.
type Pair struct {
	Label string
	Lines []string
}

func (a *Area) donorPage(r *http.Request, v web.StaffVisit, f file, gifts desk.Table) DonorPage {
	zone := v.Entity.Location()
	p := DonorPage{
		Page: a.PageOf(r, v, "donors"), DonorName: nameOf(f.Record), Gifts: gifts, CSV: a.fileURL(r, "csv"), XLSX: a.fileURL(r, "xlsx"),
		Plans: a.planTable(v, f), Receipts: a.receiptTable(v, f), Statements: a.statementTable(v, f), Emails: a.emailTable(v, f),
		Addresses: a.namedCountries(v, f.addresses(zone)), Consents: a.consentTable(v, f), Notes: f.Notes,
	}
	p.Done = saidOfPlan(p.Done, r.URL.Query().Get("plan"), f.Plans)
	if r.URL.Query().Has("after") {
		p.First = desk.With(r.URL)
	}
	if f.Next != nil {
		p.Next = desk.With(r.URL, "after", desk.Cursor(f.Next))
	}
	switch {
	case f.IsErased():
		p.DonorName = a.say(v, "office.donors.erased")
		if f.Erasure != nil && f.Erasure.ErasedAt != nil {
			p.ErasedOn = a.Moment(*f.Erasure.ErasedAt, zone)
		}
	case f.Erasure != nil && f.Erasure.WithdrawnAt == nil:
		p.ErasureDue, p.OfOffice = f.Erasure.DueAt.In(zone), strings.HasPrefix(f.Erasure.RequestedBy, "staff ")
	}
	p.DonorName = cmp.Or(p.DonorName, a.say(v, "office.donors.nameless"))
	p.Says = a.View.PhraseN(v.Language, "office.donors.says_gave", f.Sums.Gifts, "amount", money.New(f.Sums.All, v.Entity.Currency).Format(string(v.Language)))
	if !f.IsErased() {
		p.Pairs = a.pairs(v, f)
		if isOfEntity(v) {
			p.Acts = append(p.Acts, Link{a.say(v, "office.donors.act.details"), a.actPath(v, f.ID, "details")})
			switch {
			case p.ErasureDue.IsZero():
				p.Acts = append(p.Acts, Link{a.say(v, "office.donors.act.erasure"), a.actPath(v, f.ID, "erasure")})
			case p.OfOffice:
				p.Acts = append(p.Acts, Link{a.say(v, "office.donors.form.withdraw"), a.actPath(v, f.ID, "erasure")})
			}
		}
	}
	linked := map[uuid.UUID]bool{}
	for _, move := range f.Moves {
		if move.From == f.ID && !linked[move.To] {
			linked[move.To] = true
			on := phrase.Date(v.Language, a.Moment(move.At, zone))
			p.Moved = append(p.Moved, Link{a.say(v, "office.donors.moved", "day", on), v.Path("donors/" + move.To.String())})
		}
	}
	return p
}

// actPath returns the address of a form about a donor.
func (a *Area) actPath(v web.StaffVisit, id uuid.UUID, act string) string {
	return v.Path("donors/" + id.String() + "/" + act)
}

// pairs returns what is known about the donor.
func (a *Area) pairs(v web.StaffVisit, f file) (all []Pair) {
	add := func(key string, lines ...string) {
		if len(lines) > 0 && lines[0] != "" {
			all = append(all, Pair{a.say(v, "office.donors.label."+key), lines})
		}
	}
	add("email", cmp.Or(f.Email, a.say(v, "office.donors.no_email")))
	add("phone", f.Phone)
	add("address", a.View.Postal(v.Language, linesOf(f.Details))...)
	add("language", phrase.Language(f.Language).Name())
	add("kind", a.say(v, "office.donors.kind."+string(f.Kind)))
	if f.Sums.FirstAt != nil { // in the reader's scope: the donor's own date is of all organisations
		add("since", phrase.Date(v.Language, f.Sums.FirstAt.In(v.Entity.Location())))
	}
	wanted := []string{a.say(v, "office.donors.wanted.always")}
	for _, kind := range donor.EmailKinds {
		if f.Wanted[kind] {
			wanted = append(wanted, a.say(v, "office.donors.wanted."+kind))
		}
	}
	if f.Email != "" {
		add("wanted", strings.Join(wanted, ", "))
	}
	return all
}

// linesOf returns the lines of a postal address; none if there is none.
func linesOf(d contact.Details) (lines []string) {
	city := strings.TrimSpace(strings.Join([]string{d.City, d.Region, d.PostalCode}, " "))
	for _, line := range []string{d.AddressLine1, d.AddressLine2, strings.Join(strings.Fields(city), " "), d.Country} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	if d.AddressLine1 == "" && city == "" {
		return nil // a country alone is no address
	}
	return lines
}

func (a *Area) column(v web.StaffVisit, name string) desk.Column {
	return desk.Column{Name: name, Label: a.say(v, "office.donors.column."+name)}
}

func (a *Area) numbers(v web.StaffVisit, name string) desk.Column {
	c := a.column(v, name)
	c.Number = true
	return c
}

func (a *Area) wide(v web.StaffVisit, name string) desk.Column {
	c := a.column(v, name)
	c.Wide = true
	return c
}

func (a *Area) giftTable(v web.StaffVisit, f file) desk.Table {
	zone := v.Entity.Location()
	t := desk.Table{Caption: a.say(v, "office.nav.gifts"), Columns: []desk.Column{
		a.column(v, "day"), a.numbers(v, "amount"), a.wide(v, "for"), a.column(v, "state"), a.column(v, "receipt"), a.column(v, "delivery"),
	}}
	for _, g := range f.Gifts {
		amount := desk.AmountCell(money.New(g.AmountMinor, g.Currency))
		state := a.giftState(v, g)
		if g.ReturnedMinor > 0 {
			amount.Soft = a.say(v, "office.donors.returned", "amount", money.New(g.ReturnedMinor, g.Currency).Format(string(v.Language)))
		}
		number, delivery := desk.Cell{}, desk.Cell{}
		if r := f.receiptOf(g.ID); r != nil {
			number.Text = r.Reference()
			if d := f.deliveryOf(r.ID); d != nil {
				delivery = a.deliveryCell(v, *d)
			}
		}
		t.Rows = append(t.Rows, desk.Row{URL: v.Path("gifts/" + g.PublicRef), Cells: []desk.Cell{
			{Day: g.ChargedAt.In(zone)}, amount, a.forCell(v, g), state, number, delivery,
		}})
	}
	return t
}

// giftState returns where a gift stands.
func (a *Area) giftState(v web.StaffVisit, g donorfile.Gift) desk.Cell {
	state, name := "plain", g.Status
	switch {
	case g.Status == "settled" && g.ReturnedMinor >= g.AmountMinor:
		name = "returned"
	case g.Status == "settled":
		state = "good"
	case g.Status == "processing", g.Status == "review":
		state = "hold"
	}
	return desk.Cell{Text: a.say(v, "office.donors.gift."+name), State: state, File: name}
}

// forCell returns for which funds a gift is.
func (a *Area) forCell(v web.StaffVisit, g donorfile.Gift) desk.Cell {
	var names []string
	for _, text := range g.FundIDs {
		if id, err := uuid.Parse(text); err == nil {
			names = append(names, fundName(v, id))
		}
	}
	c := desk.Cell{Text: strings.Join(names, ", ")}
	if o, err := v.Catalog.OrganisationByID(g.OrganisationID); err == nil {
		c.Soft = o.Name.In(v.Language)
	}
	if g.PlanID.Valid {
		c.Soft += " · " + a.say(v, "office.donors.of_plan")
	}
	return c
}

func (a *Area) deliveryCell(v web.StaffVisit, d mail.Delivery) desk.Cell {
	name, state := map[mail.State]string{
		mail.Waiting: "waiting", mail.Accepted: "accepted", mail.Refused: "refused", mail.Cancelled: "cancelled", mail.Superseded: "superseded",
	}[d.State()], "plain"
	switch d.State() {
	case mail.Accepted:
		state = "good"
	case mail.Refused:
		state = "bad"
	case mail.Waiting:
		state = "hold"
	}
	return desk.Cell{Text: a.say(v, "office.donors.delivery."+name), State: state, File: name}
}

func (a *Area) planTable(v web.StaffVisit, f file) desk.Table {
	zone := v.Entity.Location()
	t := desk.Table{Caption: a.say(v, "office.donors.plans"), Columns: []desk.Column{
		a.column(v, "plan"), a.column(v, "state"), a.column(v, "next"), a.numbers(v, "paid"), a.column(v, "begun"), a.wide(v, "for"),
	}}
	for _, p := range f.Plans {
		row := desk.Row{}
		if p.Status.IsRunning() && v.Has(a.scopeOfPlan(v, p), staff.Finance) {
			row.URL = a.actPath(v, f.ID, "plans/"+p.ID.String())
		}
		next := desk.Cell{}
		if p.NextAt != nil && p.Status.IsRunning() {
			next.Day = p.NextAt.In(zone)
		}
		organisation := ""
		if o, err := v.Catalog.OrganisationByID(p.OrganisationID); err == nil {
			organisation = o.Name.In(v.Language)
		}
		paid := desk.Cell{Text: strconv.Itoa(p.Paid)}
		if p.Total != nil {
			paid.Text += " / " + strconv.Itoa(*p.Total)
		}
		row.Cells = []desk.Cell{{Text: a.planName(v, p)}, a.planState(v, p), next, paid, {Day: p.BegunAt.In(zone)}, {Text: organisation}}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// planName returns what a plan charges, and how often.
func (a *Area) planName(v web.StaffVisit, p plan.Plan) string {
	return a.say(v, "office.donors.every."+string(p.Frequency), "amount", p.NextCharge().Format(string(v.Language)))
}

func (a *Area) planState(v web.StaffVisit, p plan.Plan) desk.Cell {
	c := desk.Cell{Text: a.say(v, "office.donors.plan."+string(p.Status)), State: "plain", File: string(p.Status)}
	switch {
	case p.DisputedSince != nil:
		c.State, c.Soft = "bad", a.say(v, "office.donors.plan.disputed")
	case p.Status == plan.Active && p.FailingSince != nil:
		c.State, c.Soft = "hold", a.say(v, "office.donors.plan.failing")
	case p.Status == plan.Active:
		c.State = "good"
	case p.Status == plan.Paused:
		c.State = "hold"
	}
	if p.Status == plan.Paused && p.PausedUntil != nil && c.Soft == "" {
		c.Soft = a.say(v, "office.donors.plan.until", "day", phrase.Date(v.Language, p.PausedUntil.In(v.Entity.Location())))
	}
	return c
}

func (a *Area) receiptTable(v web.StaffVisit, f file) desk.Table {
	t := desk.Table{Caption: a.say(v, "office.donors.receipts"), Columns: []desk.Column{
		a.column(v, "receipt"), a.column(v, "day"), a.numbers(v, "amount"), a.column(v, "state"), a.wide(v, "named"), a.column(v, "issued"),
	}}
	for _, r := range f.Receipts {
		row := desk.Row{}
		if v.Has(v.Scope, staff.Finance) && r.ReplacedBy == nil && !f.IsErased() {
			row.URL = a.actPath(v, f.ID, "receipts/"+r.ID.String())
		}
		day, _ := time.Parse(time.DateOnly, r.Facts.ChargedOn)
		row.Cells = []desk.Cell{
			{Text: r.Reference()}, {Day: day}, desk.AmountCell(r.Facts.Amount), a.receiptState(v, r),
			{Text: r.Facts.DonorName(), Soft: r.Facts.Email}, {Day: r.IssuedAt.In(v.Entity.Location())},
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (a *Area) receiptState(v web.StaffVisit, r receipt.Receipt) desk.Cell {
	name, state := "valid", "good"
	switch {
	case r.ReplacedBy != nil:
		name, state = "replaced", "plain"
	case r.Voided != nil:
		name, state = "void", "plain"
	}
	c := desk.Cell{Text: a.say(v, "office.donors.receipt."+name), State: state, File: name}
	if r.Voided != nil {
		c.Soft = a.say(v, "office.donors.void."+string(r.Voided.Reason))
	}
	return c
}

func (a *Area) statementTable(v web.StaffVisit, f file) desk.Table {
	t := desk.Table{Caption: a.say(v, "office.donors.statements"), Columns: []desk.Column{
		a.column(v, "year"), a.numbers(v, "amount"), a.column(v, "issued"), a.column(v, "delivery"),
	}}
	for _, s := range f.Statements {
		delivery := desk.Cell{}
		if d := f.deliveryOf(s.ID); d != nil {
			delivery = a.deliveryCell(v, *d)
		}
		t.Rows = append(t.Rows, desk.Row{Cells: []desk.Cell{
			{Text: strconv.Itoa(s.Year)}, desk.AmountCell(s.Facts.Total), {Day: s.IssuedAt.In(v.Entity.Location())}, delivery,
		}})
	}
	return t
}

func (a *Area) emailTable(v web.StaffVisit, f file) desk.Table {
	t := desk.Table{Caption: a.say(v, "office.donors.emails"), Columns: []desk.Column{
		a.column(v, "at"), a.wide(v, "about"), a.column(v, "to"), a.column(v, "delivery"), a.column(v, "ordered"),
	}}
	for _, d := range f.Deliveries {
		delivery := a.deliveryCell(v, d)
		if d.Reply != nil && d.State() == mail.Refused {
			delivery.Soft = *d.Reply
		}
		about := d.EmailKind
		if key := "office.donors.email." + d.EmailKind; a.View.HasPhrase(key) {
			about = a.say(v, key)
		}
		t.Rows = append(t.Rows, desk.Row{Cells: []desk.Cell{
			{At: a.Moment(d.OrderedAt, v.Entity.Location())}, {Text: about}, {Text: d.Recipient}, delivery, {Text: a.orderedBy(v, d.OrderedBy)},
		}})
	}
	return t
}

// orderedBy returns who ordered an email: staff, the operator, or the program, which orders most.
func (a *Area) orderedBy(v web.StaffVisit, by string) string {
	switch {
	case strings.HasPrefix(by, "staff "):
		return a.say(v, "office.donors.by.staff")
	case strings.HasPrefix(by, "command line"):
		return a.say(v, "office.donors.by.operator")
	}
	return a.say(v, "office.donors.by.program")
}

func (a *Area) consentTable(v web.StaffVisit, f file) desk.Table {
	t := desk.Table{Caption: a.say(v, "office.donors.consents"), Columns: []desk.Column{
		a.column(v, "at"), a.wide(v, "about"), a.column(v, "decision"), a.column(v, "by"),
	}}
	for i := len(f.Consents) - 1; i >= 0; i-- {
		c := f.Consents[i]
		decision := "no"
		if c.Given {
			decision = "yes"
		}
		t.Rows = append(t.Rows, desk.Row{Cells: []desk.Cell{
			{At: c.At.In(v.Entity.Location())}, {Text: a.say(v, "office.donors.wanted."+c.Kind)},
			{Text: a.say(v, "office.donors.decision."+decision)}, {Text: a.consentBy(v, c.By)},
		}})
	}
	return t
}

// consentBy returns by which way a donor decided.
func (a *Area) consentBy(v web.StaffVisit, by string) string {
	if key := "office.donors.way." + by; a.View.HasPhrase(key) {
		return a.say(v, key)
	}
	return by
}
