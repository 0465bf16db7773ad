package ledger

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func (h fixture) names() Names {
	return Names{
		Entities: map[uuid.UUID]string{h.tsne.entity: "tsne", h.grassroots.entity: "grassroots-international"},
		Funds: map[uuid.UUID]string{h.tsne.one: "one", h.tsne.two: "two", h.tsne.operations: "operations",
			h.grassroots.one: "one", h.grassroots.two: "two", h.grassroots.operations: "operations"},
	}
}

// tamperings are changes that the owner of the machine could make to the rows, and the rule that shows each first.
var tamperings = map[string]struct {
	tamper []string
	rule   string // the first finding's
	entry  string // source id of the first bad entry; "" if none
}{
	"line removed":       {[]string{`DELETE FROM posting WHERE entry_id = '{gift}' AND n = 2`}, "every entry has the lines it states, numbered from one", "pi_1"},
	"lines removed":      {[]string{`DELETE FROM posting WHERE entry_id = '{gift}'`}, "every entry has the lines it states, numbered from one", "pi_1"},
	"entry removed":      {[]string{`DELETE FROM journal_entry WHERE id = '{gift}'`}, "every line belongs to an entry", ""},
	"pair added":         {[]string{line(3, 4, Bank, 5, "{new}", "{gift}"), line(4, 4, ContributionsWith, -5, "{new}", "{gift}")}, "every entry has the lines it states, numbered from one", "pi_1"},
	"renumbered":         {[]string{`UPDATE posting SET n = 7 WHERE entry_id = '{gift}' AND n = 2`}, "every entry has the lines it states, numbered from one", "pi_1"},
	"one amount":         {[]string{`UPDATE posting SET amount = amount + 1 WHERE entry_id = '{gift}' AND n = 1`}, "every entry balances in each of its funds, memo accounts by themselves", "pi_1"},
	"one fund":           {[]string{`UPDATE posting SET fund_id = '{two}' WHERE entry_id = '{gift}' AND n = 1`}, "every entry balances in each of its funds, memo accounts by themselves", "pi_1"},
	"memo":               {[]string{`UPDATE posting SET account_code = '9100' WHERE entry_id = '{gift}' AND n = 1`}, "every entry balances in each of its funds, memo accounts by themselves", "pi_1"},
	"other books":        {[]string{`UPDATE posting SET currency = 'EUR' WHERE entry_id = '{gift}'`}, "every line is in the books of its entry", "pi_1"},
	"other entity":       {[]string{`UPDATE posting SET entity_id = '{neighbour}' WHERE entry_id = '{gift}' AND n = 1`}, "every line is in the books of its entry", "pi_1"},
	"fund in two books":  {[]string{`UPDATE posting SET fund_id = '{one}' WHERE fund_id = '{foreign}'`}, "no fund is in two books", ""},
	"dated early":        {[]string{`UPDATE journal_entry SET entry_date = '2026-01-01' WHERE id = '{gift}'`}, "no entry is dated before its fact", "pi_1"},
	"booked twice":       {[]string{`UPDATE journal_entry SET kind = 'gift' WHERE kind = 'fee' AND source_id = 'pi_1'`}, "no fact has two entries", "pi_1"},
	"reversal of itself": {[]string{`UPDATE journal_entry SET reverses = id WHERE id = '{gift}'`}, "a reversal mirrors its entry, which has no other", "pi_1"},
	"false reversal": {[]string{`UPDATE journal_entry SET reverses = '{gift}' WHERE source_id = 'pi_2'`},
		"a reversal mirrors its entry, which has no other", "pi_2"},
	"false reversal of a foreign amount": {[]string{`UPDATE journal_entry SET reverses = '{gift}' WHERE source_id = 'pi_2'`,
		`UPDATE posting SET amount = -4 * amount WHERE entry_id = (SELECT id FROM journal_entry WHERE source_id = 'pi_2')`,
		`UPDATE posting SET foreign_currency = 'EUR', foreign_amount = amount / 2, rate = 2 WHERE entry_id = '{gift}'`},
		"a reversal mirrors its entry, which has no other", "pi_2"},
	"foreign amount of the other sign": {[]string{`ALTER TABLE posting DROP CONSTRAINT posting_foreign_amount`,
		`UPDATE posting SET foreign_currency = 'EUR', foreign_amount = 1000, rate = 2 WHERE entry_id = '{gift}'`},
		"a foreign amount is in another currency, has the sign of its line, and has a rate", "pi_1"},
	"restriction spent": {[]string{`UPDATE posting SET amount = 100 * amount WHERE account_code IN ('4900', '4910') AND entity_id = '{entity}'`},
		"restricted net assets of a fund are not below zero", ""},
}

func TestVerifyFindsTampering(t *testing.T) {
	for name, c := range tamperings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFixture(t)
			posted, err := h.post(t.Context(), h.tsne.gift("pi_1", 2000), h.tsne.fee("pi_1", 88), h.grassroots.gift("pi_1", 300), h.tsne.gift("pi_2", 500))
			require.NoError(t, err)
			h.unlock(t)
			before, err := Verify(t.Context(), h.Server)
			require.NoError(t, err)
			require.Equal(t, Report{Entries: 4, Lines: 10, Chains: []Chain{}, Findings: []Finding{}}, before)

			for _, s := range c.tamper {
				_, err := h.Owner.Exec(h.resolve(s, posted[0]))
				require.NoError(t, err)
			}
			report, err := Verify(t.Context(), h.Server)
			require.NoError(t, err)
			require.False(t, report.OK())
			first := report.Findings[0]
			require.Equal(t, c.rule, first.Rule, first.Detail)
			if c.entry != "" {
				var sourceID string
				require.NoError(t, h.Owner.Get(&sourceID, `SELECT source_id FROM journal_entry WHERE id = $1`, first.Entry))
				require.Equal(t, c.entry, sourceID)
				require.Contains(t, first.String(), first.Entry.UUID.String())
			}
		})
	}
}

func TestEveryRuleHasATamperingThatBreaksIt(t *testing.T) {
	tested := map[string]bool{"all accounts of an entity sum to zero": true} // if every entry balances, every sum does
	for _, c := range sealTamperings {
		tested[c.rule] = true
	}
	for _, rule := range sealRules {
		require.True(t, tested[rule], rule)
	}
	for _, c := range tamperings {
		tested[c.rule] = true
	}
	for _, c := range rules {
		require.True(t, tested[c.name], c.name)
	}
}

func TestBalance(t *testing.T) {
	h := newFixture(t)
	names := h.names()
	empty, err := Balance(t.Context(), h.Server, names, Filter{})
	require.NoError(t, err)
	text, err := json.Marshal(empty)
	require.NoError(t, err)
	require.Equal(t, `[]`, string(text))

	split := h.tsne.gift("pi_2", 500)
	split.Postings = append(Move(StripeClearing, ContributionsWith, h.tsne.two, 300), Move(StripeClearing, ContributionsWithout, h.tsne.operations, 200)...)
	_, err = h.post(t.Context(), h.tsne.gift("pi_1", 2000), h.tsne.fee("pi_1", 88), split, h.grassroots.gift("pi_1", 300))
	require.NoError(t, err)
	all, err := Balance(t.Context(), h.Server, names, Filter{})
	require.NoError(t, err)
	text, err = json.Marshal(all[:2])
	require.NoError(t, err)
	require.JSONEq(t, `[{"entity":"grassroots-international","fund":"one","account":"1010","currency":"JPY","amount":300},
		{"entity":"grassroots-international","fund":"one","account":"4100","currency":"JPY","amount":-300}]`, string(text))

	tsne, err := Balance(t.Context(), h.Server, names, Filter{Entity: h.tsne.entity})
	require.NoError(t, err)
	require.Equal(t, all[2:], tsne)
	short := func(lines []Line) (s []any) {
		for _, l := range lines {
			s = append(s, l.Fund, l.Account, l.Amount)
		}
		return s
	}
	require.Equal(t, []any{
		"one", StripeClearing, int64(1912), "one", ContributionsWith, int64(-2000), "one", ReleasedWith, int64(88),
		"one", ReleasedWithout, int64(-88), "one", ProcessingFees, int64(88),
		"operations", StripeClearing, int64(200), "operations", ContributionsWithout, int64(-200),
		"two", StripeClearing, int64(300), "two", ContributionsWith, int64(-300),
	}, short(tsne))
	some, err := Balance(t.Context(), h.Server, names, Filter{Funds: []uuid.UUID{h.tsne.two}})
	require.NoError(t, err)
	require.Equal(t, tsne[len(tsne)-2:], some)
	none, err := Balance(t.Context(), h.Server, names, Filter{Funds: []uuid.UUID{}})
	require.NoError(t, err)
	require.Empty(t, none)

	_, err = Balance(t.Context(), h.Server, Names{Entities: names.Entities}, Filter{})
	require.ErrorContains(t, err, "has no name")
}

func TestChart(t *testing.T) {
	h := newFixture(t)
	chart, err := Chart(t.Context(), h.Server)
	require.NoError(t, err)
	require.Equal(t, "Stripe-clearing", chart[StripeClearing])
	source, err := os.ReadFile("account.go")
	require.NoError(t, err)
	var constants []string
	for _, m := range regexp.MustCompile(`Account = "(\d{4})"`).FindAllStringSubmatch(string(source), -1) {
		constants = append(constants, m[1])
	}
	var rows, memo []string
	require.NoError(t, h.Server.Select(&rows, `SELECT code FROM account ORDER BY code`))
	require.Equal(t, rows, constants)
	require.NoError(t, h.Server.Select(&memo, `SELECT code FROM account WHERE kind = 'memo'`))
	for code := range chart {
		require.Equal(t, slices.Contains(memo, string(code)), code.memo(), code)
	}
	require.Equal(t, ContributionsWith, Contributions(true))
	require.Equal(t, ContributionsWithout, Contributions(false))
}
