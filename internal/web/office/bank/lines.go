package bank

import (
	"net/http"
	"strings"

	"github.com/jmoiron/sqlx"

	"konbit/internal/office/bank"
	"konbit/internal/office/bank/suggest"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// LinesPage is the matching of a month: open lines of the bank at the left, open items of ours at the right.
type LinesPage struct {
	desk.Page
	Account    bank.Account
	Title      string
	Says       string
	Back       string
	Month      string // 2026-10
	Before     string // addresses of the months beside
	After      string
	Action     string // empty: the reader matches nothing
	Submission string
	Search     desk.Search
	Lines      []Line
	Items      []Item
	Own        []Own
	OwnRows    []int // how many of them the form offers
	Keys       []string
	Accept     []string // suggestions that are sure: LINE|ITEM
	AcceptAll  string   // what accepting all of them does
	Matched    []Done
	More       int // lines that are not shown
	Errors     []view.FormError
}

// Line is an open line with what it may be.
type Line struct {
	ID         string
	Day        desk.Cell
	Amount     desk.Cell
	Text       string
	Split      string // why it was split off; empty: it is a whole line
	Candidates []Candidate
	Sure       bool
	Equal      bool // two candidates are equal: none is chosen
	Rule       string
	Gift       string // address of the page that makes a gift of it; empty: money left, or the reader does not
}

// Candidate is what a line may be, and why.
type Candidate struct {
	Value   string // LINE|ITEM|ITEM…
	Says    string
	Reasons string
}

// Item is an open item of ours.
type Item struct {
	Value  string
	Says   string
	URL    string
	Day    desk.Cell
	Amount desk.Cell
}

// Own is an item that has no row elsewhere, of a choice.
type Own struct{ Value, Label string }

// Done is a match of the month.
type Done struct {
	ID     string
	Lines  string
	Items  string
	Amount desk.Cell
	Day    desk.Cell
}

// shown limits the rows of the page.
const shownOpen, shownItems = 100, 200

func (a *Area) linesGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	return a.writeLines(w, r, v, nil)
}

func (a *Area) writeLines(w http.ResponseWriter, r *http.Request, v web.StaffVisit, problems []fault.Field) error {
	p := LinesPage{Page: a.PageOf(r, v, "bank")}
	p.Problems = problems
	m := a.monthOf(r, v)
	var open []bank.Line
	var items []bank.Item
	var done []bank.Match
	var accounts []bank.Account
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if p.Account, err = a.account(r.Context(), tx, r, v); err != nil {
			return err
		}
		if open, err = bank.OpenLines(r.Context(), tx, p.Account.ID, m.First(), m.Last(), 10_000); err != nil {
			return err
		}
		if items, err = a.Bank.OpenItems(r.Context(), tx, p.Account); err != nil {
			return err
		}
		if done, err = bank.MatchesOf(r.Context(), tx, p.Account.ID, m.First(), m.Last()); err != nil {
			return err
		}
		accounts, err = bank.AccountsOf(r.Context(), tx, v.Entity.ID)
		return err
	})
	if err != nil {
		return err
	}
	base := pathOf(v, p.Account, "/lines")
	p.Title, p.Back, p.Month = a.say(v, "office.bank.lines.title", "name", p.Account.Name, "month", a.monthName(v, m)), pathOf(v, p.Account, ""), m.String()
	p.OwnRows, p.Keys = []int{0, 1, 2}, []string{"j", "k", "Enter", "s", "m", "x", "g", "a", "u"}
	p.Before, p.After = base+"?month="+m.Next(-1).String(), base+"?month="+m.Next(1).String()
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	p.Search = desk.Search{Action: base, Label: a.say(v, "office.bank.lines.search"), Value: q, Kept: []desk.Hidden{{Name: "month", Value: m.String()}}}
	if a.mayAct(v) {
		p.Action, p.Submission = base+"?month="+m.String(), a.NewID().String()
		p.Own = a.ownItems(v, p.Account, accounts)
	}
	a.addOpen(v, &p, open, items, q)
	p.addDone(a, v, done)
	p.Says = a.View.PhraseN(v.Language, "office.bank.lines.says", len(open), "amount", sumOf(p.Account, open).Format(string(v.Language)),
		"month", a.monthName(v, m))
	p.Errors = desk.ErrorsOf(p.Page.Form(a.View), v.Language, a.View)
	return a.Write(w, desk.StatusOf(problems), "bank_lines", v.Language, p)
}

func sumOf(account bank.Account, lines []bank.Line) money.Amount {
	var sum int64
	for _, l := range lines {
		sum += l.Amount
	}
	return account.Amount(sum)
}

// addOpen adds the open lines with their candidates, and the open items, those that q names.
func (a *Area) addOpen(v web.StaffVisit, p *LinesPage, open []bank.Line, items []bank.Item, q string) {
	for _, s := range suggest.For(open, items) {
		l := s.Line
		amount := p.Account.Amount(l.Amount)
		if q != "" && !l.Has(q) && !strings.Contains(amount.Decimal(), q) {
			continue
		}
		shown := Line{ID: l.Part().String(), Day: desk.Cell{Day: midnight(l.BookedOn)}, Amount: desk.AmountCell(amount),
			Text:  words(l),
			Split: l.Reason, Sure: s.Sure, Rule: pathOf(v, p.Account, "/rule?line="+l.Part().String())}
		if l.Amount > 0 && p.Action != "" {
			shown.Gift = giftPath(v, p.Account, l)
		}
		if l.Text == "" {
			shown.Text = a.say(v, "office.bank.lines.erased")
		}
		shown.Equal = !s.Sure && len(s.Candidates) > 1
		for _, c := range s.Candidates {
			shown.Candidates = append(shown.Candidates, a.candidate(v, l, c))
		}
		if len(p.Lines) == shownOpen {
			p.More++
			continue
		}
		if s.Sure { // all of them are accepted after a look
			p.Accept = append(p.Accept, shown.Candidates[0].Value)
		}
		p.Lines = append(p.Lines, shown)
	}
	if n := len(p.Accept); n > 0 {
		p.AcceptAll = a.View.PhraseN(v.Language, "office.bank.lines.accept_all", n)
	}
	for _, i := range items {
		shown := Item{Value: i.Name(), Says: a.itemSays(v, i), Day: desk.Cell{Day: midnight(i.On)}, Amount: desk.AmountCell(p.Account.Amount(i.Amount))}
		if i.Path != "" {
			shown.URL = v.Path(i.Path)
		}
		if q != "" && !strings.Contains(strings.ToLower(shown.Says+" "+i.Number+" "+p.Account.Amount(i.Amount).Decimal()),
			strings.ToLower(q)) || len(p.Items) == shownItems {
			continue
		}
		p.Items = append(p.Items, shown)
	}
}

// itemSays says in one line what an item is.
func (a *Area) itemSays(v web.StaffVisit, i bank.Item) string {
	says := a.itemWords(v, i.Kind, i.Ref)
	if i.Text != "" && i.Kind != bank.Transfer {
		says += " · " + i.Text
	}
	if i.Number != "" {
		says += " · " + i.Number
	}
	return says
}

func (a *Area) candidate(v web.StaffVisit, l bank.Line, c suggest.Candidate) Candidate {
	values, says, reasons := []string{l.Part().String()}, []string{}, []string{}
	for _, i := range c.Items {
		values, says = append(values, i.Name()), append(says, a.itemSays(v, i))
	}
	for _, reason := range c.Reasons {
		reasons = append(reasons, a.say(v, "office.bank.reason."+string(reason)))
	}
	return Candidate{strings.Join(values, "|"), strings.Join(says, " + "), strings.Join(reasons, ", ")}
}

// ownItems are the items that have no row elsewhere, for a choice.
func (a *Area) ownItems(v web.StaffVisit, of bank.Account, accounts []bank.Account) []Own {
	own := []Own{{"fee", a.say(v, "office.bank.item.fee")}, {"interest", a.say(v, "office.bank.item.interest")}}
	for _, account := range accounts {
		if account.ID != of.ID {
			own = append(own, Own{"transfer:" + account.Slug, a.say(v, "office.bank.item.transfer", "ref", account.Slug)})
		}
	}
	for _, f := range a.fundsOf(v) {
		for _, function := range bank.Functions {
			for _, nature := range natures {
				s := bank.SpendingRef{Fund: f.Code, Function: function, Nature: nature}
				own = append(own, Own{"spending:" + s.String(), a.itemWords(v, bank.Spending, s.String())})
			}
		}
	}
	return own
}

// natures are the natures of spending that the page offers; a form may send others.
var natures = []string{"pay", "rent", "travel", "supplies", "services", "other"}

func (p *LinesPage) addDone(a *Area, v web.StaffVisit, done []bank.Match) {
	for _, m := range done {
		var lines, items []string
		var sum int64
		for _, l := range m.Lines {
			lines, sum = append(lines, l.Text), sum+l.Amount
		}
		for _, i := range m.Items {
			items = append(items, a.itemWords(v, i.Kind, i.Ref))
		}
		p.Matched = append(p.Matched, Done{ID: m.ID.String(), Lines: strings.Join(lines, " + "), Items: strings.Join(items, " + "),
			Amount: desk.AmountCell(p.Account.Amount(sum)), Day: desk.Cell{Day: midnight(m.On)}})
	}
}

// words returns the bank's words of a line, with its reference if they do not have it.
func words(l bank.Line) string {
	if strings.Contains(l.Text, l.Reference) {
		return l.Text
	}
	return strings.TrimSpace(l.Text + " " + l.Reference)
}
