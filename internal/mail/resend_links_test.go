package mail_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/testkit/program"
)

// monthlyReceipt returns the receipt of the first payment of a new monthly gift.
func monthlyReceipt(t *testing.T, h *program.Program) receipt.Receipt {
	t.Helper()
	gift := settledPlan(h, "monthly")
	latest, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{gift.ID})
	require.NoError(t, err)
	return latest[gift.ID]
}

// TestCorrectedAddressEndsLinks: every link to the plan ends when the plan moves, also one that nobody may have; a
// worker of the previous release may still send it to the address before. It stays if the address is the same.
func TestCorrectedAddressEndsLinks(t *testing.T) {
	h := program.New(t, program.Options{})
	r := monthlyReceipt(t, h)
	valid := func() int { return h.Count(`SELECT count(*) FROM plan_link WHERE ended_at IS NULL`) }

	h.Mail.SetFault(mailcatch.Fault{Kind: mailcatch.Reject})
	require.NoError(t, h.Receipts.Mail(t.Context(), r.ID))
	require.Equal(t, []string{"receipt refused to ana@example.org: smtp: 550 5.1.1 at RCPT"}, delivered(t, h, r.ID))
	h.Mail.SetFault(mailcatch.Fault{})
	require.NoError(t, resender(h).Redirect(t.Context(), r, "right@example.org", "ana"))
	require.Zero(t, valid(), "though a server refused the email")
	_, err := h.Receipts.Plans.Of(t.Context(), r.Facts.Instalment.PlanRef, "en")
	require.NoError(t, err)
	h.Exec(`UPDATE letter_delivery SET accepted_at = now(), smtp_reply = '250 OK' WHERE recipient = 'right@example.org'`)
	require.NoError(t, resender(h).Redirect(t.Context(), r, "right@example.org", "ana"))
	require.Equal(t, 1, valid(), "the same address")
	require.NoError(t, resender(h).Redirect(t.Context(), r, "accountant@example.org", "ana"))
	require.Zero(t, valid())

	link, err := h.Receipts.Plans.Of(t.Context(), r.Facts.Instalment.PlanRef, "en")
	require.NoError(t, err)
	require.NotEmpty(t, link.Code)
	require.Equal(t, 1, valid(), "the next email has a new link")
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		if err := resender(h).CorrectAddressTx(t.Context(), tx, r, "right@example.org", "ana"); err != nil {
			return err
		}
		_, err := receiptIssuer(h).CorrectTx(t.Context(), tx, r.ID, receipt.Correction{FirstName: "Anna", Email: "right@example.org"}, "ana", time.Now())
		return err
	}))
	require.Zero(t, valid(), "a new receipt has a new link")
}

// TestCorrectedAddressMovesWhatWaits: emails about the plan that are stored and wait go to the corrected address.
func TestCorrectedAddressMovesWhatWaits(t *testing.T) {
	h := program.New(t, program.Options{})
	r := monthlyReceipt(t, h)
	plans := mail.Plans{Mailer: h.Receipts.Mailer, Catalog: h.Catalog, Links: h.Receipts.Plans}
	event := uuid.New()
	h.Exec(`INSERT INTO plan_event (id, plan_id, kind, cause, detail, at) VALUES ($1::uuid, $2, 'paused', 'x', '{}', now())`, event, r.DonationID)
	h.Mail.SetFault(mailcatch.Fault{Kind: mailcatch.Defer})
	require.Error(t, plans.Mail(t.Context(), event))
	require.NoError(t, resender(h).Redirect(t.Context(), r, "right@example.org", "ana"))
	h.Mail.SetFault(mailcatch.Fault{})
	require.NoError(t, plans.Mail(t.Context(), event), "it is sent by another job")
	startRunner(t, h)
	require.ElementsMatch(t, []string{"right@example.org", "right@example.org"}, []string{waitForMessages(t, h, 2)[0].To, waitForMessages(t, h, 2)[1].To})
	testEventually(t, func() bool { return h.Count(`SELECT count(*) FROM river_job WHERE state <> 'completed'`) == 0 })
	require.Len(t, h.Mail.Messages(), 2, "nothing goes to the address that was typed")
}
