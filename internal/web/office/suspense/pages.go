package suspense

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/office/giftlist"
	"konbit/internal/office/suspense"
	"konbit/internal/people/approval"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// ListPage lists amounts in suspense.
type ListPage struct {
	desk.Page
	List desk.List
}

// AmountPage is an amount in suspense.
type AmountPage struct {
	desk.Page
	Title    string
	Next     string // what happens, or what to do
	Gift     string // address of the gift; empty if it is of none
	Subject  string
	History  desk.Table
	Resolved []string // resolutions, in words
	Waits    string   // address of the request that waits for a second person; empty: none does
	Form     *Form    // nil: the reader resolves nothing, or nothing is to be resolved
	Errors   []view.FormError

	refunding bool // a refund was ordered, and the processor has not made it
}

// Form asks for a resolution.
type Form struct {
	Action, Submission string
	Accounts           []Account
	Refund             *Account     // it may go back to who paid; nil: it is no charge
	Funds              []Account    // to which it may be a gift; none for money that left
	Donor              []view.Field // of a gift
	Reason             view.Field
	Factor             desk.Factor
}

// Account is an account that can be chosen.
type Account struct {
	Code, Label string
	Chosen      bool
}

func (a *Area) say(v web.StaffVisit, key string, args ...any) string {
	return a.View.Phrase(v.Language, key, args...)
}

func pageOf(v web.StaffVisit, subject string) string {
	return v.Path("suspense/" + url.PathEscape(subject))
}

type place struct{ Serial int64 }

// listGet lists what is in suspense. It is the entity's: a project has none.
func (a *Area) listGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var after place
	desk.ReadCursor(r, &after)
	var page []suspense.Amount
	var sum suspense.Sum
	var refs map[string]string
	asked := map[string]bool{} // a request waits for a second person
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if v.Organisation != nil {
			return nil
		}
		if page, err = suspense.Open(r.Context(), tx, v.Entity.ID, after.Serial, desk.PageSize+1); err != nil {
			return err
		}
		if sum, err = suspense.SumOf(r.Context(), tx, v.Entity.ID); err != nil {
			return err
		}
		charges := make([]string, len(page))
		for i, s := range page {
			charges[i] = s.Subject
		}
		if refs, err = giftlist.RefsOfPayments(r.Context(), tx, v.Entity.ID, charges); err != nil {
			return err
		}
		open, err := approval.OpenOf(r.Context(), tx, v.Entity.ID)
		for _, q := range open {
			if act, err := suspense.ReadBody(q.Body); q.Kind == approval.Suspense && err == nil {
				asked[act.Subject] = true
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	p := ListPage{Page: a.PageOf(r, v, "suspense"), List: desk.List{
		Says: a.View.PhraseN(v.Language, "office.suspense.says", sum.Count, "amount", money.New(sum.Amount,
			v.Entity.Currency).Format(string(v.Language))), Empty: a.say(v, "office.suspense.empty"),
		CSV: desk.With(r.URL, "format", "csv", "after", r.URL.Query().Get("after")), XLSX: desk.With(r.URL, "format", "xlsx", "after",
			r.URL.Query().Get("after")),
		Table: desk.Table{Caption: a.say(v, "office.nav.suspense"), Columns: []desk.Column{
			{Name: "since", Label: a.say(v, "office.suspense.since")}, {Name: "amount", Label: a.say(v, "office.today.amount"), Number: true},
			{Name: "state", Label: a.say(v, "office.suspense.state")}, {Name: "subject", Label: a.say(v, "office.suspense.subject"),
				Wide: true}, {Name: "gift", Label: a.say(v, "office.dispute.gift")}}}}}
	if len(page) > desk.PageSize {
		page = page[:desk.PageSize]
		p.List.Next = desk.With(r.URL, "after", desk.Cursor(place{page[desk.PageSize-1].Serial}))
	}
	if after != (place{}) {
		p.List.First = desk.With(r.URL)
	}
	for _, s := range page {
		state, gift := desk.Cell{Text: a.say(v, "office.suspense.state.open"), State: "bad", File: "open"}, desk.Cell{}
		if s.ClearsItself {
			state = desk.Cell{Text: a.say(v, "office.suspense.state.itself"), State: "hold", File: "clears_itself"}
		}
		if asked[s.Subject] {
			state = desk.Cell{Text: a.say(v, "office.suspense.state.asked"), State: "hold", File: "asked"}
		}
		if ref := refs[s.Subject]; ref != "" {
			gift = desk.Cell{Text: a.say(v, "office.dispute.its_gift"), URL: v.Path("gifts/" + ref), File: ref}
		}
		p.List.Table.Rows = append(p.List.Table.Rows, desk.Row{URL: pageOf(v, s.Subject), Cells: []desk.Cell{
			{Day: midnight(s.Since)}, desk.AmountCell(s.Amount()), state, {Text: s.Subject}, gift}})
	}
	if done, err := a.WriteFile(w, r, v, "suspense", p.List.Table); done || err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "suspense", v.Language, p)
}

func midnight(d ledger.Date) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}

// typed is what was typed in the form.
type typed struct {
	Account, Reason, Submission string
	gift
}

func (a *Area) amountGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	p, _, err := a.page(r, v, typed{}, desk.Proof{}, nil)
	if err != nil {
		return err
	}
	return a.Write(w, http.StatusOK, "suspense_amount", v.Language, p)
}

// page returns the page of an amount, and the amount.
func (a *Area) page(r *http.Request, v web.StaffVisit, in typed, proof desk.Proof, problems []fault.Field) (p AmountPage, s suspense.Amount, err error) {
	subject, err := url.PathUnescape(chi.URLParam(r, "subject"))
	if err != nil || v.Organisation != nil {
		return p, s, web.NotFound()
	}
	p = AmountPage{Page: a.PageOf(r, v, "suspense"), Subject: subject}
	p.Problems = append(problems, proof.Problems...)
	err = a.Read(r, v, func(tx *sqlx.Tx) error {
		if s, err = suspense.Of(r.Context(), tx, v.Entity.ID, subject); err != nil {
			return err
		}
		return a.read(r.Context(), tx, v, &p, s)
	})
	if fault.Is(err, fault.NotFound) {
		return p, s, web.NotFound()
	}
	if err != nil {
		return p, s, err
	}
	switch {
	case s.Minor == 0:
		p.Title, p.Next = a.say(v, "office.suspense.title_none"), a.say(v, "office.suspense.next.none")
		return p, s, nil
	case s.ClearsItself:
		p.Next = a.say(v, "office.suspense.next.itself")
	case p.refunding:
		p.Next = a.say(v, "office.suspense.next.refund")
	case p.Waits != "":
		p.Next = a.say(v, "office.suspense.next.asked")
	default:
		p.Next = a.say(v, "office.suspense.next.open")
	}
	p.Title = a.say(v, "office.suspense.title", "amount", s.Amount())
	if s.ClearsItself || p.Waits != "" || p.refunding || !v.Has(staff.Scope{EntityID: v.Entity.ID}, staff.Finance) {
		return p, s, nil
	}
	return p, s, a.form(r, v, &p, s, in, proof)
}

// form adds the form that asks for a resolution.
func (a *Area) form(r *http.Request, v web.StaffVisit, p *AmountPage, s suspense.Amount, in typed, proof desk.Proof) error {
	form := p.Page.Form(a.View)
	f := &Form{Action: pageOf(v, p.Subject), Submission: in.Submission, Reason: desk.Field(form, a.View, "reason", in.Reason, view.Field{Area: true,
		Required: true})}
	f.Reason.Label, f.Reason.Hint = a.say(v, "office.suspense.reason"), a.say(v, "office.tasks.reason_hint")
	if f.Submission == "" {
		f.Submission = a.NewID().String()
	}
	for _, account := range suspense.Accounts {
		f.Accounts = append(f.Accounts, Account{string(account), a.accountName(v, account, false), string(account) == in.Account})
	}
	if s.Minor > 0 {
		a.addGift(v, f, form, in)
	}
	if s.Minor > 0 && isCharge(s.Subject) {
		f.Refund = &Account{refundTo, a.say(v, "office.suspense.refund"), in.Account == refundTo}
	}
	factor, err := a.MoneyFactorOf(r, v, proof, false)
	f.Factor = factor
	p.Form, p.Errors = f, desk.ErrorsOf(form, v.Language, a.View, f.Reason)
	return err
}

// refundTo is the value of the field account by which a charge goes back to who paid.
const refundTo = "refund"

func isCharge(subject string) bool {
	return strings.HasPrefix(subject, "ch_") || strings.HasPrefix(subject, "py_")
}

// accountName names where an amount is booked to; no account: it becomes a gift, or goes back.
func (a *Area) accountName(v web.StaffVisit, account ledger.Account, refund bool) string {
	switch {
	case refund:
		return a.say(v, "office.suspense.refund")
	case account == "":
		return a.say(v, "office.suspense.gift")
	}
	return string(account) + " " + a.say(v, "office.account_name."+string(account))
}

// read reads what happened to an amount.
func (a *Area) read(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, p *AmountPage, s suspense.Amount) error {
	history, err := suspense.History(ctx, tx, v.Entity.ID, s.Subject)
	if err != nil {
		return err
	}
	p.History = desk.Table{Caption: a.say(v, "office.dispute.history"), Columns: []desk.Column{
		{Name: "day", Label: a.say(v, "office.today.day")}, {Name: "entry", Label: a.say(v, "office.entries.entry")}, {Name: "id", Label: a.say(v,
			"office.entries.about"), Wide: true},
		{Name: "amount", Label: a.say(v, "office.today.amount"), Number: true}}}
	for _, h := range history {
		what := "office.suspense.kind." + strings.ReplaceAll(h.Kind, " ", "_")
		if !a.View.HasPhrase(what) {
			what = "office.entries.kind.other"
		}
		p.History.Rows = append(p.History.Rows, desk.Row{Cells: []desk.Cell{{Day: midnight(h.Date)}, {Text: a.say(v, what), File: h.Kind},
			{Text: h.SourceID}, desk.AmountCell(money.New(h.Minor, s.Currency))}})
	}
	refs, err := giftlist.RefsOfPayments(ctx, tx, v.Entity.ID, []string{s.Subject})
	if err != nil {
		return err
	}
	if ref := refs[s.Subject]; ref != "" {
		p.Gift = v.Path("gifts/" + ref)
	}
	done, err := suspense.ResolutionsOf(ctx, tx, v.Entity.ID, s.Subject)
	if err != nil {
		return err
	}
	for _, d := range done {
		p.refunding = p.refunding || d.Waits && s.Minor != 0
		done := "office.suspense.done"
		if d.Refunded {
			done = "office.suspense.done_refund"
		}
		p.Resolved = append(p.Resolved, a.say(v, done, "account", a.accountName(v, d.Account, d.Refunded), "reason", d.Reason, "day",
			phrase.Date(v.Language, a.Moment(d.ResolvedAt, desk.ZoneOf(v)))))
	}
	open, err := approval.OpenOf(ctx, tx, v.Entity.ID)
	for _, q := range open {
		if act, err := suspense.ReadBody(q.Body); q.Kind == approval.Suspense && err == nil && act.Subject == s.Subject {
			p.Waits = v.Path("approvals/" + q.ID.String())
		}
	}
	return err
}

// amountPost asks a second person to book the amount to an account. The same form sent again is the same request.
func (a *Area) amountPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	in := typed{r.PostForm.Get("account"), strings.Join(strings.Fields(r.PostForm.Get("reason")), " "), r.PostForm.Get("submission"), giftOf(r)}
	p, s, err := a.page(r, v, in, desk.Proof{}, nil)
	if err != nil {
		return err
	}
	submission, err := uuid.Parse(in.Submission)
	if err != nil || p.Form == nil && p.Waits == "" {
		return desk.Redirect(w, r, pageOf(v, p.Subject)) // nothing is to be resolved any more
	}
	if p.Waits != "" {
		return desk.Redirect(w, r, p.Waits)
	}
	act := suspense.Act{EntityID: v.Entity.ID, Subject: s.Subject, Minor: s.Minor, Currency: s.Currency, Reason: in.Reason}
	var problems []fault.Field
	var gift *donation.Record
	if record, ok := a.record(v, in.Account, act, in.gift); ok && s.Minor > 0 {
		act.DonationID, gift, problems = uuid.NewSHA1(submission, []byte("suspense gift")), &record, in.check()
	} else if act.Refund = in.Account == refundTo && isCharge(s.Subject); act.Refund {
		act.Account = ""
	} else if act.Account = ledger.Account(in.Account); !slices.Contains(suspense.Accounts, act.Account) {
		problems = append(problems, fault.Field{Name: "account", Phrase: "office.suspense.problem.account"})
	}
	if n := len([]rune(in.Reason)); n == 0 || n > 500 {
		problems = append(problems, fault.Field{Name: "reason", Phrase: "office.tasks.reason_needed"})
	}
	if problems != nil {
		return a.again(w, r, v, in, desk.Proof{}, problems)
	}
	ask := act.RequestOf(uuid.NewSHA1(submission, []byte("suspense request")), uuid.NewSHA1(submission, []byte("suspense resolution")), v.StaffID)
	proof, err := a.ProveMoney(r, &v, ask.Text())
	if err != nil {
		return err
	}
	if !proof.OK {
		return a.again(w, r, v, in, proof, nil)
	}
	err = staff.InTx(r.Context(), a.StaffDB, v.Session, func(tx *sqlx.Tx) error { return a.askTx(r, tx, act, gift, ask) })
	if pg.Violates(err, "donation_pkey") { // the same form at the same time
		return desk.Redirect(w, r, v.Path("approvals/"+ask.ID.String()))
	}
	if rule := approval.Refused(err); rule != "" && rule != "approval_request_pkey" {
		return a.again(w, r, v, in, desk.Proof{}, []fault.Field{{Name: "account", Phrase: "office.rule." + rule}})
	} else if err != nil && rule == "" {
		return err
	}
	return desk.Redirect(w, r, v.Path("approvals/"+ask.ID.String()))
}

// again shows the form again, with what was typed.
func (a *Area) again(w http.ResponseWriter, r *http.Request, v web.StaffVisit, in typed, proof desk.Proof, problems []fault.Field) error {
	p, _, err := a.page(r, v, in, proof, problems)
	if err != nil {
		return err
	}
	return a.Write(w, desk.StatusOf(p.Problems), "suspense_amount", v.Language, p)
}
