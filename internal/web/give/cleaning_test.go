package give_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestStripeRefusesAnAddress: an address that our rules take and Stripe refuses is an error at its field. Nothing that
// was typed is lost, and the corrected form starts the gift.
func TestStripeRefusesAnAddress(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form := visitor.FilledForm()
	form.Set("email", "ana@example.123")
	form.Set("note", "For the garden")
	refused := visitor.Ask(t, "POST", h.URL+"/give/csio?lang=en", form)
	require.Equal(t, http.StatusUnprocessableEntity, refused.StatusCode)
	require.Contains(t, refused.Page, "The payment company does not accept this e-mail address")
	require.Contains(t, refused.Page, `<a href="#email">`)
	require.Contains(t, refused.Page, `value="ana@example.123"`)
	require.Contains(t, refused.Page, "For the garden")
	form.Set("form", hiddenValue(t, refused.Page, "form"))
	form.Set("email", "ana@example.org")
	started := visitor.Ask(t, "POST", h.URL+"/give/csio?lang=en", form)
	require.Equal(t, http.StatusSeeOther, started.StatusCode)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM donation d JOIN checkout c ON c.donation_id = d.id WHERE c.session_id IS NOT NULL`))
}

// TestMistypedAddressIsAskedAboutOnce: the form asks about gmial.com, and takes it when it is submitted again.
func TestMistypedAddressIsAskedAboutOnce(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form := visitor.FilledForm()
	form.Set("email", "mailto:ana@gmial.com")
	asked := visitor.Ask(t, "POST", h.URL+"/give/csio?lang=en", form)
	require.Equal(t, http.StatusUnprocessableEntity, asked.StatusCode)
	require.Contains(t, asked.Page, "Do you mean ana@gmail.com?")
	form.Set("form", hiddenValue(t, asked.Page, "form"))
	form["emails_asked"] = []string{hiddenValue(t, asked.Page, "emails_asked")}
	started := visitor.Ask(t, "POST", h.URL+"/give/csio?lang=en", form)
	require.Equal(t, http.StatusSeeOther, started.StatusCode)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM donation_contact WHERE email = 'ana@gmial.com'`))
}

// TestDoubtfulAmountIsAskedAbout: 1.250 on an English page has two readings, and the page shows both.
func TestDoubtfulAmountIsAskedAbout(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form := visitor.FilledForm()
	form["amount"], form["amount_other"] = []string{"other"}, []string{"1.250"}
	asked := visitor.Ask(t, "POST", h.URL+"/give/csio?lang=en", form)
	require.Equal(t, http.StatusUnprocessableEntity, asked.StatusCode)
	require.Contains(t, asked.Page, "Do you mean $1,250 or $1.25?")
}

// TestAddressInCapitals: the address of a form that is typed in capitals, as on a printed page, shows the form.
func TestAddressInCapitals(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	shown := visitor.Ask(t, "GET", h.URL+"/give/CSIO?lang=en", nil)
	require.Equal(t, http.StatusOK, shown.StatusCode)
	require.Contains(t, shown.Page, `action="/give/csio?lang=en"`)
}

// hiddenValue returns the value of a hidden field of a page.
func hiddenValue(t *testing.T, page, name string) string {
	t.Helper()
	found := regexp.MustCompile(`<input type="hidden" name="` + regexp.QuoteMeta(name) + `" value="([^"]*)"`).FindStringSubmatch(page)
	require.NotNil(t, found, "no hidden field %s", name)
	return found[1]
}
