package payouts

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/giftlist"
	"konbit/internal/office/note"
	"konbit/internal/office/payoutlist"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/processor/payout"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// PayoutPage is a payout.
type PayoutPage struct {
	desk.Page
	Title   string
	State   desk.Cell
	Says    []string // what is to be known before the figures
	Pairs   []desk.Pair
	Sum     desk.Table // what it is made of; the last row is what that does not explain
	Funds   *desk.Table
	ByLines bool // it is divided as its transactions are
	Differs bool // the funds add up to something else than the books moved
	Lines   desk.List
	Gifts   string // address of the list of its gifts; empty: no transaction is named
	Notes   desk.Notes
}

// read is what the page of a payout reads.
type read struct {
	payout.Stored
	own   []payoutlist.Own
	kinds []payoutlist.KindSum
	funds []payoutlist.FundSum
	lines []payoutlist.Line
	parts map[string][]payoutlist.Part
	refs  map[string]string // of gifts, by charge
}

func (a *Area) payoutGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	if v.Organisation != nil {
		return web.NotFound()
	}
	var after payoutlist.Place
	behind := desk.ReadCursor(r, &after)
	var next *payoutlist.Place
	var p PayoutPage
	var of read
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if of.Stored, err = payout.ByRef(r.Context(), tx, v.Entity.ID, chi.URLParam(r, "payout")); err != nil {
			return err
		}
		if of.lines, next, err = payoutlist.Lines(r.Context(), tx, of.ID, after, desk.RowsOf(r)); err != nil {
			return err
		}
		if err := of.complete(r.Context(), tx, v.Entity.ID); err != nil {
			return err
		}
		p.Notes, err = a.NotesOn(r, v, tx, note.Object{Kind: note.Payout, ID: of.ID})
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return web.NotFound()
	}
	if err != nil {
		return err
	}
	place := r.URL.Query().Get("after")
	p.Lines = desk.List{
		Says: a.View.PhraseN(v.Language, "office.payouts.lines", of.count()), Table: a.linesTable(v, of), Empty: a.say(v, "lines.empty."+of.named()),
		CSV: desk.With(r.URL, "format", "csv", "after", place), XLSX: desk.With(r.URL, "format", "xlsx", "after", place), Larger: desk.Larger(r),
	}
	if behind {
		p.Lines.First = desk.With(r.URL)
	}
	if next != nil {
		p.Lines.Next = desk.With(r.URL, "after", desk.Cursor(next))
	}
	if done, err := desk.WriteFile(w, r, "payout-"+of.Ref, p.Lines.Table); done || err != nil {
		return err
	}
	p.Page = a.PageOf(r, v, "payouts")
	a.fill(v, &p, of)
	return a.Write(w, http.StatusOK, "payout", v.Language, p)
}

// complete reads what belongs to the payout and its lines.
func (of *read) complete(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID) (err error) {
	if of.own, err = payoutlist.OwnOf(ctx, tx, of.ID); err != nil {
		return err
	}
	if of.kinds, err = payoutlist.Kinds(ctx, tx, of.ID); err != nil {
		return err
	}
	if of.funds, err = payoutlist.Funds(ctx, tx, of.ID); err != nil {
		return err
	}
	if of.parts, err = payoutlist.PartsOf(ctx, tx, of.ID, of.lines); err != nil {
		return err
	}
	var charges []string
	for _, l := range of.lines {
		if l.ChargeRef != "" {
			charges = append(charges, l.ChargeRef)
		}
	}
	of.refs, err = giftlist.RefsOfPayments(ctx, tx, entity, charges)
	return err
}

// count returns how many transactions the payout has.
func (of *read) count() (n int) {
	for _, k := range of.kinds {
		n += k.Count
	}
	return n
}

// named says whether the processor names what a payout pays out: yes, not (it never does of this kind), or unread.
func (of *read) named() string {
	switch {
	case of.Kind == payout.Manual || of.Kind == payout.Instant:
		return "not"
	case of.MembersStored:
		return "yes"
	}
	return "unread"
}

// older reports whether the payout has transactions that are older than the books.
func (of *read) older() bool {
	return slices.ContainsFunc(of.kinds, func(k payoutlist.KindSum) bool { return k.Type == "" })
}

// booked reports whether the books have the payout.
func (of *read) booked() bool {
	return slices.ContainsFunc(of.own, func(o payoutlist.Own) bool { return !o.IsReturn() })
}

func (of *read) amount(minor int64) money.Amount { return money.New(minor, of.Currency) }

// fill says what the payout is.
func (a *Area) fill(v web.StaffVisit, p *PayoutPage, of read) {
	zone := desk.ZoneOf(v)
	p.Title, p.State = a.say(v, "title", "amount", of.amount(of.Amount)), a.stateOf(v, of.Status)
	if of.count() > 0 {
		p.Gifts = v.Path("gifts") + "?q=" + of.Ref
	}
	p.Says = append(p.Says, a.say(v, "named."+of.named()))
	switch {
	case !of.booked():
		p.Says = append(p.Says, a.say(v, "divided.later"))
	case of.named() == "yes" && !of.older():
		p.Says = append(p.Says, a.say(v, "divided.lines"))
	default:
		p.Says = append(p.Says, a.say(v, "divided.clearing"))
	}
	if of.older() {
		p.Says = append(p.Says, a.say(v, "older"))
	}
	if of.Status.Returned() {
		p.Says = append(p.Says, a.say(v, "next."+string(of.Status)))
	}
	add := func(key string, cell desk.Cell) {
		p.Pairs = append(p.Pairs, desk.Pair{Label: a.say(v, "column."+key), Cell: cell})
	}
	add("arrival_on", desk.Cell{Day: of.ArrivalOn})
	add("created_at", desk.Cell{At: of.CreatedAt.In(zone)})
	add("kind", a.kindOf(v, of.Kind))
	add("descriptor", desk.Cell{Text: cmp.Or(of.Descriptor, a.say(v, "no_descriptor"))})
	for _, own := range of.own {
		key := "own"
		if own.IsReturn() {
			key = "returned"
		}
		add(key, desk.Cell{At: own.CreatedAt.In(zone), Soft: own.ID})
	}
	add("payout", desk.Cell{Text: of.Ref})
	p.Sum = a.sumTable(v, of)
	p.Funds, p.Differs = a.fundsTable(v, of)
	p.ByLines = of.named() == "yes" && !of.older()
}

// sumTable shows the payout's transactions by what they are, their sum, what was sent, and what the sum does not explain: the last
// row, also if it is zero. What the processor does not name is explained by how the payout was divided.
func (a *Area) sumTable(v web.StaffVisit, of read) desk.Table {
	t := desk.Table{Caption: a.say(v, "sum")}
	for _, name := range []string{"what", "count", "gross", "fee", "net"} {
		t.Columns = append(t.Columns, desk.Column{Name: name, Label: a.say(v, "column."+name), Number: name != "what"})
	}
	amount := func(minor int64) desk.Cell { return desk.AmountCell(of.amount(minor)) }
	var net int64
	for _, k := range of.kinds {
		net += k.Net
		t.Rows = append(t.Rows, desk.Row{Cells: []desk.Cell{{Text: a.typeOf(v, k.Type)}, {Text: strconv.Itoa(k.Count)}, amount(k.Gross), amount(-k.Fee),
			amount(k.Net)}})
	}
	explained := a.say(v, "sum.lines")
	if of.named() != "yes" && of.booked() {
		explained, net = a.say(v, "sum.divided"), 0
		for _, f := range of.funds {
			net += f.Booked
		}
	}
	row := func(text string, minor int64) desk.Row {
		return desk.Row{Cells: []desk.Cell{{Text: text}, {}, {}, {}, amount(minor)}}
	}
	t.Rows = append(t.Rows, row(explained, net), row(a.say(v, "sum.sent"), of.Amount))
	t.Total = row(a.say(v, "sum.rest"), of.Amount-net).Cells
	return t
}

// typeOf returns the type of a transaction in words.
func (a *Area) typeOf(v web.StaffVisit, kind string) string {
	switch key := "type." + kind; {
	case kind == "":
		return a.say(v, "type.older")
	case a.View.HasPhrase("office.payouts." + key):
		return a.say(v, key)
	}
	return strings.ReplaceAll(kind, "_", " ")
}

// fundsTable shows what the payout took from each fund, and whether that differs from what the books moved. nil: it is of no fund.
func (a *Area) fundsTable(v web.StaffVisit, of read) (*desk.Table, bool) {
	if len(of.funds) == 0 {
		return nil, false
	}
	back, byLines := of.Status.Returned(), of.named() == "yes" && !of.older()
	names := []string{"fund", "booked"}
	if byLines {
		names = []string{"fund", "lines", "carried", "rest", "booked"}
	}
	if back {
		names = append(names, "booked_back")
	}
	t := &desk.Table{Caption: a.say(v, "funds")}
	for _, name := range names {
		t.Columns = append(t.Columns, desk.Column{Name: name, Label: a.say(v, "column."+name), Number: name != "fund"})
	}
	differs := false
	row := func(name, soft string, f payoutlist.FundSum, operations bool) []desk.Cell {
		rest := f.Rest()
		if !of.booked() {
			rest = 0
		}
		differs = differs || rest != 0 && !operations && byLines
		cells := []desk.Cell{{Text: name, Soft: soft}}
		amounts := []int64{f.Booked}
		if byLines {
			amounts = []int64{f.Lines, f.Carried, rest, f.Booked}
		}
		if back {
			amounts = append(amounts, f.Returned)
		}
		for _, minor := range amounts {
			cells = append(cells, desk.AmountCell(of.amount(minor)))
		}
		return cells
	}
	var sum payoutlist.FundSum
	type named struct {
		code, name, of string
		payoutlist.FundSum
	}
	var all []named
	for _, f := range of.funds {
		sum.Lines, sum.Carried, sum.Booked, sum.Returned = sum.Lines+f.Lines, sum.Carried+f.Carried, sum.Booked+f.Booked, sum.Returned+f.Returned
		n := named{FundSum: f}
		if found, err := v.Catalog.Fund(f.FundID); err == nil {
			n.code, n.name = found.Code, found.Name.In(v.Language)
			if o, err := v.Catalog.OrganisationByID(found.OrganisationID); err == nil {
				n.of = o.Name.In(v.Language)
			}
		}
		all = append(all, n)
	}
	slices.SortFunc(all, func(x, y named) int { return strings.Compare(x.code, y.code) })
	for _, f := range all {
		t.Rows = append(t.Rows, desk.Row{Cells: row(f.name, f.of, f.FundSum, f.code == "operations")})
	}
	t.Total = row(a.say(v, "sum.all"), "", sum, true)
	return t, differs
}
