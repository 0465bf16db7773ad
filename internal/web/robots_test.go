package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestOnlyPublicPagesAreSearchResults: links with a secret, the page after payment and the pages of sign-in were found
// by search engines. Only the routes marked as Indexed may be listed; those are the first page and the form.
func TestOnlyPublicPagesAreSearchResults(t *testing.T) {
	h := program.New(t, program.Options{})
	var indexed []string
	for _, route := range h.Server.Routes() {
		if route.IsIndexed {
			indexed = append(indexed, route.Method+" "+route.Pattern)
		}
	}
	slices.Sort(indexed)
	require.Equal(t, []string{"GET /", "GET /give/{org}"}, indexed)
	d := h.StartedGift(program.ValidForm())
	for path, status := range map[string]int{
		"/give/csio/thanks?gift=" + d.PublicRef: 200, "/give/csio?again=" + d.PublicRef: 200, "/sign-in": 200, "/sign-in/link": 200, "/plans/open": 200, "/addresses/move": 200,
		"/plans/x/y": 404, "/letters/x": 404, "/portal": 401, "/nowhere": 404, "/give/csio/event": 200,
	} {
		got := visitor.Ask(t, "GET", h.URL+path, nil)
		require.Equal(t, status, got.StatusCode, path)
		require.Equal(t, "noindex", got.Header.Get("X-Robots-Tag"), path)
	}
	for _, path := range []string{"/", "/give/csio", "/give/csio?lang=es"} {
		require.Empty(t, visitor.Ask(t, "GET", h.URL+path, nil).Header.Get("X-Robots-Tag"), path)
	}
	require.Equal(t, "noindex", visitor.Ask(t, "POST", h.URL+"/give/csio", url.Values{}).Header.Get("X-Robots-Tag"))
	got := visitor.Ask(t, "GET", h.URL+"/robots.txt", nil)
	require.Equal(t, http.StatusOK, got.StatusCode)
	require.True(t, strings.HasPrefix(got.Header.Get("Content-Type"), "text/plain"))
	require.Contains(t, got.Page, "User-agent: *")
}
