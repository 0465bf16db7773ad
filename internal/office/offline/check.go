package offline

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/payment"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// Method is how a gift was made. It decides what is booked. Its values stand in gift_batch_row.method.
type Method string

// The methods.
const (
	Check    Method = "check"
	Cash     Method = "cash"
	Transfer Method = "transfer"
	Stock    Method = "stock"
	InKind   Method = "in_kind"
)

// Methods lists all methods, the usual first.
var Methods = []Method{Check, Cash, Transfer, Stock, InKind}

// Payment returns the method as payments have it.
func (m Method) Payment() payment.Method {
	if m == Transfer {
		return payment.BankTransfer
	}
	return payment.Method(m)
}

// IsThing reports whether something else than money was given: papers describe it and state no value.
func (m Method) IsThing() bool { return m == Stock || m == InKind }

// GivenBy is who gives. It decides the words. Its values stand in gift_batch_row.given_by.
type GivenBy string

// Who gives.
const (
	Person        GivenBy = "person"
	Organisation  GivenBy = "organisation"
	AdvisedFund   GivenBy = "daf"
	Foundation    GivenBy = "foundation"
	EmployerMatch GivenBy = "employer_match"
)

// Givers lists all of them, the usual first.
var Givers = []GivenBy{Person, Organisation, AdvisedFund, Foundation, EmployerMatch}

// HasReceipt reports whether the donor gets a receipt; else a letter of thanks.
func (g GivenBy) HasReceipt() bool { return g == Person || g == Organisation }

// Choice is the donor of a row: one that there is, or a new one whom the row names.
type Choice struct {
	ID     uuid.UUID // uuid.Nil: a new donor
	Kind   donor.Kind
	SameAs int // the new donor of this earlier row; 0: none
}

// Meaning is what a row means.
type Meaning struct {
	Donor        Choice
	Method       Method
	GivenBy      GivenBy
	Minor        int64 // as on paper, in minor units; 0: a thing that nobody values
	ReturnMinor  int64 // good-faith value of what was given in return; 0: nothing was
	Number       string
	PostmarkedOn ledger.Date // zero: not known
	SoftCredit   uuid.NullUUID
	Parts        []Part // come to Given
}

// Part is the part of a row that is for one fund.
type Part struct {
	FundID uuid.UUID `db:"fund_id"`
	Minor  int64     `db:"amount"`
}

// Given returns what is given, in minor units: without the value of what was given in return.
func (m Meaning) Given() int64 { return m.Minor - m.ReturnMinor }

// postmarked returns the day of the postmark as YYYY-MM-DD; empty: not known.
func (m Meaning) postmarked() string {
	if m.PostmarkedOn == (ledger.Date{}) {
		return ""
	}
	return m.PostmarkedOn.String()
}

// Checker reads rows of a batch.
type Checker struct {
	Catalog        *fund.Catalog
	Entity         org.LegalEntity
	OrganisationID uuid.NullUUID // funds of this organisation only; not valid: of the entity
	FundID         uuid.NullUUID // of rows that name no fund
	ReceivedOn     ledger.Date
	Language       phrase.Language // in which amounts are typed
}

// maxMinor bounds the amount of a row, in minor units.
const maxMinor = 1_000_000_000_00

// Check returns what a row means, and what is wrong with it by field: then the meaning is not whole. who is its donor.
func (c Checker) Check(t Typed, who Choice) (m Meaning, bad []fault.Field) {
	problem := func(name, key string, args fault.Args) {
		bad = append(bad, fault.Field{Name: name, Phrase: "office.batch.error." + key, Args: args})
	}
	for name, text := range t {
		if utf8.RuneCountInString(text) > maxTyped || (slices.Contains(donorFields, name) || strings.HasPrefix(name, "credit_")) &&
			utf8.RuneCountInString(text) > 100 {
			problem(name, "long", nil)
		} else if text == Repeat {
			problem(name, "nothing_above", nil)
		}
	}
	m.Donor = who
	m.Method = cmp.Or(Method(t["method"]), Check)
	if !slices.Contains(Methods, m.Method) {
		problem("method", "method", nil)
	}
	c.checkDonor(t, &m, problem)
	c.checkAmounts(t, &m, problem)
	m.Number = t["number"]
	if utf8.RuneCountInString(m.Number) > 60 {
		problem("number", "long", nil)
	}
	if m.Method.IsThing() && t["note"] == "" {
		problem("note", "describe."+string(m.Method), nil)
	}
	if m.Method == Cash && len(Counters(t["counted_by"])) < 2 {
		problem("counted_by", "counted_by", nil)
	}
	if text := t["postmarked_on"]; text != "" {
		var ok bool
		switch m.PostmarkedOn, ok = ReadDay(text, c.ReceivedOn, c.Language); {
		case m.Method != Check:
			problem("postmarked_on", "postmark_check", nil)
		case !ok:
			problem("postmarked_on", "day", nil)
		case c.ReceivedOn.In(time.UTC).Before(m.PostmarkedOn.In(time.UTC)):
			problem("postmarked_on", "postmark_late", nil)
		case m.PostmarkedOn.Year < c.ReceivedOn.Year-1:
			problem("postmarked_on", "postmark_old", nil)
		}
	}
	c.checkFunds(t, &m, problem)
	return m, bad
}

type report func(name, key string, args fault.Args)

// checkDonor reads who gives.
func (c Checker) checkDonor(t Typed, m *Meaning, problem report) {
	isNew := m.Donor.ID == uuid.Nil
	if isNew {
		m.Donor.Kind = donor.Person
		if t["organisation"] != "" {
			m.Donor.Kind = donor.Organisation
		}
	}
	m.GivenBy = GivenBy(t["given_by"])
	switch {
	case m.GivenBy == "" && m.Donor.Kind == donor.Organisation:
		m.GivenBy = Organisation
	case m.GivenBy == "":
		m.GivenBy = Person
	case !slices.Contains(Givers, m.GivenBy):
		problem("given_by", "given_by", nil)
		return
	}
	named := t["first_name"] != "" || t["last_name"] != ""
	switch {
	case isNew && m.GivenBy == Person && m.Donor.Kind == donor.Organisation:
		problem("given_by", "given_by_person", nil)
	case isNew && m.GivenBy == Person && !named:
		problem("first_name", "first_name", nil)
	case isNew && m.GivenBy != Person && m.Donor.Kind != donor.Organisation:
		problem("organisation", "organisation."+string(m.GivenBy), nil)
	case !isNew && m.GivenBy != Person && m.Donor.Kind != donor.Organisation:
		problem("donor", "donor_person."+string(m.GivenBy), nil)
	case !isNew && m.GivenBy == Person && m.Donor.Kind == donor.Organisation:
		problem("given_by", "given_by_person", nil)
	}
	if address := t["email"]; address != "" && !email.IsValid(email.Clean(address)) {
		problem("email", "email", nil)
	}
	if address := t["credit_email"]; address != "" && !email.IsValid(email.Clean(address)) {
		problem("credit_email", "email", nil)
	}
	if country := t["country"]; country != "" && !isCountry.MatchString(country) {
		problem("country", "country", nil)
	}
}

var isCountry = regexp.MustCompile(`^[A-Za-z]{2}$`)

// checkAmounts reads what was given, and what was given in return.
func (c Checker) checkAmounts(t Typed, m *Meaning, problem report) {
	switch text := t["amount"]; {
	case text == "" && m.Method == InKind:
	case text == "":
		problem("amount", "amount", nil)
	default:
		m.Minor = c.amount("amount", text, problem)
	}
	what, value := t["in_return"], t["in_return_value"]
	if what == "" && value == "" {
		return
	}
	switch {
	case m.Method.IsThing():
		problem("in_return", "in_return_thing", nil)
		return
	case !m.GivenBy.HasReceipt():
		problem("in_return", "in_return_none", nil)
		return
	case what == "":
		problem("in_return", "in_return", nil)
	case value == "":
		problem("in_return_value", "in_return_value", nil)
		return
	}
	if m.ReturnMinor = c.amount("in_return_value", value, problem); m.ReturnMinor > 0 && m.Minor > 0 && m.ReturnMinor >= m.Minor {
		problem("in_return_value", "in_return_all", nil)
	}
}

// amount reads an amount; 0 after a problem.
func (c Checker) amount(name, text string, problem report) int64 {
	amount, err := money.Parse(text, c.Entity.Currency, string(c.Language))
	var two *money.AmbiguousError
	switch {
	case errors.As(err, &two):
		problem(name, "amount_two", fault.Args{"large": two.Large, "small": two.Small})
	case errors.Is(err, money.ErrOtherCurrency):
		problem(name, "amount_currency", fault.Args{"currency": string(c.Entity.Currency)})
	case err != nil:
		problem(name, "amount_text", nil)
	case amount.Minor <= 0:
		problem(name, "amount_zero", nil)
	case amount.Minor > maxMinor:
		problem(name, "amount_large", nil)
	default:
		return amount.Minor
	}
	return 0
}

// checkFunds reads for which funds a row is.
func (c Checker) checkFunds(t Typed, m *Meaning, problem report) {
	before := len(m.Parts)
	var organisation uuid.UUID
	var sum int64
	splits := t.Splits()
	slices.Sort(splits)
	for _, name := range splits {
		code, _ := splitOf(name)
		f, ok := c.Fund(code)
		switch {
		case !ok:
			problem(name, "fund", fault.Args{"typed": code})
			return
		case organisation != uuid.Nil && f.OrganisationID != organisation:
			problem(name, "fund_two", nil)
			return
		case slices.ContainsFunc(m.Parts, func(p Part) bool { return p.FundID == f.ID }):
			problem(name, "fund_twice", nil)
			return
		}
		minor := c.amount(name, t[name], problem)
		if minor == 0 {
			return
		}
		organisation, sum = f.OrganisationID, sum+minor
		m.Parts = append(m.Parts, Part{f.ID, minor})
	}
	if len(m.Parts) > before {
		if sum != m.Given() && m.Minor > 0 {
			difference := money.New(m.Given()-sum, c.Entity.Currency)
			problem(splits[len(splits)-1], "split", fault.Args{
				"sum": money.New(sum, c.Entity.Currency).FormatExact(string(c.Language)), "amount": money.New(m.Given(),
					c.Entity.Currency).FormatExact(string(c.Language)),
				"difference": difference.FormatExact(string(c.Language)),
			})
		}
		return
	}
	f, ok := fund.Fund{}, false
	switch code := t["fund"]; {
	case code != "":
		if f, ok = c.Fund(code); !ok {
			problem("fund", "fund", fault.Args{"typed": code})
		}
	case c.FundID.Valid:
		var err error
		if f, err = c.Catalog.Fund(c.FundID.UUID); err != nil || !f.Open() {
			problem("fund", "fund_closed", nil)
			return
		}
		ok = true
	default:
		problem("fund", "fund_none", nil)
	}
	if ok {
		m.Parts = append(m.Parts, Part{f.ID, max(m.Given(), 0)})
	}
}

// Fund returns an open fund of the batch's scope by what a person types: its code, its slug if only one fund has it, or its name.
func (c Checker) Fund(text string) (f fund.Fund, ok bool) {
	funds := c.Funds()
	for _, is := range []func(f fund.Fund) bool{
		func(f fund.Fund) bool { return f.Code == text },
		func(f fund.Fund) bool { return strings.EqualFold(f.Slug, text) },
		func(f fund.Fund) bool {
			for _, name := range f.Name {
				if strings.EqualFold(name, text) {
					return true
				}
			}
			return false
		},
	} {
		var found []fund.Fund
		for _, f := range funds {
			if is(f) {
				found = append(found, f)
			}
		}
		if len(found) == 1 {
			return found[0], true
		}
	}
	return f, false
}

// Funds returns the open funds of the batch's scope.
func (c Checker) Funds() (all []fund.Fund) {
	for _, o := range c.Catalog.Organisations() {
		if o.EntityID == c.Entity.ID && (!c.OrganisationID.Valid || c.OrganisationID.UUID == o.ID) {
			all = append(all, c.Catalog.Open(o.ID)...)
		}
	}
	return all
}
