package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/workshop/testkit/program"
)

func TestHeadsAreReadAsEmailsShowThem(t *testing.T) {
	tsne := org.LegalEntity{ID: uuid.New(), Slug: "tsne"}
	hash := strings.Repeat("0123456789abcdef", 4)
	heads, err := readHeads([]org.LegalEntity{tsne}, []string{"tsne:12:" + hash, "tsne:1:" + hash})
	require.NoError(t, err)
	require.Equal(t, []any{tsne.ID, int64(12), hash, int64(1)}, []any{heads[0].EntityID, heads[0].N, heads[0].Hex(), heads[1].N})
	for wrong, fix := range map[string]string{
		"": `has the slug ""`, "aina:12:" + hash: `has the slug "aina"`, "tsne": "want N:HASH", "tsne:" + hash: "want N:HASH", "tsne:12:12": "want N:HASH",
	} {
		t.Run("--head "+wrong, func(t *testing.T) {
			_, err := readHeads([]org.LegalEntity{tsne}, []string{wrong})
			require.ErrorIs(t, err, errUse)
			require.ErrorContains(t, err, fix)
		})
	}
}

func TestReportListsFindingsAndChains(t *testing.T) {
	tsne, entry, gone := org.LegalEntity{ID: uuid.New(), Slug: "tsne"}, uuid.New(), uuid.New()
	var out bytes.Buffer
	printReport(&out, []org.LegalEntity{tsne}, ledger.Report{
		Entries: 3, Lines: 8, Chains: []ledger.Chain{{EntityID: tsne.ID, Sealed: 2, Head: "ab"}, {EntityID: gone, Sealed: 1, Head: "cd"}},
		Findings: []ledger.Finding{{Rule: "a rule", Count: 2, Entry: uuid.NullUUID{UUID: entry, Valid: true}, Detail: "is broken"}},
	})
	require.Equal(t, "✗ not true: a rule: entry "+entry.String()+": is broken (2 in all)\n3 entries with 8 lines read.\nSealed: tsne:2:ab\nSealed: "+gone.String()+":1:cd\n", out.String())
}

// TestBalanceHasAccountNames checks that each line has the name of its account and not only the number.
func TestBalanceHasAccountNames(t *testing.T) {
	h := program.New(t, program.Options{})
	t.Chdir(t.TempDir())
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	h.SettledGift(program.ValidForm())
	out, err := runCommand(t, "ledger", "balance", "--org", "csio")
	require.NoError(t, err)
	require.Regexp(t, `tsne +general +1010 +Stripe-clearing +20\.00 USD`, out)
	out, err = runCommand(t, "ledger", "balance", "--json")
	require.NoError(t, err)
	var lines []map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &lines))
	require.Contains(t, lines, map[string]any{
		"entity": "tsne", "fund": "general", "account": "1010", "account_name": "Stripe-clearing", "currency": "USD", "amount": 2000.0,
	})
}

func TestAuditorsAreAddresses(t *testing.T) {
	c, err := readConfig(map[string]string{"AUDIT_MAIL": "audit@firm.example, board@tsne.example,"})
	require.NoError(t, err)
	require.Equal(t, []string{"audit@firm.example", "board@tsne.example"}, c.AuditMail)
	_, err = readConfig(map[string]string{"AUDIT_MAIL": "audit@firm.example;board@tsne.example"})
	require.ErrorContains(t, err, "separate several by commas")
}

// TestVerifyRebuild: wrong sums are found, and computed anew.
func TestVerifyRebuild(t *testing.T) {
	h := program.New(t, program.Options{})
	t.Chdir(t.TempDir())
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	d := h.SettledGift(program.ValidForm())
	_, err := runCommand(t, "ledger", "seal")
	require.NoError(t, err)
	h.Exec(`UPDATE ledger_month SET amount = amount + 1`)
	h.Exec(`INSERT INTO donor_year VALUES (gen_random_uuid(), 2020, $1, 1, 1)`, d.EntityID)
	out, err := runCommand(t, "ledger", "verify")
	require.ErrorContains(t, err, "the checkers found errors")
	require.Contains(t, out, "every sum of a month is that of its postings")
	require.Contains(t, out, "what a donor gave in a year is the sum of their gifts")
	_, err = runCommand(t, "ledger", "verify", "--rebuild")
	require.NoError(t, err)
}

// TestExportGifts writes a row for each gift of the entity.
func TestExportGifts(t *testing.T) {
	h := program.New(t, program.Options{})
	t.Chdir(t.TempDir())
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	d := h.SettledGift(program.ValidForm())
	out, err := runCommand(t, "export", "gifts", "--entity", "tsne")
	require.NoError(t, err)
	require.Len(t, strings.Split(strings.TrimSpace(out), "\n"), 2)
	require.Contains(t, out, d.ID.String())
	_, err = runCommand(t, "export", "gifts", "--entity", "nobody")
	require.ErrorIs(t, err, errUse)
}
