package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Report is the result of Verify.
type Report struct {
	Entries  int64     `json:"entries"`
	Lines    int64     `json:"lines"`
	Chains   []Chain   `json:"chains"`   // of the entities that have sealed entries
	Findings []Finding `json:"findings"` // empty if the books are in order
}

// Finding is a rule that the stored rows break.
type Finding struct {
	Rule   string        `json:"rule"`
	Count  int64         `json:"count"`  // how often it is broken
	Entry  uuid.NullUUID `json:"entry"`  // the first entry that breaks it; null if the rule is about a sum
	Detail string        `json:"detail"` // about that first one
}

func (f Finding) String() string {
	where := ""
	if f.Entry.Valid {
		where = "entry " + f.Entry.UUID.String() + ": "
	}
	return fmt.Sprintf("%s: %s%s (%d in all)", f.Rule, where, f.Detail, f.Count)
}

// OK reports whether nothing was found.
func (r Report) OK() bool { return len(r.Findings) == 0 }

// Verify recomputes the rules of the books, the chains of seals and the snapshots of balances from the stored rows, at
// one moment. It trusts no trigger and no constraint, so it finds what got past them.
//
// It compares each chain with all recorded heads of the chain and with the heads that the caller passes. The owner of
// the database can rewrite the recorded heads, but not those in the auditors' emails.
//
// It only reads, and writers do not wait for it. Its memory does not grow with the books. It reports an error if it
// could not read; a broken rule is a Finding.
func Verify(ctx context.Context, db *sqlx.DB, heads ...Head) (Report, error) {
	report := Report{Chains: []Chain{}, Findings: []Finding{}}
	err := ReadConsistent(ctx, db, func(tx *sqlx.Tx) error {
		const count = `/* ledger.Verify */ SELECT (SELECT count(*) FROM journal_entry), (SELECT count(*) FROM posting)`
		if err := tx.QueryRowContext(ctx, count).Scan(&report.Entries, &report.Lines); err != nil {
			return err
		}
		for _, c := range rules {
			found, err := c.find(ctx, tx)
			if err != nil {
				return fmt.Errorf("ledger: verify that %s: %w", c.name, err)
			}
			if found != nil {
				found.Rule = c.name
				report.Findings = append(report.Findings, *found)
			}
		}
		return verifySeals(ctx, tx, heads, &report)
	})
	return report, err
}

// rule is a rule of the books. find returns the first row that breaks it; nil if none does.
type rule struct {
	name string
	find func(ctx context.Context, tx *sqlx.Tx) (*Finding, error)
}

// violations returns the find of a rule from a query that selects the id (of an entry, or NULL) and the detail of each
// row that breaks the rule. The first is the one that was recorded first.
func violations(query string) func(context.Context, *sqlx.Tx) (*Finding, error) {
	query = `/* ledger.Verify */
		SELECT count(*) OVER (), b.id, b.detail
		  FROM (` + query + `) b LEFT JOIN journal_entry first ON first.id = b.id
		 ORDER BY first.recorded_at, b.id, b.detail LIMIT 1`
	return func(ctx context.Context, tx *sqlx.Tx) (*Finding, error) {
		var f Finding
		err := tx.QueryRowContext(ctx, query).Scan(&f.Count, &f.Entry, &f.Detail)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, nil
		}
		return &f, err
	}
}

// rules are checked in this order. It matters: a missing line is reported before the wrong sum that it causes.
var rules = []rule{
	{"every line belongs to an entry", violations(`
		SELECT p.entry_id AS id, 'line ' || p.n || ' has no entry' AS detail
		  FROM posting p WHERE NOT EXISTS (SELECT FROM journal_entry e WHERE e.id = p.entry_id)`)},
	{"every entry has the lines it states, numbered from one", violations(`
		SELECT e.id, 'states ' || e.line_count || ' lines, has ' || count(p.n) AS detail
		  FROM journal_entry e LEFT JOIN posting p ON p.entry_id = e.id
		 GROUP BY e.id, e.line_count
		HAVING count(p.n) <> e.line_count OR count(DISTINCT p.n) <> e.line_count OR min(p.n) <> 1 OR max(p.n) <> e.line_count OR e.line_count < 2`)},
	{"every line is in the books of its entry", violations(`
		SELECT e.id, 'line ' || p.n || ' is in the books of ' || p.entity_id || ' in ' || p.currency || ' by the serial ' || p.serial AS detail
		  FROM posting p JOIN journal_entry e ON e.id = p.entry_id LEFT JOIN books b ON b.entity_id = e.entity_id
		 WHERE (p.entity_id, p.currency, p.line_count, p.serial) IS DISTINCT FROM (e.entity_id, e.currency, e.line_count, e.serial)
		    OR p.currency IS DISTINCT FROM b.currency OR p.amount = 0`)},
	{"no fund is in two books", violations(`
		SELECT NULL::uuid AS id, 'fund ' || fund_id AS detail FROM posting GROUP BY fund_id HAVING count(DISTINCT entity_id) > 1`)},
	{"every entry balances in each of its funds, memo accounts by themselves", violations(`
		SELECT entry_id AS id, 'fund ' || fund_id || ' is out by ' || sum(amount) AS detail
		  FROM posting GROUP BY entry_id, fund_id, account_code >= '9000' HAVING sum(amount) <> 0`)},
	{"no entry is dated before its fact", violations(`
		SELECT id, 'dated ' || entry_date || ', the fact ' || fact_date AS detail FROM journal_entry WHERE entry_date < fact_date`)},
	{"no fact has two entries", violations(`
		SELECT (array_agg(id ORDER BY recorded_at DESC))[1] AS id, kind || ' ' || source_id || ' is there ' || count(*) || ' times' AS detail
		  FROM journal_entry GROUP BY entity_id, source, source_id, kind HAVING count(*) > 1`)},
	{"a reversal mirrors its entry, which has no other", violations(wrongReversals)},
	{"a foreign amount is in another currency, has the sign of its line, and has a rate", violations(`
		SELECT entry_id AS id, 'line ' || n || ' is ' || amount || ' ' || currency || ' and ' || coalesce(foreign_amount::text, 'nothing') || ' '
		           || coalesce(foreign_currency, 'in no currency') || ' at ' || coalesce(rate::text, 'no rate') AS detail
		  FROM posting WHERE num_nulls(foreign_currency, foreign_amount, rate) < 3
		   AND (num_nulls(foreign_currency, foreign_amount, rate) > 0 OR foreign_currency = currency OR sign(foreign_amount) <> sign(amount) OR rate <= 0)`)},
	{"all accounts of an entity sum to zero", violations(`
		SELECT NULL::uuid AS id, 'entity ' || entity_id || ' is out by ' || sum(amount) || ' minor units of ' || currency AS detail
		  FROM posting GROUP BY entity_id, currency HAVING sum(amount) <> 0`)},
	{"restricted net assets of a fund are not below zero", violations(`
		SELECT NULL::uuid AS id, 'fund ' || p.fund_id || ' is short of ' || sum(p.amount) || ' minor units of ' || p.currency AS detail
		  FROM posting p JOIN account a ON a.code = p.account_code
		 WHERE a.class = 'with' GROUP BY p.fund_id, p.currency HAVING sum(p.amount) > 0`)},
	{"no entry without a seal is below the last sealed one", violations(`
		SELECT e.id, 'its serial ' || e.serial || ' is not above the last sealed one and it has no seal' AS detail
		  FROM journal_entry e LEFT JOIN ledger_seal s ON s.entry_id = e.id
		 WHERE s.entry_id IS NULL AND e.serial <= (SELECT max(serial) FROM ledger_seal)`)},
	{"entries are sealed within five minutes", violations(`
		SELECT id, 'recorded ' || recorded_at || ' and not sealed' AS detail
		  FROM journal_entry WHERE serial > (SELECT coalesce(max(serial), 0) FROM ledger_seal) AND recorded_at < now() - interval '5 minutes'`)},
	{"every snapshot is the sum of the postings up to it", violations(wrongSnapshots)},
}

// wrongReversals adds each reversal to its entry, line by line, in both currencies. The sums must be zero.
const wrongReversals = `
	SELECT r.id, 'reverses ' || r.reverses || ' and does not mirror it' AS detail
	  FROM journal_entry r LEFT JOIN journal_entry e ON e.id = r.reverses AND e.entity_id = r.entity_id AND e.id <> r.id
	 WHERE r.reverses IS NOT NULL
	   AND (e.id IS NULL
	        OR EXISTS (SELECT FROM posting p WHERE p.entry_id IN (r.id, e.id) GROUP BY p.fund_id, p.account_code HAVING sum(p.amount) <> 0)
	        OR EXISTS (SELECT FROM posting p WHERE p.entry_id IN (r.id, e.id) GROUP BY p.fund_id, p.account_code, p.foreign_currency HAVING sum(p.foreign_amount) <> 0)
	        OR EXISTS (SELECT FROM journal_entry o WHERE o.reverses = r.reverses AND o.id <> r.id AND o.recorded_at <= r.recorded_at))`

// wrongSnapshots adds up every account of every fund from its first posting and compares the sums where a snapshot was
// made.
const wrongSnapshots = `
	WITH made AS (
	    SELECT DISTINCT k.fund_id, k.n, s.serial FROM ledger_snapshot k JOIN ledger_seal s ON s.entity_id = k.entity_id AND s.n = k.n
	), used AS (
	    SELECT fund_id, account_code, min(serial) AS first FROM posting GROUP BY fund_id, account_code
	), story AS (
	    SELECT fund_id, account_code, serial, NULL::bigint AS n, amount FROM posting
	    UNION ALL
	    SELECT m.fund_id, u.account_code, m.serial, m.n, 0 FROM made m JOIN used u ON u.fund_id = m.fund_id AND u.first <= m.serial
	), sums AS (
	    SELECT fund_id, account_code, n, sum(amount) OVER (PARTITION BY fund_id, account_code ORDER BY serial) AS amount FROM story
	)
	SELECT NULL::uuid AS id, 'fund ' || fund_id || ', account ' || account_code || ', as of entry ' || n || ': stored '
	           || coalesce(k.amount::text, 'nothing') || ', is ' || coalesce(s.amount::text, 'nothing') AS detail
	  FROM (SELECT * FROM sums WHERE n IS NOT NULL) s FULL JOIN ledger_snapshot k USING (fund_id, account_code, n)
	 WHERE s.amount IS DISTINCT FROM k.amount`
