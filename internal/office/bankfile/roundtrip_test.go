package bankfile_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bankfile"
	"konbit/internal/platform/money"
	"konbit/internal/workshop/bankfake"
)

// words are parts of texts that a format could take for its own signs.
var words = []string{"ZELLE", "from", "Ana", "José", "Ñandú", "A&B", "AT&T", "&", "<5", ">", "50%", "a,b", ",", "/", "and/or", "1/2/", "\"Q\"", "'s", "#1001", "STRIPE",
	"88,", "16,165", "99", "<NAME>", "x:y", "01/02/2026", "12.50", "—", "日本", "a;b", "|", "tab", "=1", "-5"}

func day(n int) ledger.Date {
	return ledger.DateOf(time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC), time.UTC)
}

// drawStatement draws a statement of a month or less.
func drawStatement(t *rapid.T) bankfile.Statement {
	from := rapid.IntRange(0, 300).Draw(t, "from")
	days := rapid.IntRange(0, 31).Draw(t, "days")
	opening := rapid.Int64Range(-1_000_000, 100_000_000).Draw(t, "opening")
	currency := money.Currency(rapid.SampledFrom([]string{"USD", "EUR", "JPY", "KWD"}).Draw(t, "currency"))
	s := bankfile.Statement{Account: bankfile.Account{ID: "000123456789", Last4: "6789"}, Currency: currency, From: day(from), To: day(from + days), Opening: &opening}
	code := rapid.StringMatching(`[A-Z0-9]{0,10}`)
	for n := range days + 1 {
		for range rapid.IntRange(0, 3).Draw(t, "lines") {
			amount := rapid.Int64Range(-5_000_000, 5_000_000).Draw(t, "amount")
			if amount == 0 {
				amount = 1
			}
			parts := rapid.SliceOfN(rapid.SampledFrom(words), 1, 16).Draw(t, "text")
			text := "T" // a text that begins with a sign of its own is another test
			for _, part := range parts {
				text += " " + part
			}
			s.Lines = append(s.Lines, bankfile.Line{BookedOn: day(from + n), Amount: amount, Text: text, Reference: code.Draw(t, "reference"),
				BankID: code.Draw(t, "id"), Pending: rapid.IntRange(0, 9).Draw(t, "pending") == 0})
		}
	}
	return s
}

// reduced returns lines without what no two files share, and without what a format does not have.
func reduced(lines []bankfile.Line, format string) (plain []bankfile.Line) {
	for _, pending := range []bool{false, true} { // OFX writes pending lines after the others
		for _, line := range lines {
			if line.Pending != pending || pending && format == bankfake.BAI2 {
				continue
			}
			line.Row, line.Nth = 0, 0
			if format == bankfake.CSV {
				line.BankID = ""
			}
			plain = append(plain, line)
		}
	}
	return plain
}

// TestWrittenIsRead: of any statement, each format gives back what it can hold.
func TestWrittenIsRead(t *testing.T) {
	t.Parallel()
	for _, format := range bankfake.Formats() {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				s := drawStatement(t)
				var b bytes.Buffer
				require.NoError(t, bankfake.Write(&b, format, s))
				f, err := bankfile.Read(bytes.NewReader(b.Bytes()), "statement", bankfile.Options{Currency: s.Currency})
				require.NoError(t, err, "%s", b.String())
				require.Empty(t, f.Findings, "%s", b.String())
				require.NotEmpty(t, f.Statements)
				var lines []bankfile.Line
				for _, part := range f.Statements {
					require.Equal(t, s.Currency, part.Currency)
					if format != bankfake.CSV {
						require.Equal(t, s.Account, part.Account)
					}
					lines = append(lines, part.Lines...)
				}
				require.Equal(t, reduced(s.Lines, format), reduced(lines, format), "%s", b.String())
				first, last := f.Statements[0], f.Statements[len(f.Statements)-1]
				if format != bankfake.CSV {
					require.Equal(t, []ledger.Date{s.From, s.To}, []ledger.Date{first.From, last.To})
				}
				if format != bankfake.OFX && (format != bankfake.CSV || s.Booked() != 0) {
					require.Equal(t, *s.Opening, *first.Opening)
					require.Equal(t, *s.Opening+s.Booked(), *last.Closing)
				} else if format == bankfake.OFX {
					require.Equal(t, *s.Opening+s.Booked(), *last.Closing)
				}
			})
		})
	}
}
