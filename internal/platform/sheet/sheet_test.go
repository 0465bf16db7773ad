package sheet_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"konbit/internal/platform/sheet"
	"konbit/internal/workshop/testkit"
)

func written(t *testing.T, format string, rows ...[]sheet.Cell) []byte {
	t.Helper()
	var b bytes.Buffer
	w := sheet.NewWriter(&b, format)
	for _, row := range rows {
		require.NoError(t, w.Row(row...))
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

var (
	eastern = time.FixedZone("", -4*60*60)
	moment  = time.Date(2026, 10, 5, 23, 30, 0, 0, eastern)
	row     = []sheet.Cell{sheet.Text("José & <Ana>"), sheet.Decimal("-12345678901234.50"), sheet.Int(34), sheet.Day(moment), sheet.Moment(moment), sheet.Day(time.Time{}), sheet.Decimal("")}
)

func TestCSV(t *testing.T) {
	t.Parallel()
	file := written(t, sheet.CSV, row)
	text, found := strings.CutPrefix(string(file), "\ufeff")
	require.True(t, found, "a byte order mark")
	require.Equal(t, "José & <Ana>,-12345678901234.50,34,2026-10-05,2026-10-05T23:30:00-04:00,,\n", text)
}

// TestXLSX reads the file by another program's rules.
func TestXLSX(t *testing.T) {
	t.Parallel()
	book, err := excelize.OpenReader(bytes.NewReader(written(t, sheet.XLSX, row, nil, row)))
	require.NoError(t, err)
	shown, err := book.GetRows("Sheet1")
	require.NoError(t, err)
	require.Equal(t, []string{"José & <Ana>", "-12345678901234.5", "34", "2026-10-05", "2026-10-05 23:30"}, shown[0])
	require.Equal(t, shown[0], shown[2])
	raw, err := book.GetCellValue("Sheet1", "B1", excelize.Options{RawCellValue: true})
	require.NoError(t, err)
	require.Equal(t, "-12345678901234.50", raw, "all digits")
	for cell, want := range map[string]excelize.CellType{"A1": excelize.CellTypeInlineString, "B1": excelize.CellTypeUnset, "C1": excelize.CellTypeUnset, "D1": excelize.CellTypeUnset} {
		got, err := book.GetCellType("Sheet1", cell)
		require.NoError(t, err)
		require.Equal(t, want, got, cell)
	}
}

// TestT16NoTextIsAFormula: no text becomes a cell that a spreadsheet computes, and the text can still be read.
func TestT16NoTextIsAFormula(t *testing.T) {
	t.Parallel()
	texts := append(testkit.HostileTexts(), "=1+1", "Ana;=1+1;", "Ana\t@x", "Ana; \"=1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\x00=1", "＝1", "|cmd", "%x")
	for _, text := range texts {
		file := bytes.TrimPrefix(written(t, sheet.CSV, []sheet.Cell{sheet.Text(text), sheet.Text("x")}), []byte("\ufeff"))
		cells, err := csv.NewReader(bytes.NewReader(file)).Read()
		require.NoError(t, err, "%q", text)
		cell := cells[0]
		require.NotContains(t, "=+-@\t\r\n\x00", string((cell + "x")[0]), "%q", text)
		require.NotRegexp(t, `(^|[;\t\r\n])[ "]*[=+\-@]`, cell, "a file whose cells end at semicolons")
		require.Equal(t, strings.ReplaceAll(strings.ReplaceAll(text, "'", ""), "\r\n", "\n"), strings.ReplaceAll(cell, "'", ""))

		book, err := excelize.OpenReader(bytes.NewReader(written(t, sheet.XLSX, []sheet.Cell{sheet.Text(text)})))
		require.NoError(t, err, "%q", text)
		formula, err := book.GetCellFormula("Sheet1", "A1")
		require.NoError(t, err)
		require.Empty(t, formula)
		if text != "" {
			kind, err := book.GetCellType("Sheet1", "A1")
			require.NoError(t, err)
			require.Equal(t, excelize.CellTypeInlineString, kind, "%q", text)
		}
	}
}

// TestAFileCutShortIsAnError: a reader sees that a file of XLSX has no end.
func TestAFileCutShortIsAnError(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := sheet.NewWriter(&b, sheet.XLSX)
	for i := range 10_000 {
		hash := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		require.NoError(t, w.Row(sheet.Text(hex.EncodeToString(hash[:]))))
	}
	require.NotEmpty(t, b.Bytes(), "rows are written before the end")
	_, err := excelize.OpenReader(bytes.NewReader(b.Bytes()))
	require.Error(t, err)
	require.NoError(t, w.Close())
	_, err = excelize.OpenReader(bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
}

func TestMoreRowsThanXLSXHas(t *testing.T) {
	t.Parallel()
	w := sheet.NewWriter(io.Discard, sheet.XLSX)
	for range 1_048_576 {
		require.NoError(t, w.Row())
	}
	require.ErrorIs(t, w.Row(), sheet.ErrRows)
	require.ErrorIs(t, w.Close(), sheet.ErrRows)
}
