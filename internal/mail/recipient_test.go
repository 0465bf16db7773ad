package mail_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/mail/transport"
	"konbit/internal/workshop/testkit/program"
)

// TestNothingIsSentWithoutAnAddress: a receipt issued to a donor without an email address is not rendered, stored or
// sent, and cannot be sent again; Redirect sends it to an address that the donor gives later.
func TestNothingIsSentWithoutAnAddress(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	issued := settleAndIssue(t, h, 1, "en")[0]
	h.Exec(`ALTER TABLE receipt DISABLE TRIGGER USER`)
	h.Exec(`UPDATE receipt SET facts = facts - 'email'`)
	h.Exec(`ALTER TABLE receipt ENABLE TRIGGER USER`)
	h.Exec(`UPDATE donor SET email = NULL`)
	h.Exec(`UPDATE donation_contact SET email = ''`)
	issued, err := receipt.ByID(t.Context(), h.DB.Server, issued.ID)
	require.NoError(t, err)
	require.Empty(t, issued.Facts.Email)

	require.NoError(t, h.Receipts.Mail(t.Context(), issued.ID))
	require.ErrorIs(t, resender(h).Resend(t.Context(), issued, "ana"), mail.ErrNoRecipient)
	require.Zero(t, h.Count(`SELECT count(*) FROM letter`))
	require.Empty(t, h.Mail.Dials())

	require.NoError(t, resender(h).Redirect(t.Context(), issued, "later@example.org", "ana"))
	startRunner(t, h)
	require.Equal(t, "later@example.org", waitForMessages(t, h, 1)[0].To)
	testEventually(t, func() bool {
		return slices.Equal([]string{"receipt accepted"}, states(t, h, issued.ID))
	})
}

// TestTransportRefusesAnEmptyRecipient: no command reaches the server.
func TestTransportRefusesAnEmptyRecipient(t *testing.T) {
	t.Parallel()
	server := catcher(t)
	by, err := transport.New(server.SMTPURL(), "", 1)
	require.NoError(t, err)
	t.Cleanup(by.Close)
	_, err = by.Send(t.Context(), "a@example.org", "", []byte("Subject: x\r\n\r\nx\r\n"))
	require.ErrorIs(t, err, mail.ErrNoRecipient)
	require.Empty(t, server.Dials())
}
