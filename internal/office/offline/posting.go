package offline

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/contact"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/receipt"
	"konbit/internal/office/thanks"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// posting is what posting a batch needs.
type posting struct {
	Poster
	catalog *fund.Catalog
	entity  org.LegalEntity
	batch   Batch
	now     time.Time
	gifts   []gift

	replaces *receipt.Replaced // what the receipts replace; nil: nothing

	people map[uuid.UUID]person // donors that there are
	added  map[int]uuid.UUID    // the new donor of a row
}

// person is a donor as papers name them.
type person struct {
	donor.Record
	details contact.Details // with the newest postal address that is known
}

// gift is a row that becomes a gift.
type gift struct {
	id         uuid.UUID // of the gift and its payment
	row        Row
	org        org.Organisation
	donorID    uuid.UUID
	donationID uuid.NullUUID // not valid: a thing that nobody values
	contact    contact.Contact
	language   phrase.Language
	adviser    uuid.UUID // whom the gift is credited to besides its donor; uuid.Nil: nobody
}

func (g gift) described() string {
	if g.row.Method.IsThing() {
		return g.row.Typed["note"]
	}
	return ""
}

func (g gift) inReturn() string {
	if g.row.ReturnMinor == 0 {
		return ""
	}
	return g.row.Typed["in_return"]
}

// taxDate returns the day that decides the receipt's date and year: of a mailed check its mailing day.
func (g gift) taxDate(b Batch) ledger.Date {
	if at, err := time.Parse(time.DateOnly, g.row.Postmarked); err == nil {
		return ledger.DateOf(at, time.UTC)
	}
	return b.ReceivedOn
}

// noon returns noon of the day received, in the entity's time zone.
func (p *posting) noon() time.Time {
	return p.batch.ReceivedOn.In(p.entity.Location()).Add(12 * time.Hour)
}

// prepareTx reads the rows of a batch again, and locks and reads their donors. It reports *ErrRow for a row that cannot be posted.
func (s Poster) prepareTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, b Batch) (*posting, error) {
	p := &posting{Poster: s, catalog: catalog, batch: b, now: s.Now(), people: map[uuid.UUID]person{}, added: map[int]uuid.UUID{}}
	var err error
	if p.entity, err = catalog.EntityByID(b.EntityID); err != nil {
		return nil, err
	}
	rows, err := RowsOf(ctx, tx, b.ID)
	if err != nil {
		return nil, err
	}
	var ids []uuid.UUID
	for _, r := range rows {
		for _, id := range []uuid.NullUUID{r.DonorID, r.SoftCredit} {
			if id.Valid && !slices.Contains(ids, id.UUID) {
				ids = append(ids, id.UUID)
			}
		}
	}
	if err := p.readPeopleTx(ctx, tx, ids); err != nil {
		return nil, err
	}
	for _, r := range rows {
		g, err := p.giftOf(r)
		if err != nil {
			return nil, err
		}
		p.gifts = append(p.gifts, g)
	}
	return p, nil
}

// readPeopleTx locks donors and reads them.
func (p *posting) readPeopleTx(ctx context.Context, tx *sqlx.Tx, ids []uuid.UUID) error {
	if err := donor.LockTx(ctx, tx, ids); err != nil {
		return err
	}
	addresses, err := donation.LatestAddresses(ctx, tx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		record, err := donor.RecordOf(ctx, tx, id)
		if err != nil {
			return err
		}
		details := record.Details
		if details.AddressLine1 == "" {
			latest := addresses[id]
			latest.Phone = cmp.Or(details.Phone, latest.Phone)
			details = latest
		}
		p.people[id] = person{record, details}
	}
	return nil
}

// giftOf reads a row as it was stored.
func (p *posting) giftOf(r Row) (gift, error) {
	g := gift{id: giftIDOf(r), row: r}
	refuse := func(field, phrase string) (gift, error) {
		return g, &ErrRow{r.N, []fault.Field{{Name: field, Phrase: "office.batch.error." + phrase}}}
	}
	for _, id := range []uuid.NullUUID{r.DonorID, r.SoftCredit} {
		if id.Valid && p.people[id.UUID].Erased {
			return refuse("donor", "donor_erased")
		}
	}
	for _, part := range r.Parts {
		f, err := p.catalog.Fund(part.FundID)
		if err != nil || !f.Open() || f.OrganisationID == uuid.Nil {
			return refuse("fund", "fund_closed")
		}
		if g.org, err = p.catalog.OrganisationByID(f.OrganisationID); err != nil {
			return g, err
		}
	}
	g.language = g.org.Languages[0]
	if r.SoftCredit.Valid {
		g.adviser = r.SoftCredit.UUID
	}
	t := r.Typed
	if who, known := p.people[r.DonorID.UUID]; r.DonorID.Valid && known {
		g.contact = contact.Contact{
			FirstName: who.FirstName, LastName: who.LastName, OrganisationName: who.OrganisationName, Email: cmp.Or(who.Email,
				email.Normalize(email.Clean(t["email"]))),
			Details: who.details,
		}
		if lang := phrase.Language(who.Language); g.org.HasLanguage(lang) {
			g.language = lang
		}
	} else {
		g.contact = contact.Contact{FirstName: t["first_name"], LastName: t["last_name"], OrganisationName: t["organisation"],
			Email: email.Normalize(email.Clean(t["email"]))}
		if r.GivenBy != Person {
			g.contact.FirstName, g.contact.LastName = "", ""
		}
	}
	if t["address_line1"] != "" || t["postal_code"] != "" {
		phone := g.contact.Phone
		g.contact.Details = contact.Details{
			Phone: phone, AddressLine1: t["address_line1"], AddressLine2: t["address_line2"], City: t["city"], Region: t["region"],
			PostalCode: t["postal_code"],
			Country:    cmp.Or(strings.ToUpper(t["country"]), p.entity.Address.Country),
		}
	}
	return g, nil
}

// donorTx returns the gift's donor: the one that the row names, or that of the earlier row, or a new one.
func (p *posting) donorTx(ctx context.Context, tx *sqlx.Tx, g *gift) (uuid.UUID, error) {
	if g.row.DonorID.Valid {
		return g.row.DonorID.UUID, nil
	}
	if id, ok := p.added[g.row.SameAs]; ok {
		p.added[g.row.N] = id
		return id, nil
	}
	d := donor.Donor{
		ID: p.NewID(), EntityID: p.batch.EntityID, Kind: donor.Person, Email: g.contact.Email, FirstName: g.contact.FirstName, LastName: g.contact.LastName,
		OrganisationName: g.contact.OrganisationName, Language: string(g.language), CreatedAt: p.now,
	}
	if g.row.GivenBy != Person {
		d.Kind = donor.Organisation
	}
	id, err := donor.FindOrAddTx(ctx, tx, d)
	p.added[g.row.N] = id
	return id, err
}

// creditTx adds the new person to whom a gift is credited besides its donor: the donor with the email address, if there is one.
func (p *posting) creditTx(ctx context.Context, tx *sqlx.Tx, g *gift) error {
	t := g.row.Typed
	if g.adviser != uuid.Nil || !t.CreditsNew() {
		return nil
	}
	d := donor.Donor{
		ID: p.NewID(), EntityID: p.batch.EntityID, Kind: donor.Person, Email: email.Normalize(email.Clean(t["credit_email"])),
		FirstName: t["credit_first_name"],
		LastName:  t["credit_last_name"], Language: string(g.language), CreatedAt: p.now,
	}
	id, err := donor.FindOrAddTx(ctx, tx, d)
	if g.adviser, d.ID = id, id; err == nil {
		if _, known := p.people[id]; !known {
			p.people[id] = person{Record: donor.Record{Donor: d}}
		}
	}
	return err
}

// donationOf returns the donation of a gift.
func (p *posting) donationOf(g gift) donation.Record {
	r := donation.Record{
		ID: DonationOf(g.row), PublicRef: p.NewRef(), EntityID: p.batch.EntityID, OrganisationID: g.org.ID,
		DonorID: g.donorID, Source: donation.FromOffice, Contact: donation.Contact{Contact: g.contact}, Language: g.language, At: p.now,
		Cause: "batch " + p.batch.ID.String() + " row " + strconv.Itoa(g.row.N),
	}
	if !g.row.GivenBy.HasReceipt() {
		r.GivenBy = donation.GivenBy(g.row.GivenBy)
	}
	for _, part := range g.row.Parts {
		r.Parts = append(r.Parts, donation.Designation{
			FundID: part.FundID, Amount: money.New(part.Minor, p.batch.Currency), Covered: money.New(0, p.batch.Currency),
		})
	}
	return r
}

// lettersOf returns the letters of thanks for a gift that has no receipt: to its donor, and to whom it is credited.
func (p *posting) lettersOf(g gift) []thanks.Letter {
	words := thanks.Words(g.row.GivenBy)
	switch {
	case g.row.Minor == 0:
		words = thanks.InKind
	case g.row.GivenBy.HasReceipt():
		return nil
	}
	giver := thanks.Person{
		Name: donorName(g.contact), Greeting: g.contact.FirstName, Email: g.contact.Email, Address: donation.PostalOf(g.contact),
	}
	letters := []thanks.Letter{{
		EntityID: p.batch.EntityID, GiftID: g.id, DonorID: g.donorID, Words: words, Language: string(g.language), Facts: p.factsOf(g, g.language),
		Person: &giver,
	}}
	who, known := p.people[g.adviser]
	if !known || words == thanks.InKind || g.adviser == g.donorID {
		return letters
	}
	language := g.language
	if lang := phrase.Language(who.Language); g.org.HasLanguage(lang) {
		language = lang
	}
	adviser := contact.Contact{FirstName: who.FirstName, LastName: who.LastName, OrganisationName: who.OrganisationName, Email: who.Email, Details: who.details}
	giver.Other = donorName(adviser)
	return append(letters, thanks.Letter{
		EntityID: p.batch.EntityID, GiftID: g.id, DonorID: g.adviser, Words: words.ToAdviser(), Language: string(language), Facts: p.factsOf(g, language),
		Person: &thanks.Person{Name: giver.Other, Greeting: who.FirstName, Email: who.Email, Address: donation.PostalOf(adviser), Other: giver.Name},
	})
}

// factsOf returns what a letter says in a language.
func (p *posting) factsOf(g gift, lang phrase.Language) thanks.Facts {
	f := thanks.Facts{
		EntitySlug: p.entity.Slug, LegalName: p.entity.LegalName, EIN: p.entity.EIN, Address: donation.Postal(p.entity.Address), MailFrom: p.entity.MailFrom,
		Organisation: g.org.Name.In(lang), Accent: g.org.Accent, Amount: money.New(g.row.Minor, p.batch.Currency), Described: g.described(),
		ReceivedOn: p.batch.ReceivedOn.String(),
	}
	for _, part := range g.row.Parts {
		if to, err := p.catalog.Fund(part.FundID); err == nil {
			f.Funds = append(f.Funds, thanks.Fund{Name: to.Name.In(lang), Purpose: to.Purpose.In(lang), Amount: money.New(part.Minor, p.batch.Currency)})
		}
	}
	return f
}

func donorName(c contact.Contact) string {
	return cmp.Or(c.OrganisationName, strings.TrimSpace(c.FirstName+" "+c.LastName), c.Email)
}
