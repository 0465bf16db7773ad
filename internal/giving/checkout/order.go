package checkout

import (
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// Order asks for a payment page.
type Order struct {
	DonationID, EntityID uuid.UUID
	EntitySlug, OrgSlug  string
	Try                  int         // part of the idempotency key, together with DonationID; incremented before it is used
	Lines                []OrderLine // in order; at least one
	Email                string
	Language             phrase.Language
	ExpiresAt            time.Time
	SuccessURL, BackURL  string
	Frequency            org.Frequency // Once: a single payment
	ScheduleText         string        // of a recurring donation: its payments in words
	Customer             string        // Stripe's id of the donor, if the donor has proved who they are; else empty
}

// OrderLine is one line of a payment page, in the donor's language.
type OrderLine struct {
	Title, Description string // the description may be empty
	Amount             money.Amount
}

func (s Starter) order(offer donation.Offer, r donation.Request, g Gift) Order {
	lang := r.Language
	success, back := s.Links(offer.Organisation.Slug, g.PublicRef, lang)
	lines := orderLines(offer, r.Designations, lang)
	if !r.Covered.IsZero() {
		lines = append(lines, OrderLine{Title: s.Words.T(lang, "give.cover_fees_line"), Amount: r.Covered})
	}
	return Order{
		DonationID: g.ID, EntityID: g.EntityID, EntitySlug: offer.Entity.Slug, OrgSlug: offer.Organisation.Slug,
		Try: g.Try, Lines: lines,
		Frequency: r.Frequency, ScheduleText: s.scheduleText(offer.Entity, r, g.CreatedAt), Customer: r.Customer,
		Email: r.Contact.Email, Language: lang, ExpiresAt: g.ExpiresAt, SuccessURL: success, BackURL: back,
	}
}

// orderLines returns a line for each fund: under the organisation's name for a donation to one fund, under the fund's
// name for a donation to several.
func orderLines(o donation.Offer, parts []donation.Designation, lang phrase.Language) []OrderLine {
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

// scheduleText returns a recurring donation's payments in words; empty for a single donation.
func (s Starter) scheduleText(e org.LegalEntity, r donation.Request, at time.Time) string {
	if !r.Recurs() {
		return ""
	}
	summary := ScheduleSummary{Frequency: r.Frequency, Times: r.Times, Amount: r.Amount, First: at}
	return summary.Text(s.Words, r.Language, e.Location())
}
