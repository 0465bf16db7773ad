package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/short"
)

// These tests check the checks of the rows: each must find the violation it is written for.

func TestTryReturnsTheTestOutput(t *testing.T) {
	for name, prove := range map[string]func(t testing.TB){
		"an error":         func(t testing.TB) { t.Errorf("seen: %d", 7) },
		"the end":          func(t testing.TB) { t.Fatal("seen: 7"); panic("not reached") },
		"a requirement":    func(t testing.TB) { require.Equal(t, "seen: 7", "") },
		"a panic":          func(testing.TB) { panic("seen: 7") },
		"an error at last": func(t testing.TB) { t.Cleanup(func() { t.Error("seen: 7") }) },
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, testkit.Try(t.Context(), name, prove), "seen: 7")
		})
	}
	var order []int
	var ctx context.Context
	require.NoError(t, testkit.Try(t.Context(), "good", func(t testing.TB) {
		t.Cleanup(func() { order = append(order, 1) })
		t.Cleanup(func() { order = append(order, 2) })
		ctx = t.Context()
		require.NoError(t, ctx.Err())
		t.Log("this text must not appear")
	}))
	require.Equal(t, []int{2, 1}, order)
	require.Error(t, ctx.Err())
}

func TestPermutationsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for n := range 720 {
		seen[fmt.Sprint(permutation(n, 6))] = true
	}
	require.Len(t, seen, 720)
	require.Equal(t, permutation(3, 6), permutation(723, 6))
}

func TestOracleDividesAsThePackages(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 10_000 {
		weights := make([]int64, 1+r.IntN(5))
		for i := range weights {
			weights[i] = r.Int64N(100_000)
		}
		weights[0]++
		amount := r.Int64N(100_000)
		parts, err := money.New(amount, "USD").Split(weights)
		require.NoError(t, err)
		for i, part := range divide(amount, weights) {
			require.Equal(t, parts[i].Minor, part, "%d by %v", amount, weights)
		}
	}
}

// settledSimulation has one gift, settled, booked and checked.
func settledSimulation(t testing.TB) *simulation {
	w := newSimulation(t, 1)
	for len(w.sessions) == 0 {
		w.begin()
	}
	require.NoError(t, w.Fake.Pay(w.sessions[0].id, stripefake.GoodCard))
	w.end()
	w.checkAll()
	return w
}

func TestOracleFindsWrongEntries(t *testing.T) {
	short.Skip(t, "PostgreSQL")
	for name, c := range map[string]struct {
		wrong func(t testing.TB, w *simulation)
		says  string
	}{
		"an entry of nothing": {func(t testing.TB, w *simulation) {
			a := w.accounts["tsne"]
			fund, err := w.CurrentCatalog().Operations(a.entity.ID)
			require.NoError(t, err)
			require.NoError(t, pg.InTx(t.Context(), w.DB.Server, func(tx *sqlx.Tx) error {
				_, err := ledger.PostTx(t.Context(), tx, []ledger.Entry{{EntityID: a.entity.ID, Currency: "USD", Date: ledger.DateOf(w.Fake.Now(), a.entity.Location()),
					Source: ofMove, SourceID: "txn_none", Kind: movement, Fact: ledger.Fact{"amount": "1"}, Postings: ledger.Move("1095", "5100", fund.ID, 1)}}, uuid.New)
				return err
			}))
		}, "no balance transaction explains this entry"},
		"an amount that is off": {func(t testing.TB, w *simulation) {
			w.begin()
			w.oracle.pledges[w.begun[1]].parts[0].gift--
			require.NoError(t, w.Fake.Pay(w.sessions[1].id, stripefake.GoodCard))
			w.end()
		}, "the entry says"},
		"money that is not booked": {func(t testing.TB, w *simulation) {
			w.begin()
			require.NoError(t, w.Fake.Pay(w.sessions[1].id, stripefake.GoodCard))
		}, "not in the books"},
		"an event that waits": {func(t testing.TB, w *simulation) {
			w.Exec(`UPDATE stripe_event SET state = 'parked', reason = 'waits', done_at = NULL WHERE id = (SELECT min(id) FROM stripe_event)`)
		}, "events that wait for ever"},
		"a receipt too few": {func(t testing.TB, w *simulation) {
			w.oracle.notReturned[w.oracle.pledges[w.begun[0]].paidBy]--
		}, "receipts that stand"},
		"a task too many": {func(t testing.TB, w *simulation) {
			w.Exec(`INSERT INTO finance_task (id, entity_id, kind, subject, detail, opened_at) SELECT gen_random_uuid(), id, 'payout_failed', 'po_none', '{}', now() FROM legal_entity LIMIT 1`)
		}, "tasks"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.ErrorContains(t, testkit.Try(t.Context(), name, func(t testing.TB) {
				w := settledSimulation(t)
				c.wrong(t, w)
				w.checkAll()
			}), c.says)
		})
	}
}
