package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/program"
)

// TestOfficeHasItsOwnHost: with OFFICE_URL, the office's host serves no route of donors and the other hosts none of the office,
// for every route of the table; assets and what operators ask for are on both. Without it, one host serves all (STAFF 8).
func TestOfficeHasItsOwnHost(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	ask := func(host string, r route) *httptest.ResponseRecorder {
		method := strings.Replace(r.Method, "*", http.MethodGet, 1)
		got := httptest.NewRecorder()
		request := httptest.NewRequest(method, r.path(missing), nil)
		request.Host, request.RemoteAddr = host, "192.0.2.9:1"
		h.Server.Handler().ServeHTTP(got, request)
		return got
	}
	table := routes(t, h)
	for _, r := range table {
		if r.Pattern == "/office/sign-in" && r.Method == http.MethodGet {
			require.Equal(t, 200, ask("office.example.org", r).Code, "one host")
		}
	}
	h.Server.OfficeURL = &url.URL{Scheme: "https", Host: "office.example.org"}
	nothing := func(host string) string {
		return ask(host, route{table[0].Route}.at("/nothing")).Body.String()
	}
	own := 0
	for _, r := range table {
		both := strings.HasPrefix(r.Pattern, "/static/") || r.Pattern == "/healthz" || r.Pattern == "/readyz" || r.Pattern == "/robots.txt" || strings.HasPrefix(r.Pattern, "/.well-known/")
		office := strings.HasPrefix(r.Pattern, "/office") || strings.HasPrefix(r.Pattern, "/committee")
		for _, host := range []string{"office.example.org", "OFFICE.example.org:443", "give.example.org", "192.0.2.1:8080", "office.example.org.evil.example"} {
			got := ask(host, r)
			foreign := strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ":443")), "office.example.org") != office && !both
			switch {
			case foreign && r.Pattern == "/" && !office && got.Code == http.StatusSeeOther:
				assert.Equal(t, "/office", got.Header().Get("Location"))
			case foreign:
				own++
				assert.Equal(t, 404, got.Code, "%s on %s", r.name(), host)
				if r.Method == http.MethodGet {
					assert.Equal(t, nothing(host), got.Body.String(), "%s on %s", r.name(), host)
				}
			case office && r.Pattern == "/office/sign-in" && r.Method == http.MethodGet:
				assert.Equal(t, 200, got.Code, host)
			}
		}
	}
	require.Greater(t, own, 100)
}

// at returns the route at another address.
func (r route) at(path string) route {
	r.Pattern, r.Method = path, http.MethodGet
	return r
}
