package fund

import (
	"regexp"
	"time"

	"github.com/google/uuid"

	"konbit/internal/platform/phrase"
)

// Fund is a purpose that donors can give to.
type Fund struct {
	ID             uuid.UUID   `db:"id"`
	EntityID       uuid.UUID   `db:"entity_id"`
	OrganisationID uuid.UUID   `db:"-"`    // uuid.Nil for an entity's operations fund
	Slug           string      `db:"slug"` // unique in its organisation; never changes
	Code           string      `db:"code"` // names the fund in the books; unique in its entity, also after the fund is closed
	Name           phrase.Text `db:"-"`
	Restriction    Restriction `db:"restriction"` // never changes
	Purpose        phrase.Text `db:"-"`           // the purpose of the restriction, as words after "for"; may be empty
	Position       int         `db:"position"`    // order among the funds of its organisation
	ClosedAt       *time.Time  `db:"closed_at"`   // nil while the fund is open
}

// Restriction is the restriction of donations to a fund (FASB ASU 2016-14: only donors can restrict net assets).
type Restriction string

// The restrictions.
const (
	Unrestricted Restriction = "none"
	ByPurpose    Restriction = "purpose"
	ByTime       Restriction = "time"
)

// Restricted reports whether donations to the fund are net assets with donor restrictions.
func (f Fund) Restricted() bool { return f.Restriction != Unrestricted }

// Open reports whether the fund takes donations.
func (f Fund) Open() bool { return f.ClosedAt == nil }

// Operations is the slug and the code of every entity's operations fund. No other fund has this code.
const Operations = "operations"

// NewOperations returns the operations fund of an entity.
func NewOperations(id, entity uuid.UUID) Fund {
	return Fund{
		ID: id, EntityID: entity, Slug: Operations, Code: Operations, Restriction: Unrestricted, Purpose: phrase.Text{},
		Name: phrase.Text{
			phrase.English: "Operations", phrase.Spanish: "Operaciones",
			phrase.Portuguese: "Operações", phrase.HaitianCreole: "Operasyon",
		},
	}
}

// NewCode returns the code of a new fund: its slug if no fund of the entity has that code, else ORGANISATION-SLUG. ok
// is false if both are taken.
func NewCode(organisation, slug string, taken func(code string) bool) (code string, ok bool) {
	if slug != Operations && !taken(slug) {
		return slug, true
	}
	code = organisation + "-" + slug
	return code, !taken(code)
}

// MaxSlug is the maximum length of the slug of a fund, in characters.
const MaxSlug = 60

var slugForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// ValidSlug reports whether s can be the slug of a fund: groups of lower-case letters and digits, joined by single
// hyphens, with at most MaxSlug characters.
func ValidSlug(s string) bool { return len(s) <= MaxSlug && slugForm.MatchString(s) }
