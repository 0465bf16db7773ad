package figures

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Lapsed is a donor who gave last year and not this year.
type Lapsed struct {
	DonorID          uuid.UUID `db:"donor_id"`
	Kind             string    `db:"kind"` // person or organisation
	FirstName        string    `db:"first_name"`
	LastName         string    `db:"last_name"`
	OrganisationName string    `db:"organisation_name"`
	Email            string    `db:"email"`  // empty if there is none; a place on the list is no consent to email
	Gifts            int       `db:"gifts"`  // of last year
	Amount           int64     `db:"amount"` // of last year, minor units of the entity's currency
}

// LapsedCursor is the place behind a donor on the list. The zero LapsedCursor is the beginning.
type LapsedCursor struct {
	Amount  int64
	DonorID uuid.UUID
}

// LastYearNotThis returns a page of the donors who gave to an entity in the year before `year` and not in `year`, those who
// gave most first, and the cursor of the next page; nil if this is the last one. Erased donors are left out.
func LastYearNotThis(
	ctx context.Context, q sqlx.QueryerContext, entityID uuid.UUID, year int, after LapsedCursor, limit int,
) (page []Lapsed, next *LapsedCursor, err error) {
	const query = `/* figures.LastYearNotThis */
		SELECT y.donor_id, r.kind, r.first_name, r.last_name, r.organisation_name, r.email, y.gifts, y.amount
		  FROM donor_year y JOIN donor_row r ON r.id = y.donor_id
		 WHERE y.entity_id = $1 AND y.year = $2::integer - 1 AND NOT r.erased
		   AND ($3::bigint = 0 OR y.amount < $3 OR y.amount = $3 AND y.donor_id > $4)
		   AND y.amount <= CASE $3::bigint WHEN 0 THEN 9223372036854775807 ELSE $3 END
		   AND NOT EXISTS (SELECT FROM donor_year t WHERE t.donor_id = y.donor_id AND t.year = $2)
		 ORDER BY y.amount DESC, y.donor_id LIMIT $5`
	err = sqlx.SelectContext(ctx, q, &page, query, entityID, year, after.Amount, after.DonorID, limit+1)
	if len(page) > limit {
		page = page[:limit]
		next = &LapsedCursor{page[limit-1].Amount, page[limit-1].DonorID}
	}
	return page, next, err
}

// LapsedTotal is how many donors are on the list of LastYearNotThis, and what they gave last year.
type LapsedTotal struct {
	Donors int   `db:"donors"`
	Amount int64 `db:"amount"`
}

// CountLastYearNotThis counts the donors on the list of LastYearNotThis. It reads all donors of both years, and includes
// erased ones: they gave.
func CountLastYearNotThis(ctx context.Context, q sqlx.QueryerContext, entityID uuid.UUID, year int) (total LapsedTotal, err error) {
	const query = `/* figures.CountLastYearNotThis */
		SELECT count(*) AS donors, coalesce(sum(y.amount), 0)::bigint AS amount FROM donor_year y
		 WHERE y.entity_id = $1 AND y.year = $2::integer - 1
		   AND NOT EXISTS (SELECT FROM donor_year t WHERE t.donor_id = y.donor_id AND t.year = $2 AND t.entity_id = $1)`
	err = sqlx.GetContext(ctx, q, &total, query, entityID, year)
	return total, err
}
