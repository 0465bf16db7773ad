package org

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// LegalEntity is a legal donee: receipts name it, and donations are booked in its books.
type LegalEntity struct {
	ID        uuid.UUID      `db:"id"`
	Slug      string         `db:"slug"` // in links and in names of settings; never changes
	LegalName string         `db:"legal_name"`
	EIN       string         `db:"ein"` // the IRS's employer identification number, NN-NNNNNNN
	Address   Address        `db:"-"`
	Timezone  string         `db:"timezone"`  // IANA name; business dates are in this time zone
	Currency  money.Currency `db:"currency"`  // of the books; never changes
	MailFrom  string         `db:"mail_from"` // RFC 5322 mailbox, with or without a name

	// ReceiptPrefix is what the numbers of its receipts begin with: "GI" gives GI-2026-000001. Empty: the slug in capitals.
	ReceiptPrefix string `db:"receipt_prefix"`

	// TwoPersonsRefund is the sum of refunds, in minor units, above which a second person must approve: of one gift, and of
	// one staff member in 24 hours. 0: every refund.
	TwoPersonsRefund int64 `db:"two_persons_refund"`

	ProcessingFee ProcessingFee `db:"fee"`
	SponsorFee    SponsorFee    `db:"sponsor"`
	MoneyFactor   MoneyFactor   `db:"money_factor"`

	// WithoutCards closes card payment: the form says how to give by check or transfer. GivingByMail says how, in its own words;
	// empty: by check to Address.
	WithoutCards bool        `db:"without_cards"`
	GivingByMail phrase.Text `db:"-"`

	// FiscalYearStarts is the month in which its fiscal year starts. Zero counts as January.
	FiscalYearStarts time.Month `db:"fiscal_year_starts"`

	location *time.Location
}

// FiscalYear returns the first day of a fiscal year, and of the one after it. A fiscal year is called by the calendar year in which it
// ends: if it starts in July, 2026 is July 2025 to June 2026.
func (e LegalEntity) FiscalYear(year int) (from, until time.Time) {
	starts := max(e.FiscalYearStarts, time.January)
	if starts > time.January {
		year--
	}
	from = time.Date(year, starts, 1, 0, 0, 0, 0, e.Location())
	return from, from.AddDate(1, 0, 0)
}

// FiscalYearOf returns the fiscal year in which a time is, in the entity's time zone.
func (e LegalEntity) FiscalYearOf(at time.Time) int {
	at = at.In(e.Location())
	if e.FiscalYearStarts > time.January && at.Month() >= e.FiscalYearStarts {
		return at.Year() + 1
	}
	return at.Year()
}

// Address is a postal address as printed on receipts. Line2 and Region may be empty.
type Address struct {
	Line1      string `json:"line1"`
	Line2      string `json:"line2,omitempty"`
	City       string `json:"city"`
	Region     string `json:"region,omitempty"`
	PostalCode string `json:"postal_code"`
	Country    string `json:"country"` // ISO 3166-1 alpha-2
}

// ProcessingFee says who pays the payment processor's fee, and estimates it. The estimate is the amount of "cover the
// fee"; the books contain the actual fee.
type ProcessingFee struct {
	PaidBy      FeePayer `db:"borne_by"`
	BasisPoints int64    `db:"basis_points"` // of the donation
	Fixed       int64    `db:"fixed"`        // minor units per donation
}

// FeePayer is who pays a processing fee. Its values are in the column borne_by.
type FeePayer string

// Who can pay: each fund of the donation its part, or the entity's operations fund.
const (
	PaidByFund       FeePayer = "fund"
	PaidByOperations FeePayer = "operations"
)

// MoneyFactor is what staff must use in the last five minutes before an act that moves money.
type MoneyFactor string

// The factors. A passkey signs the act; a code of an authenticator app proves nothing against who holds the database.
const (
	FactorPasskey MoneyFactor = "passkey"
	FactorTOTP    MoneyFactor = "totp" // or a passkey
)

// SponsorFee is the fee that a fiscal sponsor takes on donations to its projects. Zero basis points means no fee.
type SponsorFee struct {
	BasisPoints int64       `db:"basis_points"`
	Of          SponsorBase `db:"of"`
}

// SponsorBase is the amount that a sponsor's fee is computed from.
type SponsorBase string

// The bases: the donation, or the donation minus the processor's fee.
const (
	OfGross SponsorBase = "gross"
	OfNet   SponsorBase = "net"
)

// Location returns the entity's time zone. Entities from the database always have a valid one. For an entity
// constructed with an unknown Timezone it is UTC.
func (e LegalEntity) Location() *time.Location {
	if e.location != nil {
		return e.location
	}
	if location, err := LoadTimezone(e.Timezone); err == nil {
		return location
	}
	return time.UTC
}

// Amount returns an amount of minor units in the entity's currency.
func (e LegalEntity) Amount(minor int64) money.Amount { return money.New(minor, e.Currency) }

// LoadTimezone loads an IANA time zone by its name. Unlike time.LoadLocation it reports an error for "" and "Local",
// whose meaning depends on the machine.
func LoadTimezone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("org: %q names no time zone", name)
	}
	return time.LoadLocation(name)
}

// NumberPrefix returns what the numbers of the entity's next receipts begin with.
func (e LegalEntity) NumberPrefix() string {
	if e.ReceiptPrefix != "" {
		return e.ReceiptPrefix
	}
	return strings.ToUpper(e.Slug)
}

var (
	slugForm   = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	prefixForm = regexp.MustCompile(`^[A-Z0-9]+(-[A-Z0-9]+)*$`)
	einForm    = regexp.MustCompile(`^[0-9]{2}-[0-9]{7}$`)
)

// MaxPrefix is the maximum length of a receipt prefix, in characters.
const MaxPrefix = 20

// ValidPrefix reports whether s can be a receipt prefix: groups of capitals and digits, joined by single hyphens, with at
// most MaxPrefix characters.
func ValidPrefix(s string) bool { return len(s) <= MaxPrefix && prefixForm.MatchString(s) }

// MaxSlug is the maximum length of the slug of an entity or organisation, in characters.
const MaxSlug = 40

// ValidSlug reports whether s can be the slug of an entity or organisation: groups of lower-case letters and digits,
// joined by single hyphens, with at most MaxSlug characters.
func ValidSlug(s string) bool { return len(s) <= MaxSlug && slugForm.MatchString(s) }

// ValidEIN reports whether s has the form of an EIN (NN-NNNNNNN).
func ValidEIN(s string) bool { return einForm.MatchString(s) }
