package interchange

import (
	"bufio"
	"fmt"
	"strings"
	"time"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
)

// beancount writes the input language of beancount 2 and later.
type beancount struct {
	out *bufio.Writer
	on  ledger.Date // date of the assertions
}

// opened is a date before every entry: in beancount an account is opened before it is used.
const opened = "1900-01-01"

func (b *beancount) begin(now time.Time, currencies []money.Currency) {
	fmt.Fprintf(b.out, "; Everything in the books, written by Konbit at %s.\noption \"title\" \"Konbit\"\n", now.UTC().Format(time.RFC3339))
	for _, c := range currencies {
		fmt.Fprintf(b.out, "option \"operating_currency\" \"%s\"\n%s commodity %s\n", c, opened, c)
	}
}

func (b *beancount) declare(account string, currency money.Currency) {
	fmt.Fprintf(b.out, "%s open %s %s\n", opened, account, currency)
}

func (b *beancount) transaction(r *ledger.Record, accounts []string) {
	fmt.Fprintf(b.out, "\n%s * %s\n", r.Date, beancountText(r.Kind))
	for _, a := range attributes(r) {
		fmt.Fprintf(b.out, "  %s: %s\n", a.name, beancountText(a.value))
	}
	for i, l := range r.Lines {
		fmt.Fprintf(b.out, "  %s  %s\n", accounts[i], money.New(l.Amount, r.Currency))
		for _, a := range lineAttributes(l) {
			fmt.Fprintf(b.out, "    %s: %s\n", a.name, beancountText(a.value))
		}
	}
}

func (b *beancount) assertions(on ledger.Date) {
	b.on = on // beancount asserts balances at the beginning of a day
	fmt.Fprintln(b.out)
}

// assert sets a tolerance of zero: beancount's default tolerance accepts a balance that is wrong by one minor unit.
func (b *beancount) assert(account string, balance money.Amount) {
	fmt.Fprintf(b.out, "%s balance %s  %s ~ 0 %s\n", b.on, account, balance.Decimal(), balance.Currency)
}

// beancountText returns s as a string literal on one line.
func beancountText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func (b *beancount) end(transactions int) {
	fmt.Fprintf(b.out, endOfJournal, transactions)
}
