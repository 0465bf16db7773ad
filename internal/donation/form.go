package donation

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"konbit/internal/fault"
	"konbit/internal/fund"
	"konbit/internal/money"
	"konbit/internal/org"
	"konbit/internal/phrase"
)

// Form is the donation form as it was filled in, every field as typed. Names in comments are the field
// names of POST /give/{org}.
type Form struct {
	FormID      uuid.UUID         // of the form shown: a second press of its button is the same gift
	Language    phrase.Language   // the page's
	Amount      string            // amount: a preset in major units, or "other"
	AmountOther string            // amount_other: major units
	Frequency   string            // frequency
	Occurrences string            // occurrences
	Fund        string            // fund: a slug
	Split       map[string]string // split[SLUG]: major units
	CoverFees   bool              // cover_fees
	Contact     Contact
	Anonymous   bool // anonymous
	News        bool // news
}

// Contact is who gives, as typed.
type Contact struct {
	FirstName    string `db:"first_name" json:"first_name"`
	LastName     string `db:"last_name" json:"last_name"`
	Email        string `db:"email" json:"email"`
	Phone        string `db:"phone" json:"phone"`
	AddressLine1 string `db:"address_line1" json:"address_line1"`
	AddressLine2 string `db:"address_line2" json:"address_line2"`
	City         string `db:"city" json:"city"`
	Region       string `db:"region" json:"region"`
	PostalCode   string `db:"postal_code" json:"postal_code"`
	Country      string `db:"country" json:"country"`
	Note         string `db:"note" json:"note"`
}

// Offer is what a donor can give to: an organisation, its legal entity, and its open funds in order.
type Offer struct {
	Entity       org.LegalEntity
	Organisation org.Organisation
	Funds        []fund.Fund
}

// Request is a form that was found good.
type Request struct {
	FormID       uuid.UUID
	Hash         [32]byte // of everything typed: tells a second press from a changed mind
	Language     phrase.Language
	Amount       money.Amount
	Frequency    org.Frequency
	Designations []Designation
	Contact      Contact
	Anonymous    bool
	News         bool
}

// Designation is the part of a gift that is for one fund.
type Designation struct {
	FundID uuid.UUID
	Amount money.Amount
}

// Built lists the frequencies that gifts can be given in so far, of those an organisation may ask for.
func Built() []org.Frequency { return []org.Frequency{org.Once} }

// Check turns a form into a request, or answers every bad field at once (fault.Invalid). It decides by the
// offer alone; nothing the form says about price, fund or limits is believed.
func (f Form) Check(offer Offer) (Request, error) {
	c := checker{offer: offer}
	r := Request{FormID: f.FormID, Language: f.Language, Anonymous: f.Anonymous, News: f.News}
	r.Amount = c.amount(f)
	r.Frequency = c.frequency(f)
	r.Designations = c.designations(f, r.Amount)
	r.Contact = c.contact(f.Contact)
	if f.CoverFees {
		c.bad("cover_fees", "give.error.check", nil)
	}
	if err := fault.Fields(c.fields); err != nil {
		return Request{}, err
	}
	r.Hash = r.hash()
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
	offer  Offer
	fields []fault.Field
}

func (c *checker) bad(field, phrase string, args fault.Args) {
	c.fields = append(c.fields, fault.Field{Name: field, Phrase: phrase, Args: args})
}

func (c *checker) money(minor int64) money.Amount { return money.New(minor, c.offer.Entity.Currency) }

func (c *checker) amount(f Form) money.Amount {
	o, currency := c.offer.Organisation, c.offer.Entity.Currency
	field, typed := "amount", strings.TrimSpace(f.Amount)
	other := strings.TrimSpace(f.AmountOther)
	switch {
	case typed == "other" || typed == "" && other != "":
		field, typed = "amount_other", other
	case other != "":
		preset, err := money.Parse(typed, currency)
		second, err2 := money.Parse(other, currency)
		if err != nil || err2 != nil || preset != second {
			c.bad("amount_other", "give.error.amount.two", fault.Args{"preset": typed, "other": other})
			return money.Amount{}
		}
	}
	if typed == "" {
		c.bad(field, "give.error.amount.required", nil)
		return money.Amount{}
	}
	limits := fault.Args{"minimum": c.money(o.Minimum), "maximum": c.money(o.Maximum)}
	a, err := money.Parse(typed, currency)
	switch {
	case errors.Is(err, money.ErrOverflow):
		c.bad(field, "give.error.amount.maximum", limits)
	case err != nil:
		c.bad(field, "give.error.amount.format", nil)
	case a.Minor < o.Minimum:
		c.bad(field, "give.error.amount.minimum", limits)
	case a.Minor > o.Maximum:
		c.bad(field, "give.error.amount.maximum", limits)
	case field == "amount" && !slices.Contains(o.Presets, a.Minor):
		c.bad(field, "give.error.amount.choice", nil)
	default:
		return a
	}
	return money.Amount{}
}

func (c *checker) frequency(f Form) org.Frequency {
	asked := cmp.Or(org.Frequency(f.Frequency), org.Once)
	if slices.Contains(Built(), asked) && c.offer.Organisation.Offers(asked) {
		return asked
	}
	c.bad("frequency", "give.error.frequency.choice", nil)
	return ""
}

func (c *checker) designations(f Form, total money.Amount) []Designation {
	if len(f.Split) > 0 {
		return c.split(f.Split, total)
	}
	if f.Fund == "" && len(c.offer.Funds) > 0 {
		return []Designation{{c.offer.Funds[0].ID, total}}
	}
	for _, candidate := range c.offer.Funds {
		if candidate.Slug == f.Fund {
			return []Designation{{candidate.ID, total}}
		}
	}
	c.bad("fund", "give.error.fund.choice", nil)
	return nil
}

// split reads split[SLUG]=amount for each fund; the parts must sum to the gift. Empty and zero parts
// are no parts. Designations follow the order of the funds, whatever order they were posted in.
func (c *checker) split(typed map[string]string, total money.Amount) []Designation {
	var parts []Designation
	sum := c.money(0)
	known := map[string]bool{}
	for _, candidate := range c.offer.Funds {
		known[candidate.Slug] = true
		text := strings.TrimSpace(typed[candidate.Slug])
		if text == "" {
			continue
		}
		part, err := money.Parse(text, c.offer.Entity.Currency)
		if err == nil {
			sum, err = sum.Add(part)
		}
		if err != nil {
			c.bad("split["+candidate.Slug+"]", "give.error.amount.format", nil)
			return nil
		}
		if !part.IsZero() {
			parts = append(parts, Designation{candidate.ID, part})
		}
	}
	for slug := range typed {
		if !known[slug] {
			c.bad("fund", "give.error.fund.choice", nil)
			return nil
		}
	}
	if sum != total && !total.IsZero() {
		c.bad("fund", "give.error.split.sum", fault.Args{"sum": sum, "total": total})
	}
	return parts
}

func (c *checker) contact(in Contact) Contact {
	out := Contact{
		FirstName:    c.line("first_name", in.FirstName, 100, "give.error.first_name.required"),
		LastName:     c.line("last_name", in.LastName, 100, "give.error.last_name.required"),
		Email:        c.email(in.Email),
		Phone:        c.phone(in.Phone),
		AddressLine1: c.line("address_line1", in.AddressLine1, 200, ""),
		AddressLine2: c.line("address_line2", in.AddressLine2, 200, ""),
		City:         c.line("city", in.City, 100, ""),
		Region:       c.line("region", in.Region, 100, ""),
		PostalCode:   c.line("postal_code", in.PostalCode, 20, ""),
		Country:      c.line("country", in.Country, 60, ""),
		Note:         strings.TrimSpace(strings.ReplaceAll(in.Note, "\r\n", "\n")),
	}
	switch {
	case utf8.RuneCountInString(out.Note) > 1000:
		c.bad("note", "give.error.too_long", fault.Args{"max": 1000})
	case !utf8.ValidString(out.Note) || strings.ContainsFunc(out.Note, func(r rune) bool { return r != '\n' && r != '\t' && unicode.IsControl(r) }):
		c.bad("note", "give.error.characters", nil)
	}
	return out
}

// line checks one line of text: no control characters, at most most runes, present when missing names a phrase.
func (c *checker) line(field, text string, most int, missing string) string {
	text = strings.TrimSpace(text)
	switch {
	case text == "" && missing != "":
		c.bad(field, missing, nil)
	case utf8.RuneCountInString(text) > most:
		c.bad(field, "give.error.too_long", fault.Args{"max": most})
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		c.bad(field, "give.error.characters", nil)
	}
	return text
}

// email accepts a plain address with a dotted domain. Quoted local parts are refused: some mail servers
// read commands out of them.
func (c *checker) email(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		c.bad("email", "give.error.email.required", nil)
		return ""
	}
	parsed, err := mail.ParseAddress(text)
	local, domain, _ := strings.Cut(text, "@")
	if err != nil || parsed.Address != text || len(text) > 254 || len(local) > 64 ||
		strings.ContainsAny(text, "\"<>()[]\\,;: ") || !strings.Contains(domain, ".") ||
		strings.HasSuffix(domain, ".") || strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII || unicode.IsControl(r) }) {
		c.bad("email", "give.error.email.format", nil)
	}
	return text
}

func (c *checker) phone(text string) string {
	text = strings.TrimSpace(text)
	count := 0
	for _, r := range text {
		if r >= '0' && r <= '9' {
			count++
		}
	}
	if text != "" && (count < 6 || count > 20 || len(text) > 40 || strings.Trim(text, "0123456789+-(). /x#") != "") {
		c.bad("phone", "give.error.phone.format", nil)
	}
	return text
}
