package giftlist

import (
	"context"
	"strings"
	"unicode"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/email"
)

// Donor is a donor as a search finds them.
type Donor struct {
	ID               uuid.UUID `db:"id"`
	Kind             string    `db:"kind"` // person or organisation
	FirstName        string    `db:"first_name"`
	LastName         string    `db:"last_name"`
	OrganisationName string    `db:"organisation_name"`
	Email            string    `db:"email"`
}

// ShortestSearch is the number of letters and digits, in bytes, from which a text is searched for: three of "mar", one of "山".
const ShortestSearch = 3

// mostRead bounds how many donors a search reads before it orders them: a common name has tens of thousands. Of these, it
// orders some, mostly those whose names were stored last.
const mostRead = 1000

// Find returns donors of an entity whose name has, for each word of the text, a word that begins with it, in the order of
// their names, at most limit. Case and accents do not matter: "jose gar" finds José García. A text with an @ is an email
// address and finds the donor with exactly this one. more reports whether there are others: a longer text finds fewer.
// A shorter text than ShortestSearch finds nothing.
func Find(ctx context.Context, q sqlx.QueryerContext, entityID uuid.UUID, text string, limit int) (donors []Donor, more bool, err error) {
	const byName = `/* giftlist.Find */
		WITH found AS MATERIALIZED (SELECT find_donors($1, $2, $3) AS id)
		SELECT r.id, r.kind, r.first_name, r.last_name, r.organisation_name, r.email
		  FROM found f JOIN donor_row r ON r.id = f.id ORDER BY r.last_name, r.organisation_name, r.first_name, r.id LIMIT $4`
	const byEmail = `/* giftlist.Find */
		SELECT r.id, r.kind, r.first_name, r.last_name, r.organisation_name, r.email FROM donor_row r WHERE r.entity_id = $1 AND r.key = $2`
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, text)
	if len(letters) < ShortestSearch {
		return nil, false, nil
	}
	if address := email.Normalize(text); strings.Contains(address, "@") {
		err = sqlx.SelectContext(ctx, q, &donors, byEmail, entityID, address)
		return donors, false, err
	}
	err = sqlx.SelectContext(ctx, q, &donors, byName, entityID, text, mostRead, limit+1)
	if len(donors) > limit {
		donors, more = donors[:limit], true
	}
	return donors, more, err
}
