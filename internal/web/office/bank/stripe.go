package bank

import (
	"net/http"
	"strconv"

	"github.com/jmoiron/sqlx"

	"konbit/internal/office/bank"
	"konbit/internal/office/clearing"
	"konbit/internal/platform/phrase"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// stripeProof shows the proof of clearing (1010) against Stripe's balance: the month as a page of an account that is called stripe.
func (a *Area) stripeProof(w http.ResponseWriter, r *http.Request, v web.StaffVisit, m bank.Month) error {
	if v.Organisation != nil {
		return web.NotFound()
	}
	var proof clearing.Month
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		proof, err = clearing.MonthOf(r.Context(), tx, v.Entity.ID, v.Entity.Currency, v.Entity.Location(), m.First())
		return err
	})
	if err != nil {
		return err
	}
	amount := func(minor int64) desk.Cell { return desk.AmountCell(v.Entity.Amount(minor)) }
	what := desk.Column{Name: "what", Label: a.say(v, "office.bank.proof.what"), Wide: true}
	sum := desk.Column{Name: "amount", Label: a.say(v, "office.today.amount"), Number: true}
	count := desk.Column{Name: "movements", Label: a.say(v, "office.bank.stripe.movements"), Number: true}
	path := func(rest string) string { return v.Path("bank/" + stripeAccount + "/" + rest) }
	p := ProofPage{Page: a.PageOf(r, v, "bank"), Title: a.say(v, "office.bank.stripe.title", "month", a.monthName(v, m)), Explained: 100,
		State: desk.Cell{Text: a.say(v, "office.bank.state.explained"), State: "good", File: "explained"}, Back: v.Path("bank"), Lines: v.Path("payouts"),
		PDF: desk.With(r.URL, "format", "pdf"), Before: path(m.Next(-1).String()), After: path(m.Next(1).String())}
	if proof.Difference != 0 {
		p.State, p.Explained = desk.Cell{Text: a.say(v, "office.bank.state.differs"), State: "bad", File: "differs"}, 0
	}
	p.Bar = a.say(v, "office.bank.proof.bar", "percent", p.Explained)
	if proof.Held != nil {
		p.Stated = a.say(v, "office.bank.stripe.held", "amount", v.Entity.Amount(*proof.Held), "day",
			phrase.Date(v.Language, a.Moment(*proof.HeldAt, desk.ZoneOf(v))))
	}
	p.Statement = desk.Table{Caption: a.say(v, "office.bank.stripe.balance"), Columns: []desk.Column{what, count, sum},
		Rows:  []desk.Row{{Cells: []desk.Cell{{Text: a.say(v, "office.bank.proof.opening")}, {}, amount(proof.Opening)}}},
		Total: []desk.Cell{{Text: a.say(v, "office.bank.proof.closing")}, {}, amount(proof.Closing)}}
	for _, k := range proof.Kinds {
		p.Statement.Rows = append(p.Statement.Rows, desk.Row{Cells: []desk.Cell{{Text: k.Type}, {Text: strconv.Itoa(k.Count)}, amount(k.Amount)}})
	}
	row := func(key string, minor int64) desk.Row {
		return desk.Row{Cells: []desk.Cell{{Text: a.say(v, "office.bank.stripe."+key)}, amount(minor)}}
	}
	p.Books = desk.Table{Caption: a.say(v, "office.bank.stripe.books"), Columns: []desk.Column{what, sum},
		Rows:  []desk.Row{row("closing", proof.Closing), row("unread", proof.Unread), row("ahead", proof.Ahead), row("difference", proof.Difference)},
		Total: []desk.Cell{{Text: a.say(v, "office.bank.stripe.book")}, amount(proof.Book)}}
	if r.URL.Query().Get("format") == "pdf" {
		p.Account.Slug = stripeAccount
		return a.writePDF(w, r, v, p)
	}
	if done, err := desk.WriteFile(w, r, "stripe-"+m.String(), p.Statement); done || err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "bank_proof", v.Language, p)
}

// stripeAccount stands in the address in place of a bank account. No account has it as its slug.
const stripeAccount = bank.StripeSlug
