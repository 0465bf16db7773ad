package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// requireNoTrace checks that a refused form wrote no rows and called nothing.
func (s *Stack) requireNoTrace() {
	s.t.Helper()
	require.Empty(s.t, s.Stripe().Calls("POST", "/v1/checkout/sessions"), "Stripe was asked for no payment page")
	require.Zero(s.t, s.count(`SELECT (SELECT count(*) FROM donation) + (SELECT count(*) FROM donor)`))
}

// TestBadInput submits a form with many mistakes: every bad field says what to do, and the form keeps all values.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s)
	typed := rosa()
	typed.Other, typed.Email, typed.Phone, typed.First, typed.Last = "3", "rosa at donor", "call me", "", ""
	v.open("/give/csio?lang=en")
	v.fill(typed)
	v.navigate(func() { v.click("#submit") })
	v.do(chromedp.WaitVisible("#errors", chromedp.ByID))
	require.EqualValues(t, http.StatusUnprocessableEntity, v.status(v.location()))
	require.Equal(t, typed, v.formValues())
	require.Equal(t, "errors", eval[string](v, `document.activeElement.id`), "the summary is read first")

	marked := eval[map[string]string](v, `Object.fromEntries([...document.querySelectorAll("#give input[aria-invalid=true], #give textarea[aria-invalid=true]")].map(e =>
		[e.id, (e.getAttribute("aria-describedby") || "").split(" ").map(id => document.getElementById(id).innerText).join(" ")]))`)
	require.Equal(t, map[string]string{
		"amount_other": "The smallest gift we can take here is $5. Please choose that or more",
		"first_name":   "Write your first name",
		"email":        "Your receipt goes to this address. Check your e-mail address. It should look like name@example.com",
		"phone":        "Check your phone number, or leave it empty",
	}, marked)
	links := eval[[]string](v, `[...document.querySelectorAll("#errors a")].map(a => a.getAttribute("href"))`)
	require.Equal(t, []string{"#amount_other", "#first_name", "#email", "#phone"}, links)
	for _, link := range links {
		v.do(chromedp.Click(fmt.Sprintf(`#errors a[href=%q]`, link), chromedp.ByQuery))
		require.Equal(t, link, "#"+eval[string](v, `document.activeElement.id`))
	}
	s.requireNoTrace()

	v.do(chromedp.Clear("#amount_other", chromedp.ByID), chromedp.Clear("#email", chromedp.ByID), chromedp.Clear("#phone", chromedp.ByID))
	v.fill(gift{Other: "25.50", First: "Rosa", Last: "Núñez-O’Hara", Email: "rosa@donor.example", Phone: "+1 617 555 0100"})
	require.Equal(t, rosa(), v.formValues())
	v.submit()
	require.Equal(t, 1, s.count(`SELECT count(*) FROM donation`))
}

// TestMutatedForms sends forms that none of our pages offers (PROMISES T2).
func TestMutatedForms(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	for _, mutation := range []url.Values{
		{"fund": {"yacht"}}, {"fund": {"where-needed-most"}}, {"fund": {"operations"}}, {"fund": {"general' OR 1=1"}},
		{"amount": {"15"}}, {"amount": {"4"}}, {"amount": {"0"}}, {"amount": {"-20"}}, {"amount": {"NaN"}}, {"amount": {"1e9"}}, {"amount": {""}},
		{"amount": {"other"}}, {"amount_other": {"25"}}, // beside the preset of 20
		{"amount": {"other"}, "amount_other": {"4.99"}}, {"amount": {"other"}, "amount_other": {"25000.01"}}, {"amount": {"other"}, "amount_other": {"-20"}},
		{"amount": {"other"}, "amount_other": {"NaN"}}, {"amount": {"other"}, "amount_other": {"Infinity"}}, {"amount": {"other"}, "amount_other": {"1e9"}},
		{"amount": {"other"}, "amount_other": {"1000000000"}}, {"amount": {"other"}, "amount_other": {"99999999999999999999"}},
		{"amount": {"other"}, "amount_other": {"20.0001"}}, {"amount": {"other"}, "amount_other": {"0x14"}}, {"amount": {"other"}, "amount_other": {"twenty"}},
		{"amount": {"other"}, "amount_other": {"20 EUR"}}, {"amount": {"other"}, "amount_other": {"20\x00"}},
		{"frequency": {"once"}, "occurrences": {"12"}}, {"frequency": {"monthly"}, "occurrences": {"0"}}, {"frequency": {"quarterly"}, "occurrences": {"-1"}},
		{"frequency": {"monthly"}, "occurrences": {"241"}}, {"frequency": {"yearly"}, "occurrences": {"many"}}, {"frequency": {"hourly"}},
		{"split[general]": {"10"}}, {"split[general]": {"20"}, "split[where-needed-most]": {"0"}}, {"split[general]": {"30"}, "split[immigrant-movement-building]": {"-10"}},
		{"first_name": {""}}, {"first_name": {"  "}}, {"first_name": {"R\nBcc: x@y.example"}}, {"last_name": {"R\nBcc: x@y.example"}},
		{"email": {""}}, {"email": {"rosa"}}, {"email": {"a@b.example, c@d.example"}}, {"email": {`"a> ORCPT=x@y"@donor.example`}}, {"email": {"rosa@donor.example\r\nBcc: x@y.example"}},
	} {
		bad := form("Mallory")
		maps.Copy(bad, mutation)
		got := s.post("/give/csio", bad)
		require.Equal(t, http.StatusUnprocessableEntity, got.status, "%v", mutation)
		require.Contains(t, got.body, `id="errors"`, "%v", mutation)
	}
	s.requireNoTrace()
	require.Equal(t, http.StatusSeeOther, s.post("/give/csio", form("Mallory")).status, "what was mutated is good")
	require.Equal(t, http.StatusNotFound, s.post("/give/nobody", form("Mallory")).status)
}

// TestOtherSites: forms that another site's page sends are refused (PROMISES T9).
func TestOtherSites(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	for _, header := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}},
	} {
		request, err := http.NewRequest(http.MethodPost, s.URL()+"/give/csio?"+form("Mallory").Encode(), nil)
		require.NoError(t, err)
		request.Header = header
		require.Equal(t, http.StatusForbidden, s.read(script.Do(request)).status, "%v", header)
	}
	s.requireNoTrace()
}

// status returns the HTTP status of a page.
func (v *visitor) status(address string) int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.statuses[address]
}
