package privacy

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/notice"
	"konbit/internal/giving/recurring"
	"konbit/internal/office/note"
	"konbit/internal/office/offline"
	"konbit/internal/office/statement"
	"konbit/internal/platform/fault"
)

// donorItem, giftItem and the other items are the objects of a copy. Amounts are decimal, in the currency beside them.
type donorItem struct {
	To           string     `json:"known_to"` // legal entity
	Email        string     `json:"email"`
	FirstName    string     `json:"first_name"`
	LastName     string     `json:"last_name"`
	Organisation string     `json:"organisation_name,omitempty"` // empty for a person
	Language     string     `json:"language"`
	Details      any        `json:"details"`
	Letters      any        `json:"letters_wished_for"` // by kind
	NewsSince    *time.Time `json:"news_wished_since,omitempty"`
	donor.Dates
}

type giftItem struct {
	Reference  string                 `json:"reference"`
	To         string                 `json:"to"`
	Funds      []fundItem             `json:"funds"`
	Amount     string                 `json:"amount"`
	Currency   string                 `json:"currency"`
	Status     string                 `json:"status"`
	Frequency  string                 `json:"frequency"`
	Language   string                 `json:"language"`
	Anonymous  bool                   `json:"anonymous"`
	News       bool                   `json:"news_wished_for"`
	Covered    string                 `json:"covered"`
	Begun      time.Time              `json:"begun"`
	Charged    *time.Time             `json:"charged,omitempty"`
	Settled    *time.Time             `json:"settled,omitempty"`
	Payment    *string                `json:"payment,omitempty"` // Stripe's
	Charge     *string                `json:"charge,omitempty"`
	Receipt    string                 `json:"receipt,omitempty"`
	Contact    *donation.Contact      `json:"typed,omitempty"`
	Dedication *dedication.Dedication `json:"dedication,omitempty"`
}

type fundItem struct {
	Fund   string `json:"fund"`
	Amount string `json:"amount"`
}

type planItem struct {
	Reference   string     `json:"reference"`
	Status      string     `json:"status"`
	Frequency   string     `json:"frequency"`
	Amount      string     `json:"amount"`
	Paid        int        `json:"paid"`
	Total       *int       `json:"total,omitempty"`
	Covered     string     `json:"covered"`
	Discounted  string     `json:"next_charge"` // with a discount at Stripe
	Currency    string     `json:"currency"`
	Language    string     `json:"language"`
	CardBrand   *string    `json:"card,omitempty"`
	CardLast4   *string    `json:"card_ends_in,omitempty"`
	CardExpires *time.Time `json:"card_good_before,omitempty"`
	Next        *time.Time `json:"next,omitempty"`
	Paused      *time.Time `json:"paused_until,omitempty"`
	Failing     *time.Time `json:"failing_since,omitempty"`
	FailureCode *string    `json:"failing_why,omitempty"`
	Created     time.Time  `json:"created"`
	Begun       *time.Time `json:"begun,omitempty"`
	Ended       *time.Time `json:"ended,omitempty"`
	Because     *string    `json:"ended_because,omitempty"`
	Ends        *time.Time `json:"ends,omitempty"`
	Disputed    *time.Time `json:"disputed_since,omitempty"`
	Customer    *string    `json:"customer,omitempty"` // Stripe's
}

type planEventItem struct {
	Plan   string    `json:"plan"`
	What   string    `json:"what"`
	At     time.Time `json:"at"`
	Cause  string    `json:"cause"`
	Detail any       `json:"detail"`
}

type statementItem struct {
	Year     int               `json:"year"`
	Number   int               `json:"number"`
	IssuedAt time.Time         `json:"issued_at"`
	Facts    statement.Facts   `json:"facts"`
	Person   *statement.Person `json:"person"`
}

// Copy writes what all packages store about donors who are one person. It returns the ids that stored emails are
// about, for package mail.
func Copy(ctx context.Context, q sqlx.QueryerContext, catalog *fund.Catalog, donors []donor.Donor, to Document) (subjects []uuid.UUID, err error) {
	c := copier{ctx, q, catalog, to, nil}
	for _, d := range donors {
		if err := c.donor(d); err != nil {
			return nil, err
		}
	}
	return c.subjects, nil
}

type copier struct {
	ctx      context.Context
	q        sqlx.QueryerContext
	catalog  *fund.Catalog
	to       Document
	subjects []uuid.UUID
}

func (c *copier) donor(d donor.Donor) error {
	entity, err := c.catalog.EntityByID(d.EntityID)
	if err != nil {
		return err
	}
	preferences, err := donor.EmailPreferences(c.ctx, c.q, d.ID)
	if err != nil {
		return err
	}
	times, err := donor.DatesOf(c.ctx, c.q, d.ID)
	if err != nil {
		return err
	}
	err = c.to.Item("donor", donorItem{entity.LegalName, d.Email, d.FirstName, d.LastName, d.OrganisationName, d.Language,
		d.Details, preferences, d.NewsConsentedAt, times})
	if err == nil {
		err = c.requests(d.ID)
	}
	if err == nil {
		err = c.notes(note.Object{Kind: note.Donor, ID: d.ID})
	}
	if err != nil {
		return err
	}
	gifts, err := donation.IDsByDonors(c.ctx, c.q, []uuid.UUID{d.ID})
	if err != nil {
		return err
	}
	for _, id := range gifts {
		if err := c.gift(id); err != nil {
			return err
		}
	}
	if err := c.plans(d.ID); err != nil {
		return err
	}
	if err := c.thanks(d.ID); err != nil {
		return err
	}
	issued, err := statement.OfDonors(c.ctx, c.q, []uuid.UUID{d.ID})
	for _, s := range issued {
		c.subjects = append(c.subjects, s.ID)
		if err := c.to.Item("annual statement", statementItem{s.Year, s.N, s.IssuedAt, s.Facts, s.Person}); err != nil {
			return err
		}
	}
	return err
}

func (c *copier) gift(id uuid.UUID) error {
	d, err := donation.ByID(c.ctx, c.q, id)
	if err != nil {
		return err
	}
	past, err := donation.HistoryByRef(c.ctx, c.q, d.PublicRef, d.DonorID)
	switch {
	case fault.Is(err, fault.NotFound):
		past = donation.HistoryItem{Donation: d} // begun and never paid
	case err != nil:
		return err
	}
	o, err := c.catalog.OrganisationByID(d.OrganisationID)
	if err != nil {
		return err
	}
	g := giftItem{
		Reference: d.PublicRef, To: o.Name.In("en"), Amount: d.Amount().Decimal(), Currency: d.Currency, Status: string(d.Status), Frequency: d.Frequency,
		Language: d.Language, Anonymous: d.Anonymous, News: d.News, Covered: d.Covered().Decimal(),
		Begun: d.CreatedAt, Charged: d.ChargedAt, Settled: d.SettledAt, Payment: d.PaymentIntentID, Charge: d.ChargeID,
	}
	for _, p := range past.Parts {
		f, err := c.catalog.Fund(p.FundID)
		if err != nil {
			return err
		}
		g.Funds = append(g.Funds, fundItem{f.Name.In("en"), p.Amount.Decimal()})
	}
	if past.Receipt != nil {
		g.Receipt = past.Receipt.Reference()
	}
	if g.Contact, err = donation.ContactOf(c.ctx, c.q, id); err != nil {
		return err
	}
	if g.Dedication, err = dedication.Of(c.ctx, c.q, id); err != nil {
		return err
	}
	c.subjects = append(c.subjects, id)
	notices, err := notice.OfDonation(c.ctx, c.q, id)
	if err != nil {
		return err
	}
	for _, n := range notices {
		c.subjects = append(c.subjects, n.ID)
	}
	if err := c.to.Item("gift", g); err != nil {
		return err
	}
	if err := c.notes(note.Object{Kind: note.Gift, ID: id}); err != nil {
		return err
	}
	if err := c.offline(offline.OfDonation(c.ctx, c.q, id)); err != nil {
		return err
	}
	if err := c.bankLines(d.EntityID, d.PublicRef); err != nil {
		return err
	}
	return c.receipts(id, d.PublicRef)
}

func (c *copier) plans(of uuid.UUID) error {
	plans, err := recurring.OfDonor(c.ctx, c.q, of)
	if err != nil {
		return err
	}
	for _, p := range plans {
		plan := planItem{
			Reference: p.PublicRef, Status: string(p.Status), Frequency: string(p.Frequency), Amount: p.Amount().Decimal(), Paid: p.Paid, Total: p.Total,
			Covered: p.Covered().Decimal(), Discounted: p.NextCharge().Decimal(), Currency: p.Currency, Language: p.Language, CardBrand: p.CardBrand,
			CardLast4: p.CardLast4, CardExpires: p.CardExpires,
			Next: p.NextAt, Paused: p.PausedUntil, Failing: p.FailingSince, FailureCode: p.FailingCode, Created: p.CreatedAt,
			Begun: p.BegunAt, Ended: p.EndedAt, Because: (*string)(p.EndedBecause), Ends: p.EndsAt, Disputed: p.DisputedSince,
			Customer: p.CustomerID,
		}
		if err := c.to.Item("recurring gift", plan); err != nil {
			return err
		}
		events, err := recurring.Events(c.ctx, c.q, p.ID)
		if err != nil {
			return err
		}
		for _, e := range events {
			c.subjects = append(c.subjects, e.ID)
			if err := c.to.Item("recurring gift's event", planEventItem{p.PublicRef, e.Kind, e.At, e.Cause, e.Detail}); err != nil {
				return err
			}
		}
	}
	return nil
}
