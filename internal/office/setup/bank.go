package setup

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"konbit/internal/books/org"
	"konbit/internal/office/bank"
	"konbit/internal/platform/money"
)

var lastFour = regexp.MustCompile(`^[0-9]{4}$`)

// bankAccount reads a bank account of an entity.
func (r *report) bankAccount(node ast.Node, i int, of Entity) BankAccount {
	s := r.section(node, of.in.what+": "+label("bank account ", i, node), "slug", "name", "last4", "currency", "holds")
	a := BankAccount{in: s, Account: bank.Account{
		Slug:     s.text("slug", bank.ValidSlug, slugRule(org.MaxSlug)),
		Name:     s.text("name", nil, ""),
		Last4:    s.text("last4", lastFour.MatchString, `write the last four digits of its number in quotes, such as "0042"`),
		Currency: money.Currency(s.text("currency", isCurrency, "write an ISO 4217 code in capitals, such as USD")),
		Holds:    choice(s, "holds", bank.HoldsAll, bank.HoldsGifts),
	}}
	if a.Currency != "" && of.Currency != "" && a.Currency != of.Currency {
		s.addProblem(s.positionOfKey("currency"), "%s: the books of entity %s are in %s: an account in another currency cannot be matched with them",
			s.what, of.Slug, of.Currency)
	}
	return a
}

// addAccounts reports a slug that two accounts of the file have.
func (r *report) addAccounts(e Entity, used *slugs) {
	for _, a := range e.BankAccounts {
		used.add(a.in, a.Slug)
	}
}

// bankAccounts adds what the file changes of the bank accounts of an entity. An account that is left out stays as it is.
func (p *plan) bankAccounts(declared Entity, e org.LegalEntity) {
	for _, a := range declared.BankAccounts {
		d := &difference{subject: "bank account " + a.Slug}
		account := a.Account
		account.EntityID = e.ID
		if i := slices.IndexFunc(p.accounts, func(s bank.Account) bool { return s.Slug == a.Slug }); i >= 0 {
			was := p.accounts[i]
			if was.EntityID != e.ID || was.Currency != account.Currency {
				p.report.addProblem(a.in.positionOfKey("slug"), "bank account %s belongs to another entity, or is in %s, which never changes: "+
					"declare it under a new slug", a.Slug, was.Currency)
				continue
			}
			account.ID = was.ID
			d.field("name", was.Name, account.Name)
			d.field("last4", was.Last4, account.Last4)
			d.field("holds", was.Holds, account.Holds)
		} else {
			account.ID = p.newID()
			d.setVerb("created")
		}
		if len(d.changes) > 0 {
			p.writeAccounts = append(p.writeAccounts, account)
		}
		p.result.Changes = append(p.result.Changes, d.changes...)
	}
	for _, s := range p.accounts {
		if s.EntityID == e.ID && !slices.ContainsFunc(declared.BankAccounts, func(a BankAccount) bool { return a.Slug == s.Slug }) {
			p.result.Notices = append(p.result.Notices, fmt.Sprintf("bank account %s: not in the file, left as it is", s.Slug))
		}
	}
}
