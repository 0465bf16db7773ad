package portal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/recurring"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestOneLinkAndOneSessionDoLittle: sixty changes by one link make ten requests, and 150 presses for a new card open ten
// pages of Stripe. Then the donor still changes the gift after signing in, and cancels it by the link.
func TestOneLinkAndOneSessionDoLittle(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	d := visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	ana := visitor.New(t, h).SignIn("ana@example.org") // before the workers, which send the email too
	h.StartWorkers()
	p, err := recurring.ByID(t.Context(), h.DB.Server, d.ID)
	require.NoError(t, err)
	v := visitor.New(t, h)
	path := v.OpenPlan(visitor.PlanLink(t, h, p.PublicRef))
	token := v.TokenOn(path)
	change := func(n int) url.Values {
		return url.Values{
			"do": {"change"}, "press": {uuid.NewString()}, "amount": {fmt.Sprintf("%d.%02d", 19-n/10, 90-n%10)}, "frequency": {"monthly"}, "fund": {"general"},
		}
	}
	answers := map[int]int{}
	for n := range 60 {
		form := change(n)
		form.Set("session", token)
		answers[v.Ask("POST", path, form).StatusCode]++
	}
	require.Equal(t, map[int]int{http.StatusSeeOther: 10, http.StatusTooManyRequests: 50}, answers)
	require.Equal(t, 10, h.Count(`SELECT count(*) FROM plan_request WHERE kind = 'change'`))
	require.Equal(t, http.StatusOK, v.Ask("GET", path, nil).StatusCode)

	own := "/portal/plans/" + p.PublicRef
	answers = map[int]int{}
	card := url.Values{"session": {ana.Token()}}
	for range 150 {
		answers[ana.Ask("POST", own+"/card?lang=en", card).StatusCode]++
	}
	require.Equal(t, map[int]int{http.StatusSeeOther: 10, http.StatusTooManyRequests: 140}, answers)
	require.Len(t, h.Fake.Calls("POST", "/v1/billing_portal/sessions"), 10)
	got := ana.Post(own+"?lang=en", change(60))
	require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)

	got = v.Ask("POST", path, url.Values{"do": {"cancel"}, "press": {uuid.NewString()}, "session": {token}})
	require.Equal(t, http.StatusSeeOther, got.StatusCode)
	require.True(t, strings.HasSuffix(got.Header.Get("Location"), "said=cancel"), got.Header.Get("Location"))
}
