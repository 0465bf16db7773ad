package bank

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
)

// standing is what is on 1100 of an account and was not booked by its own matches or openings (view bank_standing).
type standing struct {
	Kind   string      `db:"kind"`
	Ref    string      `db:"ref"`
	On     ledger.Date `db:"on_date"`
	Amount int64       `db:"amount"`
}

// uncleared returns what stands in 1100 of an account since a day at the latest, and has no line.
func uncleared(ctx context.Context, q sqlx.QueryerContext, of Account) (all []standing, err error) {
	const query = `/* bank.uncleared */ SELECT s.kind, s.ref, s.on_date, s.amount FROM bank_standing s WHERE s.account_id = $1
		AND NOT EXISTS (SELECT FROM bank_cleared c WHERE c.entity_id = s.entity_id AND c.kind = s.kind AND c.ref = s.ref) ORDER BY s.on_date, s.kind, s.ref`
	err = sqlx.SelectContext(ctx, q, &all, query, of.ID)
	return all, err
}

// standingKind is the kind of gifts by transfer, or of entries that others made: they stand in 1100 before their line comes.
type standingKind struct {
	kind  string
	words GiftWords
}

// Kind returns the kind's name.
func (k standingKind) Kind() string { return k.kind }

// Open returns what has no line yet.
func (k standingKind) Open(ctx context.Context, q sqlx.QueryerContext, of Account) (items []Item, err error) {
	all, err := uncleared(ctx, q, of)
	var refs []string
	for _, s := range all {
		if s.Kind == k.kind {
			refs, items = append(refs, s.Ref), append(items, Item{Kind: s.Kind, Ref: s.Ref, Amount: s.Amount, On: s.On})
		}
	}
	if err != nil || k.words == nil || len(refs) == 0 {
		return items, err
	}
	names, numbers, err := k.words(ctx, q, of.EntityID, refs)
	for n, ref := range refs {
		items[n].Path, items[n].Text, items[n].Number = "gifts/"+ref, names[ref], numbers[ref]
	}
	return items, err
}

// BookTx returns what stands in 1100.
func (k standingKind) BookTx(ctx context.Context, tx *sqlx.Tx, of Account, ref string, _ ledger.Date) (b Booking, err error) {
	if _, err := uuid.Parse(ref); k.kind == entry && err != nil {
		return b, errNotFound
	}
	const query = `/* bank.BookTx */ SELECT coalesce(bank_standing_of($1, $2, $3, $4), 0)`
	const cleared = `/* bank.BookTx */ SELECT EXISTS (SELECT FROM bank_cleared WHERE entity_id = $1 AND kind = $2 AND ref = $3)`
	if err := tx.GetContext(ctx, &b.Amount, query, of.EntityID, of.ID, k.kind, ref); err != nil {
		return b, err
	}
	if b.Amount == 0 {
		return b, errNotFound
	}
	var has bool
	if err := tx.GetContext(ctx, &has, cleared, of.EntityID, k.kind, ref); err != nil {
		return b, err
	}
	if has {
		return b, ErrItem
	}
	return b, nil
}

// OpenItems returns all items that wait for a line of an account, by day: of each kind, and transfers that another account's match booked.
func (s Service) OpenItems(ctx context.Context, q sqlx.QueryerContext, of Account) (items []Item, err error) {
	for _, k := range s.kinds() {
		open, err := k.Open(ctx, q, of)
		if err != nil {
			return nil, err
		}
		items = append(items, open...)
	}
	const query = `/* bank.OpenItems */
		SELECT a.slug, s.on_date, s.amount FROM bank_standing s JOIN bank_match m ON m.id::text = s.ref JOIN bank_account a ON a.id = m.account_id
		 WHERE s.account_id = $1 AND s.kind = 'transfer' AND NOT EXISTS (SELECT FROM bank_cleared c WHERE c.entity_id = s.entity_id AND c.kind = 'transfer' AND c.ref = s.ref)`
	var transfers []struct {
		Slug   string      `db:"slug"`
		On     ledger.Date `db:"on_date"`
		Amount int64       `db:"amount"`
	}
	err = sqlx.SelectContext(ctx, q, &transfers, query, of.ID)
	for _, t := range transfers {
		items = append(items, Item{Kind: Transfer, Ref: t.Slug, Amount: t.Amount, On: t.On, Text: t.Slug})
	}
	sortItems(items)
	return items, err
}
