package doctor

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/task"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/office/check"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

func TestDoctorReportsDailyChecks(t *testing.T) {
	d := &Doctor{}
	d.checkDailyRun(t.Context(), testkit.DB(t).Server)
	require.Contains(t, d.Findings[0].String(), "not run yet")
	require.False(t, d.Failed())
	require.NoError(t, checkerErrors([]check.Last{{Checker: "A1", Age: 20 * time.Hour}}))
	require.ErrorContains(t, checkerErrors([]check.Last{{Checker: "A1"}, {Checker: "A5", Rows: 2}}), "A5 (2) found something")
	require.ErrorContains(t, checkerErrors([]check.Last{{Checker: "A1", Age: 30 * time.Hour}}), "A1: last run 30h0m0s ago")
	require.ErrorContains(t, checkerErrors([]check.Last{{Checker: "A1"}, {Checker: "A8", Age: 30 * time.Hour}}), "A8: last run", "it cannot run")
}

func TestDoctorReportsOpenTasks(t *testing.T) {
	h := program.New(t, program.Options{})
	report := func() string {
		d := &Doctor{}
		d.checkTasks(t.Context(), h.DB.Server)
		require.False(t, d.Failed())
		return d.Findings[0].String()
	}
	require.Equal(t, "✓ tasks for finance", report())
	opened := task.Task{EntityID: h.Offer("csio").Entity.ID, Kind: task.Find("payout_failed"), Subject: "po_1"}
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		return task.OpenTx(t.Context(), tx, opened, uuid.New, time.Now())
	}))
	require.Equal(t, "✓ tasks for finance: 1 wait: konbit tasks list", report())
}

// TestDoctorListsEmailsAfterMoves: a worker of the previous release sent an email that waited to the address before a
// move.
func TestDoctorListsEmailsAfterMoves(t *testing.T) {
	h := program.New(t, program.Options{})
	report := func() string {
		d := &Doctor{}
		d.emailsAfterMoves(t.Context(), h.DB.Server)
		require.False(t, d.Failed())
		return d.Findings[0].String()
	}
	d := h.SettledGift(program.ValidForm())
	latest, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{d.ID})
	require.NoError(t, err)
	require.NoError(t, h.Receipts.Mail(t.Context(), latest[d.ID].ID))
	require.NoError(t, mail.Resender{Receipts: h.Receipts, Queue: h.Queue}.Redirect(t.Context(), latest[d.ID], "right@example.org", "staff"))
	h.Exec(`UPDATE letter_delivery SET accepted_at = now(), smtp_reply = '250 OK' WHERE recipient = 'right@example.org'`)
	require.Equal(t, "✓ emails about moved gifts", report(), "one was sent before the move, the other to the owner")
	h.Exec(`ALTER TABLE letter_delivery DISABLE TRIGGER USER`)
	h.Exec(`UPDATE letter_delivery SET accepted_at = now() WHERE recipient = 'ana@example.org'`)
	require.Regexp(t, "^✓ emails about moved gifts: receipt about donation "+d.ID.String()+", sent 20.*Z to the address before", report())
	require.NotContains(t, report(), "@")
}
