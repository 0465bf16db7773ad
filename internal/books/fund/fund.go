package fund

import (
	"regexp"
	"time"

	"github.com/google/uuid"

	"konbit/internal/platform/phrase"
)

// Fund is what a gift may be for.
type Fund struct {
	ID             uuid.UUID   `db:"id"`
	EntityID       uuid.UUID   `db:"entity_id"`
	OrganisationID uuid.UUID   `db:"-"`    // uuid.Nil for an entity's operations fund
	Slug           string      `db:"slug"` // unique in its organisation; never changes
	Code           string      `db:"code"` // names the fund in the books; unique in its entity for ever
	Name           phrase.Text `db:"-"`
	Restriction    Restriction `db:"restriction"` // never changes
	Purpose        phrase.Text `db:"-"`           // what a donor restricts a gift to, as words after "for"; may be empty
	Position       int         `db:"position"`    // among the funds of its organisation
	ClosedAt       *time.Time  `db:"closed_at"`   // nil while the fund takes gifts
}

// Restriction is what a donor binds by giving to a fund (FASB ASU 2016-14: only a donor can restrict).
type Restriction string

// The restrictions.
const (
	Unrestricted Restriction = "none"
	ByPurpose    Restriction = "purpose"
	ByTime       Restriction = "time"
)

// Restricted tells whether gifts to the fund stand in net assets with donor restrictions.
func (f Fund) Restricted() bool { return f.Restriction != Unrestricted }

// Open tells whether the fund takes gifts.
func (f Fund) Open() bool { return f.ClosedAt == nil }

// Operations is the slug and the code of every entity's operations fund. No other fund gets the code.
const Operations = "operations"

// NewOperations is the operations fund of an entity.
func NewOperations(id, entity uuid.UUID) Fund {
	return Fund{
		ID: id, EntityID: entity, Slug: Operations, Code: Operations, Restriction: Unrestricted, Purpose: phrase.Text{},
		Name: phrase.Text{
			phrase.English: "Operations", phrase.Spanish: "Operaciones",
			phrase.Portuguese: "Operações", phrase.HaitianCreole: "Operasyon",
		},
	}
}

// NewCode chooses the code of a new fund: its slug where no fund of the entity has that code yet, else
// ORGANISATION-SLUG. It answers false when that is taken too.
func NewCode(organisation, slug string, taken func(code string) bool) (code string, ok bool) {
	if slug != Operations && !taken(slug) {
		return slug, true
	}
	code = organisation + "-" + slug
	return code, !taken(code)
}

// MaxSlug is the length of the longest slug of a fund.
const MaxSlug = 60

var slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// ValidSlug tells whether s can name a fund: lower-case letters and digits in groups joined by single
// hyphens, at most MaxSlug long.
func ValidSlug(s string) bool { return len(s) <= MaxSlug && slugForm.MatchString(s) }
