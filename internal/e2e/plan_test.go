package e2e

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"konbit/internal/testkit"
)

// TestMonthlyGift gives $20 a month three times, with and without JavaScript: what it comes to is told on the form where scripts run,
// always on the payment page and in the letter; three payments later it is finished, by three receipts and a word of thanks.
func TestMonthlyGift(t *testing.T) {
	for name, scripts := range map[string]bool{"with JavaScript": true, "without JavaScript": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Options{})
			v := visit(t, s, emulation.SetScriptExecutionDisabled(!scripts), phone())
			v.open("/give/csio?lang=en")
			v.click(label("frequency", "monthly"))
			v.do(chromedp.SendKeys("#occurrences", "3", chromedp.ByID))
			v.fill(gift{Amount: "20", Fund: "general", First: "Rosa", Last: "Núñez", Email: "rosa@donor.example"})
			last := time.Now().AddDate(0, 2, 0).Format(", 2006")
			var comes string
			v.do(chromedp.Text("#comes", &comes, chromedp.ByID))
			if scripts {
				require.True(t, strings.HasPrefix(comes, "3 payments of $20, the last on ") && strings.HasSuffix(comes, last+", $60 in all."), comes)
			} else {
				require.Empty(t, comes)
			}
			v.press()
			var page string
			v.do(chromedp.Text("body", &page, chromedp.ByQuery))
			require.Contains(t, page, "3 payments of $20, the last on ")
			require.Contains(t, page, "$60 in all")
			v.payPlain(goodCard)
			s.awaitLetters("Your receipt for $20.00", 1)
			for n := range 2 {
				s.Stripe().Advance(31*24*time.Hour + 3*time.Hour)
				s.awaitLetters("Your receipt for $20.00", n+2)
			}
			s.awaitLetters("Your 3 gifts to", 1)
			s.Stripe().Advance(62 * 24 * time.Hour)
			s.awaitLetters("Your receipt for $20.00", 3)
		})
	}
}

// payPlain pays without looking whether scripts run.
func (v *visitor) payPlain(card string) {
	v.t.Helper()
	v.do(
		chromedp.SendKeys("#card_number", card, chromedp.ByID), chromedp.SendKeys("#exp", "12/49", chromedp.ByID),
		chromedp.SendKeys("#cvc", "123", chromedp.ByID), chromedp.SendKeys("#name", "Rosa N", chromedp.ByID),
		chromedp.Click("main form button", chromedp.ByQuery), chromedp.WaitNotPresent("#card_number", chromedp.ByID),
	)
}

// awaitLetters waits until there are exactly so many letters whose subject begins with those words.
func (s *Stack) awaitLetters(subject string, want int) {
	s.t.Helper()
	testkit.Eventually(s.t, patience, func() error {
		n := 0
		for _, m := range s.Mail().Messages() {
			if strings.HasPrefix(m.Subject, subject) {
				n++
			}
		}
		if n != want {
			return errors.New("letters: not the number wanted yet")
		}
		return nil
	})
}
