package payoutlist_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/payoutlist"
	"konbit/internal/processor/payout"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

func follow(t *testing.T, h *program.Program) {
	t.Helper()
	h.DeliverNew()
	h.DrainAll()
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	h.RetryParked()
}

func entityOf(h *program.Program) uuid.UUID {
	return uuid.MustParse(h.Lines(`SELECT id::text FROM legal_entity WHERE slug = 'tsne'`)[0])
}

// gifts makes gifts of several funds, refunds, a dispute and a fee of Stripe.
func gifts(t *testing.T, h *program.Program, seed uint64) {
	t.Helper()
	dice := rand.New(rand.NewPCG(seed, 1))
	for i := range 6 {
		form := visitor.FormOf(fmt.Sprintf("donor%d-%d@example.org", seed, i), "Ana")
		if i%2 == 0 {
			form.Fund, form.Split = "", map[string]string{"general": "6.67", "network": "6.67", "building": "6.66"}
		}
		d := h.SettledGift(form)
		follow(t, h)
		switch dice.IntN(4) {
		case 0:
			_, err := h.Fake.Refund(h.IntentOf(d), int64(100+dice.IntN(900)))
			require.NoError(t, err)
		case 1:
			_, err := h.Fake.Dispute(h.IntentOf(d), false)
			require.NoError(t, err)
		}
	}
	_, err := h.Fake.AdjustBalance("tsne", "stripe_fee", "usd", -int64(1+dice.IntN(200)))
	require.NoError(t, err)
	follow(t, h)
}

// requireAgrees requires that what the page shows of a payout by fund is what the journal has for it in payouts in transit (1015),
// and that all of it is explained.
func requireAgrees(t *testing.T, h *program.Program, ref string, explained bool) {
	t.Helper()
	p, err := payout.ByRef(t.Context(), h.DB.Server, entityOf(h), ref)
	require.NoError(t, err)
	funds, err := payoutlist.Funds(t.Context(), h.DB.Server, p.ID)
	require.NoError(t, err)
	var shown []string
	var lines int64
	for _, f := range funds {
		if f.Booked != 0 {
			shown = append(shown, fmt.Sprintf("%s %d", f.FundID, f.Booked))
		}
		if explained {
			require.Zero(t, f.Rest(), "fund %s: %+v", f.FundID, f)
		}
		lines += f.Lines
	}
	moved := h.Lines(`SELECT p.fund_id || ' ' || sum(p.amount) FROM journal_entry e JOIN posting p ON p.entry_id = e.id
		WHERE e.dimensions->>'payout' = $1 AND p.account_code = '1015' AND e.source_id IN (SELECT id FROM balance_transaction WHERE type = 'payout')
		GROUP BY p.fund_id HAVING sum(p.amount) <> 0 ORDER BY p.fund_id`, ref)
	require.NotEmpty(t, moved)
	require.Equal(t, moved, shown)
	kinds, err := payoutlist.Kinds(t.Context(), h.DB.Server, p.ID)
	require.NoError(t, err)
	var net int64
	for _, k := range kinds {
		net += k.Net
		require.Equal(t, k.Net, k.Gross-k.Fee)
	}
	if explained {
		require.Equal(t, p.Amount, net, "the transactions explain the payout")
		require.Equal(t, p.Amount, lines, "and their parts too")
	}
}

// TestFundsAgreeWithTheJournal: payouts of gifts, refunds, disputes and fees, by fund, are what the books moved from 1010 to 1015;
// likewise a manual payout, whose transactions nobody names, and one that came back.
func TestFundsAgreeWithTheJournal(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	for round := range uint64(3) {
		gifts(t, h, round)
		h.Fake.Advance(72 * time.Hour)
		refs, err := h.Fake.Payout("tsne")
		require.NoError(t, err)
		require.Len(t, refs, 1)
		follow(t, h)
		requireAgrees(t, h, refs[0], true)
		p, err := payout.ByRef(t.Context(), h.DB.Server, entityOf(h), refs[0])
		require.NoError(t, err)
		if round == 1 {
			require.NoError(t, h.Fake.FailPayout(refs[0]))
			follow(t, h)
			funds, err := payoutlist.Funds(t.Context(), h.DB.Server, p.ID)
			require.NoError(t, err)
			for _, f := range funds {
				require.Equal(t, f.Booked, f.Returned, "fund %s", f.FundID)
			}
			own, err := payoutlist.OwnOf(t.Context(), h.DB.Server, p.ID)
			require.NoError(t, err)
			require.Len(t, own, 2)
			require.True(t, own[1].IsReturn())
		}
		var all []payoutlist.Line
		var place payoutlist.Place
		for {
			page, next, err := payoutlist.Lines(t.Context(), h.DB.Server, p.ID, place, 3)
			require.NoError(t, err)
			all = append(all, page...)
			if next == nil {
				break
			}
			place = *next
		}
		want := h.Lines(`SELECT m.transaction_id FROM payout_member m JOIN balance_transaction b ON b.id = m.transaction_id WHERE m.payout_id = $1 ORDER BY b.created_at, b.id`, p.ID)
		var got []string
		for _, l := range all {
			got = append(got, l.ID)
		}
		require.Equal(t, want, got, "each line once, in the order of time")
		parts, err := payoutlist.PartsOf(t.Context(), h.DB.Server, p.ID, all)
		require.NoError(t, err)
		for _, l := range all {
			var sum int64
			for _, part := range parts[l.ID] {
				sum += part.Amount
			}
			require.Equal(t, l.Net, sum, "%s %s: its parts are its net", l.ID, l.Type)
		}
	}
	gifts(t, h, 9)
	manual, err := h.Fake.ManualPayout("tsne", 1500, true)
	require.NoError(t, err)
	follow(t, h)
	requireAgrees(t, h, manual, false)
	p, err := payout.ByRef(t.Context(), h.DB.Server, entityOf(h), manual)
	require.NoError(t, err)
	require.Equal(t, payout.Instant, p.Kind)
	page, _, err := payoutlist.Lines(t.Context(), h.DB.Server, p.ID, payoutlist.Place{}, 10)
	require.NoError(t, err)
	require.Empty(t, page)
	h.RequireNoFindings()
}

// TestCompareWithStripesReport: the report of the stand-in agrees with the books; each way in which a report may differ is listed,
// and nothing else.
func TestCompareWithStripesReport(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	gifts(t, h, 3)
	h.Fake.Advance(72 * time.Hour)
	first, err := h.Fake.Payout("tsne")
	require.NoError(t, err)
	follow(t, h)
	gifts(t, h, 4)
	h.Fake.Advance(72 * time.Hour)
	second, err := h.Fake.Payout("tsne")
	require.NoError(t, err)
	follow(t, h)
	report, err := h.Fake.PayoutReport("", "")
	require.NoError(t, err)
	rows, err := csv.NewReader(bytes.NewReader(report)).ReadAll()
	require.NoError(t, err)
	require.Greater(t, len(rows), 12)
	at := map[string]int{}
	for i, name := range rows[0] {
		at[name] = i
	}
	compare := func(t *testing.T, change func(rows [][]string) [][]string) payoutlist.Comparison {
		t.Helper()
		changed := make([][]string, len(rows))
		for i := range rows {
			changed[i] = slices.Clone(rows[i])
		}
		var b bytes.Buffer
		require.NoError(t, csv.NewWriter(&b).WriteAll(change(changed)))
		read, err := payoutlist.ReadReport(&b)
		require.NoError(t, err)
		c, err := payoutlist.Compare(t.Context(), h.DB.Server, entityOf(h), read)
		require.NoError(t, err)
		return c
	}
	c := compare(t, func(rows [][]string) [][]string { return rows })
	require.Empty(t, c.Differences)
	require.Equal(t, 2, c.Payouts)
	require.Equal(t, len(rows)-1, c.Rows)
	whole, err := payoutlist.Compare(t.Context(), h.DB.Server, uuid.Nil, mustRead(t, report))
	require.NoError(t, err)
	require.Empty(t, whole.Differences, "for all entities")
	other, err := payoutlist.Compare(t.Context(), h.DB.Server, uuid.New(), mustRead(t, report))
	require.NoError(t, err)
	require.Len(t, other.Differences, len(rows)-1, "another entity has none of them")

	set := func(line int, name, value string) func([][]string) [][]string {
		return func(rows [][]string) [][]string { rows[line-1][at[name]] = value; return rows }
	}
	id, ref := rows[2][at["balance_transaction_id"]], rows[2][at["automatic_payout_id"]]
	category, net := rows[2][at["reporting_category"]], rows[2][at["net"]]
	for name, test := range map[string]struct {
		change func([][]string) [][]string
		want   payoutlist.Difference
	}{
		"gross":             {set(3, "gross", "123.45"), payoutlist.Difference{Kind: payoutlist.OtherGross, Line: 3, Report: "123.45", Here: rows[2][at["gross"]]}},
		"fee":               {set(3, "fee", "9.99"), payoutlist.Difference{Kind: payoutlist.OtherFee, Line: 3, Report: "9.99", Here: rows[2][at["fee"]]}},
		"net by one cent":   {set(3, "net", "0.01"), payoutlist.Difference{Kind: payoutlist.OtherNet, Line: 3, Report: "0.01", Here: net}},
		"currency":          {set(3, "currency", "eur"), payoutlist.Difference{Kind: payoutlist.OtherCurrency, Line: 3, Report: "EUR", Here: "USD"}},
		"category":          {set(3, "reporting_category", "payout_minimum_balance_hold"), payoutlist.Difference{Kind: payoutlist.OtherCategory, Line: 3, Report: "payout_minimum_balance_hold", Here: category}},
		"a row less":        {func(rows [][]string) [][]string { return slices.Delete(rows, 2, 3) }, payoutlist.Difference{Kind: payoutlist.OnlyHere, Here: "*"}},
		"a row twice":       {func(rows [][]string) [][]string { return append(rows, rows[2]) }, payoutlist.Difference{Kind: payoutlist.Twice, Line: len(rows) + 1, Report: "*"}},
		"in another payout": {set(3, "automatic_payout_id", second[0]), payoutlist.Difference{Kind: payoutlist.OtherPayout, Line: 3, Report: second[0], Here: first[0]}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := compare(t, test.change).Differences
			test.want.Payout, test.want.Transaction = ref, id
			if name == "in another payout" {
				require.Equal(t, first[0], ref)
				test.want.Payout = second[0]
			}
			require.Len(t, got, 1)
			if test.want.Here == "*" {
				require.NotEmpty(t, got[0].Here)
				test.want.Here = got[0].Here
			}
			if test.want.Report == "*" {
				require.True(t, strings.HasPrefix(got[0].Report, net+" USD"))
				test.want.Report = got[0].Report
			}
			require.Equal(t, test.want, got[0])
		})
	}
	t.Run("a row more, a payout more, and rows of none", func(t *testing.T) {
		t.Parallel()
		c := compare(t, func(rows [][]string) [][]string {
			more, none, unpaid := slices.Clone(rows[2]), slices.Clone(rows[2]), slices.Clone(rows[2])
			more[at["balance_transaction_id"]], none[at["automatic_payout_id"]], none[at["balance_transaction_id"]] = "txn_more", "po_none", "txn_none"
			unpaid[at["automatic_payout_id"]], unpaid[at["balance_transaction_id"]] = "", "txn_unpaid"
			return append(rows, more, none, unpaid)
		})
		require.Equal(t, 1, c.WithoutName)
		require.Len(t, c.Differences, 2)
		require.ElementsMatch(t, []string{"txn_more", "txn_none"}, []string{c.Differences[0].Transaction, c.Differences[1].Transaction})
		require.Equal(t, payoutlist.OnlyInReport, c.Differences[0].Kind)
		require.Equal(t, payoutlist.OnlyInReport, c.Differences[1].Kind)
	})
}

func mustRead(t *testing.T, report []byte) []payoutlist.ReportRow {
	t.Helper()
	rows, err := payoutlist.ReadReport(bytes.NewReader(report))
	require.NoError(t, err)
	return rows
}
