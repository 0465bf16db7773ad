package bank

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
)

// Rule is what a person said that lines of an account are: those with these words, direction and amount.
type Rule struct {
	ID        uuid.UUID  `db:"id"`
	EntityID  uuid.UUID  `db:"entity_id"`
	AccountID uuid.UUID  `db:"account_id"`
	Words     string     `db:"words"`     // in the line's text, in any case
	Direction string     `db:"direction"` // in or out
	Amount    *int64     `db:"amount"`    // exactly, minor units; nil: any
	Parts     []RulePart `db:"-"`
	MadeBy    uuid.UUID  `db:"made_by"`
	MadeAt    time.Time  `db:"made_at"`
	EndedAt   *time.Time `db:"ended_at"`
	Matches   int        `db:"matches"` // live ones that it made
}

// RulePart is an item of bank itself, and its share of the line in basis points. The shares of a rule come to 10,000.
type RulePart struct {
	Item  string `json:"item"`
	Share int64  `json:"share"`
}

// Of reports whether a rule is about a part of a line. Of what a person split it says nothing.
func (r Rule) Of(l Line) bool {
	return l.N == 0 && l.Amount == l.Whole && (l.Amount > 0) == (r.Direction == "in") && (r.Amount == nil || *r.Amount == l.Amount) && l.Has(r.Words)
}

// Items returns what a line is by the rule: its parts of the amount, to the cent.
func (r Rule) Items(l Line, c money.Currency) ([]Chosen, error) {
	shares := make([]int64, len(r.Parts))
	for i, p := range r.Parts {
		shares[i] = p.Share
	}
	sign, amount := int64(1), l.Amount
	if amount < 0 {
		sign, amount = -1, -amount
	}
	parts, err := money.New(amount, c).Split(shares)
	if err != nil {
		return nil, err
	}
	var items []Chosen
	for i, p := range parts {
		if p.Minor != 0 {
			items = append(items, Chosen{r.Parts[i].Item, sign * p.Minor})
		}
	}
	return items, nil
}

// check reports ErrRule for a rule that says nothing, or names items that are not of bank itself.
func (r Rule) check() error {
	var shares int64
	for _, p := range r.Parts {
		c := Chosen{Item: p.Item, Amount: 1}
		if !IsOwn(c.kind()) || p.Share <= 0 || (c.kind() == Aside || c.kind() == Transfer) && c.ref() == "" {
			return ErrRule
		}
		if c.kind() == Spending {
			if _, err := ParseSpending(c.ref()); err != nil {
				return err
			}
		}
		shares += p.Share
	}
	if n := len([]rune(strings.TrimSpace(r.Words))); shares != 10_000 || n < 3 || n > 200 || r.Direction != "in" && r.Direction != "out" {
		return ErrRule
	}
	return nil
}

const ruleColumns = `SELECT r.id, r.entity_id, r.account_id, r.words, r.direction, r.amount, r.parts::text AS parts_text, r.made_by, r.made_at, r.ended_at,
	(SELECT count(*) FROM bank_match m WHERE m.rule_id = r.id AND m.undone_at IS NULL) AS matches FROM bank_rule r `

// RulesOf returns the rules of an account, those that ended too, the newest first.
func RulesOf(ctx context.Context, q sqlx.QueryerContext, account uuid.UUID) ([]Rule, error) {
	return rules(ctx, q, `/* bank.RulesOf */ `+ruleColumns+`WHERE r.account_id = $1 ORDER BY r.made_at DESC, r.id`, account)
}

// RuleByID returns a rule of an entity; fault.NotFound if q sees none.
func RuleByID(ctx context.Context, q sqlx.QueryerContext, entity, id uuid.UUID) (Rule, error) {
	all, err := rules(ctx, q, `/* bank.RuleByID */ `+ruleColumns+`WHERE r.id = $1 AND r.entity_id = $2`, id, entity)
	if err != nil {
		return Rule{}, err
	}
	if len(all) == 0 {
		return Rule{}, errNotFound
	}
	return all[0], nil
}

func rules(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) ([]Rule, error) {
	var rows []struct {
		Rule
		PartsText string `db:"parts_text"`
	}
	if err := sqlx.SelectContext(ctx, q, &rows, query, args...); err != nil {
		return nil, err
	}
	all := make([]Rule, len(rows))
	for i, r := range rows {
		all[i] = r.Rule
		if err := json.Unmarshal([]byte(r.PartsText), &all[i].Parts); err != nil {
			return nil, fmt.Errorf("parts of bank rule %s: %w", r.ID, err)
		}
	}
	return all, nil
}

// Tried is a line that a rule is about, and what it is now.
type Tried struct {
	Line  Line
	Items []Chosen // what it is by the rule
	Match *Match   // what a person or another rule said; nil: it is open
}

// maxTried is how many lines of the past a rule is tried on.
const maxTried = 1000

// Try returns the lines of an account since a day that a rule is about, the oldest first. It changes nothing.
func Try(ctx context.Context, q sqlx.QueryerContext, account Account, r Rule, since ledger.Date) ([]Tried, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	until := ledger.Date{Year: 9999, Month: time.December, Day: 31}
	lines, err := LinesOf(ctx, q, account.ID, since, until, 1_000_000)
	if err != nil {
		return nil, err
	}
	matched, err := MatchesOf(ctx, q, account.ID, since, until)
	if err != nil {
		return nil, err
	}
	byID := map[uuid.UUID]*Match{}
	for i := range matched {
		byID[matched[i].ID] = &matched[i]
	}
	var tried []Tried
	for _, l := range lines {
		if !r.Of(l) || len(tried) == maxTried {
			continue
		}
		t := Tried{Line: l}
		if t.Items, err = r.Items(l, account.Currency); err != nil {
			return nil, err
		}
		if l.MatchID != nil {
			t.Match = byID[*l.MatchID]
		}
		tried = append(tried, t)
	}
	return tried, nil
}

// Applied is what a rule did.
type Applied struct {
	Rule    uuid.UUID
	Matched int
	Refused int // lines that stay open, because a fund has less than the rule spends, for one
	Why     error
}

// MakeRuleTx stores a rule of the person of the transaction's staff session and applies it to the open lines of its account.
func (s Service) MakeRuleTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, account Account, r Rule) (a Applied, err error) {
	r.EntityID, r.AccountID, r.Words = account.EntityID, account.ID, strings.Join(strings.Fields(r.Words), " ")
	if err := r.check(); err != nil {
		return a, err
	}
	for _, p := range r.Parts {
		c := Chosen{Item: p.Item}
		if spending, err := ParseSpending(c.ref()); c.kind() == Spending && err == nil {
			if _, err := catalog.FundByCode(account.EntityID, spending.Fund); err != nil {
				return a, ErrSpending
			}
		}
	}
	parts, err := json.Marshal(r.Parts)
	if err != nil {
		return a, err
	}
	const insert = `/* bank.MakeRuleTx */
		INSERT INTO bank_rule (id, entity_id, account_id, words, direction, amount, parts) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	if _, err := tx.ExecContext(ctx, insert, r.ID, r.EntityID, r.AccountID, r.Words, r.Direction, r.Amount, string(parts)); err != nil {
		return a, err
	}
	if err := s.recordTx(ctx, tx, r.EntityID, "bank.rule_made", "bank_rule", r.ID, map[string]any{"account": account.Slug, "parts": r.Parts}, ""); err != nil {
		return a, err
	}
	return s.applyTx(ctx, tx, catalog, account, r)
}

// ApplyRulesTx applies all rules of an account that have not ended to its open lines, the newest rule first.
func (s Service) ApplyRulesTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, account Account) (all []Applied, err error) {
	stored, err := RulesOf(ctx, tx, account.ID)
	if err != nil {
		return nil, err
	}
	for _, r := range stored {
		if r.EndedAt != nil {
			continue
		}
		a, err := s.applyTx(ctx, tx, catalog, account, r)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

func (s Service) applyTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, account Account, r Rule) (a Applied, err error) {
	a.Rule = r.ID
	lines, err := OpenLines(ctx, tx, account.ID, ledger.Date{Year: 1, Month: time.January, Day: 1}, ledger.Date{Year: 9999,
		Month: time.December, Day: 31}, 1_000_000)
	if err != nil {
		return a, err
	}
	for _, l := range lines {
		if !r.Of(l) {
			continue
		}
		items, err := r.Items(l, account.Currency)
		if err != nil {
			return a, err
		}
		_, err = s.MatchTx(ctx, tx, catalog, account.EntityID, Order{Account: account.Slug, Lines: []Part{l.Part()}, Items: items, RuleID: r.ID})
		switch {
		case conflict(err):
			a.Refused, a.Why = a.Refused+1, err
		case err != nil:
			return a, err
		default:
			a.Matched++
		}
	}
	return a, nil
}

// EndRuleTx ends a rule: it makes no match any more. With undo it undoes all that it made; it reports ErrClosed or ErrOtherSide if one of these
// cannot be undone, and then changes nothing.
func (s Service) EndRuleTx(ctx context.Context, tx *sqlx.Tx, entity, id uuid.UUID, undo bool) (undone int, err error) {
	r, err := RuleByID(ctx, tx, entity, id)
	if err != nil {
		return 0, err
	}
	if r.EndedAt == nil {
		const end = `/* bank.EndRuleTx */ UPDATE bank_rule SET ended_at = $2 WHERE id = $1`
		if _, err := tx.ExecContext(ctx, end, id, s.Now()); err != nil {
			return 0, Explained(err)
		}
	}
	if err := s.recordTx(ctx, tx, entity, "bank.rule_ended", "bank_rule", id, map[string]any{"undone": undo}, ""); err != nil || !undo {
		return 0, err
	}
	made, err := MatchesOfRule(ctx, tx, id)
	if err != nil {
		return 0, err
	}
	for _, m := range made {
		if err := s.UndoTx(ctx, tx, entity, m.ID, ""); err != nil {
			return 0, err
		}
	}
	return len(made), nil
}
