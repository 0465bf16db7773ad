package give_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestTheMaximumNamesAnAddress: a form above the maximum shows the address to write to; no other form does.
func TestTheMaximumNamesAnAddress(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	const link = `<a href="mailto:gifts@tsne.example">gifts@tsne.example</a>`
	submit := func(amount string) visitor.Response {
		return visitor.Ask(t, "POST", h.URL+"/give/csio?lang=en", url.Values{
			"amount": {"other"}, "amount_other": {amount}, "fund": {"general"}, "frequency": {"once"}, "first_name": {"Ana"}, "last_name": {"Pérez"}, "email": {"ana@example.org"},
		})
	}
	more := submit("30000")
	require.Equal(t, http.StatusUnprocessableEntity, more.StatusCode)
	require.Contains(t, more.Page, "please write to us")
	require.Contains(t, more.Page, link)
	less := submit("1")
	require.Equal(t, http.StatusUnprocessableEntity, less.StatusCode)
	require.NotContains(t, less.Page, "mailto:")
}
