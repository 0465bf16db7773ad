package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/testkit"
)

// A balance is a row of `konbit ledger balance --json`.
type balance struct {
	Entity, Fund, Account, Currency string
	Amount                          int64 // minor units, debit positive
}

// waitBalances waits until the books have these balances: fees are booked some seconds after their gift.
func (s *Stack) waitBalances(want ...balance) {
	s.t.Helper()
	testkit.Eventually(s.t, waitTimeout, func() error {
		var have []balance
		if err := json.Unmarshal([]byte(s.Konbit("ledger", "balance", "--json")), &have); err != nil {
			return err
		}
		if fmt.Sprint(have) != fmt.Sprint(want) {
			return fmt.Errorf("the books say\n%v, not\n%v", have, want)
		}
		return nil
	})
	s.Konbit("ledger", "verify")
}

// runTool runs a program of the distribution with text as its input and returns its output.
func runTool(t testing.TB, input string, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("no %s on this machine; mend it with: make test-deps", name)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &complaint
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, out.String(), complaint.String())
	}
	return out.String()
}

// hledgerBooks returns the balances that hledger calculates from the exported journal, after hledger has checked the
// journal.
func (s *Stack) hledgerBooks() (books []balance) {
	s.t.Helper()
	journal := filepath.Join(s.t.TempDir(), "konbit.journal")
	require.NoError(s.t, os.WriteFile(journal, []byte(s.Konbit("export", "journal", "--format", "hledger")), 0o600))
	runTool(s.t, "", "hledger", "-f", journal, "check", "--strict", "ordereddates")
	rows, err := csv.NewReader(strings.NewReader(runTool(s.t, "", "hledger", "-f", journal, "balance", "--flat", "--no-total", "-O", "csv"))).ReadAll()
	require.NoError(s.t, err)
	for _, row := range rows[1:] { // Assets:Tsne:Csio/general:1010-Stripe-clearing, 22.67 USD
		name := strings.Split(row[0], ":")
		require.Len(s.t, name, 4, row[0])
		account, _, _ := strings.Cut(name[3], "-")
		decimal, currency, _ := strings.Cut(row[1], " ")
		minor, err := strconv.ParseInt(strings.Replace(decimal, ".", "", 1), 10, 64)
		require.NoError(s.t, err)
		books = append(books, balance{strings.ToLower(name[1]), strings.ToLower(name[2]), account, currency, minor})
	}
	slices.SortFunc(books, func(a, b balance) int {
		return cmp.Or(cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.Fund, b.Fund), cmp.Compare(a.Account, b.Account))
	})
	return books
}

// beancheck checks the export with beancount.
func (s *Stack) beancheck() {
	s.t.Helper()
	journal := filepath.Join(s.t.TempDir(), "konbit.beancount")
	require.NoError(s.t, os.WriteFile(journal, []byte(s.Konbit("export", "journal", "--format", "beancount")), 0o600))
	runTool(s.t, "", "bean-check", journal)
}

// pdfText returns the text of a document with each run of white space replaced by one space.
func pdfText(t testing.TB, pdf []byte) string {
	t.Helper()
	return collapseSpace(runTool(t, string(pdf), "pdftotext", "-raw", "-", "-"))
}

// collapseSpace replaces each run of white space with one space: emails have line breaks in sentences.
func collapseSpace(text string) string { return strings.Join(strings.Fields(text), " ") }

// waitForEmails returns the first n emails. It waits a moment longer and reports an error if there is one more.
func (s *Stack) waitForEmails(n int) []mailcatch.Message {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitTimeout)
	defer cancel()
	if _, err := s.Mail().WaitFor(ctx, n); err != nil {
		s.t.Fatalf("%d emails have come, not %d: %v", len(s.Mail().Messages()), n, err)
	}
	time.Sleep(200 * time.Millisecond)
	all := s.Mail().Messages()
	require.Len(s.t, all, n)
	return all
}

// count counts rows as the owner of the tables.
func (s *Stack) count(query string, args ...any) (n int) {
	s.t.Helper()
	require.NoError(s.t, s.DB.Owner.Get(&n, query, args...))
	return n
}

// requireOneGift checks that there is one gift, paid once, booked once, with one receipt and one email.
func (s *Stack) requireOneGift() {
	s.t.Helper()
	s.waitForEmails(1)
	require.Equal(s.t, 1, s.count(`SELECT count(*) FROM donation WHERE status = 'settled'`))
	require.Equal(s.t, 0, s.count(`SELECT count(*) FROM donation WHERE status IN ('started', 'processing', 'held')`))
	require.Equal(s.t, 1, s.count(`SELECT count(*) FROM receipt`))
	require.Equal(s.t, 1, s.count(`SELECT last FROM receipt_counter`))
	require.Equal(s.t, 1, s.count(`SELECT count(*) FROM journal_entry WHERE kind = 'payment'`))
	paid := 0
	for _, charge := range objects[struct{ Paid bool }](s, s.Stripe().State().Charges) {
		if charge.Paid {
			paid++
		}
	}
	require.Equal(s.t, 1, paid, "charges that succeeded")
}

// objects returns Stripe's objects as the stand-in shows them.
func objects[T any](s *Stack, raw []json.RawMessage) []T {
	s.t.Helper()
	all := make([]T, len(raw))
	for i := range raw {
		require.NoError(s.t, json.Unmarshal(raw[i], &all[i]))
	}
	return all
}

// sessionCalls returns how many payment pages were requested from Stripe.
func (s *Stack) sessionCalls() int { return len(s.Stripe().Calls("POST", "/v1/checkout/sessions")) }
