package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/mail/transport"
)

func dkimPEM(t *testing.T) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestDKIMKeyPerDomain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "dkim.pem")
	require.NoError(t, os.WriteFile(file, []byte(dkimPEM(t)), 0o600))
	c, err := readConfig(map[string]string{
		"MAIL_DKIM_DOMAIN": "tsne.org", "MAIL_DKIM_SELECTOR": "konbit1", "MAIL_DKIM_KEY": dkimPEM(t),
		"MAIL_DKIM_DOMAIN_GRASSROOTS_INTERNATIONAL": "grassroots.example.net", "MAIL_DKIM_SELECTOR_GRASSROOTS_INTERNATIONAL": "k2",
		"MAIL_DKIM_KEY_GRASSROOTS_INTERNATIONAL_FILE": file,
	})
	require.NoError(t, err)
	require.Len(t, c.DKIM, 2)
	require.Equal(t, "konbit1._domainkey.tsne.org", transport.KeyFor(c.DKIM, "gifts@tsne.org").Name())
	require.Equal(t, "k2._domainkey.grassroots.example.net", transport.KeyFor(c.DKIM, "gifts@grassroots.example.net").Name())
}

func TestDKIMIsAllOrNone(t *testing.T) {
	for _, env := range []map[string]string{
		{"MAIL_DKIM_DOMAIN": "tsne.org"}, {"MAIL_DKIM_KEY_TSNE": dkimPEM(t), "MAIL_DKIM_DOMAIN_TSNE": "tsne.org"},
	} {
		_, err := readConfig(env)
		require.ErrorContains(t, err, "set all three or none")
	}
	secret := "not a key at all"
	_, err := readConfig(map[string]string{"MAIL_DKIM_DOMAIN": "tsne.org", "MAIL_DKIM_SELECTOR": "k", "MAIL_DKIM_KEY": secret})
	require.ErrorContains(t, err, "MAIL_DKIM_KEY want a private key")
	require.NotContains(t, err.Error(), secret)
}
