package statement

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

type row struct {
	ID           uuid.UUID  `db:"id"`
	EntityID     uuid.UUID  `db:"entity_id"`
	DonorID      uuid.UUID  `db:"donor_id"`
	Year         int        `db:"year"`
	N            int        `db:"n"`
	Language     string     `db:"language"`
	WordsVersion int        `db:"words_version"`
	Facts        []byte     `db:"facts"`
	IssuedAt     time.Time  `db:"issued_at"`
	Person       []byte     `db:"person"`
	Corrects     *time.Time `db:"corrects"`
	Overtaken    bool       `db:"overtaken"`
}

const selectStatement = `SELECT s.id, s.entity_id, s.donor_id, s.year, s.n, s.language, s.words_version, s.facts, s.issued_at, p.person, b.issued_at AS corrects,
		       EXISTS (SELECT 1 FROM statement o WHERE o.donor_id = s.donor_id AND o.year = s.year AND o.n > s.n) AS overtaken
		  FROM statement s LEFT JOIN statement_person p ON p.statement_id = s.id
		  LEFT JOIN statement b ON b.donor_id = s.donor_id AND b.year = s.year AND b.n = s.n - 1 `

func list(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) ([]Statement, error) {
	var rows []row
	if err := sqlx.SelectContext(ctx, q, &rows, query, args...); err != nil {
		return nil, err
	}
	all := make([]Statement, len(rows))
	for i, r := range rows {
		all[i] = Statement{
			ID: r.ID, EntityID: r.EntityID, DonorID: r.DonorID, Year: r.Year, N: r.N, Language: r.Language, WordsVersion: r.WordsVersion, IssuedAt: r.IssuedAt,
			Superseded: r.Overtaken,
		}
		if r.Corrects != nil {
			all[i].PreviousIssuedAt = *r.Corrects
		}
		if err := json.Unmarshal(r.Facts, &all[i].Facts); err != nil {
			return nil, err
		}
		if r.Person != nil {
			all[i].Person = &Person{}
			if err := json.Unmarshal(r.Person, all[i].Person); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// ByID returns one statement; fault.NotFound if there is none.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (Statement, error) {
	const query = `/* statement.ByID */ ` + selectStatement + `WHERE s.id = $1`
	found, err := list(ctx, q, query, id)
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "problem.404.text", nil)
	}
	if err != nil {
		return Statement{}, err
	}
	return found[0], nil
}

// latest returns the newest statement of each donor in a year, by donor; a donor without one is missing.
func latest(ctx context.Context, q sqlx.QueryerContext, year int, donors []uuid.UUID) (map[uuid.UUID]Statement, error) {
	const query = `/* statement.latest */ ` + selectStatement + `WHERE s.donor_id = ANY($1::uuid[]) AND s.year = $2
		AND NOT EXISTS (SELECT 1 FROM statement l WHERE l.donor_id = s.donor_id AND l.year = s.year AND l.n > s.n)`
	found, err := list(ctx, q, query, pg.UUIDs(donors), year)
	newest := make(map[uuid.UUID]Statement, len(found))
	for _, s := range found {
		newest[s.DonorID] = s
	}
	return newest, err
}

// OfDonors returns the newest issued statement of each donor and year, newest year first. One without a person is left
// out: it contains a gift that has moved to another donor since, or the donor was erased.
func OfDonors(ctx context.Context, q sqlx.QueryerContext, donors []uuid.UUID) ([]Statement, error) {
	const query = `/* statement.OfDonors */ ` + selectStatement + `WHERE s.donor_id = ANY($1::uuid[])
		AND p.person IS NOT NULL AND NOT EXISTS (SELECT 1 FROM statement l WHERE l.donor_id = s.donor_id AND l.year = s.year AND l.n > s.n)
		ORDER BY s.year DESC, s.issued_at DESC`
	return list(ctx, q, query, pg.UUIDs(donors))
}

// Contains reports whether statements have one of a donor and year.
func Contains(statements []Statement, donor uuid.UUID, year int) bool {
	return slices.ContainsFunc(statements, func(s Statement) bool { return s.DonorID == donor && s.Year == year })
}

// withStatement returns which of the donors have a statement of the year.
func withStatement(ctx context.Context, q sqlx.QueryerContext, year int, donors []uuid.UUID) (map[uuid.UUID]bool, error) {
	const query = `/* statement.withStatement */ SELECT donor_id FROM statement WHERE donor_id = ANY($1::uuid[]) AND year = $2 AND n = 1`
	var ids []uuid.UUID
	err := sqlx.SelectContext(ctx, q, &ids, query, pg.UUIDs(donors), year)
	has := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		has[id] = true
	}
	return has, err
}

// countIssued returns how many donors of an entity have a statement of the year.
func countIssued(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, year int) (n int, err error) {
	const query = `/* statement.countIssued */ SELECT count(*) FROM statement WHERE entity_id = $1 AND year = $2 AND n = 1`
	err = sqlx.GetContext(ctx, q, &n, query, entity, year)
	return n, err
}

// firstIssue returns when the first statement of a year was issued; nil if none was.
func firstIssue(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, year int) (at *time.Time, err error) {
	const query = `/* statement.firstIssue */ SELECT min(issued_at) FROM statement WHERE entity_id = $1 AND year = $2`
	err = sqlx.GetContext(ctx, q, &at, query, entity, year)
	return at, err
}

// insertTx stores statements and enqueues their emails. A statement whose donor, year and n another process stored
// first is omitted.
func (d Issuer) insertTx(ctx context.Context, tx *sqlx.Tx, all []Statement) (issued int, err error) {
	if d.DryRun {
		return len(all), nil
	}
	const figures = `/* statement.insertTx */
		INSERT INTO statement (id, entity_id, donor_id, year, n, language, words_version, facts, issued_at)
		SELECT s.id, s.entity_id, s.donor_id, s.year, s.n, s.language, s.words_version, s.facts, $1
		  FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::integer[], $6::integer[], $7::text[], $8::integer[], $9::jsonb[])
		       AS s (id, entity_id, donor_id, year, n, language, words_version, facts)
		ON CONFLICT (donor_id, year, n) DO NOTHING RETURNING id`
	const people = `/* statement.insertTx */
		INSERT INTO statement_person (statement_id, person)
		SELECT p.id, p.person FROM unnest($2::uuid[], $3::jsonb[]) AS p (id, person) WHERE p.id = ANY($1::uuid[])`
	rows, persons := pg.NewColumns(8), pg.NewColumns(2)
	for _, s := range all {
		figures, err := json.Marshal(s.Facts)
		if err != nil {
			return 0, err
		}
		person, err := json.Marshal(s.Person)
		if err != nil {
			return 0, err
		}
		rows.Add(s.ID, s.EntityID, s.DonorID, s.Year, s.N, s.Language, s.oldestWords(), string(figures))
		persons.Add(s.ID, string(person))
	}
	var inserted []uuid.UUID
	if err := tx.SelectContext(ctx, &inserted, figures, rows.Args(all[0].IssuedAt)...); err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, people, persons.Args(pg.UUIDs(inserted))...); err != nil {
		return 0, err
	}
	var emails []jobs.Job
	for _, s := range all {
		if s.Person.Email != "" && slices.Contains(inserted, s.ID) { // without an address: sent on paper
			emails = append(emails, EmailJob{s.ID})
		}
	}
	return len(inserted), d.Queue.EnqueueTx(ctx, tx, emails...)
}
