package stripefake_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/bankfile"
	"konbit/internal/workshop/bankfake"
	"konbit/internal/workshop/stripefake"
)

// TestBankShowsPayoutsAndWhatWasAdded: a payout stands at the bank two days after it was sent, one that failed comes back, and lines
// that were added by hand stand on their days. Every format says the same, and balances.
func TestBankShowsPayoutsAndWhatWasAdded(t *testing.T) {
	now := time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)
	f := start(t, stripefake.Options{Now: func() time.Time { return now }})
	f.paid("4242424242424242")
	f.Advance(49 * time.Hour) // 3 October
	sent, err := f.Payout("tsne")
	require.NoError(t, err)
	add := func(body string) int {
		res, err := http.Post(f.url+"/_sandbox/bank", "application/json", strings.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	require.Equal(t, 200, add(`{"account":"tsne","date":"2026-10-02","amount":-120000,"text":"RENT  OCTOBER","reference":"1041"}`))
	require.Equal(t, 400, add(`{"account":"nobody","amount":1,"text":"x"}`))
	require.Equal(t, 400, add(`{"account":"tsne","amount":1,"text":"x","date":"2 October"}`))
	read := func(from, to, format string) bankfile.Statement {
		res, err := http.Get(fmt.Sprintf("%s/_sandbox/bank?account=tsne&from=%s&to=%s&format=%s", f.url, from, to, format))
		require.NoError(t, err)
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, 200, res.StatusCode, "%s", raw)
		file, err := bankfile.Read(strings.NewReader(string(raw)), "statement"+bankfake.Extension(format), bankfile.Options{Currency: "USD", Limits: bankfile.DefaultLimits()})
		require.NoError(t, err, "%s", raw)
		require.Empty(t, file.Findings)
		require.NotEmpty(t, file.Statements) // BAI2 has one for each day
		whole := file.Statements[0]
		for _, day := range file.Statements[1:] {
			whole.Lines = append(whole.Lines, day.Lines...)
		}
		return whole
	}
	lines := func(st bankfile.Statement) (all []string) {
		for _, l := range st.Lines {
			all = append(all, fmt.Sprintf("%s %d %s", l.BookedOn, l.Amount, l.Text))
		}
		return all
	}
	require.Equal(t, []string{"2026-10-02 -120000 RENT OCTOBER"}, lines(read("2026-10-01", "2026-10-31", bankfake.Camt08)), "the payout is on its way")
	f.Advance(3 * 24 * time.Hour)
	trace := "ST-" + strings.ToUpper(sent[0][len(sent[0])-10:])
	require.NoError(t, f.FailPayout(sent[0]))
	f.Advance(24 * time.Hour)
	want := []string{"2026-10-02 -120000 RENT OCTOBER", "2026-10-05 1998 STRIPE TRANSFER " + trace, "2026-10-06 -1998 STRIPE TRANSFER RETURNED " + trace}
	for _, format := range bankfake.Formats() {
		st := read("2026-10-01", "2026-10-31", format)
		require.Equal(t, want, lines(st), format)
		if st.Opening != nil {
			require.Zero(t, *st.Opening, format)
		}
	}
	st := read("2026-10-06", "2026-10-31", bankfake.OFX)
	require.Equal(t, want[2:], lines(st))
	res, err := http.Get(f.url + "/_sandbox/bank?account=tsne&from=2026-10-06&to=2026-10-01")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 400, res.StatusCode)
}
