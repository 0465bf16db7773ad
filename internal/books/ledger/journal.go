package ledger

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/money"
)

// Record is an entry of the books, with names instead of ids.
type Record struct {
	ID                     uuid.UUID
	Entity                 string // slug
	Currency               money.Currency
	Date                   Date // on which it is booked
	FactDate               Date // of the fact itself; earlier than Date if its period was closed
	Source, SourceID, Kind string
	Reverses               uuid.UUID // uuid.Nil if it is no reversal
	Lines                  []RecordLine
}

// RecordLine is one posting of a Record.
type RecordLine struct {
	Posting
	Fund string // code
}

// Chart returns the names of all accounts, in the form [A-Z0-9][A-Za-z0-9-]*.
func Chart(ctx context.Context, q sqlx.QueryerContext) (map[Account]string, error) {
	const query = `/* ledger.Chart */ SELECT code, name FROM account`
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	chart := make(map[Account]string)
	for rows.Next() {
		var code Account
		var name string
		if err := rows.Scan(&code, &name); err != nil {
			return nil, err
		}
		chart[code] = name
	}
	return chart, rows.Err()
}

// Walk calls visit with every entry, in the order of dates and, within a date, of recording. It reads one date after the
// other, so that the first entry comes at once however large the books are, and holds one entry at a time. The Record and
// its Lines are valid until visit returns. visit must not use q. To see the books as they are at one moment, q is a
// transaction of ReadConsistent.
func Walk(ctx context.Context, q sqlx.QueryerContext, names Names, visit func(*Record) error) error {
	const query = `/* ledger.Walk */
		WITH RECURSIVE day AS (
		    (SELECT entry_date FROM journal_entry ORDER BY entry_date LIMIT 1)
		    UNION ALL
		    SELECT (SELECT e.entry_date FROM journal_entry e WHERE e.entry_date > day.entry_date ORDER BY e.entry_date LIMIT 1) FROM day WHERE day.entry_date IS NOT NULL
		) SELECT entry_date FROM day WHERE entry_date IS NOT NULL`
	var days []Date
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var d Date
		if err := rows.Scan(&d); err != nil {
			return err
		}
		days = append(days, d)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, d := range days {
		if err := walkDay(ctx, q, names, d, visit); err != nil {
			return err
		}
	}
	return nil
}

// walkDay calls visit with every entry of a date.
func walkDay(ctx context.Context, q sqlx.QueryerContext, names Names, day Date, visit func(*Record) error) error {
	const query = `/* ledger.walkDay */
		SELECT e.id, e.entity_id, e.currency, e.entry_date, e.fact_date, e.source, e.source_id, e.kind, e.reverses,
		       p.fund_id, p.account_code, p.amount, p.dimensions, p.foreign_currency, p.foreign_amount, p.rate
		  FROM journal_entry e JOIN posting p ON p.entry_id = e.id
		 WHERE e.entry_date = $1 ORDER BY e.recorded_at, e.id, p.n`
	rows, err := q.QueryContext(ctx, query, day.String())
	if err != nil {
		return err
	}
	defer rows.Close()
	var current, next Record
	for rows.Next() {
		var entityID uuid.UUID
		var reverses uuid.NullUUID
		var line RecordLine
		var details storedDetails
		if err := rows.Scan(append([]any{&next.ID, &entityID, &next.Currency, &next.Date, &next.FactDate, &next.Source, &next.SourceID, &next.Kind,
			&reverses, &line.FundID, &line.Account, &line.Amount}, details.into()...)...); err != nil {
			return err
		}
		if err := details.of(&line.Posting); err != nil {
			return err
		}
		if next.Entity, line.Fund, err = names.lookup(entityID, line.FundID); err != nil {
			return fmt.Errorf("entry %s: %w", next.ID, err)
		}
		if next.ID != current.ID {
			if current.ID != uuid.Nil {
				if err := visit(&current); err != nil {
					return err
				}
			}
			next.Reverses, next.Lines = reverses.UUID, current.Lines[:0]
			current = next
		}
		current.Lines = append(current.Lines, line)
	}
	if err := rows.Err(); err != nil || current.ID == uuid.Nil {
		return err
	}
	return visit(&current)
}
