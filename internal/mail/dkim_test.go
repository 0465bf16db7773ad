package mail_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/mail"
	"konbit/internal/mail/transport"
	"konbit/internal/workshop/mailcatch"
)

func keyPEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func rsaPEM(t *testing.T, bits int) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	require.NoError(t, err)
	return keyPEM(t, key)
}

func ed25519PEM(t *testing.T) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return keyPEM(t, key)
}

func key(t *testing.T, domain, text string) transport.DKIM {
	t.Helper()
	k, err := transport.ReadDKIM(domain, "konbit1", text)
	require.NoError(t, err)
	return k
}

// verified verifies the signatures of a message with another library. keys are the records in the DNS.
func verified(t *testing.T, message []byte, keys ...transport.DKIM) []*dkim.Verification {
	t.Helper()
	seen, err := dkim.VerifyWithOptions(bytes.NewReader(message), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		for _, k := range keys {
			if k.Name() == name {
				return []string{k.Record()}, nil
			}
		}
		return nil, nil
	}})
	require.NoError(t, err)
	return seen
}

// sendAndReceive sends an email through an SMTP server and returns the message that arrived.
func sendAndReceive(t *testing.T, l mail.Email, k *transport.DKIM) []byte {
	t.Helper()
	message, err := mail.Compose(l, k)
	require.NoError(t, err)
	server, err := mailcatch.New(mailcatch.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	by, err := transport.New(server.SMTPURL(), "", 1)
	require.NoError(t, err)
	t.Cleanup(by.Close)
	_, err = by.Send(t.Context(), l.From, l.To, message)
	require.NoError(t, err)
	require.Len(t, server.Messages(), 1)
	return server.Messages()[0].Raw
}

func exampleEmails() map[string]mail.Email {
	long := mail.Email{
		ID: uuid.New(), Kind: "receipt", List: "receipts", Sender: "tsne", From: "TSNE MissionWorks <gifts@mail.tsne.org>",
		To: "marisol@example.org", ToName: "Marisol Peña Núñez", Language: "en",
		Subject: "Your receipt for $20.00 to the Center to Support Immigrant Organizing and the Grassroots Leadership Network of Greater Boston",
		Text:    "Dear Marisol,\n\n.a line that begins with a dot\n" + strings.Repeat("Thank you. ", 200) + "\n\n\n", HTML: "<p>Dear Marisol,</p>",
		Document: &mail.Document{Name: "TSNE-2026-000001.pdf", PDF: bytes.Repeat([]byte("%PDF \r\n\x00"), 4000)},
		Date:     time.Date(2026, 11, 21, 15, 0, 0, 0, time.UTC),
	}
	spanish := long
	spanish.Language = "es"
	spanish.Subject = "Su recibo por $20.00: Centro de Apoyo a la Organización de Inmigrantes – Construcción del Movimiento, Formación y Acción en Ñuñoa"
	spanish.Text, spanish.HTML = strings.Repeat("Gracias por su donación. Ñandú. ", 80), "<p>Hola, Marisol:</p>"
	return map[string]mail.Email{"en": long, "es": spanish}
}

func TestSignedEmailsVerifyAsReceived(t *testing.T) {
	for kind, text := range map[string]string{"rsa": rsaPEM(t, 2048), "ed25519": ed25519PEM(t)} {
		t.Run(kind, func(t *testing.T) {
			k := key(t, "tsne.org", text)
			for language, l := range exampleEmails() {
				raw := sendAndReceive(t, l, &k)
				seen := verified(t, raw, k)
				require.Len(t, seen, 1, "%s %s", kind, language)
				require.NoError(t, seen[0].Err, "%s %s", kind, language)
				require.Equal(t, "tsne.org", seen[0].Domain)
				require.Equal(t, []string{"From", "To", "Subject", "Date"}, seen[0].HeaderKeys)

				forged := bytes.Replace(raw, []byte("Subject:"), []byte("Subject: Not"), 1)
				require.Greater(t, len(forged), len(raw))
				require.Error(t, verified(t, forged, k)[0].Err, "a changed subject")
				require.Error(t, verified(t, raw, key(t, "tsne.org", rsaPEM(t, 2048)))[0].Err, "another key in the DNS")
			}
		})
	}
}

func TestEmailsWithoutKeyAreNotSigned(t *testing.T) {
	require.Empty(t, verified(t, sendAndReceive(t, exampleEmails()["en"], nil)))
}

func TestKeyForIsThatOfTheSendersDomain(t *testing.T) {
	text := ed25519PEM(t)
	keys := []transport.DKIM{key(t, "tsne.org", text), key(t, "Gifts.TSNE.org", text), key(t, "aina.org", text)}
	for from, want := range map[string]string{
		"TSNE <a@tsne.org>": "tsne.org", "a@GIFTS.tsne.org": "gifts.tsne.org", "a@x.gifts.tsne.org": "gifts.tsne.org",
		"a@mail.tsne.org": "tsne.org", "a@aina.org": "aina.org",
	} {
		t.Run(from, func(t *testing.T) {
			require.Equal(t, want, transport.KeyFor(keys, from).Domain)
		})
	}
	for _, from := range []string{"a@nottsne.org", "a@org", "a@tsne.org.evil.net", "nobody"} {
		require.Nil(t, transport.KeyFor(keys, from), from)
	}
}

func TestReadDKIMRefusesWhatMailServersWould(t *testing.T) {
	for _, wrong := range []struct{ domain, selector, pem, says string }{
		{"tsne.org", "konbit1", "no key", "as PEM"},
		{"tsne.org", "konbit1", rsaPEM(t, 1024), "1024 bits"},
		{"tsne.org; h=", "konbit1", ed25519PEM(t), "a domain"},
		{"tsne.org", "", ed25519PEM(t), "a selector"},
	} {
		t.Run(wrong.says, func(t *testing.T) {
			_, err := transport.ReadDKIM(wrong.domain, wrong.selector, wrong.pem)
			require.ErrorContains(t, err, wrong.says)
			require.NotContains(t, err.Error(), "BEGIN")
		})
	}
}
