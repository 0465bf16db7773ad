package bankfake

import (
	"fmt"
	"io"
	"strings"
	"time"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bankfile"
)

// baiWriter counts lines and adds amounts for the control records.
type baiWriter struct {
	out   io.Writer
	lines int
}

func (b *baiWriter) line(format string, values ...any) {
	fmt.Fprintf(b.out, format+"\n", values...)
	b.lines++
}

// writeBAI2 writes one group for each day that has lines, and for the first and the last day. BAI2 has no pending lines.
func writeBAI2(out io.Writer, s bankfile.Statement) {
	b := &baiWriter{out: out}
	date := func(d ledger.Date) string { return d.In(time.UTC).Format("060102") }
	b.line("01,021000021,KONBIT,%s,0600,1,,,2/", date(s.To))
	balance, total, groups := *s.Opening, int64(0), 0
	rest := s.Lines
	for day := s.From; ; day = day.Next() {
		var lines []bankfile.Line
		for len(rest) > 0 && rest[0].BookedOn == day {
			if !rest[0].Pending {
				lines = append(lines, rest[0])
			}
			rest = rest[1:]
		}
		if len(lines) > 0 || day == s.From || day == s.To {
			var sum int64
			balance, sum = b.group(s, day, balance, lines)
			total, groups = total+sum, groups+1
		}
		if day == s.To {
			break
		}
	}
	b.line("99,%d,%d,%d/", total, groups, b.lines+1)
}

// group writes a group with one account and returns the balance after it and its control total.
func (b *baiWriter) group(s bankfile.Statement, day ledger.Date, opening int64, lines []bankfile.Line) (closing, sum int64) {
	first := b.lines
	closing = opening
	var credits, debits int64
	for _, line := range lines {
		closing += line.Amount
		credits += max(line.Amount, 0)
		debits += max(-line.Amount, 0)
	}
	b.line("02,KONBIT,021000021,1,%s,2359,%s,2/", day.In(time.UTC).Format("060102"), s.Currency)
	account := b.lines
	b.line("03,%s,%s,010,%d,,/", s.Account.ID, s.Currency, opening)
	b.line("88,015,%d,,,100,%d,,,400,%d,,/", closing, credits, debits)
	sum = opening + closing + 2*(credits+debits)
	for _, line := range lines {
		b.movement(line)
	}
	b.line("49,%d,%d/", sum, b.lines-account+1)
	b.line("98,%d,1,%d/", sum, b.lines-first+1)
	return closing, sum
}

func (b *baiWriter) movement(line bankfile.Line) {
	code, size := 165, line.Amount
	switch {
	case line.Amount < 0 && line.Reference != "":
		code, size = 475, -line.Amount
	case line.Amount < 0:
		code, size = 455, -line.Amount
	}
	const width = 60
	record := fmt.Sprintf("16,%d,%d,Z,%s,%s,", code, size, line.BankID, line.Reference)
	for _, word := range strings.Fields(line.Text) {
		if len(record)+len(word) > width && !strings.HasSuffix(record, ",") {
			b.line("%s", strings.TrimSuffix(record, " ")+"/")
			record = "88,"
		}
		record += word + " "
	}
	b.line("%s", strings.TrimSuffix(record, " ")+"/")
}
