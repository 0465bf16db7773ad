package ledger

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
)

// newID returns a version 7 UUID, as in production: new rows come at the end of the index.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

var day = Date{2026, time.March, 14}

// fixture is a database with two legal entities whose books are open.
type fixture struct {
	*testkit.Database
	tsne, grassroots entityBooks
}

// entityBooks is one entity with its operations fund and two more funds.
type entityBooks struct {
	entity               uuid.UUID
	currency             money.Currency
	operations, one, two uuid.UUID
}

func newFixture(t testing.TB) fixture {
	t.Helper()
	h := fixture{Database: testkit.DB(t)}
	h.tsne, h.grassroots = h.open(t, "tsne", "USD"), h.open(t, "grassroots-international", "JPY")
	return h
}

func (h fixture) open(t testing.TB, slug string, currency money.Currency) entityBooks {
	t.Helper()
	b := entityBooks{entity: newID(), currency: currency, operations: newID(), one: newID(), two: newID()}
	organisation := newID()
	require.NoError(t, pg.InTx(t.Context(), h.Owner, func(tx *sqlx.Tx) error { // as konbit apply does
		_, err := tx.Exec(`INSERT INTO legal_entity (id, slug, legal_name, ein, address, timezone, currency, mail_from, created_at, updated_at)
			VALUES ($1, $2, 'An Entity', '12-3456789', '{}', 'America/New_York', $3, 'gifts@example.org', now(), now())`, b.entity, slug, currency)
		require.NoError(t, err)
		_, err = tx.Exec(`INSERT INTO organisation (id, entity_id, slug, name, sponsored, languages, presets, minimum, maximum, frequencies, accent, position, created_at, updated_at)
			VALUES ($1, $2, $3, '{}', true, '{en}', '{}', 1, 2, '{once}', '#000000', 1, now(), now())`, organisation, b.entity, slug)
		require.NoError(t, err)
		for code, id := range map[string]uuid.UUID{"operations": b.operations, "one": b.one, "two": b.two} {
			of, restriction := uuid.NullUUID{UUID: organisation, Valid: true}, "purpose"
			if code == "operations" {
				of, restriction = uuid.NullUUID{}, "none"
			}
			_, err = tx.Exec(`INSERT INTO fund (id, entity_id, organisation_id, slug, code, name, restriction, purpose, position, created_at, updated_at)
				VALUES ($1, $2, $3, $4, $4, '{}', $5, '{}', 1, now(), now())`, id, b.entity, of, code, restriction)
			require.NoError(t, err)
		}
		return OpenBooksTx(t.Context(), tx, b.entity, currency)
	}))
	return b
}

func (h fixture) inTx(t testing.TB, fn func(tx *sqlx.Tx) error) {
	t.Helper()
	require.NoError(t, pg.InTx(t.Context(), h.Server, fn))
}

// post posts entries in a transaction of their own.
func (h fixture) post(ctx context.Context, entries ...Entry) (posted []Posted, err error) {
	err = pg.InTx(ctx, h.Server, func(tx *sqlx.Tx) error {
		posted, err = PostTx(ctx, tx, entries, newID)
		return err
	})
	return posted, err
}

// gift returns a restricted gift to the first fund.
func (b entityBooks) gift(id string, amount int64) Entry {
	return Entry{
		EntityID: b.entity, Currency: b.currency, Date: day, Source: "stripe", SourceID: id, Kind: "gift",
		Fact:       Fact{"payment_intent": id, "amount": fmt.Sprint(amount), "currency": string(b.currency)},
		Dimensions: map[string]string{"charge": "ch_" + id},
		Postings:   Move(StripeClearing, ContributionsWith, b.one, amount),
	}
}

// fee returns a processing fee that the first, restricted fund pays.
func (b entityBooks) fee(id string, amount int64) Entry {
	e := b.gift(id, amount)
	e.Kind = "fee"
	e.Postings = append(Move(ProcessingFees, StripeClearing, b.one, amount), Move(ReleasedWith, ReleasedWithout, b.one, amount)...)
	return e
}

// state returns all rows of the books, to compare them before and after.
func (h fixture) state(t testing.TB) (rows []string) {
	t.Helper()
	require.NoError(t, h.Owner.Select(&rows, `
		SELECT to_jsonb(e)::text FROM journal_entry e UNION ALL SELECT to_jsonb(p)::text FROM posting p
		UNION ALL SELECT to_jsonb(b)::text FROM books b ORDER BY 1`))
	return rows
}
