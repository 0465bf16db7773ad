package ledger

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"strconv"

	"github.com/google/uuid"
)

// sealVersion begins what is hashed. Another way of writing an entry down would be another version.
const sealVersion = "konbit entry 1"

// seal is the hash that entry number n of a chain gets: SHA-256 over these fields, each as "length:bytes" with the length
// in bytes as a decimal number (as in Fact), one after the other with nothing between.
//
//	konbit entry 1
//	hash of entry n-1 of this entity, 64 lower-case hexadecimal digits; 64 zeros for n = 1
//	n
//	the fifteen fields of sheetEntry, in their order
//	the eight fields of sheetLine for each line, in the order of the lines' own n
//
// NULL is the empty field. Text is UTF-8. Numbers are decimal without leading zeros or plus sign; rate has its twelve decimals.
// Ids are lower-case with hyphens, dates 2026-11-21, recorded_at is UTC to the microsecond as 2026-11-21T18:05:00.123456Z,
// fact_hash is in lower-case hexadecimal. Dimensions are written as PostgreSQL writes jsonb: no name twice, names
// ordered by their length in bytes and then bytewise, one space behind each colon and each comma between pairs.
func (s *sheet) seal(n int64, previous [sha256.Size]byte) [sha256.Size]byte {
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

// What is hashed of an entry and of each line. A posting's other columns repeat its entry's, by foreign key.
const (
	sheetEntry = `e.entity_id::text, e.id::text, e.serial::text, e.currency, to_char(e.entry_date, 'YYYY-MM-DD'), to_char(e.fact_date, 'YYYY-MM-DD'),
		e.source, e.source_id, e.kind, encode(e.fact_hash, 'hex'), e.line_count::text, e.reverses::text, e.dimensions::text,
		to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.recorded_by::text`
	sheetLine = `p.n::text, p.account_code, p.fund_id::text, p.amount::text, p.dimensions::text, p.foreign_currency, p.foreign_amount::text, p.rate::text`

	entryFields, lineFields, sealFields = 15, 8, 5
	lineCountField                      = sealFields + 10
)

// nextEntries are entries to be sealed, at most $3 of those with serials between $1 and $2, as readSheets wants them.
const nextEntries = `/* ledger.sealTx */
	SELECT 0::text, '', e.id::text, e.entity_id::text, e.serial::text, ` + sheetEntry + `, ` + sheetLine + `
	  FROM (SELECT * FROM journal_entry WHERE serial > $1 AND serial <= $2 ORDER BY serial LIMIT $3) e
	  LEFT JOIN posting p ON p.entry_id = e.id
	 ORDER BY e.serial, p.n`

// sealedEntries are all seals and what stands behind them, chain by chain, as readSheets wants them.
const sealedEntries = `/* ledger.verifySeals */
	SELECT s.n::text, left(encode(s.hash, 'hex'), 64), s.entry_id::text, s.entity_id::text, s.serial::text, ` + sheetEntry + `, ` + sheetLine + `
	  FROM ledger_seal s LEFT JOIN journal_entry e ON e.id = s.entry_id LEFT JOIN posting p ON p.entry_id = e.id
	 ORDER BY s.entity_id, s.n, p.n`

// sheet is an entry with its lines, written down to be hashed, and its seal if it has one.
type sheet struct {
	n                 int64             // of the seal; 0: not sealed
	hash              [sha256.Size]byte // of the seal
	entryID, entityID uuid.UUID         // of the seal, or of the entry that has none
	serial            int64             // likewise

	there         bool // the entry is
	moved         bool // the entry is of another entity, or has another serial, than its seal says
	stated, lines int  // how many lines the entry says it has, and has
	body          []byte
}

// readSheets hands one sheet after the other to visit; it is valid until visit returns.
func readSheets(rows *sql.Rows, visit func(*sheet) error) error {
	raw := make([]sql.RawBytes, sealFields+entryFields+lineFields)
	into := make([]any, len(raw))
	for i := range raw {
		into[i] = &raw[i]
	}
	var s sheet
	var current []byte // what makes rows belong to one sheet: number and entry
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if key := bytes.Join([][]byte{raw[0], raw[2], raw[3]}, nil); !bytes.Equal(key, current) {
			if current != nil {
				if err := visit(&s); err != nil {
					return err
				}
			}
			current = key
			if err := s.begin(raw); err != nil {
				return err
			}
		}
		s.addLine(raw[sealFields+entryFields:])
	}
	if err := rows.Err(); err != nil || current == nil {
		return err
	}
	return visit(&s)
}

func (s *sheet) begin(raw []sql.RawBytes) (err error) {
	*s = sheet{body: s.body[:0], there: raw[sealFields+1] != nil}
	if _, err = hex.Decode(s.hash[:], raw[1]); err != nil {
		return err
	}
	if s.n, err = strconv.ParseInt(string(raw[0]), 10, 64); err != nil {
		return err
	}
	if s.serial, err = strconv.ParseInt(string(raw[4]), 10, 64); err != nil {
		return err
	}
	if s.entryID, err = uuid.ParseBytes(raw[2]); err != nil {
		return err
	}
	if s.entityID, err = uuid.ParseBytes(raw[3]); err != nil || !s.there {
		return err
	}
	if s.stated, err = strconv.Atoi(string(raw[lineCountField])); err != nil {
		return err
	}
	s.moved = !bytes.Equal(raw[3], raw[sealFields]) || !bytes.Equal(raw[4], raw[sealFields+2])
	for _, value := range raw[sealFields : sealFields+entryFields] {
		s.body = field(s.body, value)
	}
	return nil
}

func (s *sheet) addLine(raw []sql.RawBytes) {
	if raw[0] == nil {
		return // the entry has none
	}
	s.lines++
	for _, value := range raw {
		s.body = field(s.body, value)
	}
}
