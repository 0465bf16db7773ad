package ledger

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// sealVersion is the first hashed field. Another way of hashing an entry needs another version.
const sealVersion = "konbit entry 1"

// seal returns the hash of entry number n of a chain: SHA-256 over these fields, each as "length:bytes" with the length
// in bytes as a decimal number (as in Fact), one after the other with nothing between.
//
//	konbit entry 1
//	hash of entry n-1 of this entity, 64 lower-case hexadecimal digits; 64 zeros for n = 1
//	n
//	entity id, entry id, serial, currency, entry date, fact date, source, source id, kind, fact_hash,
//	    line_count, reverses, dimensions, recorded_at, recorded_by
//	for each line, in the order of its n:
//	    n, account, fund id, amount, dimensions, foreign currency, foreign amount, rate
//
// NULL is the empty field. Text is UTF-8. Numbers are decimal without leading zeros or plus sign; rate has its twelve
// decimals. Ids are lower-case with hyphens, dates 2026-11-21, recorded_at is UTC to the microsecond as
// 2026-11-21T18:05:00.123456Z, fact_hash is in lower-case hexadecimal. Dimensions are written as PostgreSQL writes
// jsonb: no name twice, names ordered by their length in bytes and then bytewise, one space after each colon and after
// each comma between pairs.
func (s *hashInput) seal(n int64, previous [sha256.Size]byte) [sha256.Size]byte {
	var text []byte
	text = field(text, []byte(sealVersion))
	text = field(text, hex.AppendEncode(nil, previous[:]))
	text = field(text, strconv.AppendInt(nil, n, 10))
	return sha256.Sum256(append(text, s.body...))
}

// field appends bytes to text as "length:bytes".
func field(text, value []byte) []byte {
	text = strconv.AppendInt(text, int64(len(value)), 10)
	text = append(text, ':')
	return append(text, value...)
}

// The hashed columns of an entry and of each of its lines. A posting's other columns repeat its entry's, by a foreign
// key.
const hashedEntryColumns = `e.entity_id::text, e.id::text, e.serial::text, e.currency, to_char(e.entry_date, 'YYYY-MM-DD'), to_char(e.fact_date, 'YYYY-MM-DD'),
		e.source, e.source_id, e.kind, encode(e.fact_hash, 'hex'), e.line_count::text, e.reverses::text, e.dimensions::text,
		to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.recorded_by::text`

var hashedLineColumns = []string{
	"p.n::text", "p.account_code", "p.fund_id::text", "p.amount::text", "p.dimensions::text", "p.foreign_currency", "p.foreign_amount::text", "p.rate::text",
}

// hashedLines selects the number of lines of e and their hashed text. The database writes the text, so that an entry is
// one row.
var hashedLines = `(SELECT count(*)::text AS count, string_agg(` + lengthPrefixed(hashedLineColumns) + `, '' ORDER BY p.n) AS text FROM posting p WHERE p.entry_id = e.id)`

// lengthPrefixed returns SQL that writes columns, each as "length:bytes".
func lengthPrefixed(columns []string) string {
	fields := make([]string, len(columns))
	for i, c := range columns {
		fields[i] = fmt.Sprintf(`octet_length(coalesce(%s, '')) || ':' || coalesce(%[1]s, '')`, c)
	}
	return strings.Join(fields, " || ")
}

// Indexes of columns in a row of nextEntries and sealedEntries: five of the seal, fifteen of the entry, two of its
// lines.
const (
	firstField     = 5
	entityField    = firstField
	serialField    = firstField + 2
	lineCountField = firstField + 10
	countPlace     = firstField + 15
	linesPlace     = firstField + 16
)

// nextEntries selects at most $3 entries with serials above $1 and up to $2, for scanHashInputs.
var nextEntries = `/* ledger.sealTx */
	SELECT '0', '', e.id::text, e.entity_id::text, e.serial::text, ` + hashedEntryColumns + `, l.count, l.text
	  FROM journal_entry e CROSS JOIN LATERAL ` + hashedLines + ` l
	 WHERE e.serial > $1 AND e.serial <= $2 ORDER BY e.serial LIMIT $3`

// sealedEntries selects all seals with their entries, chain by chain, for scanHashInputs.
var sealedEntries = `/* ledger.verifySeals */
	SELECT s.n::text, left(encode(s.hash, 'hex'), 64), s.entry_id::text, s.entity_id::text, s.serial::text, ` + hashedEntryColumns + `, l.count, l.text
	  FROM ledger_seal s LEFT JOIN journal_entry e ON e.id = s.entry_id LEFT JOIN LATERAL ` + hashedLines + ` l ON true
	 ORDER BY s.entity_id, s.n`

// hashInput is an entry with its lines as they are hashed, and its seal if it has one.
type hashInput struct {
	n                 int64             // of the seal; 0 if it is not sealed
	hash              [sha256.Size]byte // of the seal
	entryID, entityID uuid.UUID         // of the seal, or of the entry that has none
	serial            int64             // the same

	exists    bool // the entry exists
	misplaced bool // the entry's entity or serial differs from its seal's
	complete  bool // the entry has as many lines as it states
	body      []byte
}

// scanHashInputs calls visit with each row. The hashInput is valid until visit returns.
func scanHashInputs(rows *sql.Rows, visit func(*hashInput) error) error {
	raw := make([]sql.RawBytes, linesPlace+1)
	into := make([]any, len(raw))
	for i := range raw {
		into[i] = &raw[i]
	}
	var s hashInput
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := s.read(raw); err != nil {
			return err
		}
		if err := visit(&s); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *hashInput) read(raw []sql.RawBytes) (err error) {
	*s = hashInput{body: s.body[:0], exists: raw[firstField] != nil}
	if s.n, err = strconv.ParseInt(string(raw[0]), 10, 64); err != nil {
		return err
	}
	if _, err = hex.Decode(s.hash[:], raw[1]); err != nil {
		return err
	}
	if s.entryID, err = uuid.ParseBytes(raw[2]); err != nil {
		return err
	}
	if s.entityID, err = uuid.ParseBytes(raw[3]); err != nil {
		return err
	}
	if s.serial, err = strconv.ParseInt(string(raw[4]), 10, 64); err != nil || !s.exists {
		return err
	}
	s.misplaced = !bytes.Equal(raw[3], raw[entityField]) || !bytes.Equal(raw[4], raw[serialField])
	s.complete = bytes.Equal(raw[lineCountField], raw[countPlace])
	for _, value := range raw[firstField:countPlace] {
		s.body = field(s.body, value)
	}
	s.body = append(s.body, raw[linesPlace]...)
	return nil
}
