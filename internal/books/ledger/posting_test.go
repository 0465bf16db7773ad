package ledger

import (
	"math"
	"slices"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/money"
)

// rate parses a rate that is valid.
func rate(text string) Rate {
	r, err := ParseRate(text)
	if err != nil {
		panic(err)
	}
	return r
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]string{
		"1.0835": "1.0835", "1": "1", "0001.50": "1.5", "0.000000000001": "0.000000000001", "999999999999.999999999999": "999999999999.999999999999",
		"10": "10", "100.0": "100",
	} {
		t.Run(text, func(t *testing.T) {
			r, err := ParseRate(text)
			require.NoError(t, err)
			require.Equal(t, want, r.String())
		})
	}
	for _, text := range []string{"", "0", "0.0", "-1", "+1", "1e3", "1,5", ".5", "1.", " 1", "1000000000000", "0.0000000000001", "NaN", "1.1.1"} {
		t.Run("not "+text, func(t *testing.T) {
			_, err := ParseRate(text)
			require.ErrorContains(t, err, "is not a rate")
		})
	}
}

// abroad returns a gift of 1,000.00 EUR that the bank credited as 1,083.50.
func (b entityBooks) abroad(id string) Entry {
	e := b.gift(id, 108350)
	for i, sign := range []int64{1, -1} {
		e.Postings[i].Foreign = &Foreign{money.New(sign*100000, "EUR"), rate("1.0835")}
	}
	e.Postings[0].Dimensions = map[string]string{"bank": "b1", "nature": "wire"}
	return e
}

// TestPostingsKeepTheirDetails posts a line with dimensions and a foreign amount beside lines without any, reverses it,
// and seals all.
func TestPostingsKeepTheirDetails(t *testing.T) {
	h := newFixture(t)
	abroad := h.tsne.abroad("pi_1")
	posted, err := h.post(t.Context(), abroad, h.tsne.gift("pi_2", 2000))
	require.NoError(t, err)
	h.inTx(t, func(tx *sqlx.Tx) error {
		_, err := ReverseTx(t.Context(), tx, Reversal{Of: posted[0].ID, Date: day.Next(), Source: "bank", SourceID: "x", Kind: "returned", Fact: Fact{"of": "x"}}, newID)
		return err
	})
	var read [][]Posting
	require.NoError(t, Walk(t.Context(), h.Server, h.names(), func(r *Record) error {
		var lines []Posting
		for _, l := range r.Lines {
			lines = append(lines, l.Posting)
		}
		read = append(read, lines)
		return nil
	}))
	mirror := slices.Clone(abroad.Postings)
	for i, p := range abroad.Postings {
		mirror[i] = p.mirrored()
	}
	require.Equal(t, [][]Posting{abroad.Postings, h.tsne.gift("pi_2", 2000).Postings, mirror}, read)
	require.Equal(t, money.New(-100000, "EUR"), mirror[0].Foreign.Amount)

	require.Equal(t, 3, h.sealAll(t))
	h.requireOK(t)
}

// TestLinesWithoutDetailsAreStoredAsBefore: their columns are NULL, which is hashed as the empty field, so their seals
// do not change.
func TestLinesWithoutDetailsAreStoredAsBefore(t *testing.T) {
	h := newFixture(t)
	plain := h.tsne.gift("pi_1", 2000)
	plain.Postings[0].Dimensions = map[string]string{}
	_, err := h.post(t.Context(), plain)
	require.NoError(t, err)
	_, err = h.post(t.Context(), h.tsne.gift("pi_2", 2000), h.tsne.abroad("pi_3"))
	require.NoError(t, err)
	const details = `SELECT e.source_id || ' ' || num_nonnulls(p.dimensions, p.foreign_currency, p.foreign_amount, p.rate)
		FROM posting p JOIN journal_entry e ON e.id = p.entry_id ORDER BY e.source_id, p.n`
	var rows []string
	require.NoError(t, h.Server.Select(&rows, details))
	require.Equal(t, []string{"pi_1 0", "pi_1 0", "pi_2 0", "pi_2 0", "pi_3 4", "pi_3 3"}, rows)
}

func TestNotADetail(t *testing.T) {
	h := newFixture(t)
	for name, spoil := range map[string]func(p *Posting){
		"a dimension without a value": func(p *Posting) { p.Dimensions = map[string]string{"bank": ""} },
		"a dimension without a name":  func(p *Posting) { p.Dimensions = map[string]string{"": "b1"} },
		"a name that is two words":    func(p *Posting) { p.Dimensions = map[string]string{"bank account": "b1"} },
		"the books' own currency":     func(p *Posting) { p.Foreign.Amount.Currency = "USD" },
		"no currency":                 func(p *Posting) { p.Foreign.Amount.Currency = "" },
		"no foreign amount":           func(p *Posting) { p.Foreign.Amount.Minor = 0 },
		"an amount of the other sign": func(p *Posting) { p.Foreign.Amount.Minor *= -1 },
		"the amount without a mirror": func(p *Posting) { p.Foreign.Amount.Minor = math.MinInt64 },
		"no rate":                     func(p *Posting) { p.Foreign.Rate = Rate{} },
	} {
		t.Run(name, func(t *testing.T) {
			e := h.tsne.abroad("pi_1")
			spoil(&e.Postings[0])
			_, err := h.post(t.Context(), e)
			require.ErrorIs(t, err, ErrEntry)
			require.ErrorContains(t, err, "posting 1 ")
		})
	}
	require.Len(t, h.state(t), 2, "only the two books")
}
