package setup

import (
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"golang.org/x/text/currency"

	"konbit/internal/books/org"
	"konbit/internal/platform/email"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

func (r *report) entity(node ast.Node, i int) Entity {
	s := r.section(node, label("entity ", i, node),
		"slug", "legal_name", "ein", "address", "timezone", "currency", "mail_from", "receipt_prefix", "processing_fee", "sponsor_fee",
		"two_persons", "money_factor", "fiscal_year_starts", "stripe", "giving_by_mail", "bank_accounts")
	e := Entity{in: s, LegalEntity: org.LegalEntity{
		Slug:      s.text("slug", org.ValidSlug, slugRule(org.MaxSlug)),
		LegalName: s.text("legal_name", nil, ""),
		EIN:       s.text("ein", org.ValidEIN, `write it as the IRS does, "12-3456789"`),
		Timezone:  s.text("timezone", isTimezone, "write an IANA name such as America/New_York"),
		Currency:  money.Currency(s.text("currency", isCurrency, "write an ISO 4217 code in capitals, such as USD")),
		MailFrom:  s.text("mail_from", email.IsMailbox, `write one mailbox, such as "Name <gifts@example.org>"`),
	}}
	if s.has("receipt_prefix") {
		e.ReceiptPrefix = s.text("receipt_prefix", org.ValidPrefix, prefixRule)
	}
	a := s.subsection("address", "line1", "line2", "city", "region", "postal_code", "country")
	e.Address = org.Address{
		Line1: a.text("line1", nil, ""), Line2: a.optional("line2"), City: a.text("city", nil, ""),
		Region: a.optional("region"), PostalCode: a.text("postal_code", nil, ""),
		Country: a.text("country", isCountry, "write an ISO 3166 code of two capitals, such as US"),
	}
	p := s.subsection("processing_fee", "borne_by", "estimate")
	e.ProcessingFee.PaidBy = choice(p, "borne_by", org.PaidByFund, org.PaidByOperations)
	estimate := p.subsection("estimate", "basis_points", "fixed")
	e.ProcessingFee.BasisPoints = estimate.integer("basis_points", 10_000, "basis points")
	e.ProcessingFee.Fixed = estimate.integer("fixed", org.MaxGift, "minor units, such as cents")
	e.SponsorFee.Of = org.OfGross
	if s.has("sponsor_fee") {
		f := s.subsection("sponsor_fee", "basis_points", "of")
		e.SponsorFee.BasisPoints = f.integer("basis_points", 10_000, "basis points")
		e.SponsorFee.Of = choice(f, "of", org.OfGross, org.OfNet)
	}
	if s.has("two_persons") {
		e.TwoPersonsRefund = s.subsection("two_persons", "refund").amount("refund", e.Currency)
	}
	e.MoneyFactor = org.FactorPasskey
	if s.has("money_factor") {
		e.MoneyFactor = choice(s, "money_factor", org.FactorPasskey, org.FactorTOTP)
	}
	e.FiscalYearStarts = time.January
	if s.has("fiscal_year_starts") {
		e.FiscalYearStarts = time.Month(s.integerFrom("fiscal_year_starts", 1, 12, "the month"))
	}
	if s.has("bank_accounts") {
		for i, node := range s.list("bank_accounts") {
			e.BankAccounts = append(e.BankAccounts, r.bankAccount(node, i, e))
		}
	}
	if s.has("stripe") {
		e.WithoutCards = choice(s, "stripe", "on", "off") == "off"
	}
	if s.has("giving_by_mail") {
		e.GivingByMail = s.givingByMail()
	}
	return e
}

// givingByMail reads how to give without a card, in the languages that it has.
func (s section) givingByMail() phrase.Text {
	known := make([]string, 0, len(phrase.Known()))
	for _, l := range phrase.Known() {
		known = append(known, string(l))
	}
	in, text := s.subsection("giving_by_mail", known...), phrase.Text{}
	for _, l := range known {
		if in.has(l) {
			text[phrase.Language(l)] = in.paragraphs(l)
		}
	}
	return text
}

// checkGivingByMail reports a problem for each language of an entity's organisations that its giving_by_mail lacks.
func (f *File) checkGivingByMail(e Entity) {
	if len(e.GivingByMail) == 0 {
		return
	}
	for _, l := range phrase.Known() {
		for _, o := range f.Organisations {
			if o.Entity == e.Slug && o.HasLanguage(l) && e.GivingByMail[l] == "" {
				e.in.addProblem(e.in.positionOfKey("giving_by_mail"), "%s: organisation %s is offered in %s and giving_by_mail has no `%s`: add %s: …",
					e.in.what, o.Slug, l.Name(), l, l)
				break
			}
		}
	}
}

var prefixRule = fmt.Sprintf("write capitals, digits and single hyphens, at most %d, such as GI", org.MaxPrefix)

// addPrefix reports a problem if another entity's receipts have the same numbers: its prefix or its slug, under which it
// may have issued receipts before.
func (r *report) addPrefix(e Entity, before []Entity) {
	for _, other := range before {
		if other.Slug == e.Slug || other.Slug == "" {
			continue
		}
		if e.NumberPrefix() == other.NumberPrefix() || e.NumberPrefix() == strings.ToUpper(other.Slug) || strings.ToUpper(e.Slug) == other.NumberPrefix() {
			e.in.addProblem(e.in.positionOfKey("receipt_prefix"), "%s: receipts of entity %s can have the same numbers: write another receipt_prefix",
				e.in.what, other.Slug)
			return
		}
	}
}

func isTimezone(name string) bool {
	_, err := org.LoadTimezone(name)
	return err == nil
}

func isCurrency(code string) bool {
	_, err := currency.ParseISO(code)
	return err == nil && money.Currency(code).Valid()
}

func isCountry(code string) bool {
	return len(code) == 2 && 'A' <= code[0] && code[0] <= 'Z' && 'A' <= code[1] && code[1] <= 'Z'
}
