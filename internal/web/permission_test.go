package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/web"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestWhoMayUseEachRoute uses every route as every kind of person and compares the statuses with testdata/routes.txt.
// The file is written by hand, so that a route with a wrong permission does not pass because the table says so.
func TestWhoMayUseEachRoute(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	want := map[string][]string{}
	golden, err := os.ReadFile("testdata/routes.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(golden)) {
		if cells := strings.Split(line, "|"); !strings.HasPrefix(line, "#") && len(cells) == 3 {
			want[strings.TrimSpace(cells[0])] = append([]string{strings.TrimSpace(cells[1])}, strings.Fields(cells[2])...)
		}
	}
	all := routes(t, e.Program)
	slices.SortStableFunc(all, func(a, b route) int { return endsSession(a) - endsSession(b) })
	for _, r := range all {
		got := append([]string{r.Permission}, statuses(t, e, r)...)
		assert.Equal(t, want[r.name()], got, "%s: testdata/routes.txt says who may use it", r.name())
		delete(want, r.name())
	}
	assert.Empty(t, want, "routes that no longer exist")
}

// endsSession returns 1 for the routes that sign out, which are used last.
func endsSession(r route) int {
	if r.Pattern == "/office/sign-out" || r.Pattern == "/sign-out" || r.Pattern == "/portal/sessions/end" {
		return 1
	}
	return 0
}

// statuses returns the status of each column of routes.txt; "-" if the column does not apply to the route.
func statuses(t *testing.T, e visitor.TwoDonors, r route) []string {
	t.Helper()
	path := r.path(r.object(t, e))
	if strings.HasSuffix(r.Pattern, "/thanks") {
		path += "?gift=" + e.Objects["/portal/gifts/"]
	}
	var got []string
	for _, v := range []*visitor.Visitor{e.Nobody, e.Bea, e.Ana} {
		got = append(got, strconv.Itoa(use(e, r, v, path).StatusCode))
	}
	bearer := "-"
	switch {
	case r.isOpened():
		bearer = strconv.Itoa(use(e, r, e.Bearer, path).StatusCode)
	case r.isLink():
		bearer = strconv.Itoa(use(e, r, e.Nobody, r.linkPath(t, e)).StatusCode)
	case r.isStaffs():
		bearer = strconv.Itoa(use(e, r, e.Max().Visitor, path).StatusCode)
	case r.Permission == "webhook signature":
		bearer = strconv.Itoa(signedWebhook(t, e))
	}
	return append(got, bearer)
}

// use reads the route, or posts a form to it that passes all checks before the handler's own.
func use(e visitor.TwoDonors, r route, v *visitor.Visitor, path string) visitor.Response {
	if !r.writes() {
		return v.Ask(http.MethodGet, path, nil)
	}
	return v.Ask(r.Method, path, fieldsOf(e, r, v))
}

// fieldsOf returns a form that passes all checks before the handler's own.
func fieldsOf(e visitor.TwoDonors, r route, v *visitor.Visitor) url.Values {
	fields := url.Values{
		"do": {"nothing"}, "press": {program.NewID().String()}, "email": {"new@example.org"}, "code": {"1234 5678"}, "List-Unsubscribe": {"One-Click"},
	}
	if v == e.Bearer {
		fields.Set("session", v.TokenOn("/plans/"+e.Objects["/plans/"]))
	}
	if r.isStaffs() && v == e.Max().Visitor {
		fields.Set("session", v.TokenOn("/office/account"))
	}
	if v != e.Nobody && v != e.Bearer && (r.needsSession() || r.isOwners()) {
		if v.Cookies["konbit-session"] == "" {
			v.SignIn(map[*visitor.Visitor]string{e.Ana: "ana@example.org", e.Bea: "bea@example.net"}[v])
		}
		fields.Set("session", v.Token())
	}
	return fields
}

// signedWebhook posts a webhook with a valid signature and returns the status.
func signedWebhook(t *testing.T, e visitor.TwoDonors) int {
	t.Helper()
	body := fmt.Sprintf(`{"id":"evt_matrix","object":"event","type":"ping","created":%d,"data":{"object":{}}}`, time.Now().Unix())
	request, err := http.NewRequest(http.MethodPost, e.URL+"/hooks/stripe/tsne", strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Stripe-Signature", stripefake.Sign(time.Now(), []byte(body), program.WebhookSecrets["tsne"]...))
	response, err := program.Client().Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}

// singleRoute is an area with one route.
type singleRoute struct{ web.Route }

func (b singleRoute) Routes() []web.Route { return []web.Route{b.Route} }

// TestARouteNeedsAPermission: the program does not start with a route that has no permission.
func TestARouteNeedsAPermission(t *testing.T) {
	t.Parallel()
	nothing := func(http.ResponseWriter, *http.Request, web.Anyone) error { return nil }
	for _, none := range []web.Permission[web.Anyone]{{}, {Name: "no check"}, {Check: web.Public.Check}} {
		assert.Panics(t, func() { web.Get("/x", web.Page, none, nothing) })
	}
	kernel := &web.Kernel{BaseURL: &url.URL{}, Areas: []web.Area{singleRoute{web.Route{Method: "GET", Pattern: "/x", Permission: "public", Wrap: web.Page}}}}
	assert.PanicsWithValue(t, "web: GET /x has no permission", func() { kernel.Handler() })
	assert.Panics(t, func() {
		(&web.Kernel{BaseURL: &url.URL{}, Areas: []web.Area{singleRoute{web.Get("/x", 0, web.Public, nothing)}}}).Handler()
	}, "a route without a wrap")
}
