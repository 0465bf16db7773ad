package offline

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// MostMatches is how many donors a row lists to choose by a digit.
const MostMatches = 9

// Match is a donor whom a row can be of.
type Match struct {
	ID               uuid.UUID  `db:"id"`
	Kind             donor.Kind `db:"kind"`
	FirstName        string     `db:"first_name"`
	LastName         string     `db:"last_name"`
	OrganisationName string     `db:"organisation_name"`
	Email            string     `db:"email"`
	AddressLine1     string     `db:"address_line1"` // of the donor, or of the newest gift with one
	City             string     `db:"city"`
	Region           string     `db:"region"`
	PostalCode       string     `db:"postal_code"`
}

// Name returns the donor's name: an organisation's, or a person's first and last name.
func (m Match) Name() string {
	if m.OrganisationName != "" {
		return m.OrganisationName
	}
	return strings.TrimSpace(m.FirstName + " " + m.LastName)
}

// Place returns the postal address and the email address on one line.
func (m Match) Place() string {
	var parts []string
	for _, part := range []string{m.AddressLine1, m.City, strings.TrimSpace(m.Region + " " + m.PostalCode), m.Email} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// FindDonors returns donors of a scope, at most limit, in the order of their names: with, for each word of a text, a word in
// name or postal address that begins with it; for an email address or an id the donor with it. q is in a transaction of
// staff.ReadTx, whose person types batches there: of a project, only those who gave to it are found.
func FindDonors(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, organisation uuid.NullUUID, text string, limit int) (all []Match, err error) {
	const query = `/* offline.FindDonors */
		SELECT id, kind, first_name, last_name, organisation_name, email, address_line1, city, region, postal_code FROM office_donors_to_choose($1, $2, $3, $4)`
	err = sqlx.SelectContext(ctx, q, &all, query, entity, organisation, strings.ToLower(strings.TrimSpace(text)), limit)
	return all, err
}

// Twin is another row or gift with the same number and amount: perhaps the same check, typed twice.
type Twin struct {
	BatchN int `db:"batch_n"`
	RowN   int `db:"row_n"`
}

// TwinOf returns a row of another batch, or of the same one, that has the same number and amount; nil if there is none. except is
// the row itself.
func TwinOf(ctx context.Context, q sqlx.QueryerContext, b Batch, except int, number string, amount money.Amount) (*Twin, error) {
	const here = `/* offline.TwinOf */
		SELECT $5::integer AS batch_n, r.n AS row_n FROM gift_batch_row r
		 WHERE r.batch_id = $1 AND r.number = $2 AND r.amount = $3 AND r.n <> $4 AND r.removed_at IS NULL ORDER BY r.n LIMIT 1`
	const posted = `/* offline.TwinOf */
		SELECT b.n AS batch_n, g.row_n FROM offline_gift g JOIN gift_batch b ON b.id = g.batch_id
		 WHERE g.entity_id = $1 AND g.number = $2 AND g.paid = $3 AND g.number <> '' AND g.batch_id <> $4 LIMIT 1`
	if number == "" {
		return nil, nil
	}
	var found []Twin
	if err := sqlx.SelectContext(ctx, q, &found, here, b.ID, number, amount.Minor, except, b.N); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		if err := sqlx.SelectContext(ctx, q, &found, posted, b.EntityID, number, amount.Minor, b.ID); err != nil || len(found) == 0 {
			return nil, err
		}
	}
	return &found[0], nil
}

// NamesOf returns the names of donors in batches of a scope, by their ids. q is in a transaction of staff.ReadTx.
func NamesOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, organisation uuid.NullUUID, donors []uuid.UUID) (map[uuid.UUID]string, error) {
	const query = `/* offline.NamesOf */ SELECT id, name FROM office_donor_names($1, $2, $3::uuid[])`
	var found []struct {
		ID   uuid.UUID `db:"id"`
		Name string    `db:"name"`
	}
	if len(donors) == 0 {
		return nil, nil
	}
	err := sqlx.SelectContext(ctx, q, &found, query, entity, organisation, pg.UUIDs(donors))
	names := make(map[uuid.UUID]string, len(found))
	for _, f := range found {
		names[f.ID] = f.Name
	}
	return names, err
}
