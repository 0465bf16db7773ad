package doctor

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/app"
	"konbit/internal/mail/transport"
)

// zone is a resolver with fixed TXT records.
type zone map[string][]string

func (z zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	if found, ok := z[name]; ok {
		if found == nil {
			return nil, errors.New("the server did not answer")
		}
		return found, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// privateKey returns a new key as MAIL_DKIM_KEY has it.
func privateKey(t *testing.T) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestDoctorNamesTheRecordsToPublish(t *testing.T) {
	key, err := transport.ReadDKIM("tsne.org", "konbit1", privateKey(t))
	require.NoError(t, err)
	other, err := transport.ReadDKIM("tsne.org", "konbit1", privateKey(t))
	require.NoError(t, err)
	good := zone{
		"tsne.org": {"google-site-verification=x", "v=spf1 a:mail.tsne.org ~all"}, "_dmarc.tsne.org": {"v=DMARC1; p=reject"},
		key.Name(): {strings.Replace(key.Record(), "; p=", ";  p= ", 1)},
	}
	for name, c := range map[string]struct {
		change map[string][]string
		keys   []transport.DKIM
		want   []string // what to fix, in order; nil if nothing
	}{
		"all in order": {nil, []transport.DKIM{key}, nil},
		"nothing there": {map[string][]string{"tsne.org": {}, "_dmarc.tsne.org": {}, key.Name(): {}}, []transport.DKIM{key}, []string{
			"publish a TXT record at tsne.org: v=spf1 a:mail.tsne.org ~all", "publish a TXT record at konbit1._domainkey.tsne.org: " + key.Record(),
			"publish a TXT record at _dmarc.gifts.tsne.org: v=DMARC1; p=reject",
		}},
		"no key":      {nil, nil, []string{"emails from gifts.tsne.org are not signed: set MAIL_DKIM_DOMAIN=gifts.tsne.org"}},
		"another key": {map[string][]string{key.Name(): {other.Record()}}, []transport.DKIM{key}, []string{"is of another key; change it to: " + key.Record()}},
		"two SPF":     {map[string][]string{"tsne.org": {"v=spf1 -all", "V=SPF1 ~all"}}, []transport.DKIM{key}, []string{"there are 2 records at tsne.org"}},
		"lax DMARC":   {map[string][]string{"_dmarc.tsne.org": {"v=DMARC1; p=none"}}, []transport.DKIM{key}, []string{"p=none"}},
		"no DNS":      {map[string][]string{"tsne.org": nil}, []transport.DKIM{key}, []string{"could not be looked up: the server did not answer"}},
	} {
		t.Run(name, func(t *testing.T) {
			dns := zone{}
			for _, records := range []zone{good, c.change} {
				for at, found := range records {
					dns[at] = found
				}
			}
			settings := app.Settings{SMTPURL: "smtp://mail.tsne.org:587", MailFrom: "Konbit <bounces@tsne.org>", DKIM: c.keys}
			d := &Doctor{Settings: settings}
			d.sender(t.Context(), dns, "TSNE <a@gifts.tsne.org>", "gifts.tsne.org")
			require.Len(t, d.Findings, 3)
			var fixes []string
			for _, f := range d.Findings {
				if !f.OK {
					fixes = append(fixes, f.Fix)
				}
			}
			require.Len(t, fixes, len(c.want), "%s: %v", name, fixes)
			for i, want := range c.want {
				require.Contains(t, fixes[i], want)
			}
		})
	}
}

func TestDoctorIgnoresExampleDomains(t *testing.T) {
	d := &Doctor{}
	d.sender(t.Context(), zone{}, "gifts@tsne.example", "tsne.example")
	require.False(t, d.Failed())
	require.Contains(t, d.Findings[0].String(), "✓ DNS of tsne.example")
}
