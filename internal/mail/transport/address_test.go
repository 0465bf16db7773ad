package transport_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/mail/transport"
)

// TestAddress: the recipient is at the end of the field To with any name and any other fields, and nothing else
// changes. A message that an earlier release stored is sent as it is.
func TestAddress(t *testing.T) {
	for name, c := range map[string]struct{ stored, want string }{
		"plain":         {"From: a\r\nTo: <recipient@konbit.invalid>\r\nSubject: x\r\n\r\nTo: y", "From: a\r\nTo: <ana@example.org>\r\nSubject: x\r\n\r\nTo: y"},
		"folded":        {"To: \"Ana\"\r\n <recipient@konbit.invalid>\r\nX: y\r\n\r\n", "To: \"Ana\"\r\n <ana@example.org>\r\nX: y\r\n\r\n"},
		"in the name":   {"to: \"<recipient@konbit.invalid>\" <recipient@konbit.invalid>\r\n\r\n", "to: \"<recipient@konbit.invalid>\" <ana@example.org>\r\n\r\n"},
		"elsewhere":     {"Subject: <recipient@konbit.invalid>\r\nTo: <b@c.d>\r\n\r\n<recipient@konbit.invalid>", "Subject: <recipient@konbit.invalid>\r\nTo: <b@c.d>\r\n\r\n<recipient@konbit.invalid>"},
		"in the body":   {"Subject: x\r\n\r\nTo: <recipient@konbit.invalid>\r\n", "Subject: x\r\n\r\nTo: <recipient@konbit.invalid>\r\n"},
		"not a message": {"x", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := transport.Address([]byte(c.stored), "ana@example.org", nil)
			require.NoError(t, err)
			require.Equal(t, c.want, string(got))
		})
	}
	for _, to := range []string{"", "a b@example.org", "ana@example.org>\r\nBcc: <x@evil.example"} {
		_, err := transport.Address([]byte("To: <recipient@konbit.invalid>\r\n\r\n"), to, nil)
		require.Error(t, err, to)
	}
	_, err := transport.Address(nil, "ana@example.org", nil)
	require.ErrorIs(t, err, transport.ErrNoRecipient, "the message was erased")
}
