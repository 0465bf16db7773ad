package org

import (
	"regexp"
	"slices"

	"github.com/google/uuid"

	"konbit/internal/platform/phrase"
)

// Organisation is who asks for a gift: one page, its words, amounts and colour, inside one entity.
type Organisation struct {
	ID          uuid.UUID         `db:"id"`
	EntityID    uuid.UUID         `db:"entity_id"` // never changes
	Slug        string            `db:"slug"`      // in /give/{org}; never changes
	Name        phrase.Text       `db:"-"`
	Sponsored   bool              `db:"sponsored"` // a project of the entity, not the entity itself
	Languages   []phrase.Language `db:"-"`         // offered, the default first; the name is complete in each
	Presets     []int64           `db:"-"`         // minor units of the entity's currency, ascending
	Minimum     int64             `db:"minimum"`   // of one gift, minor units, more than zero
	Maximum     int64             `db:"maximum"`   // of one gift, minor units, at least Minimum
	Frequencies []Frequency       `db:"-"`         // asked for by the organisation; a page offers those that are built
	Accent      string            `db:"accent"`    // the page's one colour, #rrggbb
	Position    int               `db:"position"`  // among the organisations of its file
}

// Accepts tells whether one gift of that many minor units lies between Minimum and Maximum.
func (o Organisation) Accepts(minor int64) bool { return o.Minimum <= minor && minor <= o.Maximum }

// Offers tells whether the organisation asks for gifts at that frequency.
func (o Organisation) Offers(f Frequency) bool { return slices.Contains(o.Frequencies, f) }

// Speaks tells whether the organisation offers its page in l.
func (o Organisation) Speaks(l phrase.Language) bool { return slices.Contains(o.Languages, l) }

// Frequency is how often a gift is given.
type Frequency string

// The frequencies.
const (
	Once      Frequency = "once"
	Weekly    Frequency = "weekly"
	Monthly   Frequency = "monthly"
	Quarterly Frequency = "quarterly"
	Yearly    Frequency = "yearly"
)

// Frequencies lists all of them, the rarest kind of promise first.
func Frequencies() []Frequency { return []Frequency{Once, Weekly, Monthly, Quarterly, Yearly} }

// DefaultAccent is the colour of an organisation that chose none: an oxblood that keeps a contrast
// above 7:1 on white and on warm paper.
const DefaultAccent = "#7a1f1f"

var accentForm = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// ValidAccent tells whether s is a colour as the schema keeps it: #rrggbb in lower case.
func ValidAccent(s string) bool { return accentForm.MatchString(s) }

// MaxGift is the largest Maximum an organisation may set, in minor units: what Stripe charges at most
// in one payment (eight digits, https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
const MaxGift = 99_999_999
