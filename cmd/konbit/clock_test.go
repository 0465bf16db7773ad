package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/task"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/testkit/program"
)

// withoutBusinessDates says why a command neither shows nor writes a date of the business clock by itself.
var withoutBusinessDates = map[string]string{
	"bank proof":           "its month is given, and its days are those of lines and entries",
	"doctor":               "its times are those of the machine, the mail server and the queues",
	"donor sign-out":       "sessions and links end by the database's clock; it shows no date",
	"export all":           "it writes the days that the rows have",
	"import bank":          "the lines of its file have their days",
	"import gifts":         "the rows of its file have their days",
	"erasures apply":       "it repeats the days of a list",
	"erasures export":      "it prints the days that erasures wrote",
	"erasures open":        "it prints what a receipt states",
	"erasures prepare":     "it makes keys, which have no date",
	"event-mode close":     "a pass ends by the database's clock; it shows no date",
	"keys list":            "the database's clock dates the record of a key",
	"keys rotate":          "likewise",
	"ledger balance":       "it shows no date",
	"ledger seal":          "seals have the database's time: it proves when an entry was known",
	"ledger verify":        "checkers show when the database noticed what is wrong, to compare with the log",
	"migrate":              "it shows no date",
	"payout compare":       "its days are those of the report",
	"payments list":        "its days are those of payments, from Stripe",
	"refunds list":         "its days are those of orders, by the database's clock, and of refunds, from Stripe",
	"serve":                "it runs the services of package app, which says who has which clock",
	"staff add":            "the database's clock dates staff, roles and links, to prove who could do what when",
	"staff approve":        "likewise",
	"staff break-glass":    "likewise",
	"staff end":            "likewise",
	"staff list":           "likewise",
	"staff reset":          "likewise",
	"staff split":          "likewise",
	"staff verify":         "it shows no date",
	"stripe endpoint":      "it shows no date",
	"stripe events list":   "events are a queue, whose times are compared with the log",
	"stripe events replay": "likewise",
	"stripe events sweep":  "it runs the services of package app, and shows no date",
	"work":                 "likewise",
}

// datedCommand is a command whose dates are those of the business clock.
type datedCommand struct {
	args  []string
	wrong bool     // it is wrong use, whose error is the output
	shows []string // parts of the output
	wrote string   // SQL: times that it wrote, all on the day of the business clock
}

// TestCommandsFollowTheBusinessClock: the clock of the stand-in is three years ahead. What each command shows and writes
// is on its day. What the database judges ends by its own clock.
func TestCommandsFollowTheBusinessClock(t *testing.T) {
	h := program.New(t, program.Options{})
	machine := time.Now()
	h.Fake.Advance(2 * 365 * 24 * time.Hour)
	gift := h.SettledGift(program.ValidForm())
	h.Fake.Advance(366 * 24 * time.Hour)
	now := h.Fake.Now()
	settings := map[string]string{
		"DATABASE_URL": h.DB.ServerURL, "DATABASE_OWNER_URL": h.DB.OwnerURL, "SMTP_URL": h.Mail.SMTPURL(), "BASE_URL": h.URL,
		"SECRET_KEY": ownKey, "STRIPE_API_URL": h.FakeURL,
	}
	file, err := os.ReadFile("../../internal/workshop/testkit/program/program.yaml")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	for name, value := range settings {
		t.Setenv(name, value)
	}
	setup := filepath.Join(t.TempDir(), "program.yaml")
	require.NoError(t, os.WriteFile(setup, []byte(strings.Replace(string(file), "Centro de Apoyo", "El Centro", 1)), 0o600))
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		opened := task.Task{EntityID: gift.EntityID, Kind: task.Find("payout_failed"), Subject: "po_1"}
		return task.OpenTx(t.Context(), tx, opened, uuid.New, now)
	}))
	latest, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{gift.ID})
	require.NoError(t, err)
	require.NoError(t, h.Receipts.Mail(t.Context(), latest[gift.ID].ID))
	number, charged := latest[gift.ID].Reference(), latest[gift.ID].Facts.ChargedOn
	zone := h.Offer("csio").Entity.Location()
	today, lastYear, giftYear := now.UTC().Format(time.DateOnly), strconv.Itoa(now.Year()-1), charged[:4]
	inMoveDays := now.Add(7 * 24 * time.Hour)

	table := []datedCommand{
		{args: []string{"export journal"}, shows: []string{"written by Konbit at " + today}},
		{args: []string{"export journal", "--format", "beancount"}, shows: []string{"written by Konbit at " + today}},
		{args: []string{"export gifts", "--entity", "tsne"}, shows: []string{charged}},
		{args: []string{"statements"}, wrong: true, shows: []string{"--year " + lastYear}},
		{args: []string{"statements", "--year", "0"}, wrong: true, shows: []string{"such as " + lastYear}},
		{args: []string{"statements", "--year", giftYear, "--entity", "tsne"}, wrote: `SELECT issued_at FROM statement`},
		{args: []string{"apply", setup}, wrote: `SELECT updated_at FROM organisation WHERE slug = 'csio'`},
		{args: []string{"event-mode open", "--org", "csio", "--hours", "4"},
			shows: []string{now.Add(4 * time.Hour).Local().Format("on 2 January 2006")}},
		{args: []string{"event-mode open", "--org", "csio", "--hours", "4", "--json"},
			shows: []string{`"opened_at": "` + now.In(time.Local).Format(time.DateOnly), `"expires_at": "`}},
		{args: []string{"event-mode list"}, shows: []string{"open until " + now.Add(4*time.Hour).UTC().Format(time.DateOnly)}},
		{args: []string{"donor move", "ana@example.org", "new@example.net"}, shows: []string{"before " + inMoveDays.In(zone).Format(time.DateOnly)}},
		{args: []string{"payments ignore", "--entity", "tsne", "--metadata", "order_id"}, wrote: `SELECT chosen_at FROM source_choice`},
		{args: []string{"tasks list"}, shows: []string{today, "po_1"}},
		{args: []string{"tasks close", "payout_failed", "po_1"}, wrote: `SELECT closed_at FROM finance_task`},
		{args: []string{"receipt resend", number}, shows: []string{"charged on " + charged}},
		{args: []string{"receipt find", number, "--json"}, shows: []string{`"ordered_at": "` + now.Format("2006-01-")}},
		{args: []string{"receipt correct", number, "--first-name", "Anna"},
			wrote: `SELECT voided_at FROM receipt_void UNION ALL SELECT issued_at FROM receipt WHERE id NOT IN (SELECT receipt_id FROM receipt_void)`},
		{args: []string{"erasures add", "ana@example.org"}, shows: []string{"is due on " + now.Add(72*time.Hour).UTC().Format(time.DateOnly)},
			wrote: `SELECT asked_at FROM erasure`},
		{args: []string{"erasures list"}, shows: []string{today + " UTC"}},
	}
	tested := map[string]bool{}
	for _, c := range table {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			tested[c.args[0]] = true
			out, err := runCommand(t, append(strings.Fields(c.args[0]), c.args[1:]...)...)
			if c.wrong {
				require.ErrorIs(t, err, errUse)
				out = err.Error()
			} else {
				require.NoError(t, err)
			}
			for _, part := range c.shows {
				assert.Contains(t, out, part)
			}
			assert.NotContains(t, out, machine.UTC().Format(time.DateOnly))
			if c.wrote == "" {
				return
			}
			var times []time.Time
			require.NoError(t, h.DB.Owner.Select(&times, c.wrote))
			require.NotEmpty(t, times)
			for _, at := range times {
				assert.WithinDuration(t, now, at, time.Hour)
			}
		})
	}
	messages := h.Mail.Messages()
	link := slices.IndexFunc(messages, func(m mailcatch.Message) bool { return m.To == "new@example.net" })
	require.GreaterOrEqual(t, link, 0)
	email, err := messages[link].Email()
	require.NoError(t, err)
	require.Contains(t, email.Text, strconv.Itoa(inMoveDays.In(zone).Year()), "the email with the link says the same day")

	require.Equal(t, 2, h.Count(`SELECT count(*) FROM event_pass WHERE opened_at <= now() AND expires_at BETWEEN now() AND now() + interval '4 hours'`),
		"the database judges a pass by its own clock")
	require.Zero(t, h.Count(`SELECT count(*) FROM letter_delivery WHERE ordered_at > now()`), "emails have the machine's time")

	var all []string
	var visit func(path string, c *cobra.Command)
	visit = func(path string, c *cobra.Command) {
		if !c.HasSubCommands() {
			all = append(all, strings.TrimSpace(path))
		}
		for _, below := range c.Commands() {
			if !below.Hidden && below.Name() != "help" {
				visit(path+" "+below.Name(), below)
			}
		}
	}
	visit("", commands())
	for _, name := range all {
		require.True(t, tested[name] != (withoutBusinessDates[name] != ""),
			"konbit %s: test its dates above, or say in withoutBusinessDates why it has none", name)
	}
	for name := range maps.Keys(withoutBusinessDates) {
		require.True(t, slices.Contains(all, name), "there is no command konbit %s", name)
	}
}
