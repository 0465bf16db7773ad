package view

import (
	"io"
	"time"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// Portal is what every page of a donor's own has around it.
type Portal struct {
	Frame
	Section string // which page it is: home, gifts, plans, details
	Token   string // what its forms must bring back
	Done    string // what was just done: a key below portal.said.; empty: nothing
}

// PortalHomePage shows at a glance what somebody gave.
type PortalHomePage struct {
	Portal
	Name  string // as they are greeted; empty: unknown
	Year  int    // this one
	Sums  []GivenSum
	Funds []GivenFund // the largest first
	Plans []PortalPlan
	Gifts []PortalGift // the newest few
}

// GivenSum is what somebody gave in one currency and stays given.
type GivenSum struct {
	Year, All money.Amount
	Gifts     int // in all
}

// GivenFund is the part of it that is for one fund.
type GivenFund struct {
	Fund, Organisation string
	Year, All          money.Amount
}

// PortalPlan is a recurring gift in a list.
type PortalPlan struct {
	URL          string
	Organisation string
	Status       string // active, paused, finished, cancelled, failed
	Amount       money.Amount
	Every        string
	Next         time.Time // in the entity's time zone; zero: none
	Remaining    int       // payments still to come, of those planned; negative: until they stop
	Failing      bool
}

// PortalGift is a gift in a list.
type PortalGift struct {
	Day          time.Time // in the entity's time zone
	Organisation string
	Funds        []string
	Amount       money.Amount // as charged
	NetAmount    money.Amount // of it, what stays given
	State        string       // settled, processing, held, failed, part_returned, returned
	Every        string       // of a plan: how often; empty: given once
	ReceiptURL   string       // empty: there is none
	Number       string       // of the receipt
}

// PortalGiftsPage lists somebody's gifts, all or those of a year or an organisation.
type PortalGiftsPage struct {
	Portal
	Years         []int          // with gifts, the newest first
	Year          int            // 0: all
	Organisations []FilterOption // with gifts
	Gifts         []PortalGift
	Sums          []GivenSum // of those shown; All counts
}

// Pick is a choice of a filter.
type FilterOption struct {
	Value, Label string
	Chosen       bool
}

// PortalReceiptPage is a receipt, to be read on the screen and printed.
type PortalReceiptPage struct {
	Portal
	Receipt ReceiptWords
	PDF     string // address of the document; empty: the receipt no longer stands
}

// PortalPlansPage lists somebody's recurring gifts.
type PortalPlansPage struct {
	Portal
	Plans []PortalPlan
}

// PortalDetailsPage is where people say who they are.
type PortalDetailsPage struct {
	Portal
	Entry             Entry // names, phone and postal address
	PreferredLanguage phrase.Language
	Languages         []phrase.Language
	EmailChoices      []EmailPreference
	Mailboxes         []PortalMailbox
	PendingAddress    string // address that a code was sent to; empty: none
	Problems          []fault.Field
}

// LetterChoice asks whether a legal entity is to send a kind of letters.
type EmailPreference struct {
	Name   string // of the field
	Kind   string // as LettersPage.Kind
	Donee  string
	Wanted bool
}

// PortalMailbox is one of somebody's addresses.
type PortalMailbox struct {
	Email        string
	SignedInWith bool // they came in by it, and it stays
}

// PortalHome writes the page.
func (v *View) PortalHome(w io.Writer, p PortalHomePage) error {
	type bar struct {
		GivenFund
		All, Year int64 // thousandths of the largest
	}
	data := struct {
		PortalHomePage
		Bars []bar
	}{PortalHomePage: p}
	for _, f := range p.Funds {
		most := largest(p.Funds, f.All.Currency)
		data.Bars = append(data.Bars, bar{f, f.All.Minor * 1000 / most, f.Year.Minor * 1000 / most})
	}
	return v.write(w, "portal_home", p.Language, data)
}

// largest is the most that was given to one fund in a currency, at least one minor unit.
func largest(funds []GivenFund, c money.Currency) (most int64) {
	for _, f := range funds {
		if f.All.Currency == c {
			most = max(most, f.All.Minor)
		}
	}
	return max(most, 1)
}

// PortalGifts writes the page.
func (v *View) PortalGifts(w io.Writer, p PortalGiftsPage) error {
	return v.write(w, "portal_gifts", p.Language, p)
}

// PortalPlans writes the page.
func (v *View) PortalPlans(w io.Writer, p PortalPlansPage) error {
	return v.write(w, "portal_plans", p.Language, p)
}

// PortalReceipt writes the page: the facts of the receipt in the language it was issued in, as the letter told them.
func (v *View) PortalReceipt(w io.Writer, p PortalReceiptPage) error {
	if _, err := v.receiptTemplates(p.Receipt); err != nil {
		return err
	}
	d := v.receiptData(p.Receipt)
	say := v.receiptPhrases(d.ReceiptWords)
	data := struct {
		PortalReceiptPage
		Issued  phrase.Language // the receipt's own
		Title   string
		Why     string
		Facts   []fact
		Purpose string
		Lines   []purposeLine
		Small   []string
	}{
		PortalReceiptPage: p, Issued: d.Language, Title: say("title"), Facts: d.Facts, Purpose: say("purpose"), Lines: d.Lines,
		Small: []string{say("goods"), say("exempt", "donee", d.Donee.Name)},
	}
	switch {
	case p.Receipt.Voided != nil:
		data.Why = v.revisionReason(d, "void.", *p.Receipt.Voided)
	case p.Receipt.Replaces != nil:
		data.Why = v.revisionReason(d, "because.", *p.Receipt.Replaces)
	}
	if d.Sponsored {
		data.Small = append(data.Small, say("control_sponsored", "organisation", d.Organisation, "donee", d.Donee.Name))
	} else {
		data.Small = append(data.Small, say("control_own", "donee", d.Donee.Name))
	}
	return v.write(w, "portal_receipt", p.Language, data)
}

// PortalDetails writes the page.
func (v *View) PortalDetails(w io.Writer, p PortalDetailsPage) error {
	f := newSignInBuilder(v, p.Frame, p.Problems)
	f.page.Entry = p.Entry
	e := p.Entry
	data := struct {
		PortalDetailsPage
		Errors  []formError
		Names   []field
		Address []field
		Country countryField
		Add     field
		Code    field
	}{
		PortalDetailsPage: p, Errors: f.errors(), Address: f.address(), Country: f.country(), Code: f.code(f.say("portal.join_hint")),
		Names: []field{
			f.formBuilder.field("first_name", e.FirstName, field{Required: true, Autocomplete: "given-name"}),
			f.formBuilder.field("last_name", e.LastName, field{Required: true, Autocomplete: "family-name"}),
			f.formBuilder.field("phone", e.Phone, field{Type: "tel", Autocomplete: "tel", Mode: "tel", Class: "wide"}),
		},
		Add: f.email("", f.say("portal.add_hint")),
	}
	data.Add.Autocomplete = "off"
	return v.write(w, "portal_details", p.Language, data)
}
