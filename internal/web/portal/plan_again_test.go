package portal_test

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestAPageStaysUsableWhenItsLinkIsOpenedAgain: people tap the link in an email twice, and go back to the first page. A
// form of another link's page changes nothing: the plan is shown again, with a form that works.
func TestAPageStaysUsableWhenItsLinkIsOpenedAgain(t *testing.T) {
	h := program.New(t, program.Options{})
	d := visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	ref := h.Lines(`SELECT public_ref FROM plan WHERE id = $1`, d.ID)[0]
	link, v := visitor.PlanLink(t, h, ref), visitor.New(t, h)
	path := v.OpenPlan(link)
	first, cookie := v.TokenOn(path), v.Cookies["konbit-plan-"+ref]
	testkit.Eventually(t, 10*time.Second, func() error {
		if v.OpenPlan(link); v.Cookies["konbit-plan-"+ref] == cookie {
			return errors.New("the cookie is the same")
		}
		return nil
	})
	requests := func() int { return h.Count(`SELECT count(*) FROM plan_request WHERE kind = 'cancel'`) }
	stop := func(token string) visitor.Response {
		return v.Ask("POST", path, url.Values{"do": {"cancel"}, "press": {uuid.NewString()}, "session": {token}})
	}
	require.Equal(t, http.StatusSeeOther, stop(first).StatusCode)
	require.Equal(t, 1, requests())

	h.Exec(`UPDATE plan_link SET ended_at = now()`)
	v.OpenPlan(visitor.PlanLink(t, h, ref))
	for _, earlier := range []string{first, "", "canary"} {
		got := stop(earlier)
		require.Equal(t, http.StatusConflict, got.StatusCode)
		require.Contains(t, got.Page, "Nothing was changed")
		require.Contains(t, got.Page, `name="session" value="`+v.TokenOn(path)+`"`)
		require.Equal(t, 1, requests())
	}
	require.Equal(t, http.StatusConflict, v.Ask("POST", strings.Replace(path, "?", "/email?", 1), url.Values{"do": {"card"}}).StatusCode)
	require.Equal(t, http.StatusUnauthorized, visitor.New(t, h).Ask("POST", path, url.Values{"do": {"cancel"}, "session": {first}}).StatusCode, "no cookie")
}

// TestLinksOfTwoPlansAreOpenAtOnce: the pages of two plans stay usable beside each other, each for its own plan.
func TestLinksOfTwoPlansAreOpenAtOnce(t *testing.T) {
	h := program.New(t, program.Options{})
	v := visitor.New(t, h)
	var paths, tokens []string
	for _, address := range []string{"ana@example.org", "bea@example.org"} {
		d := visitor.StartPlan(t, h, visitor.FormOf(address, "Ana"))
		paths = append(paths, v.OpenPlan(visitor.PlanLink(t, h, h.Lines(`SELECT public_ref FROM plan WHERE id = $1`, d.ID)[0])))
		tokens = append(tokens, v.TokenOn(paths[len(paths)-1]))
	}
	for i, path := range paths {
		other := tokens[1-i]
		got := v.Ask("POST", path, url.Values{"do": {"cancel"}, "press": {uuid.NewString()}, "session": {other}})
		require.Equal(t, http.StatusConflict, got.StatusCode, "the token of the other plan")
		got = v.Ask("POST", path, url.Values{"do": {"cancel"}, "press": {uuid.NewString()}, "session": {tokens[i]}})
		require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
		require.Equal(t, i+1, h.Count(`SELECT count(*) FROM plan_request WHERE kind = 'cancel'`))
	}
}

// TestWhatWasTypedIsShownAgain: a form of an earlier link's page changes nothing and loses nothing. The page explains the
// same change again, with a button that makes it.
func TestWhatWasTypedIsShownAgain(t *testing.T) {
	h := program.New(t, program.Options{})
	d := visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	ref := h.Lines(`SELECT public_ref FROM plan WHERE id = $1`, d.ID)[0]
	v := visitor.New(t, h)
	path := v.OpenPlan(visitor.PlanLink(t, h, ref))
	press := func(form url.Values) visitor.Response {
		form.Set("session", "of an earlier page")
		form.Set("press", uuid.NewString())
		return v.Ask("POST", path, form)
	}
	got := press(url.Values{"do": {"change"}, "amount": {"7.35"}, "frequency": {"monthly"}, "fund": {"general"}})
	require.Equal(t, http.StatusConflict, got.StatusCode)
	require.Contains(t, got.Page, "Nothing was changed")
	require.Contains(t, got.Page, `id="confirm"`)
	require.Contains(t, got.Page, `name="amount" value="7.35"`)
	require.Zero(t, h.Count(`SELECT count(*) FROM plan_request WHERE kind = 'change'`))
	again := url.Values{}
	for _, name := range []string{"do", "press", "session", "amount", "frequency", "fund"} {
		field := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(got.Page)
		require.NotNil(t, field, name)
		again.Set(name, html.UnescapeString(field[1]))
	}
	require.Equal(t, http.StatusSeeOther, v.Ask("POST", path, again).StatusCode)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM plan_request WHERE kind = 'change'`))

	got = press(url.Values{"do": {"cancel"}, "reason": {"I move away"}})
	require.Equal(t, http.StatusConflict, got.StatusCode)
	require.Contains(t, got.Page, `value="I move away"`)
	got = press(url.Values{"do": {"change"}, "amount": {"rubbish"}, "frequency": {"monthly"}, "fund": {"general"}})
	require.Equal(t, http.StatusUnprocessableEntity, got.StatusCode)
	require.Contains(t, got.Page, `value="rubbish"`)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM plan_request WHERE kind IN ('change', 'cancel')`))
}

// TestTheShownDayIsNoChange: by a link a donor sends the form with the next day as the page shows it. The charge is due later
// that day than noon, and the day is not an earlier date, which would need a session.
func TestTheShownDayIsNoChange(t *testing.T) {
	h := program.New(t, program.Options{})
	d := visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	h.Exec(`UPDATE plan SET next_at = (date_trunc('day', next_at AT TIME ZONE 'America/New_York') + interval '15 hours') AT TIME ZONE 'America/New_York'`)
	day := h.Lines(`SELECT to_char(next_at AT TIME ZONE 'America/New_York', 'YYYY-MM-DD') FROM plan`)[0]
	v := visitor.New(t, h)
	path := v.OpenPlan(visitor.PlanLink(t, h, h.Lines(`SELECT public_ref FROM plan WHERE id = $1`, d.ID)[0]))
	got := v.Ask("POST", path, url.Values{
		"do": {"change"}, "press": {uuid.NewString()}, "session": {v.TokenOn(path)}, "amount": {"7.35"}, "frequency": {"monthly"}, "fund": {"general"}, "date": {day},
	})
	require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
}

// TestACodeThatWasTriedTooOften: beyond the limit of guesses the page says that codes were tried, and not that emails were
// asked for, whose newest one has the code that is refused.
func TestACodeThatWasTriedTooOften(t *testing.T) {
	h := program.New(t, program.Options{})
	d := visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	v := visitor.New(t, h)
	path := v.OpenPlan(visitor.PlanLink(t, h, h.Lines(`SELECT public_ref FROM plan WHERE id = $1`, d.ID)[0]))
	base, _, _ := strings.Cut(path, "?")
	token := v.TokenOn(path)
	require.Equal(t, http.StatusSeeOther, v.Ask("POST", base+"/email", url.Values{"session": {token}, "do": {"card"}}).StatusCode)
	var got visitor.Response
	for range 6 {
		got = v.Ask("POST", base+"/code?lang=en", url.Values{"session": {token}, "code": {"00000000"}})
	}
	require.Equal(t, http.StatusTooManyRequests, got.StatusCode)
	require.Contains(t, got.Page, "Many codes were tried")
	require.NotContains(t, got.Page, "Many e-mails were asked for")
}

// TestALinkWhoseRowWasDeleted: a link of years ago is answered with what still helps, and not by asking to open the same
// email again.
func TestALinkWhoseRowWasDeleted(t *testing.T) {
	h := program.New(t, program.Options{})
	d := visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	link := visitor.PlanLink(t, h, h.Lines(`SELECT public_ref FROM plan WHERE id = $1`, d.ID)[0])
	h.Exec(`DELETE FROM plan_link`)
	_, token, _ := strings.Cut(link.ManageURL, "#")
	for _, form := range []url.Values{{"link": {token}}, {"link": {"canary"}}} {
		got := visitor.New(t, h).Ask("POST", "/plans/open?lang=en", form)
		require.Equal(t, http.StatusUnprocessableEntity, got.StatusCode)
		require.Contains(t, got.Page, "it is very old. Open the link in our newest e-mail, type the code beside it, or sign in.")
		require.Contains(t, got.Page, `href="/sign-in"`)
	}
}

// TestFreshLinksOfStrangers: a stranger who holds an ended link uses up what strangers may ask for. The page says when more
// is possible and offers to sign in; the donor's known browser gets a link at once.
func TestFreshLinksOfStrangers(t *testing.T) {
	h := program.New(t, program.Options{})
	d := visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	link := visitor.PlanLink(t, h, h.Lines(`SELECT public_ref FROM plan WHERE id = $1`, d.ID)[0])
	h.Exec(`UPDATE plan_link SET ended_at = now()`)
	_, token, _ := strings.Cut(link.ManageURL, "#")
	fresh := func(v *visitor.Visitor) visitor.Response {
		got := v.Ask("POST", "/plans/open?lang=en", url.Values{"link": {token}})
		ended := regexp.MustCompile(`name="ended" value="([^"]*)"`).FindStringSubmatch(got.Page)
		require.NotNil(t, ended, got.Page)
		return v.Ask("POST", "/plans/fresh?lang=en", url.Values{"ended": {ended[1]}})
	}
	stranger := visitor.New(t, h)
	var got visitor.Response
	for n := range 5 {
		if got = fresh(stranger); n < 4 {
			require.Equal(t, http.StatusOK, got.StatusCode, "email %d", n+1)
		}
	}
	require.Equal(t, http.StatusTooManyRequests, got.StatusCode)
	seconds, err := strconv.Atoi(got.Header.Get("Retry-After"))
	require.NoError(t, err)
	require.Greater(t, seconds, 45*60)
	require.Less(t, seconds, 70*60)
	require.Contains(t, got.Page, fmt.Sprintf("You can do it again in %d minutes.", (seconds+59)/60))
	require.Contains(t, got.Page, `href="/sign-in"`)
	donor := visitor.New(t, h)
	donor.Cookies["konbit-known"] = h.Access.MarkBrowser("", "ana@example.org")
	require.Equal(t, http.StatusOK, fresh(donor).StatusCode)
	require.Equal(t, 5, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'plan_link_letter'`))
	donor.Cookies["konbit-known"] = h.Access.MarkBrowser("", "bea@example.org")
	require.Equal(t, http.StatusTooManyRequests, fresh(donor).StatusCode, "a browser known for another address")
}

// TestAChangeWhileAnotherWaits: a link cannot pause a plan while an earlier change waits for Stripe. The page says
// why, and after the code the pause is shown again as it was chosen.
func TestAChangeWhileAnotherWaits(t *testing.T) {
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	d := visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	v := visitor.New(t, h)
	path := v.OpenPlan(visitor.PlanLink(t, h, h.Lines(`SELECT public_ref FROM plan WHERE id = $1`, d.ID)[0]))
	token := v.TokenOn(path)
	pause := func(months string) visitor.Response {
		return v.Ask("POST", path, url.Values{"do": {"pause"}, "months": {months}, "press": {uuid.NewString()}, "session": {token}})
	}
	require.Contains(t, pause("1").Header.Get("Location"), "said=soon", "no worker runs")
	got := pause("3")
	require.Equal(t, http.StatusForbidden, got.StatusCode)
	require.Contains(t, got.Page, "Your earlier change is not done yet")
	require.NotContains(t, got.Page, "can make your gift smaller, pause it", "it was a pause that was refused")
	require.Contains(t, got.Page, `name="months" value="3"`)

	base, _, _ := strings.Cut(path, "?")
	form := url.Values{"session": {token}, "do": {"pause"}, "months": {"3"}}
	require.Equal(t, http.StatusSeeOther, v.Ask("POST", base+"/email", form).StatusCode)
	_, code, _ := v.SignInEmail()
	got = v.Ask("POST", base+"/code", url.Values{"session": {token}, "code": {code}})
	require.Equal(t, http.StatusSeeOther, got.StatusCode)
	got = v.Ask("GET", got.Header.Get("Location"), nil)
	require.Equal(t, http.StatusOK, got.StatusCode)
	require.Contains(t, got.Page, `name="months" value="3"`)
	require.Contains(t, got.Page, `id="confirm"`)
}

// TestAChangeIsTakenBackBeforeItIsMade: a change waits, because no worker runs, and the donor goes back to the present
// terms. The change that was requested last counts.
func TestAChangeIsTakenBackBeforeItIsMade(t *testing.T) {
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	path := "/portal/plans/" + h.Lines(`SELECT public_ref FROM plan`)[0]
	ana := visitor.New(t, h).SignIn("ana@example.org")
	for _, amount := range []string{"200", "20"} {
		got := ana.Post(path, url.Values{"do": {"change"}, "amount": {amount}, "frequency": {"monthly"}, "fund": {"general"}, "press": {uuid.NewString()}})
		require.Contains(t, got.Header.Get("Location"), "said=soon", got.Page)
	}
	h.StartWorkers()
	testkit.Eventually(t, time.Minute, func() error {
		if left := h.Lines(`SELECT kind FROM plan_request WHERE carried_at IS NULL`); len(left) > 0 {
			return fmt.Errorf("%q are not done", left)
		}
		return nil
	})
	require.Equal(t, []string{"2000"}, h.Lines(`SELECT amount::text FROM plan`))
	require.Contains(t, h.Lines(`SELECT kind || ' ' || (detail->>'amount') FROM plan_event`), "changed 2000", "it was 200 dollars before")
}
