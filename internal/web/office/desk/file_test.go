package desk_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"konbit/internal/platform/money"
	"konbit/internal/web/office/desk"
)

// TestWriteFile: the rows of a page as a file have amounts as numbers and text as text.
func TestWriteFile(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 10, 5, 9, 0, 0, 0, time.UTC)
	table := desk.Table{
		Columns: []desk.Column{{Name: "donor"}, {Name: "amount", Number: true}, {Name: "day"}, {Name: "gifts", Number: true}, {Name: "state"}},
		Rows: []desk.Row{
			{Cells: []desk.Cell{{Text: "=Ana", Soft: "below"}, desk.AmountCell(money.New(-1250, "USD")), {Day: day}, {Text: "3"}, {Text: "Gift paid", File: "settled"}}},
			{Cells: []desk.Cell{{Text: "Ben"}, desk.AmountCell(money.New(500, "USD")), {At: day}, {Text: "-"}, {Text: "-"}}},
		},
		Total: []desk.Cell{{}, desk.AmountCell(money.New(-750, "USD")), {}, {}, {}},
	}
	ask := func(url, accept string) (*httptest.ResponseRecorder, bool) {
		r, w := httptest.NewRequest("GET", url, nil), httptest.NewRecorder()
		r.Header.Set("Accept", accept)
		done, err := desk.WriteFile(w, r, "gifts", table)
		require.NoError(t, err)
		return w, done
	}
	w, done := ask("/x", "text/html")
	require.False(t, done)
	require.Empty(t, w.Body.String())

	const want = "\ufeffdonor,amount,day,gifts,state,currency\n'=Ana,-12.50,2026-10-05,3,settled,USD\nBen,5.00,2026-10-05T09:00:00Z,'-,'-,USD\n"
	w, done = ask("/x", "text/csv, */*")
	require.True(t, done)
	require.Equal(t, want, w.Body.String())
	w, _ = ask("/x?format=csv", "text/html")
	require.Equal(t, want, w.Body.String())
	require.Equal(t, `attachment; filename="gifts.csv"`, w.Header().Get("Content-Disposition"))

	w, _ = ask("/x?format=xlsx", "text/html")
	book, err := excelize.OpenReader(w.Body)
	require.NoError(t, err)
	rows, err := book.GetRows("Sheet1")
	require.NoError(t, err)
	require.Equal(t, "=Ana -12.5 2026-10-05 3 settled USD", strings.Join(rows[1], " "))
}
