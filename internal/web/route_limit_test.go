package web_test

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/planlink"
	"konbit/internal/platform/guard"
	"konbit/internal/web/give"
	"konbit/internal/web/portal/signedlink"
	"konbit/internal/workshop/testkit/program"
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
// names its limit, or what limits it, or why none does.
func TestEveryRouteNamesItsLimit(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	limits := map[string]string{}
	pages := 0
	for _, r := range routes(t, e.Program) {
		needs := r.writes()
		if !needs && !strings.HasPrefix(r.Permission, "public") {
			pages++
			needs = true
		}
		said := r.limitedBy()
		if r.Limit != nil && (r.isLink() || r.isOpened()) {
			assert.NotEmpty(t, r.Limit.SignIn, "%s: beyond its limit, who has the link may sign in", r.name())
		}
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
	require.Greater(t, pages, 15)

	written, err := os.ReadFile("../../cmd/konbit/running/limits.md")
	require.NoError(t, err)
	for name, limit := range limits {
		assert.Regexp(t, `(?m)^\| `+name+` \| `+limit+` \|`, string(written), "cmd/konbit/running/limits.md lists every limit")
	}
}

// allowed returns a visitor who may use a route, and the path of an object that the visitor may use.
func allowed(t *testing.T, e visitor.TwoDonors, r route) (*visitor.Visitor, string) {
	t.Helper()
	switch {
	case r.isLink():
		return e.Nobody, r.linkPath(t, e)
	case r.isOpened():
		return e.Bearer, r.path(r.object(t, e))
	case r.isStaffs():
		return e.Max().Visitor, r.path(missing)
	case strings.HasPrefix(r.Permission, "public"):
		return e.Nobody, r.path(r.object(t, e))
	default:
		return e.Ana, r.path(r.object(t, e))
	}
}

// TestRouteLimits uses every route that has a limit until the limit is reached: not earlier and not later. The page says
// what was done too often and when it is possible again, and offers a sign-in to a person who came by a link. Another person, or the
// same person by another way, is not limited by it.
func TestRouteLimits(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	e.Max() // whose setting up counts
	limited, words := 0, map[string]string{}
	for _, r := range routes(t, e.Program) {
		if r.Limit == nil {
			continue
		}
		limited++
		e.Exec(`DELETE FROM guard_count`)
		who, path := allowed(t, e, r)
		for n := range r.Limit.Max {
			got := use(e, r, who, path)
			require.NotEqual(t, http.StatusTooManyRequests, got.StatusCode, "%s, time %d", r.name(), n+1)
		}
		got := use(e, r, who, path)
		require.Equal(t, http.StatusTooManyRequests, got.StatusCode, r.name())
		seconds, err := strconv.Atoi(got.Header.Get("Retry-After"))
		require.NoError(t, err, r.name())
		retry := time.Duration(seconds) * time.Second
		assert.Greater(t, retry, r.Limit.Window*8/10, "%s: the limit was used up just now", r.name())
		assert.LessOrEqual(t, retry, r.Limit.Window*11/10, r.name())
		assert.Contains(t, got.Page, "One moment, please", r.name())
		assert.Contains(t, got.Page, fmt.Sprintf("You can do it again in %d minutes.", (seconds+59)/60), r.name())
		if name, known := words[r.Limit.Words]; known {
			assert.Equal(t, name, r.Limit.Name, "two limits have the same words")
		}
		words[r.Limit.Words] = r.Limit.Name
		assert.Contains(t, got.Page, e.Server.View.Phrase("en", r.Limit.Words), r.name())
		byLink := r.isOpened() || r.isLink()
		assert.Equal(t, byLink, strings.Contains(got.Page, `href="/sign-in?lang=en"`), "%s: who came by a link can sign in", r.name())
		assert.Regexp(t, `event=limit_reached .* limit="?`+r.Limit.Name+`"?\n`, lastLines(e.Log.String(), 5), r.name())
		switch {
		case r.needsSession():
			assert.NotEqual(t, http.StatusTooManyRequests, use(e, r, e.Bea, path).StatusCode, "%s as another donor", r.name())
		case r.isOpened() && r.writes():
			assert.Equal(t, http.StatusOK, who.Ask(http.MethodGet, path, nil).StatusCode, "%s: the page of the link", r.name())
		case r.isLink() && !strings.HasSuffix(r.Pattern, "/again"):
			assert.Equal(t, http.StatusOK, e.Nobody.Ask(http.MethodGet, path, nil).StatusCode, "%s: the page of the link", r.name())
		}
	}
	require.Greater(t, limited, 8)
}

// TestLimitsInsideHandlers posts to every route whose handler is said to limit it until it answers 429, which a route
// without a limit never does, and which the security log has.
func TestLimitsInsideHandlers(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonorsIn(t, program.New(t, program.Options{}))
	strict := guard.New(e.DB.Server, e.Server.Keys, guard.Standard(), time.Now)
	for _, area := range e.Server.Areas {
		if a, is := area.(*give.Area); is {
			a.Guard = strict
		}
	}
	link, err := planlink.Links{DB: e.DB.Server, Keys: e.Server.Keys}.ByCode(t.Context(), e.PlanLink.Code)
	require.NoError(t, err)
	tried := 0
	for _, r := range routes(t, e.Program) {
		if r.LimitedBy == "" {
			continue
		}
		tried++
		e.Exec(`DELETE FROM guard_count`)
		who, path := allowed(t, e, r)
		fields := fieldsOf(e, r, who)
		fields.Set("ended", signedlink.EndedToken(e.Server.Keys, link.ID))
		for name, value := range visitor.FilledForm() {
			if r.Pattern == "/give/{org}" {
				fields[name] = value
			}
		}
		last, times := 0, 0
		for ; times < 100 && last != http.StatusTooManyRequests; times++ {
			if r.Pattern == "/give/{org}" {
				fields.Set("form", strict.FormToken(program.NewID(), time.Now().Add(-time.Minute)))
			}
			last = who.Ask(r.Method, path, fields).StatusCode
		}
		require.Equal(t, http.StatusTooManyRequests, last, "%s: %s", r.name(), r.LimitedBy)
		assert.Greater(t, times, 2, "%s: the first times pass", r.name())
		assert.Regexp(t, `event=(limit_reached|challenge_shown) `, lastLines(e.Log.String(), 5), r.name())
	}
	require.Greater(t, tried, 8)
}

// TestLimitsAreCountedBeforeTheWork: a request for an object that is not there counts as any other, so that the limit
// holds for the search too, which for a statement is all the work.
func TestLimitsAreCountedBeforeTheWork(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	tried := 0
	for _, r := range routes(t, e.Program) {
		if !r.isOwners() {
			continue
		}
		tried++
		require.NotNil(t, r.Limit, r.name())
		e.Exec(`DELETE FROM guard_count`)
		for n := range r.Limit.Max {
			require.Equal(t, http.StatusNotFound, use(e, r, e.Ana, r.path(missing)).StatusCode, "%s, time %d", r.name(), n+1)
		}
		require.Equal(t, http.StatusTooManyRequests, use(e, r, e.Ana, r.path(missing)).StatusCode, r.name())
		require.Equal(t, http.StatusTooManyRequests, use(e, r, e.Ana, r.path(r.object(t, e))).StatusCode, r.name())
	}
	require.Greater(t, tried, 5)
}

// lastLines returns the last lines of a text.
func lastLines(text string, n int) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(len(lines)-n-1, 0):], "")
}
