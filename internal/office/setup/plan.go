package setup

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/office/bank"
	"konbit/internal/platform/money"
)

// stored is the content of the database before the file is applied.
type stored struct {
	entities      []org.LegalEntity
	organisations []org.Organisation
	funds         []fund.Fund
	accounts      []bank.Account
}

// plan is the whole difference between a file and what is stored, and the rows to write.
type plan struct {
	stored
	now   time.Time
	newID func() uuid.UUID

	report  report
	result  Result
	leftOut []leftOut

	newPrefixes []newPrefix
	declared    map[uuid.UUID]bool // entities that the file declares

	newEntities        map[uuid.UUID]bool
	writeEntities      []org.LegalEntity
	writeOrganisations []org.Organisation
	writeFunds         []fund.Fund
	writeAccounts      []bank.Account
}

// newPlan computes the difference, except for funds that are not in the file (closeLeftOut) and for receipts that other
// entities have issued (checkPrefixes). Its report holds the reasons why the file cannot be applied.
func newPlan(f *File, s stored, now time.Time, newID func() uuid.UUID) *plan {
	p := &plan{stored: s, report: report{file: f.Name}, now: now, newID: newID, newEntities: map[uuid.UUID]bool{}, declared: map[uuid.UUID]bool{},
		result: Result{Changes: []Change{}, Notices: []string{}},
	}
	bySlug := map[string]org.LegalEntity{}
	for _, e := range f.Entities {
		bySlug[e.Slug] = p.entity(e)
	}
	for _, o := range f.Organisations {
		p.organisation(o, bySlug[o.Entity])
	}
	for _, o := range p.organisations {
		named := slices.ContainsFunc(f.Organisations, func(d Organisation) bool { return d.Slug == o.Slug })
		ours := slices.ContainsFunc(f.Entities, func(e Entity) bool { return bySlug[e.Slug].ID == o.EntityID })
		if ours && !named {
			p.result.Notices = append(p.result.Notices, fmt.Sprintf("organisation %s: not in the file, left as it is", o.Slug))
		}
	}
	return p
}

func (p *plan) entity(declared Entity) org.LegalEntity {
	d := &difference{subject: "entity " + declared.Slug}
	e := declared.LegalEntity
	var was org.LegalEntity
	if i := slices.IndexFunc(p.entities, func(s org.LegalEntity) bool { return s.Slug == e.Slug }); i >= 0 {
		was = p.entities[i]
		e.ID = was.ID
		if was.Currency != e.Currency {
			p.report.addProblem(declared.in.positionOfKey("currency"),
				"entity %s keeps its books in %s, which never changes: write currency: %s, or declare another entity",
				e.Slug, was.Currency, was.Currency)
		}
		d.entity(was, e)
	} else {
		e.ID = p.newID()
		p.newEntities[e.ID] = true
		d.setVerb("created")
	}
	p.declared[e.ID] = true
	p.findPrefix(declared, was, e)
	if len(d.changes) > 0 {
		p.writeEntities = append(p.writeEntities, e)
	}
	p.result.Changes = append(p.result.Changes, d.changes...)
	if !slices.ContainsFunc(p.funds, func(f fund.Fund) bool { return f.EntityID == e.ID && f.Code == fund.Operations }) {
		p.addFund(fund.NewOperations(p.newID(), e.ID), e.Slug)
	}
	p.bankAccounts(declared, e)
	return e
}

func (d *difference) entity(was, is org.LegalEntity) {
	d.field("legal_name", was.LegalName, is.LegalName)
	d.field("ein", was.EIN, is.EIN)
	d.field("address line1", was.Address.Line1, is.Address.Line1)
	d.field("address line2", was.Address.Line2, is.Address.Line2)
	d.field("address city", was.Address.City, is.Address.City)
	d.field("address region", was.Address.Region, is.Address.Region)
	d.field("address postal_code", was.Address.PostalCode, is.Address.PostalCode)
	d.field("address country", was.Address.Country, is.Address.Country)
	d.field("timezone", was.Timezone, is.Timezone)
	d.field("mail_from", was.MailFrom, is.MailFrom)
	d.field("receipt_prefix", was.ReceiptPrefix, is.ReceiptPrefix)
	d.field("two_persons refund", was.TwoPersonsRefund, is.TwoPersonsRefund)
	d.field("processing_fee borne_by", was.ProcessingFee.PaidBy, is.ProcessingFee.PaidBy)
	d.field("processing_fee basis_points", was.ProcessingFee.BasisPoints, is.ProcessingFee.BasisPoints)
	d.field("processing_fee fixed", was.ProcessingFee.Fixed, is.ProcessingFee.Fixed)
	d.field("sponsor_fee basis_points", was.SponsorFee.BasisPoints, is.SponsorFee.BasisPoints)
	d.field("sponsor_fee of", was.SponsorFee.Of, is.SponsorFee.Of)
	d.field("money_factor", was.MoneyFactor, is.MoneyFactor)
	d.field("fiscal_year_starts", int(was.FiscalYearStarts), int(is.FiscalYearStarts))
	d.field("stripe off", was.WithoutCards, is.WithoutCards)
	words(d, "giving_by_mail", was.GivingByMail, is.GivingByMail)
}

func (p *plan) organisation(declared Organisation, e org.LegalEntity) {
	d := &difference{subject: "organisation " + declared.Slug}
	o := declared.Organisation
	o.EntityID = e.ID
	if i := slices.IndexFunc(p.organisations, func(s org.Organisation) bool { return s.Slug == o.Slug }); i >= 0 {
		o.ID = p.organisations[i].ID
		if p.organisations[i].EntityID != e.ID {
			p.report.addProblem(declared.in.positionOfKey("entity"),
				"organisation %s belongs to another entity, which never changes: declare it under a new slug", o.Slug)
			return
		}
		d.organisation(p.organisations[i], o, e.Currency)
	} else {
		o.ID = p.newID()
		d.setVerb("created")
	}
	if len(d.changes) > 0 {
		p.writeOrganisations = append(p.writeOrganisations, o)
	}
	p.result.Changes = append(p.result.Changes, d.changes...)
	for _, f := range declared.Funds {
		p.fund(f, o)
	}
	p.findLeftOut(declared, o)
}

func (d *difference) organisation(was, is org.Organisation, c money.Currency) {
	words(d, "name", was.Name, is.Name)
	d.field("sponsored", was.Sponsored, is.Sponsored)
	d.field("languages", was.Languages, is.Languages)
	d.field("presets", decimals(was.Presets, c), decimals(is.Presets, c))
	d.field("minimum", money.New(was.Minimum, c).Decimal(), money.New(is.Minimum, c).Decimal())
	d.field("maximum", money.New(was.Maximum, c).Decimal(), money.New(is.Maximum, c).Decimal())
	d.field("frequencies", was.Frequencies, is.Frequencies)
	d.field("accent", was.Accent, is.Accent)
	d.field("position", was.Position, is.Position)
}

func decimals(minor []int64, c money.Currency) []string {
	texts := make([]string, len(minor))
	for i, m := range minor {
		texts[i] = money.New(m, c).Decimal()
	}
	return texts
}
