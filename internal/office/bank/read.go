package bank

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/pg"
)

// Match is a match as it is stored.
type Match struct {
	ID         uuid.UUID   `db:"id"`
	EntityID   uuid.UUID   `db:"entity_id"`
	Account    string      `db:"account"` // slug
	On         ledger.Date `db:"on_date"`
	RuleID     *uuid.UUID  `db:"rule_id"`
	MatchedBy  *uuid.UUID  `db:"matched_by"` // nil: a rule, while an operator stored a file
	MatchedAt  time.Time   `db:"matched_at"`
	UndoneBy   *uuid.UUID  `db:"undone_by"`
	UndoneAt   *time.Time  `db:"undone_at"`
	UndoReason string      `db:"undo_reason"`

	Lines []MatchedLine `db:"-"`
	Items []MatchedItem `db:"-"`
}

// MatchedLine is a part of a line in a match.
type MatchedLine struct {
	MatchID   uuid.UUID   `db:"match_id"`
	LineID    uuid.UUID   `db:"line_id"`
	N         int         `db:"part"`
	Amount    int64       `db:"amount"`
	BookedOn  ledger.Date `db:"booked_on"`
	Text      string      `db:"text"`
	Reference string      `db:"reference"`
}

// MatchedItem is an item in a match.
type MatchedItem struct {
	MatchID uuid.UUID  `db:"match_id"`
	Kind    string     `db:"kind"`
	Ref     string     `db:"ref"`
	Amount  int64      `db:"amount"`
	Booked  bool       `db:"booked"`
	Clears  *uuid.UUID `db:"clears_match"`
}

const matchColumns = `SELECT m.id, m.entity_id, a.slug AS account, m.on_date, m.rule_id, m.matched_by, m.matched_at, m.undone_by, m.undone_at,
	coalesce(m.undo_reason, '') AS undo_reason FROM bank_match m JOIN bank_account a ON a.id = m.account_id `

// MatchByID returns a match of an entity; fault.NotFound if q sees none.
func MatchByID(ctx context.Context, q sqlx.QueryerContext, entity, id uuid.UUID) (Match, error) {
	all, err := matches(ctx, q, `/* bank.MatchByID */ `+matchColumns+`WHERE m.id = $1 AND m.entity_id = $2`, id, entity)
	if err != nil {
		return Match{}, err
	}
	if len(all) == 0 {
		return Match{}, errNotFound
	}
	return all[0], nil
}

// MatchesOf returns the live matches of an account with a line from one day to another, both included, in the order of their days.
func MatchesOf(ctx context.Context, q sqlx.QueryerContext, account uuid.UUID, from, until ledger.Date) ([]Match, error) {
	const query = `/* bank.MatchesOf */ ` + matchColumns + `WHERE m.account_id = $1 AND m.undone_at IS NULL AND EXISTS (SELECT FROM bank_match_line o JOIN bank_line l ON l.id = o.line_id
		WHERE o.match_id = m.id AND l.booked_on BETWEEN $2 AND $3) ORDER BY m.on_date, m.matched_at, m.id`
	return matches(ctx, q, query, account, from.String(), until.String())
}

// MatchesOfRule returns the live matches that a rule made.
func MatchesOfRule(ctx context.Context, q sqlx.QueryerContext, rule uuid.UUID) ([]Match, error) {
	return matches(ctx, q, `/* bank.MatchesOfRule */ `+matchColumns+`WHERE m.rule_id = $1 AND m.undone_at IS NULL ORDER BY m.on_date, m.id`, rule)
}

func matches(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) (all []Match, err error) {
	if err := sqlx.SelectContext(ctx, q, &all, query, args...); err != nil || len(all) == 0 {
		return nil, err
	}
	const lines = `/* bank.matches */ SELECT o.match_id, o.line_id, o.part, o.amount, l.booked_on, l.text, l.reference
		FROM bank_match_line o JOIN bank_line l ON l.id = o.line_id WHERE o.match_id = ANY($1::uuid[]) ORDER BY o.match_id, l.booked_on, l.n, o.part`
	const items = `/* bank.matches */ SELECT match_id, kind, ref, amount, booked, clears_match FROM bank_match_item WHERE match_id = ANY($1::uuid[]) ORDER BY match_id, n`
	ids, place := make([]uuid.UUID, len(all)), map[uuid.UUID]int{}
	for i, m := range all {
		ids[i], place[m.ID] = m.ID, i
	}
	var allLines []MatchedLine
	var allItems []MatchedItem
	if err := sqlx.SelectContext(ctx, q, &allLines, lines, pg.UUIDs(ids)); err != nil {
		return nil, err
	}
	if err := sqlx.SelectContext(ctx, q, &allItems, items, pg.UUIDs(ids)); err != nil {
		return nil, err
	}
	for _, l := range allLines {
		m := &all[place[l.MatchID]]
		m.Lines = append(m.Lines, l)
	}
	for _, i := range allItems {
		m := &all[place[i.MatchID]]
		m.Items = append(m.Items, i)
	}
	return all, nil
}

// MatchOf returns the live match of an item; nil if there is none.
func MatchOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, kind, ref string) (*Match, error) {
	const query = `/* bank.MatchOf */ ` + matchColumns + `WHERE m.id = (SELECT c.match_id FROM bank_cleared c WHERE c.entity_id = $1 AND c.kind = $2 AND c.ref = $3)`
	all, err := matches(ctx, q, query, entity, kind, ref)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}
