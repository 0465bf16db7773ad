package ledger

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// oracle holds the same books in maps.
type oracle struct {
	entries  map[string]Entry // by source id
	ids      map[string]uuid.UUID
	reversed map[string]bool
}

func newOracle() *oracle {
	return &oracle{entries: map[string]Entry{}, ids: map[string]uuid.UUID{}, reversed: map[string]bool{}}
}

// knows reports for each entry whether it is a repeat, and whether any entry contradicts the books or another one.
func (o *oracle) knows(entries []Entry) (repeated []bool, conflict bool) {
	seen := maps.Clone(o.entries)
	for _, e := range entries {
		earlier, ok := seen[e.SourceID]
		repeated = append(repeated, ok)
		if ok && !maps.Equal(earlier.Fact, e.Fact) {
			conflict = true
		}
		if !ok {
			seen[e.SourceID] = e
		}
	}
	return repeated, conflict
}

func (o *oracle) add(e Entry, id uuid.UUID) {
	if _, ok := o.entries[e.SourceID]; !ok {
		o.entries[e.SourceID], o.ids[e.SourceID] = e, id
	}
}

func (o *oracle) balance() map[string]int64 {
	sums := map[string]int64{}
	for _, e := range o.entries {
		for _, p := range e.Postings {
			sums[fmt.Sprint(p.FundID, p.Account)] += p.Amount
		}
	}
	return sums
}

// drawEntry returns an entry about one of few objects, so that repeats and contradictions happen.
func drawEntry(t *rapid.T, b entityBooks) Entry {
	funds := []uuid.UUID{b.operations, b.one, b.two}
	accounts := []Account{StripeClearing, Bank, ContributionsWithout, GrantsPayable, ProcessingFees}
	amount := rapid.SampledFrom([]int64{1, -1, 2000, 999_999_999_999}).Draw(t, "amount")
	e := b.gift(fmt.Sprint("pi_", rapid.IntRange(1, 60).Draw(t, "object")), amount)
	e.Date.Day = rapid.IntRange(1, 28).Draw(t, "day")
	e.Postings = nil
	for range rapid.IntRange(1, 4).Draw(t, "moves") {
		e.Postings = append(e.Postings, Move(rapid.SampledFrom(accounts).Draw(t, "debit"), rapid.SampledFrom(accounts).Draw(t, "credit"),
			rapid.SampledFrom(funds).Draw(t, "fund"), amount)...)
	}
	if rapid.IntRange(0, 3).Draw(t, "details") == 0 {
		for i := range e.Postings {
			e.Postings[i].Dimensions = map[string]string{"nature": "b1"}
			e.Postings[i].Foreign = &Foreign{money.New(2*e.Postings[i].Amount, "EUR"), rate("0.5")}
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "contradict") > 0 { // most objects have one fact
		e.Fact = Fact{"payment_intent": e.SourceID}
	}
	return e
}

// TestBooksAgreeWithAnOracle runs a few rounds; -rapid.checks=1000 runs more. After each step all rules are checked:
// the balances are the oracle's when they are read through any snapshot, and Verify finds nothing.
func TestBooksAgreeWithAnOracle(t *testing.T) {
	const block = 10 // rounds in one database: Verify reads the whole database after every step
	checks := flag.Lookup("rapid.checks")
	asked, rounds := checks.Value.String(), block
	if asked != checks.DefValue {
		var err error
		rounds, err = strconv.Atoi(asked)
		require.NoError(t, err)
	}
	t.Cleanup(func() { require.NoError(t, checks.Value.Set(asked)) })
	for begun := 0; begun < rounds; begun += block {
		require.NoError(t, checks.Value.Set(strconv.Itoa(min(block, rounds-begun))))
		t.Run(fmt.Sprint(begun), oracleRounds)
	}
}

func oracleRounds(t *testing.T) {
	h := newFixture(t)
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		round++
		b := h.open(t, fmt.Sprint("entity-", round), "USD")
		o := newOracle()
		batch := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) Entry { return drawEntry(r, b) }), 1, 12)
		r.Repeat(map[string]func(*rapid.T){
			"post":           func(r *rapid.T) { h.postBoth(t, r, o, batch.Draw(r, "batch")) },
			"post together":  func(r *rapid.T) { h.postTogether(t, r, o, rapid.SliceOfN(batch, 2, 4).Draw(r, "batches")) },
			"reverse":        func(r *rapid.T) { h.reverseBoth(t, r, o) },
			"seal":           func(r *rapid.T) { require.NoError(r, h.seal(t)) },
			"take snapshots": func(r *rapid.T) { require.NoError(r, h.takeSnapshots(t, rapid.IntRange(1, 50).Draw(r, "after"))) },
			"":               func(r *rapid.T) { h.requireAgreement(t, r, o, b) },
		})
	})
}

func (h fixture) seal(t *testing.T) error {
	_, err := Seal(t.Context(), h.Server)
	return err
}

func (h fixture) takeSnapshots(t *testing.T, after int) error {
	_, err := TakeSnapshots(t.Context(), h.Server, after)
	return err
}

// requireAgreement compares the books with the oracle and checks their own rules.
func (h fixture) requireAgreement(t *testing.T, r *rapid.T, o *oracle, b entityBooks) {
	lines, err := Balance(t.Context(), h.Server, b.names(), Filter{Funds: []uuid.UUID{b.operations, b.one, b.two}})
	require.NoError(r, err)
	sums, want := map[string]int64{}, o.balance()
	for _, l := range lines {
		sums[fmt.Sprint(l.FundID, l.Account)] = l.Amount
	}
	require.Equal(r, want, sums)
	for _, fund := range []uuid.UUID{b.operations, b.one, b.two} {
		p, err := ReadPosition(t.Context(), h.Server, fund)
		require.NoError(r, err)
		require.Equal(r, []int64{want[fmt.Sprint(fund, Bank)], want[fmt.Sprint(fund, StripeClearing)]}, []int64{p.FreeToPay(), p.Clearing})
	}
	report, err := Verify(t.Context(), h.Server)
	require.NoError(r, err)
	require.Empty(r, report.Findings)
}

// postTogether posts the batches at once, while others seal and take snapshots. If two batches contain the same object,
// either may book it: the oracle takes over what the books did.
func (h fixture) postTogether(t *testing.T, r *rapid.T, o *oracle, batches [][]Entry) {
	for _, batch := range batches {
		for i := range batch {
			batch[i].Fact = Fact{"payment_intent": batch[i].SourceID} // of two racing facts either may win
		}
	}
	posted, failed := make([][]Posted, len(batches)), make([]error, len(batches)+2)
	var racing sync.WaitGroup
	for i, batch := range batches {
		racing.Go(func() { posted[i], failed[i] = h.post(t.Context(), batch...) })
	}
	racing.Go(func() { failed[len(batches)] = h.seal(t) })
	racing.Go(func() { failed[len(batches)+1] = h.takeSnapshots(t, 1) })
	racing.Wait()
	require.NoError(r, errors.Join(failed[len(batches):]...))
	before := &oracle{entries: maps.Clone(o.entries)}
	for i, batch := range batches {
		if _, conflict := before.knows(batch); conflict {
			require.Equal(r, fault.Conflict, fault.KindOf(failed[i]))
			continue
		}
		require.NoError(r, failed[i])
		for j, p := range posted[i] {
			if !p.Repeated {
				require.NotContains(r, o.ids, batch[j].SourceID, "booked twice")
				o.add(batch[j], p.ID)
			}
		}
	}
	for i, batch := range batches {
		for j, p := range posted[i] {
			require.Equal(r, o.ids[batch[j].SourceID], p.ID)
		}
	}
}

func (b entityBooks) names() Names {
	return Names{Entities: map[uuid.UUID]string{b.entity: "e"}, Funds: map[uuid.UUID]string{b.operations: "o", b.one: "1", b.two: "2"}}
}

func (h fixture) postBoth(t *testing.T, r *rapid.T, o *oracle, batch []Entry) {
	repeated, conflict := o.knows(batch)
	posted, err := h.post(t.Context(), batch...)
	if conflict {
		require.Equal(r, fault.Conflict, fault.KindOf(err))
		return
	}
	require.NoError(r, err)
	for i, p := range posted {
		require.Equal(r, repeated[i], p.Repeated)
		o.add(batch[i], p.ID)
		require.Equal(r, o.ids[batch[i].SourceID], p.ID)
		require.Equal(r, o.entries[batch[i].SourceID].Date, p.Date)
	}
}

func (h fixture) reverseBoth(t *testing.T, r *rapid.T, o *oracle) {
	known := slices.DeleteFunc(slices.Sorted(maps.Keys(o.entries)), func(id string) bool { return strings.HasPrefix(id, "undo ") })
	if len(known) == 0 {
		return
	}
	id := rapid.SampledFrom(known).Draw(r, "entry")
	undo := Reversal{Of: o.ids[id], Date: day, Source: "test", SourceID: "undo " + id, Kind: "reversal", Fact: Fact{"of": id}}
	var p Posted
	err := pg.InTx(t.Context(), h.Server, func(tx *sqlx.Tx) (err error) { p, err = ReverseTx(t.Context(), tx, undo, newID); return err })
	require.NoError(r, err)
	require.Equal(r, o.reversed[id], p.Repeated)
	o.reversed[id] = true
	mirror := Entry{SourceID: undo.SourceID, Fact: undo.Fact, Date: day}
	for _, posting := range o.entries[id].Postings {
		mirror.Postings = append(mirror.Postings, posting.mirrored())
	}
	o.add(mirror, p.ID)
}
