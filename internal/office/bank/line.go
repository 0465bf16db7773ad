package bank

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/pg"
)

// Line is a part of a line of the bank, as pages show it: the whole line unless a person split it.
type Line struct {
	LineID    uuid.UUID   `db:"line_id"`
	N         int         `db:"part"`
	AccountID uuid.UUID   `db:"account_id"`
	BookedOn  ledger.Date `db:"booked_on"`
	Amount    int64       `db:"amount"` // minor units; positive: money that came
	Whole     int64       `db:"whole"`  // amount of the whole line
	Text      string      `db:"text"`   // the bank's words; empty after an erasure
	Reference string      `db:"reference"`
	Reason    string      `db:"reason"` // why it was split off
	MatchID   *uuid.UUID  `db:"match_id"`
}

// Part returns the part's name.
func (l Line) Part() Part { return Part{l.LineID, l.N} }

const lineColumns = `SELECT p.line_id, p.part, p.account_id, p.booked_on, p.amount, l.amount AS whole, l.text, l.reference, p.reason, o.match_id
	  FROM bank_part p JOIN bank_line l ON l.id = p.line_id LEFT JOIN bank_match_line o ON o.line_id = p.line_id AND o.part = p.part AND NOT o.undone `

// begins is the condition of lines that are after the day on which the books of the account began.
const begins = ` AND p.booked_on > coalesce((SELECT min(o.on_date) FROM bank_opening o WHERE o.account_id = p.account_id), '-infinity')`

// OpenLines returns the parts of lines of an account that no live match has, from one day to another, both included, the oldest first, at most
// limit.
func OpenLines(ctx context.Context, q sqlx.QueryerContext, account uuid.UUID, from, until ledger.Date, limit int) (all []Line, err error) {
	const query = `/* bank.OpenLines */ ` + lineColumns + `WHERE p.account_id = $1 AND p.booked_on BETWEEN $2 AND $3 AND o.match_id IS NULL` + begins + `
		ORDER BY p.booked_on, l.statement_id, l.n, p.line_id, p.part LIMIT $4`
	err = sqlx.SelectContext(ctx, q, &all, query, account, from.String(), until.String(), limit)
	return all, err
}

// LinesOf returns all parts of lines of an account from one day to another, both included, the oldest first, at most limit.
func LinesOf(ctx context.Context, q sqlx.QueryerContext, account uuid.UUID, from, until ledger.Date, limit int) (all []Line, err error) {
	const query = `/* bank.LinesOf */ ` + lineColumns + `WHERE p.account_id = $1 AND p.booked_on BETWEEN $2 AND $3` + begins + `
		ORDER BY p.booked_on, l.statement_id, l.n, p.line_id, p.part LIMIT $4`
	err = sqlx.SelectContext(ctx, q, &all, query, account, from.String(), until.String(), limit)
	return all, err
}

// LineByID returns a part of a line of an entity; fault.NotFound if q sees none.
func LineByID(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, p Part) (Line, error) {
	const query = `/* bank.LineByID */ ` + lineColumns + `WHERE p.line_id = $1 AND p.part = $2 AND p.entity_id = $3`
	var found []Line
	if err := sqlx.SelectContext(ctx, q, &found, query, p.LineID, p.N, entity); err != nil {
		return Line{}, err
	}
	if len(found) == 0 {
		return Line{}, errNotFound
	}
	return found[0], nil
}

// LinesOfGift returns the lines that are or were a gift, by its reference: what the bank wrote about it.
func LinesOfGift(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, gift string) (all []MatchedLine, err error) {
	const query = `/* bank.LinesOfGift */ SELECT o.match_id, o.line_id, o.part, o.amount, l.booked_on, l.text, l.reference FROM bank_match_item i
		JOIN bank_match_line o ON o.match_id = i.match_id JOIN bank_line l ON l.id = o.line_id
		WHERE i.entity_id = $1 AND i.kind = 'gift' AND i.ref = $2 ORDER BY l.booked_on, l.id, o.part`
	err = sqlx.SelectContext(ctx, q, &all, query, entity, gift)
	return all, err
}

// partsTx returns parts of lines of an account, in the order given; fault.NotFound if it does not have one of them.
func partsTx(ctx context.Context, tx *sqlx.Tx, account Account, parts []Part) ([]Line, error) {
	const query = `/* bank.partsTx */ ` + lineColumns + `WHERE p.line_id = ANY($1::uuid[]) AND p.account_id = $2` + begins
	ids := make([]uuid.UUID, len(parts))
	for i, p := range parts {
		ids[i] = p.LineID
	}
	var found []Line
	if err := tx.SelectContext(ctx, &found, query, pg.UUIDs(ids), account.ID); err != nil {
		return nil, err
	}
	byPart := map[Part]Line{}
	for _, l := range found {
		byPart[l.Part()] = l
	}
	lines := make([]Line, len(parts))
	for i, p := range parts {
		l, ok := byPart[p]
		if !ok {
			return nil, errNotFound
		}
		if l.MatchID != nil {
			return nil, ErrMatched
		}
		lines[i] = l
	}
	return lines, nil
}

// Has reports whether the line's words contain text, in any case.
func (l Line) Has(text string) bool {
	return strings.Contains(strings.ToLower(l.Text+" "+l.Reference), strings.ToLower(strings.TrimSpace(text)))
}

// SplitTx splits a part off a line, with the sign of the line, for a reason that names no person. It reports ErrSplit if nothing of the line
// would be left, and ErrMatched if what is left of it is in a live match.
func (s Service) SplitTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, line uuid.UUID, amount int64, reason string) (Part, error) {
	l, err := LineByID(ctx, tx, entity, Part{line, 0})
	if err != nil {
		return Part{}, err
	}
	if l.MatchID != nil {
		return Part{}, ErrMatched
	}
	reason = strings.Join(strings.Fields(reason), " ")
	if n := len([]rune(reason)); n == 0 || n > 500 {
		return Part{}, ErrReason
	}
	if amount == 0 || (amount > 0) != (l.Amount > 0) || (l.Amount-amount > 0) != (l.Amount > 0) || l.Amount == amount {
		return Part{}, ErrSplit
	}
	const insert = `/* bank.SplitTx */
		INSERT INTO bank_split (line_id, part, entity_id, account_id, amount, reason)
		SELECT l.id, 1 + coalesce((SELECT max(s.part) FROM bank_split s WHERE s.line_id = l.id), 0), l.entity_id, l.account_id, $2, $3 FROM bank_line l WHERE l.id = $1
		RETURNING part`
	part := Part{LineID: line}
	if err := tx.GetContext(ctx, &part.N, insert, line, amount, reason); err != nil {
		return part, Explained(err)
	}
	return part, s.recordTx(ctx, tx, entity, "bank.split", "bank_line", line, map[string]any{"part": part.N, "amount": amount}, reason)
}

// JoinTx undoes a split: the part is again what is left of its line. It reports ErrMatched if either is in a live match.
func (s Service) JoinTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, p Part) error {
	l, err := LineByID(ctx, tx, entity, p)
	if err != nil || p.N == 0 {
		return errNotFound
	}
	if l.MatchID != nil {
		return ErrMatched
	}
	const update = `/* bank.JoinTx */ UPDATE bank_split SET joined_at = $3 WHERE line_id = $1 AND part = $2`
	if _, err := tx.ExecContext(ctx, update, p.LineID, p.N, s.Now()); err != nil {
		return Explained(err)
	}
	return s.recordTx(ctx, tx, entity, "bank.joined", "bank_line", p.LineID, map[string]any{"part": p.N, "amount": l.Amount}, "")
}
