package portal_test

import (
	"errors"
	"net/http"
	"net/url"
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
	first, cookie := v.TokenOn(path), v.Cookies["konbit-plan"]
	testkit.Eventually(t, 10*time.Second, func() error {
		if v.OpenPlan(link); v.Cookies["konbit-plan"] == cookie {
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
