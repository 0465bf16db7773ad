package web_test

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/workshop/testkit/pages"
)

// TestEveryProblemPage renders the page of every status in every language and checks it: see pages.Check.
func TestEveryProblemPage(t *testing.T) {
	v := pages.NewView(t)
	for _, lang := range pages.Words(t).Languages() {
		for name, write := range problemPages(v, lang) {
			t.Run(string(lang)+"/"+name, func(t *testing.T) {
				var page bytes.Buffer
				require.NoError(t, write(&page))
				pages.Check(t, page.String())
			})
		}
	}
}

// problemPages returns the page of every status, and the styleguide.
func problemPages(v *view.View, lang phrase.Language) map[string]pages.Writer {
	all := map[string]pages.Writer{
		"styleguide": func(w io.Writer) error { return v.Styleguide(w, view.StyleguidePage{Frame: pages.Frame(lang)}) },
	}
	for _, status := range []int{400, 403, 404, 405, 413, 429, 500, 502, 503} {
		p := web.ProblemPage{Frame: view.Frame{Language: lang}, Status: status, Reference: "7F3K"}
		all["problem "+strconv.Itoa(status)] = func(w io.Writer) error { return p.Write(w, v) }
	}
	return all
}

// TestProblemPagesAreAccessible checks every page in a browser: see pages.OpenToEveryone.
func TestProblemPagesAreAccessible(t *testing.T) {
	v := pages.NewView(t)
	pages.OpenToEveryone(t, v, problemPages(v, "es"))
}

func TestProblem(t *testing.T) {
	v := pages.NewView(t)
	for status, want := range map[int]string{
		404: "There is nothing at this address", 405: "We could not read that", 502: "Something went wrong on our side",
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			var page strings.Builder
			require.NoError(t, web.ProblemPage{Frame: view.Frame{Language: "en"}, Status: status}.Write(&page, v))
			assert.Contains(t, page.String(), want)
			assert.NotContains(t, page.String(), "Reference")
		})
	}
	var page strings.Builder
	require.NoError(t, web.ProblemPage{
		Frame: view.Frame{Language: "es"}, Status: 400, Reference: "7F3K", BackURL: "/give/csio",
		Detail: fault.Field{Phrase: "give.error.too_long", Args: fault.Args{"max": 100}},
	}.Write(&page, v))
	assert.Contains(t, page.String(), "Acorte este texto a 100 caracteres")
	assert.Contains(t, page.String(), "Referencia: 7F3K")
	assert.Contains(t, page.String(), `href="/give/csio"`)
}
