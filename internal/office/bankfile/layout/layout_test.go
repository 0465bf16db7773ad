package layout_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/bankfile/layout"
)

func rows(cells ...[]string) (rows []layout.Row) {
	for i, c := range cells {
		rows = append(rows, layout.Row{Cells: c, Line: i + 1})
	}
	return rows
}

func TestGuessColumns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		heading []string
		rows    []layout.Row
		want    layout.Columns
	}{
		{"value date beside posting date", []string{"Value Date", "Posting Date", "Memo", "Amount (USD)"},
			rows([]string{"2026-01-02", "2026-01-03", "x", "5.00"}), layout.Columns{Date: 2, Text: []int{3}, Amount: 4}},
		{"debit and credit that are words", []string{"Date", "Credit/Debit", "Description", "Amount"},
			rows([]string{"2026-01-02", "Debit", "x", "5.00"}), layout.Columns{Date: 1, Sign: 2, Text: []int{3}, Amount: 4}},
		{"signed amounts need no word", []string{"Date", "Type", "Description", "Amount"},
			rows([]string{"2026-01-02", "Debit", "x", "-5.00"}), layout.Columns{Date: 1, Text: []int{3}, Amount: 4}},
		{"no heading, debit and credit", nil,
			rows([]string{"2026-01-02", "rent paid", "5.00", "", "95.00"}, []string{"2026-01-02", "gift", "", "5.00", "100.00"}),
			layout.Columns{Date: 1, Text: []int{2}, Debit: 3, Credit: 4, Balance: 5}},
		{"Spanish", []string{"Fecha", "Descripción", "Cargos", "Abonos", "Saldo", "Referencia"},
			rows([]string{"02/01/2026", "x", "5.00", "", "1.00", "77"}, []string{"02/01/2026", "x", "", "5.00", "1.00", "77"}),
			layout.Columns{Date: 1, Text: []int{2}, Debit: 3, Credit: 4, Balance: 5, Reference: 6}},
		{"two currencies and accounts", []string{"IBAN", "Date", "Payee", "Amount", "Currency", "Transaction ID"},
			rows([]string{"DE1", "2026-01-02", "x", "-5.00", "EUR", "T1"}),
			layout.Columns{Account: 1, Date: 2, Text: []int{3}, Amount: 4, Currency: 5, BankID: 6}},
	} {
		require.Equal(t, test.want, layout.GuessColumns(test.heading, test.rows), test.name)
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	require.Equal(t, layout.FingerprintOf([]string{"Date", "Amount"}), layout.FingerprintOf([]string{" date ", "AMOUNT", ""}))
	require.NotEqual(t, layout.FingerprintOf([]string{"Date", "Amount"}), layout.FingerprintOf([]string{"Amount", "Date"}))
}

func TestKnownLayouts(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, l := range layout.Known() {
		require.NoError(t, l.Check(), l.Name)
		require.False(t, seen[l.Fingerprint], "%s: two layouts of one heading", l.Name)
		seen[l.Fingerprint] = true
		stored, err := json.Marshal(l)
		require.NoError(t, err)
		var back layout.Layout
		require.NoError(t, json.Unmarshal(stored, &back))
		require.Equal(t, l, back)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	right := layout.Layout{Delimiter: ",", Columns: layout.Columns{Date: 1, Amount: 2, Text: []int{3}}}
	require.NoError(t, right.Check())
	for name, change := range map[string]func(*layout.Layout){
		"no date": func(l *layout.Layout) { l.Columns.Date = 0 }, "no text": func(l *layout.Layout) { l.Columns.Text = nil }, "no amount": func(l *layout.Layout) { l.Columns.Amount = 0 },
		"amount and debit": func(l *layout.Layout) { l.Columns.Debit = 4 }, "delimiter": func(l *layout.Layout) { l.Delimiter = ",;" }, "order": func(l *layout.Layout) { l.DateOrder = "m" },
		"decimal": func(l *layout.Layout) { l.Decimal = "x" }, "negative": func(l *layout.Layout) { l.Columns.Balance = -1 }, "skip": func(l *layout.Layout) { l.Skip = -1 },
	} {
		wrong := right
		change(&wrong)
		require.Error(t, wrong.Check(), name)
	}
}

func TestSource(t *testing.T) {
	t.Parallel()
	s := layout.Open("\nsep=;\nDate;Amount\n2026-01-02;1,5\n", 10, 100)
	require.Equal(t, ";", s.Named)
	rows, err := s.Rows(s.Named, 0)
	require.NoError(t, err)
	require.Equal(t, []layout.Row{{Cells: []string{"Date", "Amount"}, Line: 3}, {Cells: []string{"2026-01-02", "1,5"}, Line: 4}}, rows)

	best, found := layout.Open("a;b;c\n31.01.2026;x;1,50\n30.01.2026;y;2,50\n", 10, 100).Delimiter()
	require.Equal(t, ";", best)
	require.Equal(t, 2, found)
}
