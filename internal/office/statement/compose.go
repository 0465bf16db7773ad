package statement

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// composer builds the statements of several donors of one entity, with a few queries for all of them.
type composer struct {
	catalog *fund.Catalog
	entity  org.LegalEntity
	year    int
	returns map[uuid.UUID][]returned             // by payment
	latest  map[uuid.UUID]receipt.Receipt        // by gift
	gifts   map[uuid.UUID][]donation.SettledGift // by donor, by the moment of the charge
}

// compose returns the statements of donors from their donations as they are now, without id and time. A donor without
// a donation in the year has none.
func compose(ctx context.Context, q sqlx.QueryerContext, catalog *fund.Catalog, entity org.LegalEntity, year int, donors []donor.Donor) ([]Statement, error) {
	c := composer{catalog: catalog, entity: entity, year: year, gifts: map[uuid.UUID][]donation.SettledGift{}}
	people := make([]uuid.UUID, len(donors))
	for i, d := range donors {
		people[i] = d.ID
	}
	gifts, err := donation.SettledInYear(ctx, q, people, year)
	if err != nil {
		return nil, err
	}
	ids, payments := make([]uuid.UUID, len(gifts)), make([]uuid.UUID, len(gifts))
	for i, g := range gifts {
		ids[i], payments[i] = g.ID, g.Payment.ID
		c.gifts[g.DonorID] = append(c.gifts[g.DonorID], g)
	}
	if c.returns, err = returnsOf(ctx, q, payments); err != nil {
		return nil, err
	}
	if c.latest, err = receipt.Latest(ctx, q, ids); err != nil {
		return nil, err
	}
	var all []Statement
	for _, d := range donors {
		if len(c.gifts[d.ID]) == 0 {
			continue
		}
		s, err := c.statement(d)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func (c composer) statement(d donor.Donor) (Statement, error) {
	e, none := c.entity, money.New(0, c.entity.Currency)
	s := Statement{EntityID: e.ID, DonorID: d.ID, Year: c.year, Language: d.Language, WordsVersion: WordsVersion}
	s.Person = &Person{FirstName: d.FirstName, LastName: d.LastName, OrganisationName: d.OrganisationName, Email: d.Email}
	names := c.namesOf(d)
	if len(names.named) > 1 {
		s.Person.Names = names.named
	} else if of := names.newest; of != nil {
		s.Person.FirstName, s.Person.LastName, s.Person.OrganisationName = of.FirstName, of.LastName, of.DonorOrganisation
	}
	s.Facts = Facts{
		EntitySlug: e.Slug, LegalName: e.LegalName, EIN: e.EIN, Address: donation.Postal(e.Address), MailFrom: e.MailFrom, Timezone: e.Timezone,
		Given: none, Returned: none,
	}
	f := &s.Facts
	for _, given := range c.gifts[d.ID] {
		g, err := c.gift(given, phrase.Language(d.Language), f)
		if err != nil {
			return s, err
		}
		g.Name = names.index[given.ID]
		if address := c.latest[given.ID].Facts.DonorAddress; len(address) > 0 {
			s.Person.Address = address // that of the newest donation is used
		}
		if f.Given, err = f.Given.Add(g.Amount); err != nil {
			return s, err
		}
		for _, back := range g.Returned {
			if f.Returned, err = f.Returned.Add(back.Amount); err != nil {
				return s, err
			}
		}
		f.Gifts = append(f.Gifts, g)
	}
	var err error
	f.Total, err = f.Given.Sub(f.Returned)
	return s, err
}

// gift returns one donation of the statement, and adds its organisation to f.Sponsored if it is a sponsored project.
func (c composer) gift(given donation.SettledGift, lang phrase.Language, f *Facts) (Gift, error) {
	zone := c.entity.Location()
	g := Gift{ChargedOn: given.TaxDate.String(), Amount: given.Amount()}
	o, err := c.catalog.OrganisationByID(given.OrganisationID)
	if err != nil {
		return g, err
	}
	if g.Organisation = o.Name.In(lang); o.Sponsored && !slices.Contains(f.Sponsored, g.Organisation) {
		f.Sponsored = append(f.Sponsored, g.Organisation)
	}
	if issued, ok := c.latest[given.ID]; ok {
		g.Receipt, g.Void = issued.Reference(), issued.Voided != nil
		if in := issued.Facts.Instalment; in != nil {
			g.N, g.Of = in.N, in.Of
		}
		if g.Described, g.InReturn = issued.Facts.Described, issued.Facts.InReturn; g.Described != "" {
			g.Amount.Minor = 0 // we state no value of shares and things
		}
	}
	for _, p := range given.Parts {
		to, err := c.catalog.Fund(p.FundID)
		if err != nil {
			return g, err
		}
		part := FundPart{Fund: to.Name.In(lang), Amount: p.Amount}
		if g.Described != "" {
			part.Amount.Minor = 0
		}
		g.Funds = append(g.Funds, part)
	}
	if g.Described != "" {
		return g, nil
	}
	for _, back := range c.returns[given.Payment.ID] {
		g.Returned = append(g.Returned, Return{ledger.DateOf(back.At, zone).String(), money.New(back.Amount, g.Amount.Currency), back.Reason})
	}
	return g, nil
}
