package org

import (
	"fmt"
	"regexp"
	"time"

	"github.com/google/uuid"

	"konbit/internal/platform/money"
)

// LegalEntity is a legal donee: what receipts name and whose books gifts stand in.
type LegalEntity struct {
	ID        uuid.UUID      `db:"id"`
	Slug      string         `db:"slug"` // in addresses and names of settings; never changes
	LegalName string         `db:"legal_name"`
	EIN       string         `db:"ein"` // the IRS's employer identification number, NN-NNNNNNN
	Address   Address        `db:"-"`
	Timezone  string         `db:"timezone"`  // IANA name; business dates are decided in it
	Currency  money.Currency `db:"currency"`  // of the books; never changes
	MailFrom  string         `db:"mail_from"` // RFC 5322 mailbox, with or without a name

	ProcessingFee ProcessingFee `db:"fee"`
	SponsorFee    SponsorFee    `db:"sponsor"`

	location *time.Location
}

// Address is a postal address as receipts print it. Line2 and Region may be empty.
type Address struct {
	Line1      string `json:"line1"`
	Line2      string `json:"line2,omitempty"`
	City       string `json:"city"`
	Region     string `json:"region,omitempty"`
	PostalCode string `json:"postal_code"`
	Country    string `json:"country"` // ISO 3166-1 alpha-2
}

// ProcessingFee says who bears the payment processor's fee, and what it is likely to be. The estimate
// prices "cover the fee"; what is booked is always the fee that was really taken.
type ProcessingFee struct {
	BorneBy     Bearer `db:"borne_by"`
	BasisPoints int64  `db:"basis_points"` // of the gift
	Fixed       int64  `db:"fixed"`        // minor units per gift
}

// Bearer is who bears a processing fee.
type Bearer string

// The bearers: each fund of the gift for its part, or the entity's operations fund.
const (
	BorneByFund       Bearer = "fund"
	BorneByOperations Bearer = "operations"
)

// SponsorFee is what a fiscal sponsor keeps of gifts to its projects; zero basis points is none.
type SponsorFee struct {
	BasisPoints int64       `db:"basis_points"`
	Of          SponsorBase `db:"of"`
}

// SponsorBase is what a sponsor's fee is reckoned from.
type SponsorBase string

// The bases: the gift, or the gift less the processor's fee.
const (
	OfGross SponsorBase = "gross"
	OfNet   SponsorBase = "net"
)

// Location is the entity's time zone. An entity read from the store always has one that loads; for
// one made by hand with a Timezone that does not load it is UTC.
func (e LegalEntity) Location() *time.Location {
	if e.location != nil {
		return e.location
	}
	if location, err := LoadTimezone(e.Timezone); err == nil {
		return location
	}
	return time.UTC
}

// Amount is that many minor units of the entity's currency.
func (e LegalEntity) Amount(minor int64) money.Amount { return money.New(minor, e.Currency) }

// LoadTimezone loads an IANA time zone by its name. Unlike time.LoadLocation it refuses "" and
// "Local", whose meaning depends on the machine.
func LoadTimezone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("org: %q names no time zone", name)
	}
	return time.LoadLocation(name)
}

var (
	slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	einForm  = regexp.MustCompile(`^[0-9]{2}-[0-9]{7}$`)
)

// MaxSlug is the length of the longest slug of an entity or organisation.
const MaxSlug = 40

// ValidSlug tells whether s can name an entity or organisation: lower-case letters and digits in
// groups joined by single hyphens, at most MaxSlug long.
func ValidSlug(s string) bool { return len(s) <= MaxSlug && slugForm.MatchString(s) }

// ValidEIN tells whether s has the form of an EIN.
func ValidEIN(s string) bool { return einForm.MatchString(s) }
