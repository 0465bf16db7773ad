package portal_test

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestGiftsForASpreadsheet: a table with one row for each gift, which spreadsheets open with the right letters.
func TestGiftsForASpreadsheet(t *testing.T) {
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	split := visitor.FormOf("ana@example.org", "Ana")
	split.Fund, split.Split = "", map[string]string{"general": "15", "network": "5"}
	h.SettledGift(split)
	ana := visitor.New(t, h).SignIn("ana@example.org")
	got := ana.Ask("GET", "/portal/records/gifts.csv?lang=es", nil)
	require.Equal(t, http.StatusOK, got.StatusCode)
	text, marked := strings.CutPrefix(got.Page, "\ufeff")
	require.True(t, marked, "without the mark a spreadsheet reads ó as two letters")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 3, "a head, and a row for each gift")
	require.Equal(t, "Fecha", rows[0][0])
	for _, row := range rows[1:] {
		require.Equal(t, []string{"20.00", "USD"}, row[3:5])
		require.NotEmpty(t, row[6])
		require.Equal(t, "20.00", row[7])
	}
	require.Contains(t, rows[1][2]+rows[2][2], "; ")
}
