package chaos

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
)

func init() {
	register(Row{
		Name: "postings", No: "13", Short: 5_000, Long: 1_000_000, Prove: Postings,
		Promise: "random postings in three currencies, some repeated, some reversed: trial balance 0 in each, balances equal to " +
			"independent sums, chains that verify; every change of stored rows refused by the database; no float in the ledger",
	})
}

const (
	perPost = 100 // entries in a transaction
	posters = 4
)

// Postings books random entries from several goroutines at once, sums them independently, and then tries to change what
// is stored.
func Postings(t testing.TB, run Run) {
	noFloats(t)
	db := testkit.DB(t)
	var all []*ownBooks
	for _, currency := range []money.Currency{"USD", "EUR", "JPY"} {
		all = append(all, openBooks(t, db.Owner, currency))
	}
	began := time.Now()
	var posting sync.WaitGroup
	for i := range posters {
		r := rand.New(rand.NewPCG(run.Seed, uint64(i)))
		posting.Go(func() {
			for turn, written := i, 0; written < run.Count/posters+1 && !t.Failed(); turn++ {
				n, err := all[turn%len(all)].post(t, db.Server, r)
				if err != nil {
					t.Error(err)
					return
				}
				written += n
				run.Progress(n)
			}
		})
	}
	posting.Wait()
	run.Record("a second", fmt.Sprintf("%.0f", float64(run.Count)/time.Since(began).Seconds()))
	for _, b := range all {
		b.compare(t, db)
	}
	for sealed := 1; sealed > 0; {
		var err error
		sealed, err = ledger.Seal(t.Context(), db.Server)
		require.NoError(t, err)
	}
	_, err := ledger.TakeSnapshots(t.Context(), db.Server, 1)
	require.NoError(t, err)
	for _, b := range all {
		b.compare(t, db) // by its snapshots now
	}
	began = time.Now()
	requireVerified(t, db)
	run.Record("verified in", time.Since(began).Round(time.Millisecond).String())
	run.Record("rewrites refused", fmt.Sprint(attack(t, db)))
	requireVerified(t, db)
}

func requireVerified(t testing.TB, db *testkit.Database) {
	t.Helper()
	report, err := ledger.Verify(t.Context(), db.Server)
	require.NoError(t, err)
	require.Empty(t, report.Findings)
	require.Len(t, report.Chains, 3)
	var uneven []string
	require.NoError(t, db.Server.Select(&uneven, `SELECT currency || ' ' || sum(amount) FROM posting GROUP BY currency HAVING sum(amount) <> 0`))
	require.Empty(t, uneven)
}

// ownBooks are one entity's books and their independent sums.
type ownBooks struct {
	entity   uuid.UUID
	currency money.Currency
	funds    []uuid.UUID

	mu     sync.Mutex
	serial int
	sums   map[string]int64 // by fund and account
	posted []posted         // entries that were not reversed
}

type posted struct {
	id    uuid.UUID
	entry ledger.Entry
}

func openBooks(t testing.TB, db *sqlx.DB, currency money.Currency) *ownBooks {
	b := &ownBooks{entity: uuid.New(), currency: currency, sums: map[string]int64{}}
	organisation, slug := uuid.New(), strings.ToLower(string(currency))
	require.NoError(t, pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		tx.MustExec(`INSERT INTO legal_entity (id, slug, legal_name, ein, address, timezone, currency, mail_from, created_at, updated_at)
			VALUES ($1, $2, 'An Entity', '12-3456789', '{}', 'America/New_York', $3, 'gifts@example.org', now(), now())`, b.entity, slug, currency)
		tx.MustExec(`INSERT INTO organisation (id, entity_id, slug, name, sponsored, languages, presets, minimum, maximum, frequencies, accent, position, created_at, updated_at)
			VALUES ($1, $2, $3, '{}', true, '{en}', '{}', 1, 2, '{once}', '#000000', 1, now(), now())`, organisation, b.entity, slug)
		for n := range 5 {
			b.funds = append(b.funds, uuid.New())
			tx.MustExec(`INSERT INTO fund (id, entity_id, organisation_id, slug, code, name, restriction, purpose, position, created_at, updated_at)
				VALUES ($1, $2, $3, $4, $4, '{}', 'purpose', '{}', 1, now(), now())`, b.funds[n], b.entity, organisation, fmt.Sprint("fund-", n))
		}
		return ledger.OpenBooksTx(t.Context(), tx, b.entity, currency)
	}))
	return b
}

// post books a batch, or reverses an entry, and returns how many lines were written.
func (b *ownBooks) post(t testing.TB, db *sqlx.DB, r *rand.Rand) (lines int, err error) {
	if r.IntN(10) == 0 {
		return b.reverse(t, db, r)
	}
	batch := make([]ledger.Entry, perPost)
	for i := range batch {
		batch[i] = b.entry(r)
	}
	again := r.IntN(4) == 0 // posted twice, by two transactions in turn
	for twice := range 2 {
		if twice == 1 && !again {
			break
		}
		var done []ledger.Posted
		err := pg.InTx(t.Context(), db, func(tx *sqlx.Tx) (err error) {
			done, err = ledger.PostTx(t.Context(), tx, batch, uuid.New)
			return err
		})
		if err != nil {
			return 0, err
		}
		for i, p := range done {
			if p.Repeated != (twice == 1) {
				return 0, fmt.Errorf("entry %s repeated: %t", batch[i].SourceID, p.Repeated)
			}
			if twice == 0 {
				lines += len(batch[i].Postings)
				b.add(batch[i], p.ID)
			}
		}
	}
	return lines, nil
}

// moneyAccounts do not change restricted net assets, which Verify does not allow below zero.
var moneyAccounts = []ledger.Account{ledger.StripeClearing, ledger.Bank, ledger.ContributionsWithout, ledger.GrantsPayable, ledger.ProcessingFees}

// entry returns a fact of two to twelve lines, of any day of three years, from one minor unit to ten billion.
func (b *ownBooks) entry(r *rand.Rand) ledger.Entry {
	b.mu.Lock()
	b.serial++
	id := fmt.Sprint("fact-", b.serial)
	b.mu.Unlock()
	e := ledger.Entry{
		EntityID: b.entity, Currency: b.currency, Date: ledger.DateOf(time.Date(2024, 1, 1+r.IntN(1096), 12, 0, 0, 0, time.UTC), time.UTC),
		Source: "chaos", SourceID: id, Kind: "fact", Fact: ledger.Fact{"id": id},
	}
	for range 1 + r.IntN(6) {
		amount := 1 + r.Int64N(int64(1)<<(1+r.IntN(33)))
		if r.IntN(3) == 0 {
			amount = -amount
		}
		e.Postings = append(e.Postings, ledger.Move(pick(r, moneyAccounts), pick(r, moneyAccounts), pick(r, b.funds), amount)...)
	}
	return e
}

func (b *ownBooks) add(e ledger.Entry, id uuid.UUID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range e.Postings {
		b.sums[fmt.Sprint(p.FundID, p.Account)] += p.Amount
	}
	b.posted = append(b.posted, posted{id, e})
}

func (b *ownBooks) reverse(t testing.TB, db *sqlx.DB, r *rand.Rand) (lines int, err error) {
	b.mu.Lock()
	p, ok := take(r, &b.posted)
	b.mu.Unlock()
	if !ok {
		return 0, nil
	}
	undo := ledger.Reversal{Of: p.id, Date: p.entry.Date, Source: "chaos", SourceID: p.entry.SourceID, Kind: "reversal",
		Fact: ledger.Fact{"of": p.entry.SourceID}}
	err = pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		_, err := ledger.ReverseTx(t.Context(), tx, undo, uuid.New)
		return err
	})
	if err != nil {
		return 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, line := range p.entry.Postings {
		b.sums[fmt.Sprint(line.FundID, line.Account)] -= line.Amount
	}
	return len(p.entry.Postings), nil
}

// compare compares the books with the independent sums.
func (b *ownBooks) compare(t testing.TB, db *testkit.Database) {
	t.Helper()
	names := ledger.Names{Entities: map[uuid.UUID]string{b.entity: "e"}, Funds: map[uuid.UUID]string{}}
	for i, id := range b.funds {
		names.Funds[id] = fmt.Sprint(i)
	}
	lines, err := ledger.Balance(t.Context(), db.Server, names, ledger.Filter{Funds: b.funds})
	require.NoError(t, err)
	sums := map[string]int64{}
	for _, l := range lines {
		sums[fmt.Sprint(l.FundID, l.Account)] = l.Amount
	}
	require.Equal(t, b.sums, sums)
}
