package bankfile_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bankfile"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

var update = flag.Bool("update", false, "write testdata/expected.txt anew")

// TestSamples reads a sample of each variant that banks write, and of each way in which a file is wrong. What each of them is read
// as stands in testdata/expected.txt.
func TestSamples(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for _, path := range samples(t) {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		fmt.Fprintf(&all, "== %s\n%s\n", strings.TrimPrefix(path, "testdata/"), told(bankfile.Read(bytes.NewReader(raw), filepath.Base(path), bankfile.Options{})))
	}
	const golden = "testdata/expected.txt"
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(all.String()), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), all.String())
}

func samples(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*/*.*")
	require.NoError(t, err)
	require.Greater(t, len(paths), 100)
	return paths
}

// told writes what a reader returned.
func told(f bankfile.File, err error) string {
	var b strings.Builder
	layout, order := bankfile.AsAsk(err)
	switch e := bankfile.AsError(err); {
	case e != nil:
		phrase, args := e.Phrase()
		fmt.Fprintf(&b, "refused: line %d, %s, %q: %s %v\n", e.Row, e.Field, e.Value, phrase, args)
	case layout != nil:
		fmt.Fprintf(&b, "ask layout: heading %t skip %d delimiter %q columns %+v order %q decimal %q\n", layout.Guess.Heading, layout.Guess.Skip,
			layout.Guess.Delimiter, layout.Guess.Columns, layout.Guess.DateOrder, layout.Guess.Decimal)
		if layout.DayFirst != nil {
			fmt.Fprintf(&b, "  %v\n", layout.DayFirst)
		}
		for _, row := range layout.Rows {
			switch {
			case row.Error != nil:
				fmt.Fprintf(&b, "  row %d: %v\n", row.Row, row.Error)
			case row.Line != nil:
				fmt.Fprintf(&b, "  row %d: %s\n", row.Row, lineText(*row.Line))
			default:
				fmt.Fprintf(&b, "  row %d: no movement\n", row.Row)
			}
		}
	case order != nil:
		fmt.Fprintf(&b, "ask order: %v\n", order)
	case err != nil:
		fmt.Fprintf(&b, "error: %v\n", err)
	default:
		name := ""
		if f.Layout != nil {
			name = " by " + f.Layout.Name
		}
		fmt.Fprintf(&b, "%s %q %s%s\n", f.Format, f.Version, f.Charset, name)
	}
	for _, s := range f.Statements {
		fmt.Fprintf(&b, "  account %q …%s %s %s to %s opening %s closing %s on %s\n", s.Account.ID, s.Account.Last4, s.Currency, dayText(s.From), dayText(s.To),
			minorText(s.Opening), minorText(s.Closing), dayText(s.ClosingOn))
		for _, line := range s.Lines {
			fmt.Fprintf(&b, "    %d: %s\n", line.Row, lineText(line))
		}
	}
	for _, finding := range f.Findings {
		fmt.Fprintf(&b, "  found %s: statement %d line %d amount %d %s\n", finding.Kind, finding.Statement, finding.Row, finding.Amount, finding.Phrase)
	}
	return b.String()
}

func dayText(d ledger.Date) string {
	if d == (ledger.Date{}) {
		return "-"
	}
	return d.String()
}

func minorText(minor *int64) string {
	if minor == nil {
		return "-"
	}
	return fmt.Sprint(*minor)
}

func lineText(l bankfile.Line) string {
	pending := ""
	if l.Pending {
		pending = " pending"
	}
	return fmt.Sprintf("%s %d %q ref %q id %q%s", dayText(l.BookedOn), l.Amount, l.Text, l.Reference, l.BankID, pending)
}

// TestRefusalsAreFaults: what a reader refuses is the reader's fault, with a phrase.
func TestRefusalsAreFaults(t *testing.T) {
	t.Parallel()
	for _, path := range samples(t) {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		f, err := bankfile.Read(bytes.NewReader(raw), filepath.Base(path), bankfile.Options{})
		if err == nil {
			continue
		}
		require.Empty(t, f, "%s: no part of a file", path)
		var e *fault.Error
		require.True(t, errors.As(err, &e), path)
		require.Equal(t, fault.Invalid, e.Kind, path)
		require.NotEmpty(t, e.Phrase, path)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	chase := "Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #\n"
	row := "CREDIT,01/30/2026,A,1.00,ACH_CREDIT,,,\n"
	read := func(text string, l bankfile.Limits) string {
		_, err := bankfile.Read(strings.NewReader(text), "x.csv", bankfile.Options{Limits: l})
		if e := bankfile.AsError(err); e != nil {
			phrase, _ := e.Phrase()
			return phrase
		}
		return fmt.Sprint(err)
	}
	small := bankfile.Limits{Bytes: 500, Lines: 3, Field: 50}
	require.Equal(t, "<nil>", read(chase+strings.Repeat(row, 3), small))
	require.Equal(t, "bankfile.problem.too_many", read(chase+strings.Repeat(row, 4), small))
	require.Equal(t, "bankfile.problem.too_large", read(chase+strings.Repeat(row, 20), small))
	require.Equal(t, "bankfile.problem.field_too_long", read(chase+strings.Replace(row, "A", strings.Repeat("A", 51), 1), small))

	for name, text := range map[string]string{"ofx": "testdata/ofx/open_tags.ofx", "camt": "testdata/camt/pending_and_info.xml", "bai2": "testdata/bai2/plain.bai"} {
		raw, err := os.ReadFile(text)
		require.NoError(t, err)
		require.Equal(t, "bankfile.problem.too_many", read(string(raw), bankfile.Limits{Bytes: 1 << 20, Lines: 1, Field: 10_000}), name)
		require.Equal(t, "bankfile.problem.field_too_long", read(string(raw), bankfile.Limits{Bytes: 1 << 20, Lines: 100, Field: 5}), name)
	}
}

// TestLayoutIsRemembered: a person corrects the guess, and the next file of the bank is read by it.
func TestLayoutIsRemembered(t *testing.T) {
	t.Parallel()
	file := "Transactions of January\nDate,Description,Amount\n01/02/2026,A,10.00\n03/04/2026,B,-2.00\n"
	_, err := bankfile.Read(strings.NewReader(file), "x.csv", bankfile.Options{})
	ask, _ := bankfile.AsAsk(err)
	require.NotNil(t, ask)
	require.NotNil(t, ask.DayFirst)
	require.Equal(t, []string{"01/02/2026", "03/04/2026"}, ask.DayFirst.Samples)
	require.NoError(t, ask.Guess.Check())

	layout := ask.Guess
	_, err = bankfile.Read(strings.NewReader(file), "x.csv", bankfile.Options{Layout: &layout})
	_, order := bankfile.AsAsk(err)
	require.NotNil(t, order, "still open")

	layout.DateOrder = "dmy"
	f, err := bankfile.Read(strings.NewReader(file), "x.csv", bankfile.Options{Layout: &layout})
	require.NoError(t, err)
	require.Equal(t, "2026-02-01", f.Statements[0].Lines[0].BookedOn.String())

	next := "Date,Description,Amount\n05/06/2026,C,1.00\n"
	f, err = bankfile.Read(strings.NewReader(next), "x.csv", bankfile.Options{Layouts: []bankfile.Layout{*f.Layout}})
	require.NoError(t, err)
	require.Equal(t, "2026-06-05", f.Statements[0].Lines[0].BookedOn.String())

	_, err = bankfile.Read(strings.NewReader("Day,Text,Value\n2026-01-01,A,1.00\n"), "x.csv", bankfile.Options{Layout: &layout})
	require.ErrorContains(t, err, "bankfile.problem.layout")

	rows, err := bankfile.Preview([]byte(file), layout, bankfile.Options{})
	require.NoError(t, err)
	require.Equal(t, int64(1000), rows[0].Line.Amount)
}

// TestImbalanceNamesTheDifference: the finding has amounts that a page can show.
func TestImbalanceNamesTheDifference(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/camt/imbalance.xml")
	require.NoError(t, err)
	f, err := bankfile.Read(bytes.NewReader(raw), "x.xml", bankfile.Options{})
	require.NoError(t, err)
	require.Len(t, f.Findings, 1)
	require.Equal(t, fault.Args{"opening": money.New(10000, "EUR"), "booked": money.New(25000, "EUR"), "closing": money.New(35100, "EUR"),
		"difference": money.New(-100, "EUR")}, f.Findings[0].Args)
}
