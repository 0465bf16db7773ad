package visitor

import (
	"html"
	"net/url"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

var (
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
	puzzles     = regexp.MustCompile(`data-seed="([^"]*)" data-rounds="([^"]*)" data-difficulty="([^"]*)"`)
)

// HiddenFields returns the hidden form fields of a page.
func HiddenFields(page string) url.Values {
	form := url.Values{}
	for _, field := range hiddenField.FindAllStringSubmatch(page, -1) {
		form.Add(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
	}
	return form
}

// Solve solves the challenge of a page as a browser does, and returns the form to post.
func Solve(t testing.TB, page string) url.Values {
	t.Helper()
	challenge := puzzles.FindStringSubmatch(page)
	require.NotNil(t, challenge, page)
	rounds, err := strconv.Atoi(challenge[2])
	require.NoError(t, err)
	difficulty, err := strconv.Atoi(challenge[3])
	require.NoError(t, err)
	form := HiddenFields(page)
	form.Set("proof", testkit.Solve(challenge[1], rounds, difficulty))
	return form
}
