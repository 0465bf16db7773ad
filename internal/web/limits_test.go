package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/web"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestFormsHaveAtMostSoManyFields posts 200 and 201 fields to every route of browsers: more are refused before anything
// is used, as fields of the address and in multipart forms too.
func TestFormsHaveAtMostSoManyFields(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	fields := func(n int) url.Values {
		f := url.Values{}
		for i := range n {
			f.Add(fmt.Sprintf("f%d", i%50), "x")
		}
		return f
	}
	posted := 0
	for _, r := range routes(t, h) {
		if !r.writes() || r.Wrap == web.Machine {
			continue
		}
		posted++
		got := visitor.Ask(t, "POST", h.URL+r.path(missing), fields(web.MaxFields+1))
		assert.Equal(t, http.StatusRequestEntityTooLarge, got.StatusCode, r.name())
		got = visitor.Ask(t, "POST", h.URL+r.path(missing), fields(web.MaxFields))
		assert.NotEqual(t, http.StatusRequestEntityTooLarge, got.StatusCode, r.name())
	}
	require.Greater(t, posted, 10)
	got := visitor.Ask(t, "POST", h.URL+"/sign-in?"+fields(150).Encode(), fields(51))
	assert.Equal(t, http.StatusRequestEntityTooLarge, got.StatusCode, "the address counts too")

	part := "--b\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nx\r\n"
	response, err := program.Client().Post(h.URL+"/letters/token", "multipart/form-data; boundary=b", strings.NewReader(strings.Repeat(part, web.MaxFields+1)+"--b--\r\n"))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusRequestEntityTooLarge, response.StatusCode, "in parts")
}

// TestSecurityText: the file has the fields that RFC 9116 requires, its end is in the future and within a year.
func TestSecurityText(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{BaseURL: "https://give.example"})
	ask := func() string {
		got := visitor.Ask(t, "GET", h.URL+"/.well-known/security.txt", nil)
		require.Equal(t, 200, got.StatusCode)
		assert.Equal(t, "text/plain; charset=utf-8", got.Header.Get("Content-Type"))
		return got.Page
	}
	text := ask()
	assert.Regexp(t, `(?m)^Contact: mailto:[^\s<>]+@[^\s<>]+$`, text)
	assert.Contains(t, text, "\nCanonical: https://give.example/.well-known/security.txt\n")
	ends := regexp.MustCompile(`(?m)^Expires: (.+)$`).FindAllStringSubmatch(text, -1)
	require.Len(t, ends, 1, "exactly once")
	at, err := time.Parse(time.RFC3339, ends[0][1])
	require.NoError(t, err)
	assert.True(t, at.After(time.Now().AddDate(0, 1, 0)) && at.Before(time.Now().AddDate(1, 0, 0)))
	h.Server.SecurityContact = "Security <security@tsne.example>"
	assert.Equal(t, 1, strings.Count(ask(), "Contact: "))
	assert.Contains(t, ask(), "Contact: mailto:security@tsne.example\n")
}
