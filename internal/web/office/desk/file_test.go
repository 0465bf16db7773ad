package desk_test

import (
	"bytes"
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
	const want = "\ufeffdonor,amount,day,gifts,state,currency\n'=Ana,-12.50,2026-10-05,3,settled,USD\nBen,5.00,2026-10-05T09:00:00Z,'-,'-,USD\n"
	for accept, want := range map[string]string{"text/html": "", "text/csv, */*": "csv"} {
		r := httptest.NewRequest("GET", "/x", nil)
		r.Header.Set("Accept", accept)
		require.Equal(t, want, desk.WantsFile(r))
	}
	require.Equal(t, "xlsx", desk.WantsFile(httptest.NewRequest("GET", "/x?format=xlsx", nil)))
	content, err := desk.ContentOf("csv", table)
	require.NoError(t, err)
	require.Equal(t, want, string(content))
	content, err = desk.ContentOf("xlsx", table)
	require.NoError(t, err)
	book, err := excelize.OpenReader(bytes.NewReader(content))
	require.NoError(t, err)
	rows, err := book.GetRows("Sheet1")
	require.NoError(t, err)
	require.Equal(t, "=Ana -12.5 2026-10-05 3 settled USD", strings.Join(rows[1], " "))
}
