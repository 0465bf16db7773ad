package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/contact"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// textFields returns the fields of the form that take free text: those of a contact without the country, which is chosen
// from a list, and those of the gift.
func textFields() []string {
	fields := append(contact.FieldNames(), "note", "amount_other", "dedication_name", "card_name", "card_email", "card_message")
	return slices.DeleteFunc(fields, func(name string) bool { return name == "country" })
}

var countries = regexp.MustCompile(`<option value="[A-Z]{2}">[^<]*</option>`)

// TestHostileTextsAreShownAsText is threat T15 for the form that is shown again: hundreds of hostile texts in every
// field run no script, break no policy, add no element, and are shown as they were typed.
func TestHostileTextsAreShownAsText(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	policy := visitor.Ask(t, "GET", h.URL+"/give/csio", nil).Header.Get("Content-Security-Policy")
	var batch atomic.Value
	mux := http.NewServeMux()
	mux.Handle("/static/", h.Server.Handler())
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, batch.Load().(string))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	ctx := testkit.Browser(t)
	wrong := testkit.WatchErrors(t, ctx)
	fields := textFields()

	again := func(text string) string {
		form := url.Values{"amount": {"other"}, "frequency": {text}, "fund": {text}, "dedication": {text}, "country": {text}, "split[general]": {text}, "split[" + text + "]": {text}}
		for _, field := range fields {
			form.Set(field, text)
		}
		got := visitor.Ask(t, "POST", h.URL+"/give/csio?lang=en", form)
		require.Equal(t, http.StatusUnprocessableEntity, got.StatusCode, "%q", text)
		return countries.ReplaceAllString(got.Page, "") // hundreds of our own texts, which are slow to render
	}
	show := func(body string) {
		batch.Store(body)
		require.NoError(t, chromedp.Run(ctx, chromedp.Navigate(server.URL+"/batch")))
	}
	show(again(strings.Repeat("Ana ", 400)) + again(testkit.HarmlessText))
	usual := testkit.PageStructure(t, ctx)
	shown := 0
	for texts := range slices.Chunk(testkit.HostileTexts(), 15) {
		var body strings.Builder
		for _, text := range texts {
			body.WriteString(again(text))
		}
		show(body.String())
		assert.Subset(t, usual, testkit.PageStructure(t, ctx), "%q", texts)
		var values map[string][]string
		require.NoError(t, chromedp.Run(ctx, chromedp.Evaluate(`(() => {
			const values = {}
			for (const e of document.querySelectorAll("#give input, #give textarea")) (values[e.name] ||= []).push(e.value)
			return values
		})()`, &values)))
		for _, field := range fields {
			require.Len(t, values[field], len(texts), field)
			for i, text := range texts {
				assert.Equal(t, testkit.FieldText(text), testkit.FieldText(values[field][i]), field)
				shown++
			}
		}
	}
	assert.Empty(t, wrong())
	t.Logf("%d texts shown in %d fields", shown, len(fields))
	assert.GreaterOrEqual(t, shown, 200*len(fields))
}

// TestAddressesAddNoMarkup: no part of an address becomes markup or script of a page.
func TestAddressesAddNoMarkup(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	tag := regexp.MustCompile(`<(?i:script|svg|img|iframe|details|video|base|object|math|style|button form)[^>]*>?`)
	known := map[string]bool{}
	for _, path := range []string{"/", "/give/csio?x=y", "/give/csio/thanks?gift=x", "/give/nobody", "/nothing", "/give/csio/event?pass=x"} {
		for _, found := range tag.FindAllString(visitor.Ask(t, "GET", h.URL+path, nil).Page, -1) {
			known[found] = true
		}
	}
	require.NotEmpty(t, known)
	// Hostile texts, and bytes that are not valid UTF-8.
	for _, text := range append(testkit.HostileTexts(), "\x00", "\xff", "Ana\xc3\x28", "\xed\xa0\x80") {
		query, segment := url.Values{"x": {text}, text: {"x"}, "lang": {text}}, url.PathEscape(text)
		for _, p := range parameters {
			query.Set(p, text)
		}
		query.Del("again")
		for _, path := range []string{"/?" + query.Encode(), "/give/csio?" + query.Encode(), "/give/csio/thanks?" + query.Encode(), "/give/csio/event?" + query.Encode(), "/give/" + segment, "/" + segment,
			"/give/csio?" + url.Values{"again": {text}}.Encode(), "/hooks/stripe/" + segment} {
			got := visitor.Ask(t, "GET", h.URL+path, nil)
			require.Less(t, got.StatusCode, 500, "%q", text)
			for _, found := range tag.FindAllString(got.Page, -1) {
				require.True(t, known[found], "%s of %q", found, text)
			}
			require.NotContains(t, got.Page, "javascript:")
			require.NotContains(t, strings.ToLower(got.Page), "=hit()")
		}
	}
}
