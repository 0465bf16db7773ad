package pages

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/view"
	"konbit/internal/workshop/testkit"
)

// Writer writes a page.
type Writer = func(io.Writer) error

// policy is the Content-Security-Policy that every page must obey.
const policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

var (
	attribute      = regexp.MustCompile(` ([a-zA-Z-]+)="([^"]*)"`)
	key            = regexp.MustCompile(`\b(page|home|give|thanks|problem|receipt|currency|plan|sign_in|portal)\.[a-z0-9_.#]+`)
	filledByScript = regexp.MustCompile(`data-(charge|button|exact|left|over|comes|date)="[^"]*"`)
)

// Check reports an error if a page breaks a promise of package view: see its doc.go.
func Check(t testing.TB, page string) {
	t.Helper()
	assert.NotContains(t, page, "ZgotmplZ", "html/template refused a value")
	assert.NotContains(t, page, "<no value>")
	assert.NotContains(t, page, "<style")
	assert.NotRegexp(t, `<script[^>]*>[^<]`, page, "the policy forbids inline scripts")
	assert.NotRegexp(t, `\{[a-z_]+\}`, filledByScript.ReplaceAllString(page, ""), "a placeholder was not filled")
	words := regexp.MustCompile(`(src|href|id|url)="[^"]*"`).ReplaceAllString(page, "")
	assert.NotRegexp(t, key, words, "a key stands where its words should")

	ids := map[string]int{}
	var wanted []string
	for _, a := range attribute.FindAllStringSubmatch(page, -1) {
		name, value := a[1], a[2]
		switch {
		case name == "id":
			ids[value]++
		case name == "style" || strings.HasPrefix(name, "on"):
			t.Errorf("inline %s=%q", name, value)
		case name == "for" || name == "aria-labelledby" || name == "aria-describedby":
			wanted = append(wanted, strings.Fields(value)...)
		case name == "href" || name == "src" || name == "action":
			if strings.HasPrefix(value, "#") {
				wanted = append(wanted, value[1:])
			} else {
				assert.Regexp(t, `^/([^/]|$)`, value, "only our own addresses")
			}
		}
	}
	for id, times := range ids {
		assert.Equal(t, 1, times, "id %q", id)
	}
	for _, id := range wanted {
		assert.Contains(t, ids, id, "something points at it")
	}
}

// Serve serves each page under its name, with the Content-Security-Policy, and returns the address.
func Serve(t testing.TB, v *view.View, pages map[string]Writer) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(view.StaticPath, v.Static())
	for name, write := range pages {
		mux.HandleFunc("/"+strings.ReplaceAll(name, " ", "-"), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", policy)
			assert.NoError(t, write(w))
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// OpenToEveryone checks every page by WCAG 2.2 AA on a phone with a dark screen. It fails if a page is wider than its
// window, breaks the policy or writes to the console. The walk of package web checks the pages on a light screen.
func OpenToEveryone(t *testing.T, v *view.View, pages map[string]Writer) {
	t.Helper()
	var names []string
	for name := range pages {
		leaves := strings.HasPrefix(name, "thanks again") // redirects by itself, and looks like the other thanks pages
		twin := strings.HasPrefix(name, "problem") && name != "problem 404" && name != "problem 500"
		if !leaves && !twin {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	base, ctx := Serve(t, v, pages), testkit.Browser(t)
	var complaints []string
	chromedp.ListenTarget(ctx, func(event any) {
		switch message := event.(type) {
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, message.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			complaints = append(complaints, message.Entry.Text)
		}
	})
	require.NoError(t, chromedp.Run(ctx, log.Enable()))
	dark := emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}})
	require.NoError(t, chromedp.Run(ctx, emulation.SetDeviceMetricsOverride(320, 640, 1, true), dark))
	for _, name := range names {
		var width int
		require.NoError(t, chromedp.Run(ctx,
			chromedp.Navigate(base+strings.ReplaceAll(name, " ", "-")), chromedp.Evaluate(`document.documentElement.scrollWidth`, &width),
		), name)
		assert.LessOrEqual(t, width, 320, "%s must not scroll sideways", name)
		assert.Empty(t, testkit.Axe(t, ctx), name)
	}
	assert.Empty(t, complaints)
}
