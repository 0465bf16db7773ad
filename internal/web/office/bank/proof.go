package bank

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/bank"
	"konbit/internal/people/staff"
	"konbit/internal/platform/phrase"
	"konbit/internal/view/dossier"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// ProofPage is the bank reconciliation of an account and month.
type ProofPage struct {
	desk.Page
	Account   bank.Account
	Title     string
	State     desk.Cell
	Explained int // of a hundred
	Bar       string
	Back      string
	Lines     string // addresses
	PDF       string
	Before    string
	After     string
	Statement desk.Table // opening, lines by kind, closing
	Books     desk.Table // book balance, and each sum that makes up the difference
	Stated    string     // what the bank's own statement says
	Gaps      []string
	Tables    []Section // each item of these sums
	Matches   desk.Table
}

// Section is a list under a heading.
type Section struct {
	Heading string
	Empty   string
	Table   desk.Table
}

func (a *Area) proofGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	m, err := bank.ParseMonth(chi.URLParam(r, "month"))
	if err != nil {
		return web.NotFound()
	}
	if chi.URLParam(r, "account") == stripeAccount {
		return a.stripeProof(w, r, v, m)
	}
	var proof bank.Proof
	names := map[uuid.UUID]string{}
	err = a.Read(r, v, func(tx *sqlx.Tx) error {
		account, err := a.account(r.Context(), tx, r, v)
		if err != nil {
			return err
		}
		if proof, err = bank.ProofOf(r.Context(), tx, account, m); err != nil {
			return err
		}
		var people []uuid.UUID
		for _, match := range proof.Matches {
			if match.MatchedBy != nil {
				people = append(people, *match.MatchedBy)
			}
		}
		names, err = staff.NamesOf(r.Context(), tx, people...)
		return err
	})
	if err != nil {
		return err
	}
	p := a.proofPage(r, v, proof, names)
	if r.URL.Query().Get("format") == "pdf" {
		return a.writePDF(w, r, v, p)
	}
	if done, err := a.WriteFile(w, r, v, "bank-"+proof.Account.Slug+"-"+m.String(), p.Matches); done || err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "bank_proof", v.Language, p)
}

func (a *Area) proofPage(r *http.Request, v web.StaffVisit, proof bank.Proof, names map[uuid.UUID]string) ProofPage {
	m := proof.Month
	p := ProofPage{Page: a.PageOf(r, v, "bank"), Account: proof.Account, State: a.stateOf(v, proof), Explained: proof.Explained(),
		Title: a.say(v, "office.bank.proof.title", "name", proof.Account.Name, "digits", proof.Account.Last4, "month", a.monthName(v, m)),
		Back:  pathOf(v, proof.Account, ""), Lines: pathOf(v, proof.Account, "/lines?month="+m.String()),
		PDF: desk.With(r.URL, "format", "pdf"), Before: pathOf(v, proof.Account, "/"+m.Next(-1).String()), After: pathOf(v, proof.Account,
			"/"+m.Next(1).String())}
	p.Bar = a.say(v, "office.bank.proof.bar", "percent", p.Explained)
	amount := func(minor int64) desk.Cell { return desk.AmountCell(proof.Amount(minor)) }
	label, sum := desk.Column{Name: "what", Label: a.say(v, "office.bank.proof.what"), Wide: true}, desk.Column{Name: "amount", Label: a.say(v,
		"office.today.amount"), Number: true}
	count := desk.Column{Name: "lines", Label: a.say(v, "office.bank.files.lines"), Number: true}
	p.Statement = desk.Table{Caption: a.say(v, "office.bank.proof.statement"), Columns: []desk.Column{label, count, sum},
		Rows:  []desk.Row{{Cells: []desk.Cell{{Text: a.say(v, "office.bank.proof.opening")}, {}, amount(proof.Opening)}}},
		Total: []desk.Cell{{Text: a.say(v, "office.bank.proof.closing")}, {}, amount(proof.Closing)}}
	for _, k := range proof.Kinds {
		kind := k.Kind
		if kind == "" {
			kind = "open"
		}
		p.Statement.Rows = append(p.Statement.Rows, desk.Row{Cells: []desk.Cell{{Text: a.say(v, "office.bank.kind."+kind), File: kind},
			{Text: strconv.Itoa(k.Lines)}, amount(k.Amount)}})
	}
	p.Books = desk.Table{Caption: a.say(v, "office.bank.proof.books"), Columns: []desk.Column{label, sum}, Rows: []desk.Row{
		{Cells: []desk.Cell{{Text: a.say(v, "office.bank.proof.book")}, amount(proof.Book)}},
		{Cells: []desk.Cell{{Text: a.say(v, "office.bank.proof.open")}, amount(proof.Sums.Open)}},
		{Cells: []desk.Cell{{Text: a.say(v, "office.bank.proof.aside")}, amount(proof.Sums.Aside)}},
		{Cells: []desk.Cell{{Text: a.say(v, "office.bank.proof.elsewhere")}, amount(proof.Sums.Elsewhere)}},
		{Cells: []desk.Cell{{Text: a.say(v, "office.bank.proof.not_cleared")}, amount(-proof.Sums.NotCleared)}},
		{Cells: []desk.Cell{{Text: a.say(v, "office.bank.proof.difference")}, amount(proof.Sums.Difference)}},
	}, Total: []desk.Cell{{Text: a.say(v, "office.bank.proof.closing")}, amount(proof.Closing)}}
	if s := proof.Stated; s != nil {
		p.Stated = a.say(v, "office.bank.proof.stated", "day", phrase.Date(v.Language, midnight(s.On)), "amount", proof.Amount(s.Closing))
	}
	for _, g := range proof.Gaps {
		if g.From.Year > 0 {
			p.Gaps = append(p.Gaps, a.say(v, "office.bank.file.gap", "from", phrase.Date(v.Language, midnight(g.From)), "until",
				phrase.Date(v.Language, midnight(g.Until))))
		} else {
			p.Gaps = append(p.Gaps, a.say(v, "office.bank.proof.differs", "day", phrase.Date(v.Language, midnight(g.On)), "difference", proof.Amount(g.Amount)))
		}
	}
	p.Tables = a.proofSections(v, proof)
	p.Matches = a.matchesTable(v, proof, names)
	return p
}

// proofSections lists each item of the sums.
func (a *Area) proofSections(v web.StaffVisit, proof bank.Proof) []Section {
	columns := []desk.Column{{Name: "day", Label: a.say(v, "office.today.day")}, {Name: "what", Label: a.say(v, "office.bank.proof.what"), Wide: true},
		{Name: "amount", Label: a.say(v, "office.today.amount"), Number: true}}
	section := func(key string) Section {
		heading := a.say(v, "office.bank.proof."+key)
		return Section{Heading: heading, Empty: a.say(v, "office.bank.proof.none"), Table: desk.Table{Caption: heading, Columns: columns}}
	}
	open, aside, elsewhere, uncleared := section("open"), section("aside"), section("elsewhere"), section("not_cleared")
	for _, l := range proof.Open {
		open.Table.Rows = append(open.Table.Rows, desk.Row{Cells: []desk.Cell{{Day: midnight(l.BookedOn)}, {Text: l.Text, Soft: l.Reason},
			desk.AmountCell(proof.Amount(l.Amount))}})
	}
	for _, l := range proof.Aside {
		aside.Table.Rows = append(aside.Table.Rows, desk.Row{Cells: []desk.Cell{{Day: midnight(l.BookedOn)}, {Text: l.Reason},
			desk.AmountCell(proof.Amount(l.Amount))}})
	}
	for _, m := range proof.Elsewhere {
		for _, l := range m.Lines {
			elsewhere.Table.Rows = append(elsewhere.Table.Rows, desk.Row{Cells: []desk.Cell{{Day: midnight(l.BookedOn)}, {Text: l.Text},
				desk.AmountCell(proof.Amount(l.Amount))}})
		}
	}
	for _, n := range proof.NotCleared {
		uncleared.Table.Rows = append(uncleared.Table.Rows, desk.Row{Cells: []desk.Cell{{Day: midnight(n.On)}, {Text: a.itemWords(v, n.Kind,
			n.Ref)}, desk.AmountCell(proof.Amount(n.Amount))}})
	}
	return []Section{open, aside, elsewhere, uncleared}
}

// matchesTable lists what the lines of the month are, and who matched them.
func (a *Area) matchesTable(v web.StaffVisit, proof bank.Proof, names map[uuid.UUID]string) desk.Table {
	t := desk.Table{Caption: a.say(v, "office.bank.proof.matches"), Columns: []desk.Column{{Name: "day", Label: a.say(v, "office.today.day")},
		{Name: "text", Label: a.say(v, "office.bank.text"), Wide: true}, {Name: "amount", Label: a.say(v, "office.today.amount"), Number: true},
		{Name: "items", Label: a.say(v, "office.bank.rule.items"), Wide: true}, {Name: "by", Label: a.say(v, "office.bank.proof.by")}}}
	for _, m := range proof.Matches {
		var texts, items []string
		var sum int64
		for _, l := range m.Lines {
			texts, sum = append(texts, l.Text), sum+l.Amount
		}
		for _, i := range m.Items {
			items = append(items, a.itemWords(v, i.Kind, i.Ref))
		}
		by := a.say(v, "office.bank.proof.by_rule")
		if m.RuleID == nil && m.MatchedBy != nil {
			by = names[*m.MatchedBy]
		}
		t.Rows = append(t.Rows, desk.Row{Cells: []desk.Cell{{Day: midnight(m.On)}, {Text: strings.Join(texts, " + ")}, desk.AmountCell(proof.Amount(sum)),
			{Text: strings.Join(items, " + ")}, {Text: by}}})
	}
	return t
}

// writePDF writes the proof as a document.
func (a *Area) writePDF(w http.ResponseWriter, _ *http.Request, v web.StaffVisit, p ProofPage) error {
	lang := string(v.Language)
	text := func(c desk.Cell) string {
		switch {
		case c.Amount != nil:
			return c.Amount.FormatExact(lang)
		case !c.Day.IsZero():
			return c.Day.Format("2006-01-02")
		}
		return c.Text
	}
	rows := func(t desk.Table, cells func(r desk.Row) dossier.Row) (all []dossier.Row) {
		for _, r := range t.Rows {
			all = append(all, cells(r))
		}
		if t.Total != nil {
			all = append(all, cells(desk.Row{Cells: t.Total}))
		}
		return all
	}
	ends := func(r desk.Row) dossier.Row {
		return dossier.Row{Label: text(r.Cells[0]), Value: text(r.Cells[len(r.Cells)-1])}
	}
	listed := func(r desk.Row) dossier.Row {
		return dossier.Row{Label: text(r.Cells[0]) + "  " + text(r.Cells[2]), Value: text(r.Cells[1])}
	}
	d := dossier.Dossier{Title: p.Title, Author: v.Entity.LegalName, Language: lang, Created: a.Now(), Lead: p.State.Text + ". " + strings.Join(p.Gaps, " "),
		Sections: []dossier.Section{{Heading: p.Statement.Caption, Rows: rows(p.Statement, ends)}, {Heading: p.Books.Caption, Rows: rows(p.Books, ends)}}}
	for _, s := range p.Tables {
		d.Sections = append(d.Sections, dossier.Section{Heading: s.Heading, Empty: s.Empty, Rows: rows(s.Table, listed)})
	}
	if p.Matches.Columns == nil {
		return a.sendPDF(w, p, d)
	}
	d.Sections = append(d.Sections, dossier.Section{Heading: p.Matches.Caption, Empty: a.say(v, "office.bank.proof.none"),
		Rows: rows(p.Matches, func(r desk.Row) dossier.Row {
			return dossier.Row{Label: text(r.Cells[0]) + "  " + text(r.Cells[2]), Value: text(r.Cells[1]) + " — " + text(r.Cells[3]) + " — " + text(r.Cells[4])}
		})})
	return a.sendPDF(w, p, d)
}

func (a *Area) sendPDF(w http.ResponseWriter, p ProofPage, d dossier.Dossier) error {
	file, err := d.PDF(a.Fonts)
	if err != nil {
		return err
	}
	web.WriteFile(w, "application/pdf", "bank-"+p.Account.Slug+".pdf", file)
	return nil
}
