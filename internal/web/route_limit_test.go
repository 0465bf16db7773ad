package web_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/visitor"
)

// limitedBy returns what the route says of its limit; more than one text is an error of the route.
func (r route) limitedBy() (said []string) {
	if r.Limit != nil {
		said = append(said, r.Limit.Name+" "+r.Limit.Limit.String())
	}
	for _, text := range []string{r.LimitedBy, r.NoLimit} {
		if text != "" {
			said = append(said, text)
		}
	}
	return said
}

// TestEveryRouteNamesItsLimit: each route that may change something, and each route of a signed-in person or of a link
// that answers with something else than a page, names its limit, or what limits it, or why none does.
func TestEveryRouteNamesItsLimit(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	limits := map[string]string{}
	documents := 0
	for _, r := range routes(t, e.Program) {
		needs := r.writes()
		if !needs && r.Permission != "public" && !r.isLink() {
			who := e.Ana
			if r.isOpened() {
				who = e.Bearer
			}
			got := who.Ask(http.MethodGet, r.path(r.object(t, e)), nil)
			if got.StatusCode == http.StatusOK && !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") {
				documents++
				needs = true
			}
		}
		said := r.limitedBy()
		if needs {
			assert.Len(t, said, 1, "%s: beside the route, say Limited, LimitedInside or Unlimited", r.name())
		}
		if r.Limit != nil {
			if other, known := limits[r.Limit.Name]; known {
				assert.Equal(t, other, r.Limit.Limit.String(), "two limits have the name %s", r.Limit.Name)
			}
			limits[r.Limit.Name] = r.Limit.Limit.String()
		}
	}
	require.GreaterOrEqual(t, documents, 4)

	written, err := os.ReadFile("../../cmd/konbit/running/limits.md")
	require.NoError(t, err)
	for name, limit := range limits {
		assert.Regexp(t, `(?m)^\| `+name+` \| `+limit+` \|`, string(written), "cmd/konbit/running/limits.md lists every limit")
	}
}

// TestRouteLimits uses every route that has a limit until the limit is reached: not earlier and not later. Another
// person, or the same person by another way, is not limited by it.
func TestRouteLimits(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	limited := 0
	for _, r := range routes(t, e.Program) {
		if r.Limit == nil {
			continue
		}
		limited++
		e.Exec(`DELETE FROM guard_count`)
		who, path := e.Ana, r.path(r.object(t, e))
		switch {
		case r.isOpened():
			who = e.Bearer
		case r.isLink():
			who, path = e.Nobody, r.linkPath(t, e)
		}
		for n := range r.Limit.Max {
			got := use(e, r, who, path)
			require.NotEqual(t, http.StatusTooManyRequests, got.StatusCode, "%s, time %d", r.name(), n+1)
		}
		got := use(e, r, who, path)
		require.Equal(t, http.StatusTooManyRequests, got.StatusCode, r.name())
		assert.NotEmpty(t, got.Header.Get("Retry-After"), r.name())
		assert.Contains(t, got.Page, "One moment, please", r.name())
		assert.Regexp(t, `event=limit_reached .* limit="?`+r.Limit.Name+`"?\n`, lastLines(e.Log.String(), 5), r.name())
		switch {
		case r.needsSession():
			assert.NotEqual(t, http.StatusTooManyRequests, use(e, r, e.Bea, path).StatusCode, "%s as another donor", r.name())
		case r.isOpened():
			assert.Equal(t, http.StatusOK, who.Ask(http.MethodGet, path, nil).StatusCode, "%s: the page of the link", r.name())
		case r.isLink() && !strings.HasSuffix(r.Pattern, "/again"):
			assert.Equal(t, http.StatusOK, e.Nobody.Ask(http.MethodGet, path, nil).StatusCode, "%s: the page of the link", r.name())
		}
	}
	require.Greater(t, limited, 8)
}

// lastLines returns the last lines of a text.
func lastLines(text string, n int) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(len(lines)-n-1, 0):], "")
}
