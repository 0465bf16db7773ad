package mail_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/platform/phrase"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/testkit/program"
)

// planReceipt begins a plan and returns its receipt, whose email is not sent yet.
func planReceipt(t *testing.T, h *program.Program) receipt.Receipt {
	t.Helper()
	f := program.ValidForm()
	f.Frequency = "monthly"
	d := h.StartedGift(f)
	h.Pay(d)
	h.DeliverNew()
	h.DrainAll()
	latest, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{d.ID})
	require.NoError(t, err)
	return latest[d.ID]
}

// movingLinks moves a gift the first time that a link is made: after the address was read, before the email is stored.
type movingLinks struct {
	mail.PlanLinks
	move func()
}

func (m *movingLinks) Of(ctx context.Context, ref string, lang phrase.Language) (mail.PlanLink, error) {
	if move := m.move; move != nil {
		m.move = nil
		move()
	}
	return m.PlanLinks.Of(ctx, ref, lang)
}

// TestRenderedEmailFollowsTheGift: an operator corrects the address after an email's address was read. The email has a
// valid link, and does not go to the address before.
func TestRenderedEmailFollowsTheGift(t *testing.T) {
	h := program.New(t, program.Options{})
	r := planReceipt(t, h)
	plans := mail.Plans{Mailer: h.Receipts.Mailer, Catalog: h.Catalog, Links: h.Receipts.Plans}
	event := uuid.New()
	h.Exec(`INSERT INTO plan_event (id, plan_id, kind, cause, detail, at) VALUES ($1::uuid, $2, 'paused', 'x', '{}', now())`, event, r.DonationID)
	to := "ana@example.org"
	for name, send := range map[string]func(links mail.PlanLinks) error{
		"receipt": func(links mail.PlanLinks) error {
			receipts := h.Receipts
			receipts.Plans = links
			return receipts.Mail(t.Context(), r.ID)
		},
		"event": func(links mail.PlanLinks) error {
			plans.Links = links
			return plans.Mail(t.Context(), event)
		},
		"fresh link": func(links mail.PlanLinks) error {
			plans.Links = links
			if err := plans.MailFreshLink(t.Context(), r.DonationID); err == nil {
				t.Error("the job must run again")
			}
			return plans.MailFreshLink(t.Context(), r.DonationID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			before, next := len(h.Mail.Messages()), "to-"+uuid.NewString()+"@example.org"
			links := &movingLinks{h.Receipts.Plans, func() { require.NoError(t, resender(h).Redirect(t.Context(), r, next, "ana")) }}
			require.NoError(t, send(links))
			sent := h.Mail.Messages()
			require.Len(t, sent, before+1)
			require.Equal(t, next, sent[0].To, "and not "+to)
			to = next
		})
	}
}

// TestCorrectedBack: the receipt says ana@. It was sent to another address by mistake; then the operator corrects it to
// ana@ together with the name. The plan comes back, and the link that the other address has ends.
func TestCorrectedBack(t *testing.T) {
	h := program.New(t, program.Options{})
	r := planReceipt(t, h)
	require.NoError(t, h.Receipts.Mail(t.Context(), r.ID))
	require.NoError(t, resender(h).Redirect(t.Context(), r, "anna@example.org", "ana"))
	h.Exec(`UPDATE letter_delivery SET tries = 1, accepted_at = now(), smtp_reply = '250 OK' WHERE recipient = 'anna@example.org'`)
	_, err := h.Receipts.Plans.Of(t.Context(), r.Facts.Instalment.PlanRef, "en")
	require.NoError(t, err)
	inTx(t, h, func(tx *sqlx.Tx) error {
		if err := resender(h).CorrectAddressTx(t.Context(), tx, r, r.Facts.Email, "ana"); err != nil {
			return err
		}
		_, err := receiptIssuer(h).CorrectTx(t.Context(), tx, r.ID, receipt.Correction{FirstName: "Ana", Email: r.Facts.Email}, "ana", time.Now())
		return err
	})
	require.Zero(t, h.Count(`SELECT count(*) FROM plan_link WHERE ended_at IS NULL`))
	latest, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{r.DonationID})
	require.NoError(t, err)
	require.NoError(t, h.Receipts.Mail(t.Context(), latest[r.DonationID].ID))
	require.Equal(t, r.Facts.Email, h.Mail.Messages()[0].To)
}

// TestLinksOfOtherPlansStay: one of two plans moves. The links to the other one stay valid, because its address was not
// corrected.
func TestLinksOfOtherPlansStay(t *testing.T) {
	h := program.New(t, program.Options{})
	r, other := planReceipt(t, h), planReceipt(t, h)
	for _, mailed := range []receipt.Receipt{r, other} {
		require.NoError(t, h.Receipts.Mail(t.Context(), mailed.ID))
	}
	require.NoError(t, resender(h).Redirect(t.Context(), r, "right@example.org", "ana"))
	require.Equal(t, []string{other.DonationID.String()}, h.Lines(`SELECT plan_id::text FROM plan_link WHERE ended_at IS NULL`))
}

// TestAllLinksEndAtAMove: the mail server is away, and an email that is stored waits for the address before. A worker
// of the previous release may send it there, so its link ends. The email that was not stored is rendered for the right
// address.
func TestAllLinksEndAtAMove(t *testing.T) {
	h := program.New(t, program.Options{})
	r := planReceipt(t, h)
	_, err := h.Receipts.Plans.Of(t.Context(), r.Facts.Instalment.PlanRef, "en")
	require.NoError(t, err)
	require.NoError(t, resender(h).Redirect(t.Context(), r, "right@example.org", "ana"))
	require.Zero(t, h.Count(`SELECT count(*) FROM plan_link WHERE ended_at IS NULL`))
	require.Zero(t, h.Count(`SELECT count(*) FROM letter`))
	startRunner(t, h)
	require.Equal(t, "right@example.org", waitForMessages(t, h, 1)[0].To)
	testEventually(t, func() bool { return h.Count(`SELECT count(*) FROM river_job WHERE state <> 'completed'`) == 0 })
	require.Len(t, h.Mail.Messages(), 1)
	require.Equal(t, []string{"right@example.org 1"}, h.Lines(`SELECT recipient || ' ' || tries FROM letter_delivery`))
}

// TestReminderOfTheDonorBefore: a reminder waits when the plan moves. It is called off, because its link stops emails
// of the donor before. The other email that waits follows the plan.
func TestReminderOfTheDonorBefore(t *testing.T) {
	h := program.New(t, program.Options{})
	r := planReceipt(t, h)
	plans := mail.Plans{Mailer: h.Receipts.Mailer, Catalog: h.Catalog, Links: h.Receipts.Plans}
	h.Mail.SetFault(mailcatch.Fault{Kind: mailcatch.Defer})
	for _, kind := range []string{"upcoming", "paused"} {
		event := uuid.New()
		h.Exec(`INSERT INTO plan_event (id, plan_id, kind, cause, detail, at) VALUES ($1::uuid, $2, $3, 'x', '{}', now())`, event, r.DonationID, kind)
		require.Error(t, plans.Mail(t.Context(), event))
	}
	require.NoError(t, resender(h).Redirect(t.Context(), r, "right@example.org", "ana"))
	require.Equal(t, []string{"plan_paused ana@example.org f", "plan_paused right@example.org f", "plan_upcoming ana@example.org t"},
		h.Lines(`SELECT l.kind || ' ' || d.recipient || ' ' || left((d.declined_at IS NOT NULL)::text, 1) FROM letter_delivery d JOIN letter l ON l.id = d.letter_id ORDER BY 1`))
}
