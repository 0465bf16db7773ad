package web_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestInternationalDomains: a donor who types a domain with non-ASCII letters gives and signs in with the same address.
func TestInternationalDomains(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	v := visitor.New(t, h)
	gift := url.Values{
		"amount": {"20"}, "fund": {"general"}, "frequency": {"once"}, "first_name": {"Ana"}, "last_name": {"Pérez"}, "email": {"Ana@Dönor.example"},
	}
	require.Equal(t, http.StatusSeeOther, v.Ask("POST", "/give/csio", gift).StatusCode)
	require.Equal(t, []string{"ana@xn--dnor-5qa.example"}, h.Lines(`SELECT email FROM donor`))
	require.Equal(t, http.StatusSeeOther, v.Ask("POST", "/sign-in", url.Values{"email": {"ana@dönor.example"}}).StatusCode)
	require.Equal(t, []string{"ana@xn--dnor-5qa.example"}, h.Lines(`SELECT email FROM sign_in`))
}
