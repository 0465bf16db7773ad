package e2e

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

var (
	signInLink = regexp.MustCompile(`http://\S+/sign-in/link\S*#(\S+)`)
	signInCode = regexp.MustCompile(`(?m)^ {4}(\d{4} \d{4})\r?$`)
)

// TestSignIn: a donor gives every month, requests a sign-in link on a phone, opens it in the same browser, reads a
// receipt, pauses the recurring gift, and signs in on another device, without JavaScript, with the code. No log
// contains the link, the code or the address.
func TestSignIn(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	rosa := visit(t, s, phone())
	rosa.open("/give/csio?lang=en")
	rosa.click(label("frequency", "monthly"))
	rosa.do(chromedp.SendKeys("#occurrences", "12", chromedp.ByID))
	rosa.fill(gift{Amount: "20", Fund: "general", First: "Rosa", Last: "Núñez", Email: "rosa@donor.example"})
	rosa.submit()
	rosa.payPlain(goodCard)
	s.waitEmails("Your receipt for $20.00", 1)

	rosa.open("/")
	rosa.navigate(func() { rosa.click(`//a[starts-with(@href, "/sign-in")]`) })
	rosa.do(chromedp.SendKeys("#email", "Rosa@Donor.example", chromedp.ByID))
	rosa.navigate(func() { rosa.click("#submit") })
	assert.Contains(t, rosa.body(), "rosa@donor.example")
	link, token, _ := s.signInEmail(1)
	rosa.do(chromedp.Navigate(link))
	assert.NotContains(t, rosa.location(), token, "out of the address and the history")
	assert.Empty(t, testkit.Axe(t, rosa.ctx))
	rosa.navigate(func() { rosa.click("#submit") })
	assert.Contains(t, rosa.body(), "Hello, Rosa")
	assert.Contains(t, rosa.body(), "11 payments to come")
	assert.Empty(t, testkit.Axe(t, rosa.ctx))

	rosa.navigate(func() { rosa.click(`//p[@class="gift-receipt"]/a`) })
	assert.Contains(t, rosa.body(), "No goods or services")
	assert.Contains(t, rosa.body(), "Rosa Núñez")
	rosa.open("/portal/plans")
	rosa.navigate(func() { rosa.click(`//li[@class="card"]//a`) })
	rosa.do(chromedp.SetValue("#months", "2", chromedp.ByID))
	rosa.navigate(func() { rosa.click(`//form[.//select[@id="months"]]//button`) })
	assert.Contains(t, rosa.body(), "Nothing is charged until then.")
	rosa.navigate(func() { rosa.click("#confirm") })
	assert.Regexp(t, `Your gift is paused\.|We have your wish`, rosa.body(), "at once, or as soon as Stripe answers")
	s.waitEmails("Your gift", 1)

	other := visit(t, s, emulation.SetScriptExecutionDisabled(true), desktop())
	other.open("/sign-in?lang=es")
	other.do(chromedp.SendKeys("#email", "rosa@donor.example", chromedp.ByID))
	other.navigate(func() { other.click("#submit") })
	_, _, code := s.signInEmail(2)
	other.do(chromedp.SendKeys("#code", code, chromedp.ByID))
	other.navigate(func() { other.click("#submit") })
	assert.Contains(t, other.body(), "Hola, Rosa")
	other.navigate(func() { other.click(`//form[@action="/sign-out"]//button`) })
	assert.Contains(t, other.body(), "Ya salió")

	for _, secret := range []string{token, code, strings.ReplaceAll(code, " ", ""), "rosa@donor.example", "Núñez"} {
		assert.NotContains(t, s.Logs(), secret)
	}
}

// signInEmail waits for the n-th sign-in email and returns its link and code.
func (s *Stack) signInEmail(n int) (link, token, code string) {
	s.t.Helper()
	testkit.Eventually(s.t, waitTimeout, func() error {
		var texts []string
		for _, m := range s.Mail().Messages() {
			l, err := m.Email()
			if err != nil {
				return err
			}
			if signInCode.MatchString(l.Text) {
				texts = append(texts, l.Text)
			}
		}
		if len(texts) < n {
			return errors.New("the email has not come yet")
		}
		found := signInLink.FindStringSubmatch(texts[0]) // the newest is first
		require.NotNil(s.t, found)
		link, token, code = found[0], found[1], signInCode.FindStringSubmatch(texts[0])[1]
		return nil
	})
	return link, token, code
}
