package portal_test

import (
	"bytes"
	"html"
	"mime/multipart"
	netmail "net/mail"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/mail"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// stopPath returns the path of the link that stops a kind of email for a donor.
func stopPath(t *testing.T, h *program.Program, of uuid.UUID, kind string) string {
	t.Helper()
	link, err := url.Parse(h.Receipts.StopURL(of, kind, "en"))
	require.NoError(t, err)
	return link.Path
}

// preferences returns a donor's stored email preferences.
func preferences(t *testing.T, h *program.Program, of uuid.UUID) map[string]bool {
	t.Helper()
	all, err := donor.EmailPreferences(t.Context(), h.DB.Server, of)
	require.NoError(t, err)
	return all
}

func fromWithNews(email, first string) donation.Form {
	f := visitor.FormOf(email, first)
	f.News = true
	return f
}

// TestT29ReadingStopsNothing: programs open links before people do. Only a POST stops emails, of one kind for one
// donor, at once, without a session and without starting one; and the donor can allow them again.
func TestT29ReadingStopsNothing(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{BaseURL: "https://give.example"})
	ana, bea := h.SettledGift(fromWithNews("ana@example.org", "Ana")).DonorID, h.SettledGift(fromWithNews("bea@example.net", "Bea")).DonorID
	all := map[string]bool{"news": true, "reminders": true, "statements": true}
	path := stopPath(t, h, ana, "reminders")
	provider := visitor.New(t, h)
	before := visitor.TableHashes(t, h)
	for range 20 {
		for _, how := range [][]string{{"GET"}, {"HEAD"}, {"GET", "Sec-Purpose: prefetch;prerender"}} {
			got := provider.Ask(how[0], path, nil, how[1:]...)
			require.Equal(t, 200, got.StatusCode)
		}
	}
	require.Equal(t, before, visitor.TableHashes(t, h), "nothing was changed")
	for lang, says := range map[string]string{"en": "Stop these letters", "es": "Ya no quiero estos correos", "pt": "Parar estas mensagens", "ht": "Sispann voye yo ban mwen"} {
		t.Run(lang, func(t *testing.T) {
			page := provider.Ask("GET", path+"?lang="+lang, nil)
			assert.Contains(t, page.Page, says)
			assert.NotContains(t, page.Page, "ana@example.org")
			assert.NotContains(t, page.Page, "Ana", "the page contains no name")
		})
	}
	assert.Equal(t, 422, provider.Ask("POST", path, url.Values{}).StatusCode)
	assert.Equal(t, 422, provider.Ask("POST", path, url.Values{"List-Unsubscribe": {"Two-Clicks"}}).StatusCode)
	require.Equal(t, all, preferences(t, h, ana))

	began := time.Now()
	got := provider.Ask("POST", path, url.Values{"List-Unsubscribe": {"One-Click"}}, "Sec-Fetch-Site: cross-site", "Origin: https://mail.example")
	require.Equal(t, 200, got.StatusCode, "and no redirect")
	require.Equal(t, map[string]bool{"news": true, "reminders": false, "statements": true}, preferences(t, h, ana))
	require.Less(t, time.Since(began), time.Minute)
	require.Empty(t, got.Cookies())
	require.Equal(t, all, preferences(t, h, bea))
	for range 3 {
		require.Equal(t, 200, oneClickMultipart(t, h.URL+path))
	}
	require.Equal(t, []string{"reminders|f|letter"}, h.Lines(`SELECT concat_ws('|', kind, given, by) FROM donor_consent`), "the same choice is recorded once")
	assert.Contains(t, provider.Ask("GET", path, nil).Page, "These letters have stopped")
	assert.NotContains(t, h.Log.String(), strings.TrimPrefix(path, "/letters/"), "the log contains the route and not the token")

	again := regexp.MustCompile(`<form method="post" action="([^"]+)"`).FindStringSubmatch(provider.Ask("GET", path, nil).Page)
	require.NotNil(t, again, "the page has a form that allows the emails again")
	back := provider.Ask("POST", html.UnescapeString(again[1]), url.Values{})
	require.Equal(t, 303, back.StatusCode)
	require.Equal(t, all, preferences(t, h, ana))
	assert.Equal(t, 403, provider.Ask("POST", path+"/again", url.Values{}, "Sec-Fetch-Site: cross-site").StatusCode)
	h.Exec(`WITH e AS (INSERT INTO erasure (id, asked_at, asked_by, language, due_at) VALUES (gen_random_uuid(), now(), 'donor', 'en', now()) RETURNING id)
		INSERT INTO erasure_donor (erasure_id, donor_id, erased_at) SELECT e.id, $1, now() FROM e`, ana)
	assert.Equal(t, 404, provider.Ask("GET", path, nil).StatusCode)
}

// TestNewsNeedsConsentAgain: news is sent with consent only. A link stops it and does not give consent, because the link
// may be in other hands.
func TestNewsNeedsConsentAgain(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.SettledGift(fromWithNews("ana@example.org", "Ana"))
	path, v := stopPath(t, h, d.DonorID, "news"), visitor.New(t, h)
	got := v.Ask("POST", path, url.Values{"List-Unsubscribe": {"One-Click"}})
	require.Equal(t, 200, got.StatusCode)
	assert.NotContains(t, got.Page, "/again")
	assert.Contains(t, got.Page, "/portal/details")
	assert.Equal(t, 404, v.Ask("POST", path+"/again", url.Values{}).StatusCode)
	assert.False(t, preferences(t, h, d.DonorID)["news"])
}

// TestT29ALinkIsForOneChoice: the link does not work for another donor, for another kind, or for any other page.
func TestT29ALinkIsForOneChoice(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	bea := h.SettledGift(visitor.FormOf("bea@example.net", "Bea")).DonorID
	path := stopPath(t, h, d.DonorID, "statements")
	token := strings.TrimPrefix(path, "/letters/")
	require.GreaterOrEqual(t, len(token)*6, 128)
	stranger, before := visitor.New(t, h), visitor.TableHashes(t, h)
	others := []string{stopPath(t, h, bea, "statements"), stopPath(t, h, d.DonorID, "news")}
	forged := []string{"", "A", token + "A", token[:len(token)-1], strings.ToLower(token)}
	for _, other := range others {
		other = strings.TrimPrefix(other, "/letters/")
		require.NotEqual(t, token[:21], other[:21], "the signature is another's")
		forged = append(forged, token[:21]+other[21:], other[:21]+token[21:])
	}
	for i := range token {
		flipped := byte('A')
		if token[i] == flipped {
			flipped = 'B'
		}
		forged = append(forged, token[:i]+string(flipped)+token[i+1:])
	}
	for _, wrong := range forged {
		assert.Equal(t, 404, stranger.Ask("POST", "/letters/"+wrong, url.Values{"List-Unsubscribe": {"One-Click"}}).StatusCode, wrong)
		assert.Equal(t, 404, stranger.Ask("GET", "/letters/"+wrong, nil).StatusCode, wrong)
	}
	stranger.Cookies["konbit-session"], stranger.Cookies["konbit-asked"] = token, token
	assert.Equal(t, 401, stranger.Ask("GET", "/portal", nil).StatusCode)
	assert.Equal(t, 422, stranger.Ask("POST", "/sign-in/link", url.Values{"link": {token}}).StatusCode)
	for _, path := range []string{"/plans/card/" + token, "/plans/" + d.PublicRef + "/" + token, "/portal/gifts/" + d.PublicRef + "/receipt"} {
		assert.Equal(t, 404, stranger.Ask("GET", path, nil).StatusCode, path)
	}
	assert.Equal(t, before, visitor.TableHashes(t, h))
}

// TestT29TheLinkOfAnEmailStopsTheNext follows the link in an email that was delivered: the next email is not sent, and
// the donor's own page shows that emails are stopped.
func TestT29TheLinkOfAnEmailStopsTheNext(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	e := h.Offer("csio").Entity
	year := time.Now().In(e.Location()).Year()
	statements := mail.Statements{Mailer: h.Receipts.Mailer}
	send := func() {
		_, err := h.Statements.Issue(t.Context(), e, year, nil)
		require.NoError(t, err)
		for _, id := range h.Lines(`SELECT id::text FROM statement`) {
			require.NoError(t, statements.Mail(t.Context(), uuid.MustParse(id)))
		}
	}
	send()
	require.Len(t, h.Mail.Messages(), 1)
	read, err := netmail.ReadMessage(bytes.NewReader(h.Mail.Messages()[0].Raw))
	require.NoError(t, err)
	link := strings.Trim(read.Header.Get("List-Unsubscribe"), "<>")
	require.True(t, strings.HasPrefix(link, h.URL+"/letters/"), link)
	require.Equal(t, 200, visitor.Ask(t, "POST", link, url.Values{"List-Unsubscribe": {"One-Click"}}).StatusCode)

	ana := visitor.New(t, h).SignIn("ana@example.org")
	page := ana.Ask("GET", "/portal/details", nil).Page
	assert.Contains(t, page, `name="statements_tsne" value="yes"><label`)
	assert.Contains(t, page, `name="reminders_tsne" value="yes" checked><label`)
	h.SettledGift(visitor.FormOf("bea@example.net", "Bea"))
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana")) // so that her statement is corrected
	got := len(h.Mail.Messages())
	send()
	require.Len(t, h.Mail.Messages(), got+1)
	require.Equal(t, "bea@example.net", h.Mail.Messages()[0].To)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM letter_delivery WHERE declined_at IS NOT NULL`))
}

// oneClickMultipart posts the one-click form as multipart, as RFC 8058 recommends, and returns the status.
func oneClickMultipart(t *testing.T, address string) int {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	require.NoError(t, w.WriteField("List-Unsubscribe", "One-Click"))
	require.NoError(t, w.Close())
	response, err := program.Client().Post(address, w.FormDataContentType(), &b)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}
