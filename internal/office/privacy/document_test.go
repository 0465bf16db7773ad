package privacy_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/sheet"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// TestCopyContainsEverything: a copy in each format contains every word about the person, and nothing about others.
func TestCopyContainsEverything(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(canaryForm())
	h.SettledGift(program.ValidForm())
	donors, err := donor.ByEmails(t.Context(), h.DB.Server, canaries[:1])
	require.NoError(t, err)
	var asJSON, asCSV bytes.Buffer
	for _, to := range []privacy.Document{privacy.NewJSON(&asJSON), privacy.NewCSV(&asCSV)} {
		subjects, err := privacy.Copy(t.Context(), h.DB.Server, h.CurrentCatalog(), donors, to)
		require.NoError(t, err)
		require.NotEmpty(t, subjects)
		require.NoError(t, to.End())
	}
	var copied struct {
		Items  []struct{ What string }
		Counts map[string]int
		Count  int
	}
	require.NoError(t, json.Unmarshal(asJSON.Bytes(), &copied))
	require.Len(t, copied.Items, copied.Count)
	require.Equal(t, 1, copied.Counts["gift"])
	rows, err := csv.NewReader(&asCSV).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"", "end of this copy", "number of all", strconv.Itoa(copied.Count)}, rows[len(rows)-1])
	table := ""
	for _, row := range rows {
		require.Len(t, row, 4)
		table += strings.Join(row, " ") + "\n"
	}
	for _, word := range append([]string{"20.00", "TSNE-20", "USD"}, canaries...) {
		require.Contains(t, asJSON.String(), word)
		require.Contains(t, table, word)
	}
	require.NotContains(t, table+asJSON.String(), "ana@example.org")
}

// TestT16NoCellIsAFormula: no text becomes a cell that a spreadsheet computes, and the text can still be read.
func TestT16NoCellIsAFormula(t *testing.T) {
	texts := append(testkit.HostileTexts(), "=1+1", "Ana;=1+1;", "Ana\t@x", "Ana; \"=1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\x00=1", "＝1", "|cmd", "%x")
	var b bytes.Buffer
	file := privacy.NewCSV(&b)
	for _, text := range texts {
		require.NoError(t, file.Item(text, donation.Contact{Note: text}))
		require.NotContains(t, "=+-@\t\r\n\x00", string(append([]byte(sheet.CSVText(text)), 'x')[0]), "%q", text)
		require.NotRegexp(t, `(^|[;\t\r\n])[ "]*[=+\-@]`, sheet.CSVText(text), "a file whose cells end at semicolons")
		require.Equal(t, strings.ReplaceAll(text, "'", ""), strings.ReplaceAll(sheet.CSVText(text), "'", ""))
	}
	require.NoError(t, file.End())
	require.NoError(t, file.End(), "twice")
	_, err := csv.NewReader(&b).ReadAll()
	require.NoError(t, err)
}

// TestHalfAListOfErasuresIsRefused: a list that lost lines would leave people in a restored database. A list of the
// previous release does not say how long it is, and is read.
func TestHalfAListOfErasuresIsRefused(t *testing.T) {
	t.Parallel()
	var list []privacy.ListEntry
	for range 3 {
		list = append(list, privacy.ListEntry{ID: program.NewID(), RequestedBy: "donor", DoneAt: time.Now()})
	}
	var text bytes.Buffer
	require.NoError(t, privacy.WriteList(&text, list))
	lines := strings.SplitAfter(strings.TrimSuffix(text.String(), "\n"), "\n")
	read, err := privacy.ReadList(strings.NewReader(strings.Join(lines, "")))
	require.NoError(t, err)
	require.Len(t, read, 3)
	for _, cut := range [][]string{lines[:2], lines[:1], lines[1:], {lines[0], lines[2]}} {
		_, err := privacy.ReadList(strings.NewReader(strings.Join(cut, "")))
		require.ErrorContains(t, err, "not complete")
	}
	before := regexp.MustCompile(`,"of":3`).ReplaceAllString(strings.Join(lines[:2], ""), "")
	read, err = privacy.ReadList(strings.NewReader(before))
	require.NoError(t, err)
	require.Len(t, read, 2)
}
