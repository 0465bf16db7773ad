package offline

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/donor"
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

// Twin is a row that has number and amount of another row or gift: perhaps the same check, typed twice.
type Twin struct {
	RowN    int  `db:"row_n"`
	BatchN  int  `db:"batch_n"`  // of the other one
	OtherN  int  `db:"other_n"`  // its row
	IsOther bool `db:"is_other"` // it is a gift of another batch
}

// TwinsOf returns the rows of a batch that have number and amount of an earlier row of it, or of a gift that another batch brought, in
// their order: one twin for each row. q is in a transaction of staff.ReadTx.
func TwinsOf(ctx context.Context, q sqlx.QueryerContext, b Batch) (all []Twin, err error) {
	const query = `/* offline.TwinsOf */
		SELECT r.n AS row_n, coalesce(e.n, o.batch_n) AS batch_n, coalesce(e.row_n, o.row_n) AS other_n, e.n IS NULL AS is_other
		  FROM gift_batch_row r
		  LEFT JOIN LATERAL (SELECT $3::integer AS n, x.n AS row_n FROM gift_batch_row x WHERE x.batch_id = r.batch_id AND x.number = r.number AND x.amount = r.amount
		      AND x.n < r.n AND x.removed_at IS NULL ORDER BY x.n LIMIT 1) e ON true
		  LEFT JOIN LATERAL (SELECT b.n AS batch_n, g.row_n FROM offline_gift g JOIN gift_batch b ON b.id = g.batch_id
		      WHERE e.n IS NULL AND g.entity_id = $2 AND g.number = r.number AND g.number <> '' AND g.paid = r.amount AND g.batch_id <> r.batch_id LIMIT 1) o ON true
		 WHERE r.batch_id = $1 AND r.removed_at IS NULL AND r.number <> '' AND r.amount > 0 AND coalesce(e.n, o.batch_n) IS NOT NULL ORDER BY r.n`
	err = sqlx.SelectContext(ctx, q, &all, query, b.ID, b.EntityID, b.N)
	return all, err
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

// NumbersOf returns the numbers of gifts on paper, by their public references. A gift without one is missing.
func NumbersOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, refs []string) (map[string]string, error) {
	const query = `/* offline.NumbersOf */ SELECT DISTINCT r.public_ref, g.number FROM gift_ref r JOIN offline_gift g ON g.donation_id = r.id
		WHERE r.entity_id = $1 AND r.public_ref = ANY($2) AND g.number <> ''`
	var rows []struct {
		Ref    string `db:"public_ref"`
		Number string `db:"number"`
	}
	numbers := map[string]string{}
	err := sqlx.SelectContext(ctx, q, &rows, query, entity, pq.Array(refs))
	for _, r := range rows {
		numbers[r.Ref] = r.Number
	}
	return numbers, err
}
