package donation

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/dedication"
	"konbit/internal/platform/clean"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// Form is the donation form as it was filled in, every field as typed. The comments name the fields of POST
// /give/{org}.
type Form struct {
	FormID      uuid.UUID         // id of the form that was shown: submitting it twice is one donation; see package checkout
	Language    phrase.Language   // the page's
	Amount      string            // amount: a preset in major units, or "other"
	AmountOther string            // amount_other: major units
	Frequency   string            // frequency
	Occurrences string            // occurrences
	Fund        string            // fund: a slug
	Split       map[string]string // split[SLUG]: major units
	CoverFees   bool              // cover_fees
	Contact     Contact
	Dedication  dedication.Dedication
	Anonymous   bool     // anonymous
	News        bool     // news
	EmailsAsked []string // emails_asked: the addresses that seem mistyped and about which the donor was asked
}

// Offer is what a donor can give to: an organisation, its legal entity, and its open funds in order.
type Offer struct {
	Entity       org.LegalEntity
	Organisation org.Organisation
	Funds        []fund.Fund
}

// Request is a form that passed all checks.
type Request struct {
	FormID       uuid.UUID
	Hash         [32]byte // hash of everything typed; it distinguishes a repeated submission from a changed form
	Language     phrase.Language
	Amount       money.Amount // charged
	Covered      money.Amount // the part of Amount that was added to cover the processing fee
	Frequency    org.Frequency
	Times        int           // number of payments of a recurring donation, this one included; 0: until the donor stops
	Designations []Designation // sum to Amount
	Contact      Contact
	Dedication   *dedication.Dedication // nil: none
	Anonymous    bool
	News         bool
	Customer     string // Stripe's id of the donor, set only if the donor has proved who they are; a form alone never sets it
}

// Recurs reports whether the donation is the first of several.
func (r Request) Recurs() bool { return r.Frequency != org.Once }

// Check returns the form as a request. It reports a fault.Invalid that lists every bad field. Prices, funds and limits
// come from the offer, never from the form.
func (f Form) Check(offer Offer) (Request, error) {
	c := checker{offer: offer, language: string(f.Language), asked: f.EmailsAsked}
	r := Request{FormID: f.FormID, Language: f.Language, Anonymous: f.Anonymous, News: f.News}
	r.Amount = c.amount(f)
	r.Frequency, r.Times = c.frequency(f)
	r.Designations = c.designations(f, r.Amount)
	r.Contact = c.contact(f.Contact)
	r.Dedication = c.dedication(f.Dedication, r.Contact)
	if f.CoverFees {
		r.Amount, r.Covered = c.cover(r.Amount, r.Designations)
	}
	if err := fault.Fields(c.fields); err != nil {
		return Request{}, err
	}
	r.Hash = r.hash()
	return r, nil
}

// CheckTerms checks only amount, frequency and funds: the terms of a plan that is changed, whose donor is known.
func (f Form) CheckTerms(offer Offer) (Request, error) {
	c := checker{offer: offer, language: string(f.Language), asked: f.EmailsAsked}
	r := Request{Language: f.Language}
	r.Amount = c.amount(f)
	r.Frequency, r.Times = c.frequency(f)
	r.Designations = c.designations(f, r.Amount)
	if f.CoverFees {
		r.Amount, r.Covered = c.cover(r.Amount, r.Designations)
	}
	if err := fault.Fields(c.fields); err != nil {
		return Request{}, err
	}
	return r, nil
}

func (r Request) hash() [32]byte {
	r.FormID = uuid.Nil
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings, numbers and booleans always encode
	}
	return sha256.Sum256(text)
}

type checker struct {
	offer    Offer
	language string   // of the page, whose number format amounts are read in
	asked    []string // addresses about which the donor was asked
	fields   []fault.Field
}

func (c *checker) addError(field, phrase string, args fault.Args) {
	c.fields = append(c.fields, fault.Field{Name: field, Phrase: phrase, Args: args})
}

func (c *checker) money(minor int64) money.Amount { return money.New(minor, c.offer.Entity.Currency) }

func (c *checker) amount(f Form) money.Amount {
	o, currency := c.offer.Organisation, c.offer.Entity.Currency
	field, typed := "amount", clean.Code(f.Amount)
	other := clean.Code(f.AmountOther)
	switch {
	case typed == "other" || typed == "" && other != "":
		field, typed = "amount_other", other
	case other != "":
		preset, err := money.Parse(typed, currency, c.language)
		second, err2 := money.Parse(other, currency, c.language)
		if err != nil || err2 != nil || preset != second {
			c.addError("amount_other", "give.error.amount.two", fault.Args{"preset": typed, "other": other})
			return money.Amount{}
		}
	}
	if typed == "" {
		if typed = c.sumOfParts(f); typed == "" {
			c.addError(field, "give.error.amount.required", nil)
			return money.Amount{}
		}
		field = "split"
	}
	limits := fault.Args{"minimum": c.money(o.Minimum), "maximum": c.money(o.Maximum)}
	a, err := money.Parse(typed, currency, c.language)
	switch {
	case errors.Is(err, money.ErrOverflow):
		c.addError(field, "give.error.amount.maximum", limits)
	case err != nil:
		c.addAmountError(field, err)
	case a.Minor < o.Minimum:
		c.addError(field, "give.error.amount.minimum", limits)
	case a.Minor > o.Maximum:
		c.addError(field, "give.error.amount.maximum", limits)
	case field == "amount" && !slices.Contains(o.Presets, a.Minor):
		c.addError(field, "give.error.amount.choice", nil)
	default:
		return a
	}
	return money.Amount{}
}

// addAmountError adds the error of a text that is not an amount, that may be two, or that is in another currency.
func (c *checker) addAmountError(field string, err error) {
	var two *money.AmbiguousError
	if errors.As(err, &two) {
		c.addError(field, "give.error.amount.ambiguous", fault.Args{"large": two.Large, "small": two.Small})
		return
	}
	if errors.Is(err, money.ErrOtherCurrency) {
		c.addError(field, "give.error.amount.currency", nil)
		return
	}
	c.addError(field, "give.error.amount.format", nil)
}
