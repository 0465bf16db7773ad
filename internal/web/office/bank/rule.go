package bank

import (
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bank"
	"konbit/internal/platform/fault"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// RulePage makes a rule from a line, after it was tried on the past; or shows one, with what it did.
type RulePage struct {
	desk.Page
	Account bank.Account
	Title   string
	Back    string
	Action  string // empty: the reader changes nothing

	Words, Direction, Amount string // of a rule that is being made
	Exactly                  bool
	Parts                    []RulePart
	Own                      []Own
	Tried                    *desk.Table // nil: not yet
	TriedSays                string
	ID                       string // of the rule that is shown, or will be
	Stored                   bool
	Ended                    bool
	Did                      desk.Table
	Left                     string // that lines it is about are open; empty: none is
	Errors                   []view.FormError
}

// RulePart is a part of a rule in the form.
type RulePart struct {
	Item, Share string
	Own         []Own
}

// maxParts is how many parts a rule has in the form.
const maxParts = 4

// partsWords says what a rule does, in words.
func (a *Area) partsWords(v web.StaffVisit, r bank.Rule) string {
	var says []string
	for _, p := range r.Parts {
		kind, ref, _ := strings.Cut(p.Item, ":")
		words := a.itemWords(v, kind, ref)
		if len(r.Parts) > 1 {
			words = percent(p.Share) + " " + words
		}
		says = append(says, words)
	}
	return strings.Join(says, " + ")
}

// percent writes basis points as a percentage.
func percent(points int64) string {
	whole, rest := points/100, points%100
	text := itoa(whole)
	if rest != 0 {
		text += "." + string(rune('0'+rest/10))
		if rest%10 != 0 {
			text += string(rune('0' + rest%10))
		}
	}
	return text + "%"
}

func (a *Area) ruleGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	p := RulePage{Page: a.PageOf(r, v, "bank")}
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if p.Account, err = a.account(r.Context(), tx, r, v); err != nil {
			return err
		}
		if id, err := uuid.Parse(r.URL.Query().Get("id")); err == nil {
			return a.showRule(r, tx, v, &p, id)
		}
		p.Direction, p.Parts = "out", []RulePart{{Share: "100"}}
		if r.URL.Query().Get("line") == "" {
			return a.addOwn(r, tx, v, &p)
		}
		part, err := bank.ParsePart(r.URL.Query().Get("line"))
		if err != nil {
			return web.NotFound()
		}
		l, err := bank.LineByID(r.Context(), tx, v.Entity.ID, part)
		if err != nil {
			return web.NotFound()
		}
		p.Words, p.Amount = l.Text, p.Account.Amount(l.Amount).Decimal()
		p.Direction = map[bool]string{true: "in", false: "out"}[l.Amount > 0]
		return a.addOwn(r, tx, v, &p)
	})
	if err != nil {
		return err
	}
	return a.writeRule(w, v, p)
}

func (a *Area) writeRule(w http.ResponseWriter, v web.StaffVisit, p RulePage) error {
	p.Title, p.Back = a.say(v, "office.bank.rule.title", "name", p.Account.Name), pathOf(v, p.Account, "")
	if a.mayAct(v) {
		p.Action = pathOf(v, p.Account, "/rule")
	}
	if p.ID == "" {
		p.ID = a.NewID().String()
	}
	p.Errors = desk.ErrorsOf(p.Page.Form(a.View), v.Language, a.View)
	return a.Write(w, desk.StatusOf(p.Problems), "bank_rule", v.Language, p)
}

func (a *Area) addOwn(r *http.Request, tx *sqlx.Tx, v web.StaffVisit, p *RulePage) error {
	accounts, err := bank.AccountsOf(r.Context(), tx, v.Entity.ID)
	p.Own = append([]Own{{"aside:" + a.say(v, "office.bank.rule.not_ours"), a.say(v, "office.bank.item.aside", "ref", a.say(v, "office.bank.rule.not_ours"))}},
		a.ownItems(v, p.Account, accounts)...)
	for len(p.Parts) < maxParts {
		p.Parts = append(p.Parts, RulePart{})
	}
	return err
}

// showRule shows a rule with what it did.
func (a *Area) showRule(r *http.Request, tx *sqlx.Tx, v web.StaffVisit, p *RulePage, id uuid.UUID) error {
	rule, err := bank.RuleByID(r.Context(), tx, v.Entity.ID, id)
	if fault.Is(err, fault.NotFound) || err == nil && rule.AccountID != p.Account.ID {
		return web.NotFound()
	}
	if err != nil {
		return err
	}
	p.ID, p.Stored, p.Ended, p.Words, p.Direction = rule.ID.String(), true, rule.EndedAt != nil, rule.Words, rule.Direction
	p.TriedSays = a.partsWords(v, rule)
	if err := a.leftOpen(r, tx, v, p, rule); err != nil {
		return err
	}
	made, err := bank.MatchesOfRule(r.Context(), tx, id)
	p.Did = desk.Table{Caption: a.say(v, "office.bank.rule.did"), Columns: []desk.Column{{Name: "day", Label: a.say(v, "office.today.day")},
		{Name: "text", Label: a.say(v, "office.bank.text"), Wide: true}, {Name: "amount", Label: a.say(v, "office.today.amount"), Number: true}}}
	for _, m := range made {
		for _, l := range m.Lines {
			p.Did.Rows = append(p.Did.Rows, desk.Row{Cells: []desk.Cell{{Day: midnight(l.BookedOn)}, {Text: l.Text},
				desk.AmountCell(p.Account.Amount(l.Amount))}})
		}
	}
	return err
}

// leftOpen says how many lines a rule is about that it did not match: a fund may have less than the rule spends.
func (a *Area) leftOpen(r *http.Request, tx *sqlx.Tx, v web.StaffVisit, p *RulePage, rule bank.Rule) error {
	if rule.EndedAt != nil {
		return nil
	}
	tried, err := bank.Try(r.Context(), tx, p.Account, rule, ledger.Date{Year: 2000, Month: 1, Day: 1})
	open := 0
	for _, x := range tried {
		if x.Match == nil {
			open++
		}
	}
	if open > 0 {
		p.Left = a.View.PhraseN(v.Language, "office.bank.rule.left", open)
	}
	return err
}

// rulePost tries a rule, makes it, ends it, or ends it and undoes what it did.
func (a *Area) rulePost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	p := RulePage{Page: a.PageOf(r, v, "bank"), Words: strings.TrimSpace(r.PostForm.Get("words")), Direction: r.PostForm.Get("direction"),
		Amount: r.PostForm.Get("amount"), Exactly: r.PostForm.Get("exactly") != "", ID: r.PostForm.Get("id")}
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		p.Account, err = a.account(r.Context(), tx, r, v)
		return err
	})
	if err != nil {
		return err
	}
	id, err := uuid.Parse(p.ID)
	if err != nil {
		return web.Malformed(err)
	}
	do := r.PostForm.Get("do")
	if do == "end" || do == "undo" {
		err := a.write(r, v, func(tx *sqlx.Tx) error {
			_, err := a.Bank.EndRuleTx(r.Context(), tx, v.Entity.ID, id, do == "undo")
			return err
		})
		if fault.Is(err, fault.NotFound) {
			return web.NotFound()
		}
		if p.Problems = refused(err); err != nil && p.Problems == nil {
			return err
		} else if p.Problems == nil {
			return desk.Redirect(w, r, pathOf(v, p.Account, ""))
		}
		if err := a.Read(r, v, func(tx *sqlx.Tx) error { return a.showRule(r, tx, v, &p, id) }); err != nil {
			return err
		}
		return a.writeRule(w, v, p)
	}
	rule, problems := a.typedRule(r, v, &p, id)
	if problems == nil && do == "make" {
		err := a.write(r, v, func(tx *sqlx.Tx) error {
			_, err := a.Bank.MakeRuleTx(r.Context(), tx, v.Catalog, p.Account, rule)
			return err
		})
		if problems = refused(err); err != nil && problems == nil {
			if _, stored := a.storedRule(r, v, id); stored {
				return desk.Redirect(w, r, pathOf(v, p.Account, "/rule?id="+id.String())) // the same form again
			}
			return err
		}
		if problems == nil {
			return desk.Redirect(w, r, pathOf(v, p.Account, "/rule?id="+id.String()))
		}
	}
	p.Problems = problems
	err = a.Read(r, v, func(tx *sqlx.Tx) error {
		if p.Problems == nil {
			if err := a.try(r, tx, v, &p, rule); err != nil {
				if p.Problems = refused(err); p.Problems == nil {
					return err
				}
			}
		}
		return a.addOwn(r, tx, v, &p)
	})
	if err != nil {
		return err
	}
	return a.writeRule(w, v, p)
}

func (a *Area) storedRule(r *http.Request, v web.StaffVisit, id uuid.UUID) (rule bank.Rule, ok bool) {
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		rule, err = bank.RuleByID(r.Context(), tx, v.Entity.ID, id)
		return err
	})
	return rule, err == nil
}

// typedRule reads the rule of a form.
func (a *Area) typedRule(r *http.Request, v web.StaffVisit, p *RulePage, id uuid.UUID) (rule bank.Rule, problems []fault.Field) {
	rule = bank.Rule{ID: id, Words: p.Words, Direction: p.Direction}
	if p.Exactly {
		like := int64(1)
		if p.Direction == "out" {
			like = -1
		}
		amount, err := a.typedAmount(v, p.Account, p.Amount, like)
		if err != nil {
			problems = append(problems, fault.Field{Name: "amount", Phrase: "office.bank.problem.typed_amount"})
		}
		rule.Amount = &amount
	}
	shares := r.PostForm["share[]"]
	for i, item := range r.PostForm["item[]"] {
		if i >= len(shares) || i >= maxParts {
			break
		}
		p.Parts = append(p.Parts, RulePart{Item: item, Share: shares[i]})
		if item == "" {
			continue
		}
		points, ok := basisPoints(shares[i])
		if !ok {
			problems = append(problems, fault.Field{Name: "share", Phrase: "office.bank.problem.share"})
		}
		rule.Parts = append(rule.Parts, bank.RulePart{Item: item, Share: points})
	}
	return rule, problems
}

// try shows which lines of the past a rule is about, and what they are now.
func (a *Area) try(r *http.Request, tx *sqlx.Tx, v web.StaffVisit, p *RulePage, rule bank.Rule) error {
	tried, err := bank.Try(r.Context(), tx, p.Account, rule, ledger.Date{Year: 2000, Month: 1, Day: 1})
	if err != nil {
		return err
	}
	t := desk.Table{Caption: a.say(v, "office.bank.rule.tried"), Columns: []desk.Column{{Name: "day", Label: a.say(v, "office.today.day")},
		{Name: "text", Label: a.say(v, "office.bank.text"), Wide: true}, {Name: "amount", Label: a.say(v, "office.today.amount"), Number: true},
		{Name: "now", Label: a.say(v, "office.bank.rule.now"), Wide: true}}}
	open := 0
	for _, x := range tried {
		now := desk.Cell{Text: a.say(v, "office.bank.rule.is_open"), State: "hold"}
		if x.Match != nil {
			var items []string
			for _, i := range x.Match.Items {
				items = append(items, a.itemWords(v, i.Kind, i.Ref))
			}
			now = desk.Cell{Text: strings.Join(items, " + ")}
		} else {
			open++
		}
		t.Rows = append(t.Rows, desk.Row{Cells: []desk.Cell{{Day: midnight(x.Line.BookedOn)}, {Text: x.Line.Text},
			desk.AmountCell(p.Account.Amount(x.Line.Amount)), now}})
	}
	p.Tried, p.TriedSays = &t, a.View.PhraseN(v.Language, "office.bank.rule.would", open)
	return nil
}
