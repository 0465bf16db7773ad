package portal_test

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestThePlansPageSaysWhatIsTrue: a confirmation that the plan's state contradicts is not shown, a pause in which nothing is
// due and a change that changes nothing are answered, all bad fields are marked, and each fund is named with its part.
func TestThePlansPageSaysWhatIsTrue(t *testing.T) {
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	f := visitor.FormOf("ana@example.org", "Ana")
	f.Frequency, f.Fund, f.Split = "yearly", "", map[string]string{"general": "15", "network": "5"}
	d := visitor.StartPlan(t, h, f)
	h.Exec(`UPDATE plan SET frequency = 'yearly', next_at = next_at + interval '11 months'`)
	v := visitor.New(t, h).SignIn("ana@example.org")
	path := "/portal/plans/" + h.Lines(`SELECT public_ref FROM plan WHERE id = $1`, d.ID)[0] + "?lang=en"
	get := func(query string, status int) string {
		got := v.Ask("GET", path+query, nil)
		require.Equal(t, status, got.StatusCode, got.Page)
		return got.Page
	}
	for _, said := range []string{"cancel", "pause", "skip"} {
		require.NotContains(t, get("&said="+said, http.StatusOK), `class="notice notice-good"`, said)
	}
	require.Contains(t, get("&said=change", http.StatusOK), "Your gift is changed")

	page := get("", http.StatusOK)
	require.NotContains(t, page, `<select id="months"`)
	require.Contains(t, page, "Leave the next one out")
	page = get("&do=pause&months=4", http.StatusUnprocessableEntity)
	require.Contains(t, page, "No charge falls into that time")
	require.Contains(t, page, `id="months">Leave the next one out`, "the summary of errors leads to it")

	same := url.Values{"do": {"change"}, "amount": {"20"}, "frequency": {"yearly"}}
	page = get("&"+same.Encode(), http.StatusUnprocessableEntity)
	require.Contains(t, page, "Nothing would change")
	require.NotContains(t, page, `id="confirm"`)
	wrong := url.Values{"do": {"change"}, "amount": {"rubbish"}, "frequency": {"yearly"}, "date": {"2020-01-01"}}
	page = get("&"+wrong.Encode(), http.StatusUnprocessableEntity)
	require.Contains(t, page, `id="amount-error"`)
	require.Contains(t, page, `id="date-error"`)
	more := url.Values{"do": {"change"}, "amount": {"40"}, "frequency": {"yearly"}}
	page = get("&"+more.Encode(), http.StatusOK)
	require.Contains(t, page, "($30)")
	require.Contains(t, page, "($10)")

	h.Exec(`UPDATE plan SET status = 'cancelled', ended_because = 'asked', ended_at = now(), next_at = NULL`)
	require.Contains(t, get("&said=cancel", http.StatusOK), "Your gift has stopped")
	for _, said := range []string{"pause", "skip", "resume", "change", "soon"} {
		require.NotContains(t, get("&said="+said, http.StatusOK), `class="notice notice-good"`, said)
	}
}

// TestACodeThatIsPostedTwice: a double click posts the form of a code twice. The second time, the browser goes on to the same
// page; another browser does not, nor does the session's person with another code.
func TestACodeThatIsPostedTwice(t *testing.T) {
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	d := visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	ref := h.Lines(`SELECT public_ref FROM plan WHERE id = $1`, d.ID)[0]
	link := visitor.PlanLink(t, h, ref)
	post := func(v *visitor.Visitor, path string, form url.Values, want string) {
		got := v.Ask("POST", path, form)
		require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
		require.Equal(t, want, got.Header.Get("Location"))
	}
	v := visitor.New(t, h)
	path := v.OpenPlan(link)
	base, _, _ := strings.Cut(path, "?")
	token := v.TokenOn(path)
	require.Equal(t, http.StatusSeeOther, v.Ask("POST", base+"/email", url.Values{"session": {token}, "do": {"card"}}).StatusCode)
	_, code, _ := v.SignInEmail()
	form := url.Values{"session": {token}, "code": {code}}
	post(v, base+"/code?lang=en", form, "/portal/plans/"+ref+"/card?lang=en")
	post(v, base+"/code?lang=en", form, "/portal/plans/"+ref+"?lang=en")
	other := visitor.New(t, h)
	other.OpenPlan(link)
	form.Set("session", other.TokenOn(path))
	require.Equal(t, http.StatusUnprocessableEntity, other.Ask("POST", base+"/code?lang=en", form).StatusCode, "another browser")

	v = visitor.New(t, h)
	require.Equal(t, http.StatusSeeOther, v.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode)
	_, code, _ = v.SignInEmail()
	form = url.Values{"email": {"ana@example.org"}, "code": {code}}
	post(v, "/sign-in/code", form, "/portal")
	post(v, "/sign-in/code", form, "/portal")
	require.Equal(t, http.StatusUnprocessableEntity, v.Ask("POST", "/sign-in/code", url.Values{"email": {"ana@example.org"}, "code": {"00000000"}}).StatusCode)
	require.Equal(t, http.StatusUnprocessableEntity, visitor.New(t, h).Ask("POST", "/sign-in/code", form).StatusCode, "another browser")

	require.Equal(t, http.StatusOK, v.Post("/portal/addresses", url.Values{"email": {"ana@work.example"}}).StatusCode)
	_, code, _ = v.SignInEmail()
	for range 2 {
		got := v.Post("/portal/addresses/prove", url.Values{"email": {"ana@work.example"}, "code": {code}})
		require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
	}
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM mailbox_step WHERE email = 'ana@work.example' AND kind = 'joined'`))
	require.Equal(t, http.StatusSeeOther, v.Post("/portal/addresses/part", url.Values{"email": {"ana@work.example"}}).StatusCode)
	got := v.Post("/portal/addresses/prove", url.Values{"email": {"ana@work.example"}, "code": {code}})
	require.Equal(t, http.StatusUnprocessableEntity, got.StatusCode, "it was unlinked since")
}

// TestTheAnswerToTheFirstOfTwoPostsIsLost: of two posts of the form of a code, the browser reads only the second answer. It
// leads to a page that says what to do, or, in a browser that kept the session, to the donor's pages. No second session is
// opened, and each post is counted as a guess.
func TestTheAnswerToTheFirstOfTwoPostsIsLost(t *testing.T) {
	h := program.New(t, program.Options{})
	d := visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	const used = "/sign-in?said=used"
	twice := func(v *visitor.Visitor, path string, form url.Values) (lost *visitor.Visitor) {
		t.Helper()
		lost = visitor.New(t, h)
		maps.Copy(lost.Cookies, v.Cookies)
		require.Equal(t, http.StatusSeeOther, v.Ask("POST", path, form).StatusCode)
		sessions := h.Count(`SELECT count(*) FROM session`)
		got := lost.Ask("POST", path, form)
		require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
		require.Equal(t, used, got.Header.Get("Location"))
		require.Equal(t, sessions, h.Count(`SELECT count(*) FROM session`))
		require.Contains(t, lost.Ask("GET", used, nil).Page, "Ask for a new e-mail here.")
		require.Equal(t, http.StatusUnauthorized, lost.Ask("GET", "/portal", nil).StatusCode)
		require.Equal(t, "/portal", v.Ask("GET", used, nil).Header.Get("Location"), "it kept the session")
		return lost
	}
	ana := visitor.New(t, h)
	require.Equal(t, http.StatusSeeOther, ana.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode)
	_, code, _ := ana.SignInEmail()
	form := url.Values{"email": {"ana@example.org"}, "code": {code}}
	lost := twice(ana, "/sign-in/code", form)
	wrong := url.Values{"email": {"ana@example.org"}, "code": {"00000000"}}
	require.Equal(t, http.StatusUnprocessableEntity, lost.Ask("POST", "/sign-in/code", wrong).StatusCode)
	for range 4 {
		lost.Ask("POST", "/sign-in/code", wrong)
	}
	require.Equal(t, http.StatusTooManyRequests, lost.Ask("POST", "/sign-in/code", form).StatusCode, "limits are counted first")
	for range 5 {
		ana.Ask("POST", "/sign-in/code", wrong)
	}
	require.Equal(t, http.StatusTooManyRequests, ana.Ask("POST", "/sign-in/code", form).StatusCode, "limits are counted first")

	link := visitor.PlanLink(t, h, h.Lines(`SELECT public_ref FROM plan WHERE id = $1`, d.ID)[0])
	bea := visitor.New(t, h)
	path := bea.OpenPlan(link)
	base, _, _ := strings.Cut(path, "?")
	token := bea.TokenOn(path)
	require.Equal(t, http.StatusSeeOther, bea.Ask("POST", base+"/email", url.Values{"session": {token}, "do": {"card"}}).StatusCode)
	_, code, _ = bea.SignInEmail()
	twice(bea, base+"/code?lang=en", url.Values{"session": {token}, "code": {code}})
}

// TestTheLastReceiptOffersNoChange: after the last payment there is nothing to pause, change or stop.
func TestTheLastReceiptOffersNoChange(t *testing.T) {
	h := program.New(t, program.Options{})
	h.StartWorkers()
	_, first := startedPlan(t, h, "2")
	require.Contains(t, first, "Pause, change or stop this gift")
	h.Fake.Advance(32 * 24 * time.Hour)
	h.DeliverNew()
	var last string
	testkit.Eventually(t, 20*time.Second, func() error {
		for _, m := range h.Mail.Messages() {
			if e, err := m.Email(); err == nil && strings.Contains(e.Text, "2 of 2") {
				last = e.Text
				return nil
			}
		}
		return errors.New("no receipt of the last payment")
	})
	require.NotContains(t, last, "Pause, change or stop this gift")
	require.NotContains(t, last, "/plans/open")
}
