package donation

import (
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/org"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// Order asks for a payment page.
type Order struct {
	DonationID, EntityID uuid.UUID
	EntitySlug, OrgSlug  string
	Try                  int         // names the idempotency key together with DonationID; counted up before it is used
	Lines                []OrderLine // what the page asks for, in order; at least one
	Email                string
	Language             phrase.Language
	ExpiresAt            time.Time
	SuccessURL, BackURL  string
	Frequency            org.Frequency // Once: a single payment
	ScheduleText         string        // of a recurring gift, what it comes to, in words
	Customer             string        // who pays, by Stripe's id, where the donor has shown who they are; else empty
}

// OrderLine is one line of a payment page, in the donor's language.
type OrderLine struct {
	Title, Description string // the description may be empty
	Amount             money.Amount
}

func (s Starter) order(offer Offer, r Request, d Donation) Order {
	lang := r.Language
	success, back := s.Links(offer.Organisation.Slug, d.PublicRef, lang)
	lines := offer.lines(r.Designations, lang)
	if !r.Covered.IsZero() {
		lines = append(lines, OrderLine{Title: s.Words.T(lang, "give.cover_fees_line"), Amount: r.Covered})
	}
	return Order{
		DonationID: d.ID, EntityID: d.EntityID, EntitySlug: offer.Entity.Slug, OrgSlug: offer.Organisation.Slug,
		Try: d.CheckoutTry, Lines: lines,
		Frequency: r.Frequency, ScheduleText: s.scheduleText(offer.Entity, r, d.CreatedAt), Customer: r.Customer,
		Email: r.Contact.Email, Language: lang, ExpiresAt: d.CheckoutExpiresAt, SuccessURL: success, BackURL: back,
	}
}

// lines are what was given for each fund: of a gift to one fund under the organisation's name, of a gift that
// is split each under its fund's.
func (o Offer) lines(parts []Designation, lang phrase.Language) []OrderLine {
	lines := make([]OrderLine, len(parts))
	for i, p := range parts {
		lines[i] = OrderLine{Title: o.Organisation.Name.In(lang), Amount: p.Given()}
		for _, f := range o.Funds {
			if f.ID == p.FundID {
				lines[i].Description = f.Name.In(lang)
			}
		}
		if len(parts) > 1 {
			lines[i].Title, lines[i].Description = lines[i].Description, lines[i].Title
		}
	}
	return lines
}
