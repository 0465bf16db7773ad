package org

import (
	"regexp"
	"slices"

	"github.com/google/uuid"

	"konbit/internal/platform/phrase"
)

// Organisation asks for donations on one page, with its words, amounts and colour. It belongs to one legal entity.
type Organisation struct {
	ID          uuid.UUID         `db:"id"`
	EntityID    uuid.UUID         `db:"entity_id"` // never changes
	Slug        string            `db:"slug"`      // in /give/{org}; never changes
	Name        phrase.Text       `db:"-"`
	Sponsored   bool              `db:"sponsored"` // a project of the entity, not the entity itself
	Languages   []phrase.Language `db:"-"`         // languages of the page, the default first; the name exists in each
	Presets     []int64           `db:"-"`         // minor units of the entity's currency, ascending
	Minimum     int64             `db:"minimum"`   // of one donation, minor units, more than zero
	Maximum     int64             `db:"maximum"`   // of one donation, minor units, at least Minimum
	Frequencies []Frequency       `db:"-"`         // that the organisation asks for; a page shows those that the program supports
	Accent      string            `db:"accent"`    // the colour of the page, #rrggbb
	Position    int               `db:"position"`  // among the organisations of its file
}

// Accepts reports whether the amount of a donation, in minor units, is between Minimum and Maximum.
func (o Organisation) Accepts(minor int64) bool { return o.Minimum <= minor && minor <= o.Maximum }

// Offers reports whether the organisation offers a frequency of donations.
func (o Organisation) Offers(f Frequency) bool { return slices.Contains(o.Frequencies, f) }

// HasLanguage reports whether the page exists in that language.
func (o Organisation) HasLanguage(l phrase.Language) bool { return slices.Contains(o.Languages, l) }

// Frequency is how often a donation is made.
type Frequency string

// The frequencies.
const (
	Once      Frequency = "once"
	Weekly    Frequency = "weekly"
	Monthly   Frequency = "monthly"
	Quarterly Frequency = "quarterly"
	Yearly    Frequency = "yearly"
)

// Frequencies are all frequencies.
func Frequencies() []Frequency { return []Frequency{Once, Weekly, Monthly, Quarterly, Yearly} }

// DefaultAccent is the colour of an organisation without its own: a dark red with a contrast above 7:1 on white and
// on the pages' background.
const DefaultAccent = "#7a1f1f"

var accentForm = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// ValidAccent reports whether s is a colour as the schema requires it: #rrggbb in lower case.
func ValidAccent(s string) bool { return accentForm.MatchString(s) }

// MaxGift is the largest Maximum that an organisation may set, in minor units: Stripe's limit for one payment (eight
// digits, https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
const MaxGift = 99_999_999
