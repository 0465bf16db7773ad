package e2e

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/keyring"
	"konbit/internal/web/portal/signedlink"
	"konbit/internal/workshop/testkit"
)

// nextKey is the key that replaces secretKey.
const nextKey = "0b0f6e5ad3c24f7bb9f5f6c1c1a7e6c04d7f0e9b6a8d4c53a1e2f38b97c6d5e4"

// browser is a client with cookies, which the servers of a stack share, as if they had one address.
type browser struct {
	s *Stack
	*http.Client
}

func (s *Stack) newBrowser() browser {
	jar, err := cookiejar.New(nil)
	require.NoError(s.t, err)
	return browser{s, &http.Client{Jar: jar, Transport: retrying{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (b browser) post(at *Server, path string, form url.Values, want int) {
	b.s.t.Helper()
	response, err := b.PostForm(at.URL()+path, form)
	require.NoError(b.s.t, err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	require.NoError(b.s.t, err)
	require.Equal(b.s.t, want, response.StatusCode, "POST %s\n%s", path, page)
}

func (b browser) get(at *Server, path string) string {
	b.s.t.Helper()
	response, err := b.Get(at.URL() + path)
	require.NoError(b.s.t, err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	require.NoError(b.s.t, err)
	require.Equal(b.s.t, http.StatusOK, response.StatusCode, "GET %s\n%s", path, page)
	return string(page)
}

var formToken = regexp.MustCompile(`name="session" value="([^"]+)"`)

// signInAcross asks for a code on one server, types it on the other, and ends the session with a form of the first on
// the other. n is the number of the sign-in email.
func (s *Stack) signInAcross(one, other *Server, n int) {
	s.t.Helper()
	name := fmt.Sprintf("Canaria%d", n) // each address gets only a few emails an hour
	s.give("csio", name)
	address := strings.ToLower(name) + "@donor.example"
	b := s.newBrowser()
	b.post(one, "/sign-in", url.Values{"email": {address}}, http.StatusSeeOther)
	_, _, code := s.signInEmail(n)
	b.post(other, "/sign-in/code", url.Values{"email": {address}, "code": {code}}, http.StatusSeeOther)
	token := formToken.FindStringSubmatch(b.get(one, "/portal"))
	require.NotNil(s.t, token)
	b.post(other, "/sign-out", url.Values{"session": {token[1]}}, http.StatusSeeOther)
}

// TestRotation replaces SECRET_KEY on two servers by the steps of running/keys.md. Neither server ever refuses what the
// other made, links of before work until the old key is taken out, and the sealed copies stay readable.
func TestRotation(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Servers: 2})
	s.Konbit("migrate") // makes the one-time keys for erasures
	s.give("csio", "Canaria")
	one, other := s.Servers()[0], s.Servers()[1]
	link, donor := map[string]string{}, s.donorOf("canaria@donor.example")
	for _, key := range []string{secretKey, nextKey} {
		link[key] = s.stopLink(key, donor)
	}
	requireLink := func(key string, want int) {
		t.Helper()
		for _, server := range s.Servers() {
			require.Equal(t, want, s.read(script.Get(server.URL()+link[key])).status, server.URL())
		}
	}
	restart := func(server *Server, key, old string) {
		t.Helper()
		server.own = map[string]string{"SECRET_KEY": key, "SECRET_KEY_OLD": old}
		require.NoError(t, server.Stop())
		server.Restart()
	}
	set := func(key, old string) { s.settings["SECRET_KEY"], s.settings["SECRET_KEY_OLD"] = key, old }
	emails := 0
	across := func() {
		t.Helper()
		s.signInAcross(one, other, emails+1)
		s.signInAcross(other, one, emails+2)
		emails += 2
	}
	across()
	requireLink(secretKey, http.StatusOK)
	requireLink(nextKey, http.StatusNotFound)

	// Step 2: each server accepts the new key.
	for _, server := range []*Server{one, other} {
		restart(server, secretKey, nextKey)
		across()
	}
	requireLink(nextKey, http.StatusOK)
	// Step 3: each server signs with it.
	for _, server := range []*Server{one, other} {
		restart(server, nextKey, secretKey)
		across()
	}
	requireLink(secretKey, http.StatusOK)
	requireLink(nextKey, http.StatusOK)

	// Step 4: what is sealed is sealed again, and the new key is recorded.
	set(nextKey, secretKey)
	require.False(t, s.doctorFinding("sealed with SECRET_KEY").OK)
	require.Contains(t, s.doctorFinding("SECRET_KEY").Note, "konbit keys rotate")
	require.Contains(t, s.Konbit("keys", "list"), "1000 one-time keys sealed with SECRET_KEY_OLD: konbit keys rotate")
	require.Contains(t, s.Konbit("keys", "rotate"), "1000 values sealed with SECRET_KEY.")
	require.Contains(t, s.Konbit("keys", "rotate"), "0 values sealed with SECRET_KEY.")
	require.Contains(t, s.Konbit("keys", "list"), "1000 one-time keys sealed with SECRET_KEY\n")
	require.True(t, s.doctorFinding("sealed with SECRET_KEY").OK)
	requireLink(secretKey, http.StatusOK)
	across()

	// Step 5: the old key is taken out.
	set(nextKey, "")
	for _, server := range []*Server{one, other} {
		restart(server, nextKey, "")
		across()
	}
	requireLink(secretKey, http.StatusNotFound)
	requireLink(nextKey, http.StatusOK)

	for _, key := range []string{secretKey, nextKey} {
		require.NotContains(t, s.Logs(), key)
	}
	requireRefused(t, s, one, secretKey, "")
}

// TestAnotherSecretKeyIsRefused: a server with another key does not start, and every command that uses a key says so and
// changes nothing. When the key is lost, what was sealed ahead of need with it is usable with the next one.
func TestAnotherSecretKeyIsRefused(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	s.Konbit("migrate") // makes the one-time keys for erasures
	s.give("csio", "Canaria")
	other := s.newServer()
	requireRefused(t, s, other, nextKey, "")
	requireRefused(t, s, other, nextKey, nextKey)
	other.own = map[string]string{"SECRET_KEY": nextKey, "SECRET_KEY_OLD": secretKey}
	other.Restart()
	s.settings["SECRET_KEY"] = nextKey

	// These settings are those of another installation, with another address and a stand-in for Stripe.
	s.settings["BASE_URL"] = "https://staging.example.org"
	_, err := s.DB.Owner.Exec(`UPDATE server_limit SET business_clock_lead = interval '1 day'`)
	require.NoError(t, err)
	recorded := func() (all []string) {
		require.NoError(t, s.DB.Owner.Select(&all, `SELECT format('%s %s %s', fact, value, recorded_at) FROM installation
			UNION ALL SELECT business_clock_lead::text FROM server_limit UNION ALL SELECT max(tstamp)::text FROM goose_db_version ORDER BY 1`))
		return all
	}
	before := recorded()
	for _, command := range []string{"migrate", "work", "erasures prepare", "keys rotate"} {
		_, err = s.TryKonbit(strings.Fields(command)...)
		s.failed(err)
		assert.ErrorContains(t, err, "this SECRET_KEY is not the one of the installation", command)
		assert.Equal(t, before, recorded(), command)
	}
	s.settings["SECRET_KEY"] = ""
	for _, name := range []string{"BASE_URL", "STRIPE_API_URL"} {
		_, err = s.TryKonbit("migrate")
		s.failed(err)
		assert.ErrorContains(t, err, "SECRET_KEY is not set", name)
		assert.ErrorContains(t, err, name+" ")
		assert.Equal(t, before, recorded(), "without a key")
		s.settings["BASE_URL"] = s.URL() // then only the clock would change
	}
	s.settings["SECRET_KEY"] = nextKey
	finding := s.doctorFinding("SECRET_KEY")
	require.False(t, finding.OK)
	require.Contains(t, finding.Fix, "SECRET_KEY_OLD")

	rotated := s.Konbit("keys", "rotate", "--old-key-lost")
	require.Contains(t, rotated, "1000 values sealed with SECRET_KEY.")
	require.Contains(t, rotated, "The installation's key is now ")
	require.NotContains(t, rotated, "cannot be opened")
	s.Konbit("migrate")
	s.Konbit("erasures", "add", "canaria@donor.example", "--now")
	var number string
	require.NoError(t, s.DB.Owner.Get(&number, `SELECT 'TSNE-' || year || '-' || lpad(number::text, 6, '0') FROM receipt JOIN receipt_kept ON receipt_id = id`))
	require.Contains(t, s.Konbit("erasures", "open", number, "--why", "the IRS asks"), "canaria@donor.example")
	requireRefused(t, s, s.Server, secretKey, "")
}

func (s *Stack) donorOf(address string) (id uuid.UUID) {
	s.t.Helper()
	require.NoError(s.t, s.DB.Owner.Get(&id, `SELECT id FROM donor WHERE email = $1`, address))
	return id
}

// stopLink returns the path of a link in an email that a server with that key sends: it stops emails of a kind.
func (s *Stack) stopLink(key string, donor uuid.UUID) string {
	s.t.Helper()
	secret, err := hex.DecodeString(key)
	require.NoError(s.t, err)
	base, err := url.Parse(s.URL())
	require.NoError(s.t, err)
	return strings.TrimPrefix(signedlink.StopLink(base, keyring.New(secret))(donor, "news", "en"), s.URL())
}

// requireRefused requires that a server with these keys ends by itself and names the fix.
func requireRefused(t *testing.T, s *Stack, server *Server, key, old string) {
	t.Helper()
	server.Kill()
	server.own = map[string]string{"SECRET_KEY": key, "SECRET_KEY_OLD": old}
	server.Launch()
	testkit.Eventually(t, readyWithin, func() error {
		if server.Running() {
			return errors.New("the server runs")
		}
		return nil
	})
	require.Contains(t, server.Log(), "this SECRET_KEY is not the one of the installation")
	require.NotContains(t, server.Log(), key)
}

// TestAnotherAddressSendsNoEmails: a server whose BASE_URL is another takes gifts, and sends no emails until `konbit
// migrate` records the address. It says so in its log and metrics, and the doctor does.
func TestAnotherAddressSendsNoEmails(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	const moved = "http://moved.example"
	watched := freeAddr(s)
	s.own = map[string]string{"BASE_URL": moved, "METRICS_ADDR": watched}
	s.Restart()
	s.give("csio", "Canaria")
	gauge := func() string {
		for line := range strings.Lines(s.read(script.Get("http://" + watched + "/metrics")).body) {
			if strings.HasPrefix(line, `konbit_setting_differs{setting="BASE_URL"}`) {
				return strings.TrimSpace(line)
			}
		}
		return ""
	}
	require.Equal(t, `konbit_setting_differs{setting="BASE_URL"} 1`, gauge())
	testkit.Eventually(t, waitTimeout, func() error {
		if n := s.count(`SELECT count(*) FROM river_job WHERE kind = 'receipt_letter' AND array_to_string(errors, ' ') LIKE '%this BASE_URL is not the one%'`); n != 1 {
			return fmt.Errorf("%d jobs were refused", n)
		}
		return nil
	})
	require.Empty(t, s.Mail().Messages())
	require.Zero(t, s.count(`SELECT count(*) FROM letter`), "nothing is composed with a wrong address")
	require.Contains(t, s.Log(), "no emails are sent")
	require.True(t, s.doctorFinding("BASE_URL").OK)
	s.settings["BASE_URL"] = moved
	require.Contains(t, s.doctorFinding("BASE_URL").Fix, "run konbit migrate with the new one")

	require.Contains(t, s.Konbit("migrate"), "BASE_URL is now "+moved+"; it was "+s.URL())
	s.waitForEmails(1)
	require.Equal(t, `konbit_setting_differs{setting="BASE_URL"} 0`, gauge())
}
