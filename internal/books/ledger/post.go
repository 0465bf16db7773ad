package ledger

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

// Posted says where an entry is in the books.
type Posted struct {
	ID       uuid.UUID
	Date     Date // on which it is booked: the fact's date, or the first open day after a closed period
	Repeated bool // it was booked already
}

// PostTx writes entries into the books, all or none, and returns the results in the order given. For any number of
// entries it runs one statement, or two if some entries are booked already. tx must be read committed; the database
// counts and balances the lines once more at the commit. After any error the caller must roll back.
//
//	same key and fact, booked or twice in entries   the first entry's id, Repeated
//	same key, another fact                          fault.Conflict that names the key
//	breaks the rules of an entry                    ErrEntry
//
// Batches may run at once and overlap: each locks its keys in the same order.
func PostTx(ctx context.Context, tx *sqlx.Tx, entries []Entry, newID func() uuid.UUID) ([]Posted, error) {
	batch, err := newBatch(entries, newID)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	booked, err := insertTx(ctx, tx, batch)
	if err != nil {
		return nil, err
	}
	if len(booked) < len(batch) {
		if err := findBookedTx(ctx, tx, batch, booked); err != nil {
			return nil, err
		}
	}
	posted := make([]Posted, len(entries))
	for i := range entries {
		entry, ok := booked[entries[i].key()]
		if !ok {
			return nil, fmt.Errorf("ledger: %s is neither new nor booked; the transaction must be read committed", entries[i].key())
		}
		if hash := entries[i].Fact.hash(); !bytes.Equal(entry.fact, hash[:]) {
			return nil, factConflict(entries[i].key())
		}
		posted[i] = entry.Posted
		entry.Repeated = true // for a later entry of the batch with the same key
		booked[entries[i].key()] = entry
	}
	return posted, nil
}

func factConflict(k key) error {
	return &fault.Error{Kind: fault.Conflict, Phrase: "ledger.other_fact", Args: fault.Args{"key": k.String()},
		Cause: fmt.Errorf("the books have another fact for %s", k)}
}

// draft is an entry that is about to be inserted.
type draft struct {
	*Entry
	id         uuid.UUID
	fact       [sha256.Size]byte
	dimensions []byte
}

// newBatch checks the entries, drops repeated keys, and sorts them by their keys: the order in which every batch takes
// its locks.
func newBatch(entries []Entry, newID func() uuid.UUID) ([]draft, error) {
	batch := make([]draft, 0, len(entries))
	seen := make(map[key]struct{}, len(entries))
	for i := range entries {
		e := &entries[i]
		if err := e.check(); err != nil {
			return nil, err
		}
		if _, twice := seen[e.key()]; twice {
			continue
		}
		seen[e.key()] = struct{}{}
		dimensions := []byte("{}")
		if len(e.Dimensions) > 0 {
			var err error
			if dimensions, err = json.Marshal(e.Dimensions); err != nil {
				return nil, err
			}
		}
		batch = append(batch, draft{e, newID(), e.Fact.hash(), dimensions})
	}
	slices.SortFunc(batch, func(a, b draft) int {
		return cmp.Or(bytes.Compare(a.EntityID[:], b.EntityID[:]), strings.Compare(a.Source, b.Source),
			strings.Compare(a.SourceID, b.SourceID), strings.Compare(a.Kind, b.Kind))
	})
	return batch, nil
}

// bookedEntry is what the books hold under a key.
type bookedEntry struct {
	Posted
	fact []byte
}

// insertEntries inserts the entries whose keys are free, with their postings. If another transaction is inserting a
// key, it waits for it. It reads the end of the closed period; if that moves before the insert, the database refuses
// the entry.
const insertEntries = `/* ledger.insertTx */
WITH fresh AS (
    INSERT INTO journal_entry (id, entity_id, currency, entry_date, fact_date, source, source_id, kind, fact_hash, line_count, reverses, dimensions)
    SELECT u.id, u.entity_id, u.currency, greatest(u.fact_date, b.closed_through + 1), u.fact_date,
           u.source, u.source_id, u.kind, u.fact_hash, u.line_count, u.reverses, u.dimensions
      FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::date[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::smallint[], $10::uuid[], $11::jsonb[])
           WITH ORDINALITY AS u (id, entity_id, currency, fact_date, source, source_id, kind, fact_hash, line_count, reverses, dimensions, place)
      LEFT JOIN books b ON b.entity_id = u.entity_id
     ORDER BY u.place
    ON CONFLICT (entity_id, source, source_id, kind) DO NOTHING
    RETURNING id, entity_id, currency, line_count, serial, entry_date
), lines AS (
    INSERT INTO posting (entry_id, n, entity_id, currency, line_count, serial, account_code, fund_id, amount,
                         dimensions, foreign_currency, foreign_amount, rate)
    SELECT f.id, u.n, f.entity_id, f.currency, f.line_count, f.serial, u.account_code, u.fund_id, u.amount,
           u.dimensions, u.foreign_currency, u.foreign_amount, u.rate
      FROM unnest($12::uuid[], $13::smallint[], $14::text[], $15::uuid[], $16::bigint[], $17::jsonb[], $18::text[], $19::bigint[], $20::numeric[])
           AS u (entry_id, n, account_code, fund_id, amount, dimensions, foreign_currency, foreign_amount, rate)
      JOIN fresh f ON f.id = u.entry_id
)
SELECT id, entry_date FROM fresh`

func insertTx(ctx context.Context, tx *sqlx.Tx, batch []draft) (map[key]bookedEntry, error) {
	byID := make(map[uuid.UUID]*draft, len(batch))
	for i := range batch {
		byID[batch[i].id] = &batch[i]
	}
	args, err := columns(batch)
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, insertEntries, args...)
	if pg.Violates(err, "journal_entry_reverses_key") {
		return nil, fault.Wrap(fault.Conflict, "ledger.reversed_already", err)
	}
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	booked := make(map[key]bookedEntry, len(batch))
	for rows.Next() {
		var p Posted
		if err := rows.Scan(&p.ID, &p.Date); err != nil {
			return nil, err
		}
		d := byID[p.ID]
		booked[d.key()] = bookedEntry{p, d.fact[:]}
	}
	return booked, rows.Err()
}

// columns returns a batch as the arguments of insertEntries: eleven arrays of entries, five of postings and four of their
// details. The last four are empty if no posting has details, as for a donation: unnest extends short arrays with NULL.
func columns(batch []draft) ([]any, error) {
	entries, postings, details := pg.NewColumns(11), pg.NewColumns(5), pg.NewColumns(4)
	withDetails := slices.ContainsFunc(batch, draft.hasDetails)
	for _, d := range batch {
		reverses := &d.Reverses
		if d.Reverses == uuid.Nil {
			reverses = nil
		}
		entries.Add(d.id, d.EntityID, string(d.Currency), d.Date.String(), d.Source, d.SourceID, d.Kind, d.fact[:], len(d.Postings),
			reverses, string(d.dimensions))
		for n, p := range d.Postings {
			postings.Add(d.id, n+1, string(p.Account), p.FundID, p.Amount)
			if !withDetails {
				continue
			}
			if err := p.addDetails(details); err != nil {
				return nil, err
			}
		}
	}
	return details.Args(postings.Args(entries.Args()...)...), nil
}

// findBookedTx adds the entries of the batch that were booked before.
func findBookedTx(ctx context.Context, tx *sqlx.Tx, batch []draft, booked map[key]bookedEntry) error {
	const query = `/* ledger.findBookedTx */
		SELECT e.id, e.entry_date, e.entity_id, e.source, e.source_id, e.kind, e.fact_hash
		  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS u (entity_id, source, source_id, kind)
		  JOIN journal_entry e USING (entity_id, source, source_id, kind)`
	keys := pg.NewColumns(4)
	for _, d := range batch {
		if _, fresh := booked[d.key()]; !fresh {
			keys.Add(d.EntityID, d.Source, d.SourceID, d.Kind)
		}
	}
	rows, err := tx.QueryContext(ctx, query, keys.Args()...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		s, k := bookedEntry{Posted: Posted{Repeated: true}}, key{}
		if err := rows.Scan(&s.ID, &s.Date, &k.entity, &k.source, &k.sourceID, &k.kind, &s.fact); err != nil {
			return err
		}
		booked[k] = s
	}
	return rows.Err()
}
