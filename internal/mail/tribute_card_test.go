package mail_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donation"
	"konbit/internal/mail"
	"konbit/internal/workshop/testkit/program"
)

// TestTributeCardIsSentOnce: repeated jobs send the card of a settled donation once. There is no email for a donation
// without a card, one that is not paid, or one whose card was purged.
func TestTributeCardIsSentOnce(t *testing.T) {
	h := program.New(t, program.Options{})
	cards := mail.TributeCards{Mailer: h.Receipts.Mailer, Catalog: h.Catalog}
	dedicated := func() donation.Form {
		f := program.ValidForm()
		f.Dedication = dedication.Dedication{Kind: dedication.Memory, Name: "Nana", CardName: "Béa, “the boss”", CardEmail: "bea@example.org", CardMessage: "Hello.\n.\nWe think of you."}
		return f
	}
	settled, purged, plain, unpaid := h.SettledGift(dedicated()), h.SettledGift(dedicated()), h.SettledGift(program.ValidForm()), h.StartedGift(dedicated())
	h.Exec(`DELETE FROM donation_contact WHERE donation_id = $1`, purged.ID)
	for range 3 {
		for _, d := range []donation.Donation{settled, purged, plain, unpaid} {
			require.NoError(t, cards.Mail(t.Context(), d.ID))
		}
	}
	messages := h.Mail.Messages()
	require.Len(t, messages, 1)
	require.Equal(t, "bea@example.org", messages[0].To)
	require.Equal(t, "card."+settled.ID.String()+"@tsne.example", messages[0].MessageID)
	email, err := messages[0].Email()
	require.NoError(t, err)
	require.Contains(t, email.Text, "\r\n  Hello.\r\n  .\r\n  We think of you.\r\n")
	require.NotContains(t, h.Log.String(), "bea@example.org")
}
