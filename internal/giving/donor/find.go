package donor

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/contact"
)

// ByEmails returns the donors with one of the addresses, in every legal entity, ordered by their first donation, newest
// first. What stands in the rows of donors who were erased or purged is no address.
func ByEmails(ctx context.Context, q sqlx.QueryerContext, emails []string) (all []Donor, err error) {
	const query = `/* donor.ByEmails */
		SELECT id, entity_id, kind, email, first_name, last_name, organisation_name, language, created_at,
		       coalesce(recorded_at, created_at) AS recorded_at, ` + contact.DetailColumns + `,
		       news_consented_at FROM donor
		 WHERE email = ANY($1::text[]) AND email <> 'forgotten-' || id || '@invalid' ORDER BY coalesce(first_gift_at, created_at) DESC, id`
	err = sqlx.SelectContext(ctx, q, &all, query, pq.Array(emails))
	return all, err
}

// IDs returns the donors' ids.
func IDs(donors []Donor) []uuid.UUID {
	ids := make([]uuid.UUID, len(donors))
	for i, d := range donors {
		ids[i] = d.ID
	}
	return ids
}
