package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
)

// Report is the result of Verify.
type Report struct {
	Entries  int64    `json:"entries"` // sealed entries
	Head     string   `json:"head"`    // "N:HASH"
	Findings []string `json:"findings"`
}

// OK reports whether nothing was found.
func (r Report) OK() bool { return len(r.Findings) == 0 }

// maxFindings is how many findings Verify returns. If more is wrong, the rest adds no information.
const maxFindings = 20

// Verify computes the chain of seals again from the stored entries, at one moment, and compares it with the recorded heads
// and with the heads that the caller passes. The owner of the database can rewrite the recorded heads, but not those in
// the auditors' emails. It only reads. It reports an error if it could not read; what is wrong is a finding.
func Verify(ctx context.Context, db *sqlx.DB, heads ...Head) (Report, error) {
	r := Report{Findings: []string{}}
	err := ledger.ReadConsistent(ctx, db, func(tx *sqlx.Tx) error {
		known, err := recordedHeads(ctx, tx)
		if err != nil {
			return err
		}
		for _, h := range heads {
			known[h.N] = append(known[h.N], h.Hash)
		}
		if err := r.followChain(ctx, tx, known); err != nil {
			return err
		}
		return r.findUnsealed(ctx, tx)
	})
	return r, err
}

func (r *Report) found(format string, args ...any) {
	if len(r.Findings) < maxFindings {
		r.Findings = append(r.Findings, fmt.Sprintf(format, args...))
	}
}

// sealedEntries selects all seals with the fields that they hash, as text: see audit_hash in migration 00125.
const sealedEntries = `/* audit.Verify */
	SELECT s.n, s.serial, s.hash, a.serial::text, to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), a.staff_id::text, a.operator::text, a.act,
	       a.entity_id::text, a.organisation_id::text, a.object_kind, a.object_id, a.before::text, a.after::text, a.reason, a.recorded_in::text
	  FROM audit_seal s LEFT JOIN audit_entry a USING (serial) ORDER BY s.n`

func (r *Report) followChain(ctx context.Context, tx *sqlx.Tx, known map[int64][][sha256.Size]byte) error {
	rows, err := tx.QueryContext(ctx, sealedEntries)
	if err != nil {
		return err
	}
	defer rows.Close()
	fields := make([]sql.NullString, 13)
	var n, serial int64
	var stored []byte
	into := []any{&n, &serial, &stored}
	for i := range fields {
		into = append(into, &fields[i])
	}
	var last Head
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		switch hash := hashOf(n, last.Hash, fields); {
		case n != last.N+1:
			r.found("seal %d is missing", last.N+1)
		case !fields[0].Valid:
			r.found("entry %d, sealed as number %d, is gone", serial, n)
		case !bytes.Equal(hash[:], stored):
			r.found("entry %d, sealed as number %d, or the seal before it, was changed", serial, n)
		}
		last.N = n
		copy(last.Hash[:], stored)
		r.Entries++
		for _, h := range known[n] {
			if h != last.Hash {
				r.found("the chain up to number %d is not the one that was recorded or emailed", n)
			}
		}
		delete(known, n)
	}
	for n := range known {
		r.found("the chain had %d entries and has %d", n, last.N)
	}
	r.Head = last.String()
	return rows.Err()
}

// hashOf returns the hash of entry number n, whose fields are those of sealedEntries. NULL is the empty field.
func hashOf(n int64, previous [sha256.Size]byte, fields []sql.NullString) [sha256.Size]byte {
	var text []byte
	field := func(value string) {
		text = strconv.AppendInt(text, int64(len(value)), 10)
		text = append(append(text, ':'), value...)
	}
	field("konbit audit 1")
	field(hex.EncodeToString(previous[:]))
	field(strconv.FormatInt(n, 10))
	for _, f := range fields {
		field(f.String)
	}
	return sha256.Sum256(text)
}

func (r *Report) findUnsealed(ctx context.Context, tx *sqlx.Tx) error {
	const query = `/* audit.Verify */ SELECT count(*), min(a.serial) FROM audit_entry a
		WHERE a.at < clock_timestamp() - $1 * interval '1 second' AND NOT EXISTS (SELECT FROM audit_seal s WHERE s.serial = a.serial)`
	var count int64
	var first sql.NullInt64
	if err := tx.QueryRowContext(ctx, query, SealWithin.Seconds()).Scan(&count, &first); err != nil {
		return err
	}
	if count > 0 {
		r.found("entry %d is not sealed (%d in all)", first.Int64, count)
	}
	return nil
}

// recordedHeads returns all recorded heads by their number.
func recordedHeads(ctx context.Context, q sqlx.QueryerContext) (map[int64][][sha256.Size]byte, error) {
	const query = `/* audit.Verify */ SELECT DISTINCT n, hash FROM audit_head`
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[int64][][sha256.Size]byte{}
	for rows.Next() {
		var h Head
		var hash []byte
		if err := rows.Scan(&h.N, &hash); err != nil {
			return nil, err
		}
		copy(h.Hash[:], hash)
		all[h.N] = append(all[h.N], h.Hash)
	}
	return all, rows.Err()
}
