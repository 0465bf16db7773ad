package bank

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/people/audit"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

const source = "bank match"

// Order is what a person matches: parts of lines of an account, and items.
type Order struct {
	Account string // slug
	Lines   []Part
	Items   []Chosen
	RuleID  uuid.UUID // the rule that made it; uuid.Nil: a person did
}

// making is a match that is being made.
type making struct {
	account Account
	catalog *fund.Catalog
	on      ledger.Date
	lines   []Line
	items   []bookedItem
	spent   map[uuid.UUID]int64 // of each fund, in minor units
	cleared []uuid.UUID         // matches of other accounts, of which it clears a transfer
}

// MatchTx matches lines and items of an entity and books what they say: one entry with the match's id as source id, dated on the last day of the
// lines, or none if the items stand in 1100 already or are set aside.
//
//	another sum of lines than of items                ErrUnequal
//	a line is matched already                         ErrMatched
//	an item waits for nothing, or has another amount  ErrItem, ErrAmount
//	a fund has less than was spent                    fault.Conflict
//
// An error of the commit is explained by Explained.
func (s Service) MatchTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, entityID uuid.UUID, o Order) (uuid.UUID, error) {
	account, err := AccountOf(ctx, tx, entityID, o.Account)
	if err != nil {
		return uuid.Nil, err
	}
	m := &making{account: account, catalog: catalog, spent: map[uuid.UUID]int64{}}
	parts := slices.SortedFunc(slices.Values(o.Lines), compareParts)
	if len(parts) == 0 || len(o.Items) == 0 || len(slices.Compact(slices.Clone(parts))) != len(parts) {
		return uuid.Nil, ErrUnequal
	}
	if m.lines, err = partsTx(ctx, tx, account, parts); err != nil {
		return uuid.Nil, err
	}
	var open int64
	for _, l := range m.lines {
		open += l.Amount
		if m.on == (ledger.Date{}) || m.on.String() < l.BookedOn.String() {
			m.on = l.BookedOn
		}
	}
	for _, c := range o.Items {
		item, err := s.bookTx(ctx, tx, m, c)
		if err != nil {
			return uuid.Nil, err
		}
		m.items, open = append(m.items, item), open-item.amount
	}
	if open != 0 {
		return uuid.Nil, ErrUnequal
	}
	if err := s.checkSpentTx(ctx, tx, m); err != nil {
		return uuid.Nil, err
	}
	id := s.NewID()
	if err := s.insertTx(ctx, tx, id, m, o.RuleID); err != nil {
		return uuid.Nil, Explained(err)
	}
	if err := s.postTx(ctx, tx, id, m); err != nil {
		return uuid.Nil, err
	}
	for _, item := range m.items {
		if item.follower != nil {
			if err := item.follower.MatchedTx(ctx, tx, account, item.ref, m.on); err != nil {
				return uuid.Nil, err
			}
		}
	}
	return id, s.recordTx(ctx, tx, entityID, "bank.matched", "bank_match", id, m.said(o.RuleID), "")
}

// bookTx books an item that a person chose.
func (s Service) bookTx(ctx context.Context, tx *sqlx.Tx, m *making, c Chosen) (b bookedItem, err error) {
	if IsOwn(c.kind()) {
		return s.bookOwnTx(ctx, tx, m, c)
	}
	kind := s.kind(c.kind())
	if kind == nil {
		return b, errNotFound
	}
	booking, err := kind.BookTx(ctx, tx, m.account, c.ref(), m.on)
	if err != nil {
		return b, err
	}
	if c.Amount != 0 && c.Amount != booking.Amount || booking.Amount == 0 {
		return b, ErrAmount
	}
	b = bookedItem{kind: c.kind(), ref: c.ref(), amount: booking.Amount, postings: booking.Postings}
	b.follower, _ = kind.(Follower)
	return b, nil
}

func (s Service) insertTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, m *making, rule uuid.UUID) error {
	const match = `/* bank.insertTx */ INSERT INTO bank_match (id, entity_id, account_id, on_date, rule_id) VALUES ($1, $2, $3, $4, $5)`
	const lines = `/* bank.insertTx */
		INSERT INTO bank_match_line (match_id, line_id, part, entity_id, account_id, amount)
		SELECT $1, l.line_id, l.part, $2, $3, l.amount FROM unnest($4::uuid[], $5::integer[], $6::bigint[]) AS l (line_id, part, amount)`
	const items = `/* bank.insertTx */
		INSERT INTO bank_match_item (match_id, n, entity_id, account_id, kind, ref, amount, booked, clears_match)
		SELECT $1, i.n, $2, $3, i.kind, i.ref, i.amount, i.booked, i.clears
		  FROM unnest($4::integer[], $5::text[], $6::text[], $7::bigint[], $8::boolean[], $9::uuid[]) AS i (n, kind, ref, amount, booked, clears)`
	of := []any{id, m.account.EntityID, m.account.ID}
	if _, err := tx.ExecContext(ctx, match, append(of, m.on.String(), uuid.NullUUID{UUID: rule, Valid: rule != uuid.Nil})...); err != nil {
		return err
	}
	rows := pg.NewColumns(3)
	for _, l := range m.lines {
		rows.Add(l.LineID, l.N, l.Amount)
	}
	if _, err := tx.ExecContext(ctx, lines, rows.Args(of...)...); err != nil {
		return err
	}
	rows = pg.NewColumns(6)
	for n, i := range m.items {
		clears := &i.clears
		if i.clears == uuid.Nil {
			clears = nil
		}
		rows.Add(n+1, i.kind, i.ref, i.amount, i.booked(), clears)
	}
	_, err := tx.ExecContext(ctx, items, rows.Args(of...)...)
	return err
}

// postTx books the postings of all items in one entry. Those on 1100 have the account's dimension.
func (s Service) postTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, m *making) error {
	e := ledger.Entry{EntityID: m.account.EntityID, Currency: m.account.Currency, Date: m.on, Source: source, SourceID: id.String(), Kind: "matched",
		Fact: ledger.Fact{"account": m.account.Slug}, Dimensions: map[string]string{ledger.BankDimension: m.account.Slug}}
	var items []string
	for _, i := range m.items {
		for _, p := range i.postings {
			if p.Account == ledger.Bank && p.Dimensions[ledger.BankDimension] == "" {
				p = ledger.InBank([]ledger.Posting{p}, m.account.Slug)[0]
			}
			e.Postings = append(e.Postings, p)
		}
		items = append(items, i.kind+":"+i.ref+" "+strconv.FormatInt(i.amount, 10))
	}
	if len(e.Postings) == 0 {
		return nil
	}
	e.Fact["items"] = strings.Join(items, "\n")
	_, err := ledger.PostTx(ctx, tx, []ledger.Entry{e}, s.NewID)
	return err
}

// said is what the audit log has of a match: ids and amounts.
func (m *making) said(rule uuid.UUID) map[string]any {
	lines, items := make([]string, len(m.lines)), make([]string, len(m.items))
	for i, l := range m.lines {
		lines[i] = l.Part().String()
	}
	for i, b := range m.items {
		items[i] = b.kind + ":" + b.ref + " " + strconv.FormatInt(b.amount, 10)
	}
	said := map[string]any{"account": m.account.Slug, "lines": lines, "items": items}
	if rule != uuid.Nil {
		said["rule"] = rule
	}
	return said
}

func (s Service) recordTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, act, kind string, id uuid.UUID, after any, reason string) error {
	return audit.RecordTx(ctx, tx, audit.Act{Name: act, EntityID: uuid.NullUUID{UUID: entity, Valid: true}, ObjectKind: kind, ObjectID: id.String(),
		After: after, Reason: cmp.Or(reason, s.Why)})
}

// UndoTx undoes a match: its lines and items are open again, and what it booked is reversed on the same day. It reports ErrClosed if that
// month is closed, ErrUndone if the match was undone, and ErrOtherSide if a line of another account has the transfer that it booked.
func (s Service) UndoTx(ctx context.Context, tx *sqlx.Tx, entityID, id uuid.UUID, reason string) error {
	const lock = `/* bank.UndoTx */ SELECT account_id, undone_at IS NOT NULL AS undone FROM bank_match WHERE id = $1 AND entity_id = $2 FOR UPDATE`
	const undo = `/* bank.UndoTx */ UPDATE bank_match SET undone_at = $2, undo_reason = nullif($3, '') WHERE id = $1`
	const clears = `/* bank.UndoTx */ SELECT EXISTS (SELECT FROM bank_match_item WHERE clears_match = $1 AND NOT undone)`
	var found []struct {
		AccountID uuid.UUID `db:"account_id"`
		Undone    bool      `db:"undone"`
	}
	if err := tx.SelectContext(ctx, &found, lock, id, entityID); err != nil {
		return err
	}
	if len(found) == 0 {
		return errNotFound
	}
	if found[0].Undone {
		return ErrUndone
	}
	var cleared bool
	if err := tx.GetContext(ctx, &cleared, clears, id); err != nil {
		return err
	}
	if cleared {
		return ErrOtherSide
	}
	m, err := MatchByID(ctx, tx, entityID, id)
	if err != nil {
		return err
	}
	posted, booked, err := ledger.EntryOf(ctx, tx, entityID, source, id.String(), "matched")
	if err != nil {
		return err
	}
	closed, err := ledger.ClosedThrough(ctx, tx, entityID)
	if err != nil {
		return err
	}
	day := m.On
	if booked {
		day = posted.Date
	}
	if day.String() <= closed.String() {
		return ErrClosed
	}
	if len([]rune(reason)) > 500 {
		return ErrReason
	}
	if _, err := tx.ExecContext(ctx, undo, id, s.Now(), reason); err != nil {
		return Explained(err)
	}
	if booked {
		_, err := ledger.ReverseTx(ctx, tx, ledger.Reversal{Of: posted.ID, Date: day, Source: source, SourceID: id.String(), Kind: "undone",
			Fact: ledger.Fact{"undone": id.String()}, Dimensions: map[string]string{ledger.BankDimension: m.Account}}, s.NewID)
		if err != nil {
			return err
		}
	}
	if err := s.followUndoTx(ctx, tx, m); err != nil {
		return err
	}
	return s.recordTx(ctx, tx, entityID, "bank.undone", "bank_match", id, map[string]any{"account": m.Account}, reason)
}

func (s Service) followUndoTx(ctx context.Context, tx *sqlx.Tx, m Match) error {
	account, err := AccountOf(ctx, tx, m.EntityID, m.Account)
	if err != nil {
		return err
	}
	for _, i := range m.Items {
		if follower, ok := s.kind(i.Kind).(Follower); ok {
			if err := follower.UndoneTx(ctx, tx, account, i.Ref); err != nil {
				return err
			}
		}
	}
	return nil
}

// sortItems puts items in the order of their day and name.
func sortItems(items []Item) {
	slices.SortFunc(items, func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.On.String(), b.On.String()), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Ref, b.Ref))
	})
}

// conflict reports whether err says that the act does not fit what is stored: nothing was written, and another act may follow.
func conflict(err error) bool { return fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) }
