package portal_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/mail"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

var (
	planLink = regexp.MustCompile(`http://\S+/plans/open\?lang=\w+#\S+`)
	cardLink = regexp.MustCompile(`http://\S+/plans/open\?lang=\w+&to=card#\S+`)
	planCode = regexp.MustCompile(`\b[0-9A-Z]{5}-[0-9A-Z]{5}\b`)
)

// waitForEmail waits for an email with these words in its subject and returns its text.
func waitForEmail(t *testing.T, h *program.Program, subject string) (text string) {
	t.Helper()
	testkit.Eventually(t, 20*time.Second, func() error {
		for _, m := range h.Mail.Messages() {
			l, err := m.Email()
			if err != nil {
				return err
			}
			if strings.Contains(m.Subject, subject) {
				text = l.Text
				return nil
			}
		}
		return fmt.Errorf("no email %q", subject)
	})
	return text
}

// startedPlan starts a recurring gift and returns the text of its first receipt.
func startedPlan(t *testing.T, h *program.Program, times string) (donation.Donation, string) {
	t.Helper()
	f := program.ValidForm()
	f.Frequency, f.Occurrences = "monthly", times
	d := h.StartedGift(f)
	h.Pay(d)
	h.DeliverNew()
	return d, waitForEmail(t, h, "receipt")
}

// TestManagedFromAnEmail: the receipt's link opens its plan and nothing else, reading changes nothing, each change is
// explained before it is made, and stopping takes one submission. A forwarded link takes no more than the donor agreed
// to.
func TestManagedFromAnEmail(t *testing.T) {
	h := program.New(t, program.Options{})
	h.StartWorkers()
	d, emailText := startedPlan(t, h, "12")
	require.Contains(t, emailText, "1 of 12")
	require.Contains(t, strings.Join(strings.Fields(emailText), " "), "12 payments of $20, the last on")
	link := planLink.FindString(emailText)
	require.NotEmpty(t, link, emailText)

	v := visitor.New(t, h)
	path := v.OpenPlan(mail.PlanLink{ManageURL: link})
	got := v.Ask("GET", path, nil)
	require.Equal(t, http.StatusOK, got.StatusCode)
	require.NotContains(t, got.Page, "Pérez")
	require.NotContains(t, got.Page, "ana@example.org")
	before := h.Lines(`SELECT status || paid || coalesce(next_at::text, '') FROM plan`)
	got = v.Ask("GET", path+"&do=pause&months=3", nil)
	require.Equal(t, http.StatusOK, got.StatusCode)
	require.Contains(t, got.Page, "Pause my gift")
	require.Equal(t, http.StatusUnprocessableEntity, v.Ask("GET", path+"&do=pause&months=40", nil).StatusCode)
	got = v.Ask("GET", path+"&do=change&amount=1&frequency=monthly&fund=general", nil)
	require.Equal(t, http.StatusUnprocessableEntity, got.StatusCode)
	require.Contains(t, got.Page, "The smallest gift")
	got = v.Ask("GET", strings.Replace(path, "lang=en", "lang=es", 1)+"&do=change&amount=15&frequency=yearly&fund=general", nil)
	require.Equal(t, http.StatusOK, got.StatusCode)
	require.Contains(t, got.Page, "$15 cada año")
	token := v.TokenOn(path)
	for _, more := range []url.Values{
		{"amount": {"5000"}, "frequency": {"weekly"}, "fund": {"general"}},
		{"amount": {"20"}, "frequency": {"monthly"}, "fund": {"network"}},
		{"amount": {"20"}, "frequency": {"monthly"}, "fund": {"general"}, "cover_fees": {"yes"}},
		{"amount": {"20"}, "frequency": {"monthly"}, "fund": {"general"}, "date": {h.Fake.Now().AddDate(0, 0, 5).Format(time.DateOnly)}},
	} {
		more.Set("do", "change")
		got = v.Ask("GET", path+"&"+more.Encode(), nil)
		require.Equal(t, http.StatusForbidden, got.StatusCode)
		require.Contains(t, got.Page, "we send you a code first")
		require.Contains(t, got.Page, `value="`+more.Get("amount")+`"`, "what was typed stays")
		more.Set("press", uuid.NewString())
		more.Set("session", token)
		require.Equal(t, http.StatusForbidden, v.Ask("POST", path, more).StatusCode)
	}
	require.Equal(t, before, h.Lines(`SELECT status || paid || coalesce(next_at::text, '') FROM plan`), "reading the page changes nothing")
	require.Zero(t, h.Count(`SELECT count(*) FROM plan_request WHERE kind <> 'schedule'`))

	submission := url.Values{"do": {"pause"}, "months": {"2"}, "press": {uuid.NewString()}, "session": {token}}
	for range 2 {
		got = v.Ask("POST", path, submission)
		require.Equal(t, http.StatusSeeOther, got.StatusCode)
		require.Contains(t, got.Header.Get("Location"), "said=pause")
	}
	require.Contains(t, strings.Join(strings.Fields(waitForEmail(t, h, "paused")), " "), "goes on by itself")
	got = v.Ask("GET", path+"&do=resume", nil)
	require.Equal(t, http.StatusForbidden, got.StatusCode, "the end of a pause makes the next charge earlier")
	require.Contains(t, got.Page, `name="do" value="resume"`, "the code's form keeps what was asked for")
	require.Equal(t, http.StatusForbidden, v.Ask("POST", path, url.Values{"do": {"resume"}, "press": {uuid.NewString()}, "session": {token}}).StatusCode)
	require.Zero(t, h.Count(`SELECT count(*) FROM plan_request WHERE kind = 'resume'`))
	got = v.Ask("POST", path, url.Values{"do": {"cancel"}, "press": {uuid.NewString()}, "reason": {"a new job"}, "session": {token}})
	require.Contains(t, got.Header.Get("Location"), "said=cancel")
	waitForEmail(t, h, "has stopped, as you asked")
	p, err := recurring.ByID(t.Context(), h.DB.Server, d.ID)
	require.NoError(t, err)
	require.Equal(t, plan.Cancelled, p.Status)
	got = v.Ask("POST", path, url.Values{"do": {"skip"}, "press": {uuid.NewString()}, "session": {token}})
	require.Equal(t, http.StatusConflict, got.StatusCode)
}

// TestMoreNeedsAFreshCode: a donor who came by a link and asks for more gets a code by email. The code opens a session,
// in which the change is shown again as it was typed. No page shows the address.
func TestMoreNeedsAFreshCode(t *testing.T) {
	h := program.New(t, program.Options{})
	d := visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	p, err := recurring.ByID(t.Context(), h.DB.Server, d.ID)
	require.NoError(t, err)
	v := visitor.New(t, h)
	path := v.OpenPlan(visitor.PlanLink(t, h, p.PublicRef))
	below := func(part string) string { return strings.Replace(path, "?", part+"?", 1) }
	token := v.TokenOn(path)
	got := v.Ask("POST", below("/email"), url.Values{"session": {token}, "do": {"change"}, "amount": {"50"}, "frequency": {"weekly"}, "fund": {"general"}})
	require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
	require.Equal(t, below("/code"), got.Header.Get("Location"))
	_, code, letter := v.SignInEmail()
	require.Contains(t, letter, "opened the page of your recurring gift")
	require.NotContains(t, letter, "sign-in page")
	for _, page := range []string{below("/code"), "/sign-in/code"} {
		require.NotContains(t, v.Ask("GET", page, nil).Page, "ana@example.org")
	}
	require.Equal(t, http.StatusUnprocessableEntity, v.Ask("POST", below("/code"), url.Values{"session": {token}, "code": {"1"}}).StatusCode)
	got = v.Ask("POST", below("/code"), url.Values{"session": {token}, "code": {code}})
	require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
	next := got.Header.Get("Location")
	require.True(t, strings.HasPrefix(next, "/portal/plans/"+p.PublicRef+"?"), next)
	got = v.Ask("GET", next, nil)
	require.Equal(t, http.StatusOK, got.StatusCode)
	require.Contains(t, got.Page, "$50 every week")
	require.Empty(t, v.Cookies["konbit-next"])

	// Another card needs a code too. The email's link works as well, in the browser that asked.
	other := visitor.New(t, h)
	path = other.OpenPlan(visitor.PlanLink(t, h, p.PublicRef))
	got = other.Ask("GET", below("/card"), nil)
	require.Contains(t, got.Page, "E-mail me a code")
	got = other.Ask("POST", below("/email"), url.Values{"session": {other.TokenOn(path)}, "do": {"card"}})
	require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
	link, _, _ := other.SignInEmail()
	got = other.Ask("POST", "/sign-in/link", url.Values{"link": {link}})
	require.Equal(t, "/portal/plans/"+p.PublicRef+"/card?lang=en", got.Header.Get("Location"))
	got = other.Ask("POST", got.Header.Get("Location"), url.Values{"session": {other.TokenOn(got.Header.Get("Location"))}})
	require.Equal(t, http.StatusSeeOther, got.StatusCode)
	require.Contains(t, got.Header.Get("Location"), h.FakeURL)
}

// TestNextPageAfterSigningIn: a cookie cannot lead anywhere but to the donor's own recurring gifts.
func TestNextPageAfterSigningIn(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	for _, next := range []string{"https://evil.example/portal/plans/", "//evil.example/portal/plans/", "/sign-out", "portal/plans/x", "%"} {
		v := visitor.New(t, h)
		require.Equal(t, http.StatusSeeOther, v.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode)
		v.Cookies["konbit-next"] = base64.RawURLEncoding.EncodeToString([]byte(next))
		link, _, _ := v.SignInEmail()
		require.Equal(t, "/portal", v.Ask("POST", "/sign-in/link", url.Values{"link": {link}}).Header.Get("Location"), next)
	}
}

// TestLinksToPlans: what opens a link, and what ends it.
func TestLinksToPlans(t *testing.T) {
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	d := visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	other := visitor.StartPlan(t, h, visitor.FormOf("bea@example.net", "Bea"))
	p, err := recurring.ByID(t.Context(), h.DB.Server, d.ID)
	require.NoError(t, err)
	theirs, err := recurring.ByID(t.Context(), h.DB.Server, other.ID)
	require.NoError(t, err)
	link := visitor.PlanLink(t, h, p.PublicRef)
	require.Equal(t, link, visitor.PlanLink(t, h, p.PublicRef), "the emails of a month hold the same link")

	v := visitor.New(t, h)
	v.OpenPlan(link)
	require.Equal(t, http.StatusUnauthorized, v.Ask("GET", "/plans/"+theirs.PublicRef, nil).StatusCode, "the plan of another donor")
	for typed, want := range map[string]int{
		link.Code: 303, " " + strings.ToLower(strings.Replace(link.Code, "-", " ", 1)): 303, "00000-00000": 422, "": 422, "x\x00\xff": 422,
	} {
		got := visitor.New(t, h).Ask("POST", "/plans/open", url.Values{"code": {typed}})
		require.Equal(t, want, got.StatusCode, typed)
		require.NotContains(t, got.Page, "still here", "the typed code is not shown again")
	}
	_, token, _ := strings.Cut(link.ManageURL, "#")
	for _, wrong := range []string{token[1:], "A" + token, strings.ToUpper(token), "\x00\xff"} {
		require.Equal(t, 422, visitor.New(t, h).Ask("POST", "/plans/open", url.Values{"link": {wrong}}).StatusCode, wrong)
	}
	stranger := visitor.New(t, h)
	for range 10 {
		stranger.Ask("POST", "/plans/open", url.Values{"code": {"AAAAA-AAAAA"}})
	}
	got := stranger.Ask("POST", "/plans/open", url.Values{"code": {link.Code}})
	require.Equal(t, http.StatusTooManyRequests, got.StatusCode)
	require.NotEmpty(t, got.Header.Get("Retry-After"))
	require.Equal(t, 303, stranger.Ask("POST", "/plans/open", url.Values{"link": {token}}).StatusCode, "the link still works")
	neighbour := visitor.New(t, h) // behind the same address
	got = neighbour.Ask("POST", "/plans/open?to=card", url.Values{"code": {link.Code}})
	got = neighbour.Ask("POST", "/plans/open?lang=en&to=card", visitor.Solve(t, got.Page))
	require.Equal(t, 303, got.StatusCode, "after the challenge the code works")
	require.Contains(t, got.Header.Get("Location"), "/card?")

	ends := map[string]func(){
		"all sessions end": func() {
			visitor.New(t, h).SignIn("ana@example.org").Post("/portal/sessions/end", url.Values{})
		},
		"the address is linked to another person": func() {
			bea := visitor.New(t, h).SignIn("bea@example.net")
			bea.Post("/portal/addresses", url.Values{"email": {"ana@example.org"}})
			_, code, _ := bea.SignInEmail()
			require.Equal(t, 303, bea.Post("/portal/addresses/prove", url.Values{"email": {"ana@example.org"}, "code": {code}}).StatusCode)
		},
		"the address is unlinked": func() {
			bea := visitor.New(t, h).SignIn("bea@example.net")
			require.Equal(t, 303, bea.Post("/portal/addresses/part", url.Values{"email": {"ana@example.org"}}).StatusCode)
		},
		"thirteen months": func() {
			h.Exec(`UPDATE plan_link SET created_at = created_at - interval '14 months', expires_at = expires_at - interval '14 months' WHERE ended_at IS NULL`)
		},
	}
	for _, why := range []string{"all sessions end", "the address is linked to another person", "the address is unlinked", "thirteen months"} {
		link = visitor.PlanLink(t, h, p.PublicRef)
		v = visitor.New(t, h)
		path := v.OpenPlan(link)
		form := url.Values{"do": {"cancel"}, "press": {uuid.NewString()}, "session": {v.TokenOn(path)}}
		ends[why]()
		require.Equal(t, http.StatusUnauthorized, v.Ask("GET", path, nil).StatusCode, why)
		require.Equal(t, http.StatusUnauthorized, v.Ask("POST", path, form).StatusCode, why)
		_, token, _ = strings.Cut(link.ManageURL, "#")
		got = v.Ask("POST", "/plans/open", url.Values{"link": {token}})
		require.Equal(t, http.StatusUnprocessableEntity, got.StatusCode, why)
		require.Contains(t, got.Page, "Send me a fresh link", why)
		require.NotEqual(t, link, visitor.PlanLink(t, h, p.PublicRef), why)
	}
	require.NotContains(t, got.Page, token, "the page of a link that has ended does not contain its secret")
	ended := regexp.MustCompile(`name="ended" value="([^"]+)"`).FindStringSubmatch(got.Page)[1]
	for _, wrong := range []string{"", token, link.Code, ended[1:], "A" + ended, "\x00\xff"} {
		require.Equal(t, http.StatusUnprocessableEntity, v.Ask("POST", "/plans/fresh", url.Values{"ended": {wrong}}).StatusCode, wrong)
	}
	require.Equal(t, http.StatusUnprocessableEntity, v.Ask("POST", "/plans/open", url.Values{"link": {ended}}).StatusCode, "it opens nothing")
	got = v.Ask("POST", "/plans/fresh", url.Values{"ended": {ended}})
	require.Equal(t, http.StatusOK, got.StatusCode)
	require.Contains(t, got.Page, "on its way")
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'plan_link_letter'`))
}

// TestOldLinksSendAFreshOne: links sent before table plan_link change nothing and show nothing. Their button sends a
// valid link to the donor three times an hour, and one more for each network.
func TestOldLinksSendAFreshOne(t *testing.T) {
	h := program.New(t, program.Options{})
	h.StartWorkers()
	d, _ := startedPlan(t, h, "")
	p, err := recurring.ByID(t.Context(), h.DB.Server, d.ID)
	require.NoError(t, err)
	v := visitor.New(t, h)
	for i, old := range []string{visitor.OldPlanLink(h, p.PublicRef), visitor.OldCardLink(h, p.DonorID)} {
		got := v.Ask("GET", old+"&do=cancel", nil)
		require.Equal(t, http.StatusOK, got.StatusCode)
		require.Contains(t, got.Page, "Send me a fresh link")
		require.NotContains(t, got.Page, "$20")
		require.Equal(t, http.StatusNotFound, v.Ask("GET", strings.Replace(old, "?", "A?", 1), nil).StatusCode)
		require.Equal(t, http.StatusNotFound, v.Ask("POST", strings.Replace(old, "?", "A?", 1), url.Values{}).StatusCode)
		got = v.Ask("POST", old, url.Values{"do": {"cancel"}, "press": {uuid.NewString()}})
		require.Equal(t, http.StatusOK, got.StatusCode)
		require.Contains(t, got.Page, "on its way")
		testkit.Eventually(t, 20*time.Second, func() error {
			if n := len(h.Mail.Messages()); n != i+2 {
				return fmt.Errorf("%d emails", n)
			}
			return nil
		})
	}
	require.Zero(t, h.Count(`SELECT count(*) FROM plan_request WHERE kind <> 'schedule'`))
	text := waitForEmail(t, h, "Your link to your gift")
	require.Equal(t, http.StatusOK, v.Ask("GET", v.OpenPlan(mail.PlanLink{ManageURL: planLink.FindString(text)}), nil).StatusCode)
	code := planCode.FindString(text)
	require.Equal(t, http.StatusSeeOther, visitor.New(t, h).Ask("POST", "/plans/open", url.Values{"code": {code}}).StatusCode, text)
	for i, want := range []int{200, 200, 429} { // the third of this donor, and one more for the network
		require.Equal(t, want, v.Ask("POST", visitor.OldPlanLink(h, p.PublicRef), url.Values{}).StatusCode, i)
	}
}

// TestNewPaymentMethodFromAnEmail: the link shows the gift and its card, and nothing else without a code.
func TestNewPaymentMethodFromAnEmail(t *testing.T) {
	h := program.New(t, program.Options{})
	h.StartWorkers()
	d, _ := startedPlan(t, h, "")
	var p plan.Plan
	testkit.Eventually(t, 20*time.Second, func() (err error) {
		if p, err = recurring.ByID(t.Context(), h.DB.Server, d.ID); err == nil && p.SyncDue != nil {
			err = errors.New("the plan is not read yet")
		}
		return err
	})
	require.NoError(t, h.Fake.FailCard(*p.SubscriptionID, "insufficient_funds", 0))
	h.Fake.Advance(p.NextAt.Sub(h.Fake.Now()) + 2*time.Hour)
	h.DeliverNew()
	emailText := waitForEmail(t, h, "could not be charged")
	require.Contains(t, strings.Join(strings.Fields(emailText), " "), "Your bank says there was not enough money")
	link := cardLink.FindString(emailText)
	require.NotEmpty(t, link, emailText)
	_, token, _ := strings.Cut(link, "#")
	v := visitor.New(t, h)
	got := v.Ask("POST", "/plans/open?lang=en&to=card", url.Values{"link": {token}})
	require.Equal(t, "/plans/"+p.PublicRef+"/card?lang=en", got.Header.Get("Location"))
	got = v.Ask("GET", got.Header.Get("Location"), nil)
	require.Equal(t, http.StatusOK, got.StatusCode)
	require.Contains(t, got.Page, "$20 every month")
	require.Contains(t, got.Page, "4242")
	require.NotContains(t, got.Page, "Pérez")
	require.Equal(t, http.StatusNotFound, v.Ask("POST", "/portal/plans/"+p.PublicRef+"/card", url.Values{"session": {v.TokenOn("/plans/" + p.PublicRef)}}).StatusCode, "Stripe's page needs a session")

	// A stand-in for Stripe can move the business clock while an email is composed. Links age by the database's clock,
	// forms by the machine's.
	h.Fake.Advance(40 * 24 * time.Hour)
	require.Equal(t, http.StatusSeeOther, v.Ask("POST", "/plans/open", url.Values{"link": {token}}).StatusCode)
	page := v.Ask("GET", "/give/csio?lang=en", nil).Page
	form := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(page)
	require.NotEmpty(t, form)
	_, shown, err := h.Guard.ParseFormToken(form[1])
	require.NoError(t, err)
	require.WithinRange(t, shown, time.Now().Add(-time.Minute), time.Now())
}
