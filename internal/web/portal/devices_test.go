package portal_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestDonorsSeeAndEndTheirSessions: a donor sees the open sessions and ends one of them; nobody ends another person's.
func TestDonorsSeeAndEndTheirSessions(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	for _, email := range []string{"ana@example.org", "bea@example.org"} {
		h.SettledGift(visitor.FormOf(email, "Ana"))
	}
	phone, library := visitor.New(t, h).SignIn("ana@example.org"), visitor.New(t, h).SignIn("ana@example.org")
	bea := visitor.New(t, h).SignIn("bea@example.org")
	const other, own = `SELECT id FROM session WHERE email = 'ana@example.org' ORDER BY opened_at DESC LIMIT 1`,
		`SELECT id FROM session WHERE email = 'ana@example.org' ORDER BY opened_at LIMIT 1`
	end := func(v *visitor.Visitor, id string) int {
		return v.Post("/portal/sessions/end-one", url.Values{"device": {id}}).StatusCode
	}
	page := phone.Ask("GET", "/portal/details", nil).Page
	assert.Equal(t, 3, strings.Count(text(page), "Signed in on"), "once for each, and in the name of the other one's button")
	assert.Equal(t, 1, strings.Count(text(page), "(this device)"))
	ids := []string{h.Lines(own)[0], h.Lines(other)[0]}
	assert.NotContains(t, page, `value="`+ids[0]+`"`, "its own session ends by signing out")
	assert.Contains(t, page, `value="`+ids[1]+`"`)
	assert.NotContains(t, bea.Ask("GET", "/portal/details", nil).Page, ids[1])

	for name, id := range map[string]string{"another person's": ids[1], "none": program.NewID().String(), "rubbish": "x", "nothing": ""} {
		assert.Equal(t, 404, end(bea, id), name)
	}
	assert.Equal(t, 404, end(phone, ids[0]), "its own")
	assert.Equal(t, 200, library.Ask("GET", "/portal", nil).StatusCode)
	assert.Equal(t, 303, end(phone, ids[1]))
	assert.Equal(t, 401, library.Ask("GET", "/portal", nil).StatusCode)
	assert.Equal(t, 404, end(phone, ids[1]), "it has ended")
	assert.Equal(t, 200, phone.Ask("GET", "/portal", nil).StatusCode)
	assert.Contains(t, text(phone.Ask("GET", "/portal/details?said=ended", nil).Page), "That device is signed out.")
}

// TestAddressesNeedAFreshSession: what decides who can sign in as a donor changes only in a session that was opened by a
// code or link a few minutes ago (ASVS 5.0.0 V7.5.1). Everything else goes on as before.
func TestAddressesNeedAFreshSession(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	h.SettledGift(visitor.FormOf("ana@work.example", "Ana"))
	ana := visitor.New(t, h).SignIn("ana@example.org")
	other := visitor.New(t, h).SignIn("ana@example.org")
	h.Exec(`UPDATE session SET opened_at = now() - interval '16 minutes'`)
	device := h.Lines(`SELECT id FROM session ORDER BY opened_at DESC, id DESC LIMIT 1`)[0]
	jobs := func() int { return h.Count(`SELECT count(*) FROM river_job`) }
	before := jobs()
	for path, form := range map[string]url.Values{
		"/portal/addresses": {"email": {"ana@work.example"}}, "/portal/addresses/part": {"email": {"ana@work.example"}},
		"/portal/sessions/end-one": {"device": {device}},
	} {
		got := ana.Post(path, form)
		assert.Equal(t, 403, got.StatusCode, path)
		assert.Contains(t, text(got.Page), "please sign in again first", path)
		assert.NotContains(t, got.Page, `action="`+path+`"`, path)
	}
	assert.Equal(t, before, jobs(), "no email was ordered")
	assert.Equal(t, 200, other.Ask("GET", "/portal", nil).StatusCode)
	assert.Equal(t, 422, ana.Post("/portal/details", url.Values{}).StatusCode, "the form is checked as before")

	page := ana.Ask("GET", "/portal/details", nil).Page
	require.Contains(t, page, `action="/sign-in"`)
	require.Equal(t, 303, ana.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode)
	_, code, _ := ana.SignInEmail()
	require.Equal(t, 303, ana.Ask("POST", "/sign-in/code", url.Values{"email": {"ana@example.org"}, "code": {code}}).StatusCode)
	assert.Equal(t, 200, ana.Post("/portal/addresses", url.Values{"email": {"ana@work.example"}}).StatusCode)
}

// TestEveryPageSignsOut: each page of a signed-in donor has a button to sign out (ASVS 5.0.0 V7.4.4).
func TestEveryPageSignsOut(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	seen := 0
	for _, r := range e.Server.Routes() {
		if r.Method != "GET" || r.Permission != "donor's session" && !strings.HasPrefix(r.Permission, "owner: ") {
			continue
		}
		path := r.Pattern
		if strings.HasPrefix(r.Permission, "owner: ") {
			path = strings.Replace(path, "{ref}", e.Object(t, r.Pattern), 1)
		}
		got := e.Ana.Ask("GET", path, nil)
		require.Equal(t, 200, got.StatusCode, path)
		if strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
			seen++
			assert.Contains(t, got.Page, `action="/sign-out"`, path)
		}
	}
	require.GreaterOrEqual(t, seen, 8)
}

// TestDevicesFollowTheBusinessClock: the clock of the stand-in moves by years. Sessions end by the database's clock, so
// they stay open, and the page shows their days beside those of gifts.
func TestDevicesFollowTheBusinessClock(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	ana := visitor.New(t, h).SignIn("ana@example.org")
	h.Fake.Advance(2 * 365 * 24 * time.Hour)
	page := text(ana.Ask("GET", "/portal/details", nil).Page)
	day := h.Fake.Now().In(h.Offer("csio").Entity.Location()).Format("January 2, 2006")
	assert.Contains(t, page, "Signed in on "+day)
	assert.Equal(t, 2, strings.Count(page, day), "signed in, and last used")
	assert.Equal(t, 1, h.Count(`SELECT count(*) FROM session WHERE opened_at <= now() AND seen_at <= now()`))
}
