package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/app"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// runCommand runs a command and returns its output.
func runCommand(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := commands()
	root.SetArgs(args)
	root.SetOut(&out)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestReceiptCommands(t *testing.T) {
	h := program.New(t, program.Options{})
	t.Chdir(t.TempDir())
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	d := h.SettledGift(program.ValidForm())
	all, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{d.ID})
	require.NoError(t, err)
	number := all[d.ID].Reference()

	out, err := runCommand(t, "receipt", "find", "pérez")
	require.NoError(t, err)
	require.Regexp(t, number+` +issued \d{4}-\d\d-\d\d +charged `+all[d.ID].Facts.ChargedOn+` +America/New_York +20.00 USD +stands +Ana Pérez`, out)
	require.Contains(t, out, "waiting")

	for _, text := range []string{"perez", "PÉREZ", "pe\u0301rez", "Pérez Ana", " ana  ANA@example.org ", strings.ToLower(number) + " perez"} {
		out, err = runCommand(t, "receipt", "find", text)
		require.NoError(t, err)
		require.Contains(t, out, number, text)
	}
	out, err = runCommand(t, "receipt", "find", "Ana Gómez")
	require.NoError(t, err)
	require.Equal(t, "No receipt is found.\n", out, "one word is missing")

	h.Mail.SetFault(mailcatch.Fault{Kind: mailcatch.Reject})
	require.NoError(t, h.Receipts.Mail(t.Context(), all[d.ID].ID))
	out, err = runCommand(t, "receipt", "find", "--refused")
	require.NoError(t, err)
	require.Regexp(t, `receipt +refused +ana@example.org +smtp: 550 5.1.1 at RCPT`, out)

	// Another address: the same receipt. Its email is found by that address.
	_, err = runCommand(t, "receipt", "correct", number, "--email", `"a b"@example.org`)
	require.ErrorContains(t, err, "wrong use: --email: want a plain address such as")
	out, err = runCommand(t, "receipt", "correct", number, "--email", "ana.perez@example.net")
	require.NoError(t, err)
	require.Equal(t, number+" goes to ana.perez@example.net.\n", out)
	out, err = runCommand(t, "receipt", "find", "example.NET")
	require.NoError(t, err)
	require.Contains(t, out, number)
	require.Regexp(t, `stands +Ana Pérez +ana.perez@example.net`, out, "where emails go now")
	out, err = runCommand(t, "receipt", "find", "--refused")
	require.NoError(t, err)
	require.Equal(t, "No receipt is found.\n", out)
	_, err = runCommand(t, "receipt", "resend", number)
	require.ErrorContains(t, err, "waits to be sent already")

	// Another name: another receipt.
	out, err = runCommand(t, "receipt", "correct", number, "--last-name", "Pérez Ruiz")
	require.NoError(t, err)
	require.Equal(t, "TSNE-"+number[5:10]+"000002 replaces "+number+".\n", out)
	out, err = runCommand(t, "receipt", "find", "ana@", "--json")
	require.NoError(t, err)
	var seen []found
	require.NoError(t, json.Unmarshal([]byte(out), &seen))
	require.Len(t, seen, 2)
	require.Equal(t, []string{"Ana Pérez Ruiz", "stands", number}, []string{seen[0].Donor, seen[0].Status, seen[0].Replaces})
	require.Equal(t, []string{"ana@example.org", "ana.perez@example.net"}, []string{seen[0].Email, seen[0].Address})
	require.Equal(t, []string{"Ana Pérez", "replaced", "correction"}, []string{seen[1].Donor, seen[1].Status, seen[1].Reason})
	require.Contains(t, h.Lines(`SELECT ordered_by FROM receipt_void`)[0], "command line: ")

	_, err = runCommand(t, "receipt", "correct", number, "--last-name", "Again")
	require.ErrorContains(t, err, number+" is not valid any more")
	for _, again := range [][]string{{"receipt", "correct", number, "--email", "third@example.org"}, {"receipt", "resend", number}} {
		_, err = runCommand(t, again...)
		require.ErrorIs(t, err, mail.ErrReceiptVoid, "the void receipt is not sent again")
	}
	_, err = runCommand(t, "receipt", "resend", "TSNE-2026-999999")
	require.ErrorContains(t, err, "there is no receipt")
	for _, wrong := range [][]string{{"receipt", "find"}, {"receipt", "correct", number}} {
		t.Run(strings.Join(wrong[:2], " "), func(t *testing.T) {
			_, err = runCommand(t, wrong...)
			require.ErrorIs(t, err, errUse)
		})
	}

	// The waiting email of the valid receipt is sent: the new receipt, to the corrected address.
	h.Mail.SetFault(mailcatch.Fault{})
	h.StartWorkers()
	valid := seen[0].Number
	testkit.Eventually(t, 20*time.Second, func() error {
		if h.Count(`SELECT count(*) FROM letter_delivery WHERE num_nonnulls(accepted_at, refused_at, declined_at) = 0`) > 0 {
			return errors.New("the delivery is not recorded yet")
		}
		return nil
	})
	only := waitFor(t, h, 1)
	require.Len(t, only, 1)
	require.Equal(t, "ana.perez@example.net", only[0].To)
	require.Contains(t, only[0].Subject, "in place of "+number)
	out, err = runCommand(t, "receipt", "find", number)
	require.NoError(t, err)
	require.Regexp(t, `receipt +called off +ana.perez@example.net`, out)
	out, err = runCommand(t, "receipt", "resend", valid)
	require.NoError(t, err)
	require.Equal(t, valid+", charged on "+all[d.ID].Facts.ChargedOn+", goes out again.\n", out)
}

func waitFor(t *testing.T, h *program.Program, n int) []mailcatch.Message {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got, err := h.Mail.WaitFor(ctx, n)
	require.NoError(t, err)
	return got
}

// TestReceiptFindAtNewYear: a receipt issued in the last hour of the year has the same year in both of its days, though it
// is the next year in UTC.
func TestReceiptFindAtNewYear(t *testing.T) {
	boston, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	last := time.Date(2026, 12, 31, 23, 30, 0, 0, boston)
	r := receipt.Receipt{Year: 2026, Number: 1, IssuedAt: last.UTC(), Facts: receipt.Facts{EntitySlug: "tsne", ChargedOn: "2026-12-31", Timezone: "America/New_York"}}
	var out bytes.Buffer
	c := receiptFindCommand()
	c.SetOut(&out)
	require.NoError(t, printReceipts(c, []found{asFound(r, nil, app.MachineClocks())}))
	require.Regexp(t, `TSNE-2026-000001 +issued 2026-12-31 +charged 2026-12-31 +America/New_York `, out.String())
	written, err := json.Marshal(asFound(r, nil, app.MachineClocks()))
	require.NoError(t, err)
	require.Contains(t, string(written), `"issued_at":"2026-12-31T23:30:00-05:00","charged_on":"2026-12-31","timezone":"America/New_York"`)
}

// TestCorrectNamesOtherGifts: the address of one of two recurring gifts is corrected. The operator learns that the other
// one still goes to the address before.
func TestCorrectNamesOtherGifts(t *testing.T) {
	h := program.New(t, program.Options{})
	t.Chdir(t.TempDir())
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	var number string
	for range 2 {
		f := program.ValidForm()
		f.Frequency = "monthly"
		d := h.StartedGift(f)
		h.Pay(d)
		h.DeliverNew()
		h.DrainAll()
		all, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{d.ID})
		require.NoError(t, err)
		number = all[d.ID].Reference()
	}
	out, err := runCommand(t, "receipt", "correct", number, "--email", "right@example.net")
	require.NoError(t, err)
	require.Regexp(t, `(?s)goes to right@example.net\.\nOther recurring gifts still go to ana@example.org:\n  20.00 USD monthly since \d{4}-\d\d-\d\d\n.*konbit receipt find ana@example.org\n$`, out)
	out, err = runCommand(t, "receipt", "correct", number, "--email", "ana@example.org", "--json")
	require.NoError(t, err)
	require.NotContains(t, out, "others")
}
