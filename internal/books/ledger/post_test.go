package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

func TestRepeatsAndContradictions(t *testing.T) {
	h := newFixture(t)
	gift := h.tsne.gift("pi_1", 2000)
	first, err := h.post(t.Context(), gift, h.tsne.fee("pi_1", 88), gift)
	require.NoError(t, err)
	require.Equal(t, []bool{false, false, true}, []bool{first[0].Repeated, first[1].Repeated, first[2].Repeated})
	require.Equal(t, first[0].ID, first[2].ID)
	require.Equal(t, day, first[0].Date)
	before := h.state(t)

	policy := gift // the same fact, booked by another policy
	policy.Postings = Move(StripeClearing, ContributionsWithout, h.tsne.two, 2000)
	again, err := h.post(t.Context(), policy, h.tsne.fee("pi_1", 88))
	require.NoError(t, err)
	require.Equal(t, []Posted{{first[0].ID, day, true}, {first[1].ID, day, true}}, again)

	_, err = h.post(t.Context(), h.tsne.gift("pi_2", 500), h.tsne.gift("pi_1", 2001))
	require.Equal(t, fault.Conflict, fault.KindOf(err))
	require.ErrorContains(t, err, "gift pi_1 of entity "+h.tsne.entity.String())
	_, err = h.post(t.Context(), h.tsne.gift("pi_2", 500), h.tsne.gift("pi_2", 501))
	require.Equal(t, fault.Conflict, fault.KindOf(err))
	require.Equal(t, before, h.state(t))

	other, err := h.post(t.Context(), h.grassroots.gift("pi_1", 2001)) // the key of another entity
	require.NoError(t, err)
	require.False(t, other[0].Repeated)
}

func TestNotAnEntry(t *testing.T) {
	h := newFixture(t)
	for name, spoil := range map[string]func(*Entry){
		"no source":          func(e *Entry) { e.Source = "" },
		"no source id":       func(e *Entry) { e.SourceID = "" },
		"no kind":            func(e *Entry) { e.Kind = "" },
		"no entity":          func(e *Entry) { e.EntityID = uuid.Nil },
		"no currency":        func(e *Entry) { e.Currency = "usd" },
		"no date":            func(e *Entry) { e.Date = Date{} },
		"no such day":        func(e *Entry) { e.Date = Date{2026, time.February, 29} },
		"no fact":            func(e *Entry) { e.Fact = nil },
		"one line":           func(e *Entry) { e.Postings = e.Postings[:1] },
		"too many lines":     func(e *Entry) { e.Postings = slices.Repeat(e.Postings, 1001) },
		"zero amount":        func(e *Entry) { e.Postings = append(e.Postings, Posting{Account: Bank, FundID: h.tsne.one}) },
		"no account":         func(e *Entry) { e.Postings[0].Account = "" },
		"no fund":            func(e *Entry) { e.Postings = Move(Bank, StripeClearing, uuid.Nil, 5) },
		"unbalanced":         func(e *Entry) { e.Postings[0].Amount++ },
		"unbalanced by fund": func(e *Entry) { e.Postings[0].FundID = h.tsne.two },
		"memo against money": func(e *Entry) { e.Postings[0].Account = Encumbrances },
		"overflow": func(e *Entry) {
			e.Postings = slices.Repeat([]Posting{{Account: Bank, FundID: h.tsne.one, Amount: 1 << 62}}, 4)
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := h.tsne.gift("pi_1", 2000)
			spoil(&e)
			_, err := h.post(t.Context(), h.tsne.gift("pi_2", 1), e)
			require.ErrorIs(t, err, ErrEntry)
		})
	}
	require.Len(t, h.state(t), 2) // the two books
}

func TestLateFactIsBookedOnTheFirstOpenDay(t *testing.T) {
	h := newFixture(t)
	_, err := h.Owner.Exec(`UPDATE books SET closed_through = '2026-02-28' WHERE entity_id = $1`, h.tsne.entity)
	require.NoError(t, err)
	late, other := h.tsne.gift("pi_late", 700), h.grassroots.gift("pi_late", 700)
	late.Date = Date{2026, time.February, 3}
	other.Date = late.Date
	posted, err := h.post(t.Context(), late, other, h.tsne.gift("pi_1", 100))
	require.NoError(t, err)
	require.Equal(t, []Date{{2026, time.March, 1}, other.Date, day}, []Date{posted[0].Date, posted[1].Date, posted[2].Date})
	var fact Date
	require.NoError(t, h.Server.Get(&fact, `SELECT fact_date FROM journal_entry WHERE id = $1`, posted[0].ID))
	require.Equal(t, late.Date, fact)
}

func TestClosingAPeriodRacesNoEntry(t *testing.T) {
	h := newFixture(t)
	const lock, end = `SELECT FROM books WHERE entity_id = $1 FOR UPDATE`, `UPDATE books SET closed_through = '2026-03-31' WHERE entity_id = $1`
	// An uncommitted entry delays the closing.
	h.inTx(t, func(tx *sqlx.Tx) error {
		_, err := PostTx(t.Context(), tx, []Entry{h.tsne.gift("pi_1", 5)}, newID)
		require.NoError(t, err)
		err = pg.InTx(t.Context(), h.Owner, func(closing *sqlx.Tx) error {
			_, err := closing.Exec(`SET LOCAL lock_timeout = 100`)
			require.NoError(t, err)
			_, err = closing.Exec(lock, h.tsne.entity)
			return err
		})
		require.ErrorContains(t, err, "55P03") // lock not available
		return nil
	})
	// An entry after the closing waits for it, is refused, and is accepted at the next attempt.
	late := make(chan error)
	require.NoError(t, pg.InTx(t.Context(), h.Owner, func(closing *sqlx.Tx) error {
		_, err := closing.Exec(lock, h.tsne.entity)
		require.NoError(t, err)
		go func() { _, err := h.post(t.Context(), h.tsne.gift("pi_2", 5)); late <- err }()
		require.Eventually(t, func() bool {
			var waiting bool
			return h.Server.Get(&waiting, `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)`) == nil && waiting
		}, 10*time.Second, 5*time.Millisecond)
		_, err = closing.Exec(end, h.tsne.entity)
		return err
	}))
	require.True(t, pg.Violates(<-late, "journal_entry_in_open_period"))
	posted, err := h.post(t.Context(), h.tsne.gift("pi_2", 5))
	require.NoError(t, err)
	require.Equal(t, Date{2026, time.April, 1}, posted[0].Date)
}

func TestReverse(t *testing.T) {
	h := newFixture(t)
	posted, err := h.post(t.Context(), h.tsne.fee("pi_1", 88))
	require.NoError(t, err)
	undo := Reversal{Of: posted[0].ID, Date: day.Next(), Source: "stripe", SourceID: "txn_1", Kind: "fee undone", Fact: Fact{"balance_transaction": "txn_1"}}
	reverse := func(r Reversal) (p Posted, err error) {
		err = pg.InTx(t.Context(), h.Server, func(tx *sqlx.Tx) error { p, err = ReverseTx(t.Context(), tx, r, newID); return err })
		return p, err
	}
	first, err := reverse(undo)
	require.NoError(t, err)
	again, err := reverse(undo)
	require.NoError(t, err)
	require.Equal(t, Posted{first.ID, day.Next(), true}, again)

	var open int
	require.NoError(t, h.Server.Get(&open, `SELECT count(*) FROM (SELECT FROM posting GROUP BY fund_id, account_code HAVING sum(amount) <> 0) s`))
	require.Zero(t, open)

	second := undo
	second.SourceID = "txn_2"
	_, err = reverse(second)
	require.Equal(t, fault.Conflict, fault.KindOf(err))
	second.Of = newID()
	_, err = reverse(second)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	racing := h.tsne.gift("txn_3", 5) // only the database sees a reversal that was booked after the check
	racing.Reverses = posted[0].ID
	_, err = h.post(t.Context(), racing)
	require.Equal(t, fault.Conflict, fault.KindOf(err))
}

func TestSameBatchTenTimesAtOnce(t *testing.T) {
	h := newFixture(t)
	batch := make([]Entry, 0, 100)
	for i := range 50 {
		batch = append(batch, h.tsne.gift(fmt.Sprint("pi_", i), 100), h.grassroots.fee(fmt.Sprint("pi_", i), 7))
	}
	var wg sync.WaitGroup
	ids, failures := make([][]uuid.UUID, 10), make([]error, 10)
	for worker := range 10 {
		wg.Go(func() {
			mine := slices.Clone(batch)
			if worker%2 == 1 {
				slices.Reverse(mine) // the result must not depend on the caller's order
			}
			posted, err := h.post(t.Context(), mine...)
			for _, p := range posted {
				ids[worker] = append(ids[worker], p.ID)
			}
			if worker%2 == 1 {
				slices.Reverse(ids[worker])
			}
			failures[worker] = err
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(failures...))
	for _, got := range ids {
		require.Equal(t, ids[0], got)
	}
	var entries int
	require.NoError(t, h.Server.Get(&entries, `SELECT count(*) FROM journal_entry`))
	require.Equal(t, 100, entries)
}

func TestOpenBooks(t *testing.T) {
	h := newFixture(t)
	require.NoError(t, pg.InTx(t.Context(), h.Owner, func(tx *sqlx.Tx) error { return OpenBooksTx(t.Context(), tx, h.tsne.entity, "USD") }))
	err := pg.InTx(t.Context(), h.Owner, func(tx *sqlx.Tx) error { return OpenBooksTx(t.Context(), tx, h.tsne.entity, "EUR") })
	require.Equal(t, fault.Conflict, fault.KindOf(err))
}

// BenchmarkPost measures a transaction of one batch; the target is 1-2 ms for one entry.
func BenchmarkPost(b *testing.B) {
	for _, size := range []int{1, 100} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			h := newFixture(b)
			for b.Loop() {
				batch := make([]Entry, size)
				for i := range batch {
					batch[i] = h.tsne.gift(newID().String(), 2000)
				}
				_, err := h.post(context.Background(), batch...)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}
