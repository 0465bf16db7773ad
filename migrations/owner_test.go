package migrations_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/migrations"
)

// TestCorrectionsOfAddressesMoveTheGift: corrections that the previous release recorded move the gifts when migration 00098
// is run; the Down of 00096 moves them back. A single gift whose receipt was sent elsewhere stays with its donor. A corrected address that an erasure has removed belongs to nobody.
func TestCorrectionsOfAddressesMoveTheGift(t *testing.T) {
	h := program.New(t, program.Options{})
	begin := func(frequency string) donation.Donation {
		f := program.ValidForm()
		f.Frequency = frequency
		d := h.StartedGift(f)
		h.Pay(d)
		h.DeliverNew()
		h.DrainAll()
		h.RunPlanJobs()
		return d
	}
	receiptOf := func(d donation.Donation) receipt.Receipt {
		latest, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{d.ID})
		require.NoError(t, err)
		require.NoError(t, h.Receipts.Mail(t.Context(), latest[d.ID].ID))
		return latest[d.ID]
	}
	redirected, replaced, erased, untouched := begin("monthly"), begin("once"), begin("monthly"), begin("once")
	sent := begin("once") // a copy of its receipt was sent to somebody else
	resender := mail.Resender{Receipts: h.Receipts, Queue: h.Queue}
	for _, to := range []string{"first@example.org", "Right@example.org"} {
		require.NoError(t, resender.Redirect(t.Context(), receiptOf(redirected), to, "ana"))
	}
	require.NoError(t, resender.Redirect(t.Context(), receiptOf(erased), "gone@example.org", "ana"))
	require.NoError(t, resender.Redirect(t.Context(), receiptOf(sent), "accountant@example.org", "ana"))
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		_, err := h.ReceiptIssuer.CorrectTx(t.Context(), tx, receiptOf(replaced).ID, receipt.Correction{FirstName: "Ana", Email: "new@example.org"}, "ben", time.Now())
		return err
	}))
	h.Exec(`ALTER TABLE letter_delivery DISABLE TRIGGER USER`)
	h.Exec(`UPDATE letter_delivery SET recipient = '' WHERE recipient = 'gone@example.org'`)
	h.Exec(`ALTER TABLE letter_delivery ENABLE TRIGGER USER`)
	owner := func(d donation.Donation) string {
		return h.Lines(`SELECT coalesce(o.email, 'nobody') FROM donation d JOIN donor o ON o.id = d.donor_id WHERE d.id = $1`, d.ID)[0]
	}
	require.Equal(t, "right@example.org", owner(redirected))

	h.DB.Server.Close()
	require.NoError(t, migrations.To(t.Context(), h.DB.OwnerURL, 93))
	for _, d := range []donation.Donation{redirected, replaced, erased, untouched, sent} {
		require.Equal(t, "ana@example.org", owner(d))
	}
	require.Equal(t, []string{"Ana"}, h.Lines(`SELECT first_name FROM donor WHERE email = 'ana@example.org'`))
	require.NoError(t, migrations.Up(t.Context(), h.DB.OwnerURL, testkit.ServerRole))
	require.Equal(t, []string{"right@example.org", "new@example.org", "nobody", "ana@example.org", "ana@example.org"},
		[]string{owner(redirected), owner(replaced), owner(erased), owner(untouched), owner(sent)})
	require.Equal(t, []string{"true"}, h.Lines(`SELECT DISTINCT p.donor_id = d.donor_id FROM plan p JOIN donation d ON d.id = p.id`))
	require.Equal(t, []string{""}, h.Lines(`SELECT email FROM donation_contact WHERE donation_id = $1`, erased.ID))
	require.Equal(t, []string{"ana", "ana", "ben"}, h.Lines(`SELECT ordered_by FROM donation_owner_change ORDER BY ordered_by`))
	require.Equal(t, []string{erased.ID.String()}, h.Lines(`SELECT subject FROM finance_task WHERE kind = 'plan_without_address' AND closed_at IS NULL`), "nobody gets its emails")
}

// TestErasedGiftsStayAtDown: the Down of 00096 gives no gift of an erased donor to the donor who had it before.
func TestErasedGiftsStayAtDown(t *testing.T) {
	h := program.New(t, program.Options{})
	move := func(address, to string) donation.Donation {
		f := program.ValidForm()
		f.Contact.Email = address
		d := h.SettledGift(f)
		latest, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{d.ID})
		require.NoError(t, err)
		require.NoError(t, mail.Resender{Receipts: h.Receipts, Queue: h.Queue}.Redirect(t.Context(), latest[d.ID], to, "ana"))
		return d
	}
	gone, kept := move("stranger@example.org", "gone@example.org"), move("mistyped@example.org", "right@example.org")
	h.SettledGift(program.ValidForm())
	h.Exec(`INSERT INTO erasure (id, asked_at, asked_by, language, due_at) VALUES ('00000000-0000-4000-8000-000000000001', now(), 'x', 'en', now())`)
	h.Exec(`INSERT INTO erasure_donor (erasure_id, donor_id) SELECT '00000000-0000-4000-8000-000000000001', id FROM donor WHERE email = 'gone@example.org'`)
	_, err := h.OwnersPrivacy().Prepare(t.Context(), 10)
	require.NoError(t, err)
	h.Exec(`SELECT erase_people('00000000-0000-4000-8000-000000000001', ARRAY[]::text[])`)
	h.DB.Server.Close()
	require.NoError(t, migrations.To(t.Context(), h.DB.OwnerURL, 93))
	owner := func(d donation.Donation) string {
		return h.Lines(`SELECT o.email FROM donation d JOIN donor o ON o.id = d.donor_id WHERE d.id = $1`, d.ID)[0]
	}
	require.Regexp(t, "^forgotten-", owner(gone))
	require.Equal(t, "mistyped@example.org", owner(kept))
}
