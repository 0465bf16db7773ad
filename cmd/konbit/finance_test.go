package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/payoutlist"
	"konbit/internal/office/takeout"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestPayoutCompareAndExportAll: the exit status says whether a report agrees, and all data of an entity are one archive.
func TestPayoutCompareAndExportAll(t *testing.T) {
	h := program.New(t, program.Options{})
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	h.Fake.Advance(72 * time.Hour)
	refs, err := h.Fake.Payout("tsne")
	require.NoError(t, err)
	_, err = h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	report, err := h.Fake.PayoutReport(refs[0], "")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("report.csv", report, 0o600))
	require.NoError(t, os.WriteFile("other.csv", bytes.Replace(report, []byte(",20.00,"), []byte(",21.00,"), 1), 0o600))
	require.NoError(t, os.WriteFile("none.csv", []byte("a,b\n"), 0o600))

	out, err := runCommand(t, "payout", "compare", "report.csv")
	require.NoError(t, err)
	require.Equal(t, "Compared 1 rows of 1 payouts: 0 differences.\n", out)
	out, err = runCommand(t, "payout", "compare", "other.csv", "--json")
	require.ErrorContains(t, err, "differ (differences: 1)")
	require.NotErrorIs(t, err, errUse)
	var found payoutlist.Comparison
	require.NoError(t, json.Unmarshal([]byte(out), &found))
	require.Equal(t, payoutlist.OtherGross, found.Differences[0].Kind)
	require.Equal(t, []string{"21.00", "20.00"}, []string{found.Differences[0].Report, found.Differences[0].Here})
	for _, file := range []string{"none.csv", "missing.csv"} {
		_, err = runCommand(t, "payout", "compare", file)
		require.ErrorIs(t, err, errUse, file)
	}
	for args, want := range map[string]int{"payout compare report.csv": 0, "payout compare other.csv": 1, "payout compare none.csv": 2, "payout compare": 2} {
		require.Equal(t, want, run(t.Context(), strings.Fields(args)), args)
	}

	archive, err := runCommand(t, "export", "all", "--entity", "tsne")
	require.NoError(t, err)
	whole, err := zip.NewReader(strings.NewReader(archive), int64(len(archive)))
	require.NoError(t, err)
	require.Len(t, whole.File, 7)
	out, err = runCommand(t, "export", "all", "--entity", "tsne", "--to", "all", "--json")
	require.NoError(t, err)
	var written []takeout.Written
	require.NoError(t, json.Unmarshal([]byte(out), &written))
	require.Contains(t, written, takeout.Written{Name: "donors.csv", Rows: 1})
	donors, err := os.ReadFile(filepath.Join("all", "donors.csv"))
	require.NoError(t, err)
	require.Contains(t, string(donors), "ana@example.org")
	_, err = runCommand(t, "export", "all", "--entity", "tsne", "--to", "all.zip")
	require.NoError(t, err)
	read, err := zip.OpenReader("all.zip")
	require.NoError(t, err)
	require.NoError(t, read.Close())
	_, err = runCommand(t, "export", "all", "--entity", "tsne", "--to", "all.zip")
	require.ErrorIs(t, err, os.ErrExist)
	for _, slug := range []string{"", "none"} {
		_, err = runCommand(t, "export", "all", "--entity", slug)
		require.ErrorIs(t, err, errUse)
	}
}
