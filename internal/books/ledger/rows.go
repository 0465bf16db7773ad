package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// rare are the accounts whose postings the index posting_of_account has.
var rare = []Account{PayoutsInTransit, DisputedFundsWithheld, UndepositedChecks, Suspense, MoneyOfOthers, Bank, RefundsPayable}

// Row is a posting as a list shows it, with what its entry is about.
type Row struct {
	Serial     int64      `db:"serial"`
	N          int        `db:"n"`
	EntryID    uuid.UUID  `db:"entry_id"`
	Date       Date       `db:"entry_date"`
	Source     string     `db:"source"`
	SourceID   string     `db:"source_id"`
	Kind       string     `db:"kind"`
	Account    Account    `db:"account_code"`
	FundID     uuid.UUID  `db:"fund_id"`
	Amount     int64      `db:"amount"` // minor units of the books' currency, debit positive
	Dimensions dimensions `db:"dimensions"`
}

// Rows narrows a list of postings to accounts and, unless they are zero, funds and the days from From up to and without Until.
type Rows struct {
	EntityID    uuid.UUID
	Accounts    []Account
	Funds       []uuid.UUID // nil: of all
	From, Until Date        // both or none
}

// RowCursor is the place behind a row. The zero RowCursor is the beginning.
type RowCursor struct {
	Date   Date
	Serial int64
	N      int
}

const rowColumns = `p.serial, p.n, p.entry_id, e.entry_date, e.source, e.source_id, e.kind, p.account_code, p.fund_id, p.amount, e.dimensions`

// RowsOf returns the next postings of a list, the newest first, at most limit, and the cursor of the following page; nil if
// this is the last one.
func RowsOf(ctx context.Context, q sqlx.QueryerContext, f Rows, after RowCursor, limit int) (page []Row, next *RowCursor, err error) {
	// Accounts that few entries have are read by account, the others by day.
	const byAccount = `/* ledger.RowsOf */ SELECT ` + rowColumns + ` FROM posting p JOIN journal_entry e ON e.id = p.entry_id
		WHERE p.entity_id = $1 AND p.account_code = ANY($2) AND p.account_code IN ('1015', '1020', '1050', '1090', '1095', '1100', '2300')
		  AND ($3::uuid[] IS NULL OR p.fund_id = ANY($3)) AND e.entry_date >= $4 AND e.entry_date < $5 AND (p.serial, p.n) < ($6::bigint, $7::integer)
		ORDER BY p.serial DESC, p.n DESC LIMIT $8`
	from, until := "2000-01-01", "2100-01-01"
	if f.Until != (Date{}) {
		from, until = f.From.String(), f.Until.String()
	}
	place := after
	if after == (RowCursor{}) {
		place = RowCursor{Serial: 1<<63 - 1, N: 1 << 30}
		place.Date = Date{2100, time.January, 1}
	}
	args := []any{f.EntityID, codes(f.Accounts), fundsOrNull(f.Funds), from, until, place.Serial, place.N, limit + 1}
	query := byAccount
	if !allRare(f.Accounts) {
		query, args = byDay, append(args, place.Date.String())
		if few, err := hasFew(ctx, q, f); err != nil {
			return nil, nil, err
		} else if few {
			query, args = byFund, append(args, mostOfFunds)
		}
	}
	err = sqlx.SelectContext(ctx, q, &page, query, args...)
	if len(page) > limit {
		page = page[:limit]
		last := page[limit-1]
		next = &RowCursor{last.Date, last.Serial, last.N}
	}
	return page, next, err
}

// Lists of accounts that every gift has. Each subquery reads with an index, whatever the planner expects of the policies that it
// cannot see through.
const (
	// byDay reads day after day until the page is full.
	byDay = `/* ledger.RowsOf */ SELECT ` + rowColumns + `
		  FROM (SELECT * FROM journal_entry j WHERE j.entity_id = $1 AND j.entry_date >= $4 AND j.entry_date < $5 AND j.entry_date <= $9
		           AND (j.entry_date, j.serial) <= ($9, $6::bigint) ORDER BY j.entry_date DESC OFFSET 0) e
		 CROSS JOIN LATERAL (SELECT * FROM posting o WHERE o.entry_id = e.id AND o.account_code = ANY($2) AND ($3::uuid[] IS NULL OR o.fund_id = ANY($3))
		           AND (e.entry_date, e.serial, o.n::integer) < ($9, $6, $7::integer) OFFSET 0) p
		 ORDER BY e.entry_date DESC, e.serial DESC, p.n DESC LIMIT $8`
	// byFund reads all postings of the funds; the order chooses the index.
	byFund = `/* ledger.RowsOf */ SELECT ` + rowColumns + `
		  FROM unnest($3::uuid[]) fund CROSS JOIN LATERAL (SELECT * FROM posting o WHERE o.fund_id = fund AND o.account_code = ANY($2) AND o.entity_id = $1
		           ORDER BY o.serial LIMIT $10) p
		 CROSS JOIN LATERAL (SELECT * FROM journal_entry j WHERE j.id = p.entry_id OFFSET 0) e
		 WHERE e.entry_date >= $4 AND e.entry_date < $5 AND (e.entry_date, p.serial, p.n::integer) < ($9, $6::bigint, $7::integer)
		 ORDER BY e.entry_date DESC, p.serial DESC, p.n DESC LIMIT $8`
)

// mostOfFunds is how many postings RowsOf reads to show the newest of them. Tests change it.
var mostOfFunds = 5000

// hasFew reports whether a list of funds has few postings: then no day may have one for months.
func hasFew(ctx context.Context, q sqlx.QueryerContext, f Rows) (few bool, err error) {
	const query = `/* ledger.hasFew */ SELECT count(*) <= $4 FROM (
		SELECT FROM unnest($2::uuid[]) fund CROSS JOIN LATERAL (SELECT FROM posting o WHERE o.fund_id = fund AND o.account_code = ANY($3) AND o.entity_id = $1
		  ORDER BY o.serial LIMIT $4::integer + 1) p LIMIT $4::integer + 1) l`
	if f.Funds == nil {
		return false, nil
	}
	err = sqlx.GetContext(ctx, q, &few, query, f.EntityID, pg.UUIDs(f.Funds), codes(f.Accounts), mostOfFunds)
	return few, err
}

func allRare(accounts []Account) bool {
	for _, a := range accounts {
		if !slices.Contains(rare, a) {
			return false
		}
	}
	return true
}

// dimensions reads what an entry is about: the ids of a donation, a charge, a payout.
type dimensions map[string]string

// Scan is part of sql.Scanner.
func (d *dimensions) Scan(value any) error {
	text, ok := value.([]byte)
	if !ok {
		return fmt.Errorf("ledger: %T is no JSON", value)
	}
	return json.Unmarshal(text, (*map[string]string)(d))
}
