package chaos

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// entry is an entry of the journal.
type entry struct {
	key
	by    string // its transaction
	lines lines
}

// entries returns what was booked since the last call, in that order.
func (w *simulation) entries() (all []entry) {
	const query = `SELECT j.serial, j.recorded_by, e.slug, j.source, j.source_id, j.kind, p.fund_id, p.account_code, sum(p.amount)::bigint AS amount
		FROM journal_entry j JOIN legal_entity e ON e.id = j.entity_id JOIN posting p ON p.entry_id = j.id
		WHERE j.serial > $1 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1`
	var rows []struct {
		Serial   int64
		By       string `db:"recorded_by"`
		Slug     string
		Source   string
		SourceID string `db:"source_id"`
		Kind     string
		FundID   uuid.UUID `db:"fund_id"`
		Account  string    `db:"account_code"`
		Amount   int64
	}
	require.NoError(w.t, w.DB.Owner.Select(&rows, query, w.serial))
	for _, r := range rows {
		if r.Serial != w.serial {
			all = append(all, entry{key{r.Slug, r.Source, r.SourceID, r.Kind}, r.By, lines{}})
			w.serial = r.Serial
		}
		all[len(all)-1].lines.add(place{r.Slug, w.funds[r.FundID], r.Account}, r.Amount)
	}
	return all
}

// entriesInOrder sorts the payments that one transaction booked into a possible order of processing, which their
// serials do not give. A payment that settled a gift was the first of its gift; if none did, a payment that differs
// from the gift was first.
func (w *simulation) entriesInOrder(booked []entry) {
	rank := func(e entry) int {
		f := w.accounts[e.entity].facts
		c := f.charges[f.byIntent[e.id]]
		p := w.oracle.pledges[c.Metadata[giftOf]]
		switch {
		case e.kind != payment || p == nil:
			return 0
		case e.lines[place{e.entity, operations, "1090"}] == 0:
			return 1
		case c.Amount != p.amount:
			return 2
		}
		return 3
	}
	for len(booked) > 0 {
		n := 1
		for n < len(booked) && booked[0].kind == payment && booked[n].kind == payment && booked[n].by == booked[0].by {
			n++
		}
		slices.SortStableFunc(booked[:n], func(a, b entry) int { return cmp.Compare(rank(a), rank(b)) })
		booked = booked[n:]
	}
}

// checkEntries gives the oracle what was booked since the last call, and compares all balances with the oracle's.
func (w *simulation) checkEntries() {
	booked := w.entries()
	w.entriesInOrder(booked)
	for _, e := range booked {
		if wrong := w.oracle.book(e.key, e.lines); wrong != "" {
			w.t.Fatal(wrong)
		}
	}
	have := lines{}
	var balances []struct {
		Slug, Code string
		Account    string `db:"account_code"`
		Amount     int64
	}
	require.NoError(w.t, w.DB.Owner.Select(&balances, `SELECT e.slug, f.code, p.account_code, sum(p.amount)::bigint AS amount
		FROM posting p JOIN fund f ON f.id = p.fund_id JOIN legal_entity e ON e.id = p.entity_id GROUP BY 1, 2, 3`))
	for _, b := range balances {
		have.add(place{b.Slug, b.Code, b.Account}, b.Amount)
	}
	require.Equal(w.t, w.oracle.books, have, "each account of each fund")
	for p, amount := range have {
		if policies[p.entity].restricted[p.fund] && p.account == "4100" {
			require.GreaterOrEqual(w.t, w.oracle.restricted(p.entity, p.fund), int64(0), "%v %d: a restricted fund fell below zero", p, amount)
		}
	}
}

// checkReceipts checks that each gift has one valid receipt over its amount after refunds, or none if all was refunded,
// and that numbers have no gaps.
func (w *simulation) checkReceipts() {
	have := w.Lines(`SELECT format('%s %s', r.donation_id, r.facts->'amount'->>'minor') FROM receipt r
		LEFT JOIN receipt_void v ON v.receipt_id = r.id WHERE v.receipt_id IS NULL ORDER BY 1`)
	var want []string
	for _, p := range w.oracle.pledges {
		if net := w.oracle.notReturned[p.paidBy]; p.paidBy != "" && net > 0 {
			want = append(want, fmt.Sprintf("%s %d", p.id, net))
		}
	}
	slices.Sort(want)
	require.Equal(w.t, strings.Join(want, "\n"), strings.Join(have, "\n"), "receipts that stand")
	require.Zero(w.t, w.Count(`SELECT count(*) FROM receipt_counter c WHERE last <> (SELECT count(*) FROM receipt r WHERE r.entity_id = c.entity_id AND r.year = c.year)`))
}

// checkTasks checks that there is a task for everything unusual, and no other task.
func (w *simulation) checkTasks() {
	const those = ` FROM finance_task k JOIN legal_entity e ON e.id = k.entity_id WHERE `
	const disputes = `k.kind = 'payment_disputed'` // one that has ended before its first event came had none
	const payments = `(k.kind LIKE 'payment_%' OR k.kind LIKE 'gift_%' OR k.kind LIKE 'replaced_%')`
	strays, moved, disputed := maps.Clone(w.oracle.strays), maps.Clone(w.oracle.tasks), map[string]bool{}
	for slug, a := range w.accounts {
		for _, id := range a.facts.disputesToAnswer() {
			disputed[slug+" "+id] = true
		}
		for _, m := range a.facts.transactions {
			if m.Currency != "usd" {
				moved[slug+" balance_in_other_currency "+m.ID] = true
				if m.Type == "charge" {
					strays[slug+" "+a.facts.charges[m.Source].PaymentIntent] = true
				}
			}
		}
	}
	for have, want := range map[string]map[string]bool{
		`SELECT format('%s %s', e.slug, k.subject)` + those + disputes + ` AND k.closed_at IS NULL`:  disputed,
		`SELECT format('%s %s', e.slug, k.subject)` + those + `NOT ` + disputes + ` AND ` + payments: strays,
		`SELECT format('%s %s %s', e.slug, k.kind, k.subject)` + those + `NOT ` + payments:           moved,
	} {
		lines := w.Lines(have)
		slices.Sort(lines)
		require.Equal(w.t, strings.Join(slices.Sorted(maps.Keys(want)), "\n"), strings.Join(lines, "\n"), "tasks")
	}
}
