package suggest_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bank"
	"konbit/internal/office/bank/suggest"
)

func october(day int) ledger.Date { return ledger.Date{Year: 2026, Month: time.October, Day: day} }

func line(day int, amount int64, text string) bank.Line {
	return bank.Line{LineID: uuid.New(), BookedOn: october(day), Amount: amount, Whole: amount, Text: text}
}

func item(kind, ref string, day int, amount int64, text, number string) bank.Item {
	return bank.Item{Kind: kind, Ref: ref, Amount: amount, On: october(day), Text: text, Number: number}
}

// TestReasons: the amount comes first, then the number, the text, the days, and whether it is alone.
func TestReasons(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lines []bank.Line
		items []bank.Item
		first string // "": no candidate
		sure  bool
	}{
		"another amount":       {[]bank.Line{line(5, 1000, "STRIPE")}, []bank.Item{item("payout", "a", 5, 1001, "STRIPE", "")}, "", false},
		"alone, and the days":  {[]bank.Line{line(5, 1000, "X")}, []bank.Item{item("payout", "a", 5, 1000, "STRIPE", "")}, "payout:a", true},
		"alone, on other days": {[]bank.Line{line(26, 1000, "X")}, []bank.Item{item("payout", "a", 5, 1000, "STRIPE", "")}, "payout:a", false},
		"one day before":       {[]bank.Line{line(5, 1000, "X")}, []bank.Item{item("payout", "a", 6, 1000, "", "")}, "payout:a", true},
		"over a weekend":       {[]bank.Line{line(2, 1000, "X")}, []bank.Item{item("payout", "a", 5, 1000, "", "")}, "payout:a", true},
		"five bank days later": {[]bank.Line{line(9, 1000, "X")}, []bank.Item{item("payout", "a", 2, 1000, "", "")}, "payout:a", true},
		"a holiday between":    {[]bank.Line{line(16, 1000, "X")}, []bank.Item{item("payout", "a", 8, 1000, "", "")}, "payout:a", true},
		"six bank days later":  {[]bank.Line{line(13, 1000, "X")}, []bank.Item{item("payout", "a", 2, 1000, "", "")}, "payout:a", false},
		"number before text":   {[]bank.Line{line(5, 1000, "ROSA 0042")}, []bank.Item{item("gift", "text", 5, 1000, "Rosa", ""), item("gift", "number", 5, 1000, "", "42")}, "gift:number", true},
		"text before days":     {[]bank.Line{line(5, 1000, "ZELLE ROSA")}, []bank.Item{item("gift", "days", 5, 1000, "", ""), item("gift", "text", 26, 1000, "Rosa", "")}, "gift:text", true},
		"two equal candidates": {[]bank.Line{line(5, 1000, "ZELLE")}, []bank.Item{item("gift", "a", 5, 1000, "Rosa", ""), item("gift", "b", 5, 1000, "Rosa", "")}, "gift:a", false},
		"two equal lines":      {[]bank.Line{line(5, 1000, "ZELLE"), line(5, 1000, "ZELLE")}, []bank.Item{item("gift", "a", 5, 1000, "Rosa", "")}, "gift:a", false},
		"a sum within a week":  {[]bank.Line{line(6, 3500, "DEPOSIT")}, []bank.Item{item("gift", "a", 5, 1000, "", ""), item("gift", "b", 5, 2500, "", ""), item("gift", "c", 5, 700, "", "")}, "gift:a", false},
		"two choices of a sum": {[]bank.Line{line(6, 2000, "X")}, []bank.Item{item("gift", "a", 5, 1000, "", ""), item("gift", "b", 5, 1000, "", ""), item("gift", "c", 5, 1000, "", "")}, "", false},
		"a sum of two kinds":   {[]bank.Line{line(6, 3500, "X")}, []bank.Item{item("gift", "a", 5, 1000, "", ""), item("payout", "b", 5, 2500, "", "")}, "", false},
		"money that left":      {[]bank.Line{line(6, -3500, "X")}, []bank.Item{item("refund", "a", 5, -1000, "", ""), item("refund", "b", 5, -2500, "", "")}, "refund:a", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := suggest.For(c.lines, c.items)
			require.Len(t, all, len(c.lines))
			for i, s := range all {
				require.Equal(t, c.lines[i].LineID, s.Line.LineID)
				require.Equal(t, c.sure, s.Sure)
				if c.first == "" {
					require.Empty(t, s.Candidates)
					continue
				}
				require.NotEmpty(t, s.Candidates)
				require.Equal(t, c.first, s.Candidates[0].Items[0].Name())
			}
		})
	}
}

// TestManyLines: a month of 2,000 lines and 2,000 items of few amounts is suggested in well under ten seconds.
func TestManyLines(t *testing.T) {
	t.Parallel()
	var lines []bank.Line
	var items []bank.Item
	for i := range 2000 {
		lines = append(lines, line(1+i%28, int64(1000+i%300), "ZELLE FROM ROSA"))
		items = append(items, item("gift", uuid.NewString(), 1+i%28, int64(1150+i%300), "Rosa Lima", ""))
	}
	began := time.Now()
	require.Len(t, suggest.For(lines, items), 2000)
	require.Less(t, time.Since(began), 10*time.Second)
}
