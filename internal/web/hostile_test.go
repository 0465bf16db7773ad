package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/testkit"
	"konbit/internal/testkit/house"
)

// written are the fields of the form in which people write.
var written = []string{
	"first_name", "last_name", "email", "phone", "address_line1", "address_line2", "city", "region", "postal_code", "note", "amount_other",
	"dedication_name", "card_name", "card_email", "card_message",
}

// TestHostileTextsAreShownAsText is threat T15 for the form shown again: hundreds of hostile texts in every
// field run nothing, break no policy, add no element, and read as they were typed.
func TestHostileTextsAreShownAsText(t *testing.T) {
	t.Parallel()
	h := house.New(t, house.Options{})
	policy := ask(t, "GET", h.URL+"/give/csio", nil).Header.Get("Content-Security-Policy")
	batches := map[string]string{}
	mux := http.NewServeMux()
	mux.Handle("/static/", h.Server.Handler())
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(batches[r.URL.Path]))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	ctx := testkit.Browser(t)
	wrong := testkit.Watch(t, ctx)

	again := func(text string) string {
		form := url.Values{"amount": {"other"}, "frequency": {text}, "fund": {text}, "dedication": {text}, "country": {text}, "split[general]": {text}, "split[" + text + "]": {text}}
		for _, field := range written {
			form.Set(field, text)
		}
		got := ask(t, "POST", h.URL+"/give/csio?lang=en", form)
		require.Equal(t, http.StatusUnprocessableEntity, got.StatusCode, "%q", text)
		return got.body
	}
	show := func(body string) {
		batches["/batch"] = body
		require.NoError(t, chromedp.Run(ctx, chromedp.Navigate(server.URL+"/batch")))
	}
	show(again(strings.Repeat("Ana ", 400)) + again(testkit.Harmless))
	usual := testkit.Anatomy(t, ctx)
	shown := 0
	for texts := range slices.Chunk(testkit.Hostile(), 15) {
		var body strings.Builder
		for _, text := range texts {
			body.WriteString(again(text))
		}
		show(body.String())
		assert.Subset(t, usual, testkit.Anatomy(t, ctx), "%q", texts)
		var values map[string][]string
		require.NoError(t, chromedp.Run(ctx, chromedp.Evaluate(`(() => {
			const values = {}
			for (const e of document.querySelectorAll("#give input, #give textarea")) (values[e.name] ||= []).push(e.value)
			return values
		})()`, &values)))
		for _, field := range written {
			require.Len(t, values[field], len(texts), field)
			for i, text := range texts {
				assert.Equal(t, testkit.Plain(text), testkit.Plain(values[field][i]), field)
				shown++
			}
		}
	}
	assert.Empty(t, wrong())
	t.Logf("%d texts shown in %d fields", shown, len(written))
	assert.GreaterOrEqual(t, shown, 200*len(written))
}
