package interchange

import (
	"bufio"
	"fmt"
	"strings"
	"time"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
)

// hledger writes hledger's journal format, for version 1.25 and later.
type hledger struct{ out *bufio.Writer }

func (h hledger) begin(now time.Time, currencies []money.Currency) {
	fmt.Fprintf(h.out, "; Everything in the books, written by Konbit at %s.\ndecimal-mark .\n", now.UTC().Format(time.RFC3339))
	for _, c := range currencies {
		sample := money.New(0, c).Decimal()
		if c.Exponent() == 0 {
			sample += "." // the directive needs a decimal mark
		}
		fmt.Fprintf(h.out, "commodity %s %s\n", sample, c)
	}
}

func (h hledger) declare(account string, _ money.Currency) {
	fmt.Fprintf(h.out, "account %s\n", account)
}

func (h hledger) transaction(r *ledger.Record, accounts []string) {
	fmt.Fprintf(h.out, "\n%s * %s\n", r.Date, hledgerText(r.Kind))
	for _, a := range attributes(r) {
		fmt.Fprintf(h.out, "    ; %s: %s\n", a.name, hledgerText(a.value))
	}
	for i, l := range r.Lines {
		fmt.Fprintf(h.out, "    %s  %s\n", accounts[i], money.New(l.Amount, r.Currency))
		for _, a := range lineAttributes(l) {
			fmt.Fprintf(h.out, "      ; %s: %s\n", a.name, hledgerText(a.value))
		}
	}
}

func (h hledger) assertions(on ledger.Date) { fmt.Fprintf(h.out, "\n%s * balances\n", on) }

// assert uses ==, which also refuses any other currency in the account.
func (h hledger) assert(account string, balance money.Amount) {
	fmt.Fprintf(h.out, "    %s  %s == %s\n", account, money.New(0, balance.Currency), balance)
}

// hledgerText returns s without the characters that would end a description or a tag's value: hledger has no quoting.
func hledgerText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(",;|", r) {
			return ' '
		}
		return r
	}, s)
}

func (h hledger) end(transactions int) {
	fmt.Fprintf(h.out, endOfJournal, transactions)
}
