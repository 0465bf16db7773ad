package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

// strictLimits are the default limits, except for the address, which all browsers of a test share, and for the minimum
// fill time: a browser on a busy machine is slow.
var strictLimits = map[string]string{"GIVE_LIMITS": "address=off network=off shown=1m"}

// keys presses keys one after the other.
func (v *visitor) keys(keys ...string) {
	v.t.Helper()
	for _, k := range keys {
		v.do(chromedp.KeyEvent(k))
	}
}

// submitTooFast submits the form faster than a person can and waits for the extra step.
func (v *visitor) submitTooFast(g gift, title string) {
	v.t.Helper()
	v.do(chromedp.Evaluate(fmt.Sprintf(`(() => {
		const f = document.getElementById("give").elements
		f.amount.value = "20"
		f.fund.value = %q
		f.first_name.value = %q; f.last_name.value = %q; f.email.value = %q; f.note.value = %q
		document.getElementById("submit").click()
	})()`, g.Fund, g.First, g.Last, g.Email, g.Note), nil))
	v.waitFor(title)
}

// TestStepByKeyboard: a browser passes the check by keyboard alone, a screen reader announces it, and the payment page
// has all values.
func TestStepByKeyboard(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Settings: strictLimits})
	v := visit(t, s, desktop())
	v.open("/give/csio?lang=es")
	ana := gift{Fund: "general", First: "Ana", Last: "Díaz", Email: "ana@donor.example", Note: "Para mis vecinas"}
	v.submitTooFast(ana, "Un momento antes de seguir")
	require.Zero(t, s.sessionCalls(), "nothing is asked of Stripe before the check")
	require.Equal(t, "status", eval[string](v, `document.getElementById("step-status").getAttribute("role")`))
	v.do(chromedp.Poll(`!document.getElementById("step-status").textContent.includes("Sin JavaScript")`, nil))
	require.NotEmpty(t, eval[string](v, `document.getElementById("step-status").textContent`))
	require.NotContains(t, v.body(), "Sin JavaScript")

	began := time.Now()
	for range 10 {
		if v.keys(kb.Tab); eval[string](v, `document.activeElement.id`) == "submit" {
			break
		}
	}
	v.keys(kb.Enter)
	v.do(chromedp.WaitVisible("#card_number", chromedp.ByID))
	t.Logf("the check took %s", time.Since(began).Round(10*time.Millisecond))
	v.pay(goodCard)
	v.waitFor("¡Gracias!")
	s.requireOneGift()
	require.Equal(t, 1, s.sessionCalls())
}

// TestStepOnAnOldPhone: an old phone has a sixth of this machine's speed.
func TestStepOnAnOldPhone(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Settings: strictLimits})
	v := visit(t, s, phone(), emulation.SetCPUThrottlingRate(6))
	v.open("/give/csio?lang=en")
	v.submitTooFast(gift{Fund: "general", First: "Ana", Last: "Li", Email: "ana@donor.example"}, "A moment before you go on")
	began := time.Now()
	testkit.Eventually(t, waitTimeout, func() error {
		if status := eval[string](v, `document.getElementById("step-status")?.textContent ?? ""`); status != "The check is done. Press the button to go on." {
			return fmt.Errorf("the page says %q", status)
		}
		return nil
	})
	t.Logf("the check took %s", time.Since(began).Round(10*time.Millisecond))
	v.submit()
}

// TestStepWithoutJavaScript: a donor without JavaScript waits, and the page says how long.
func TestStepWithoutJavaScript(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Settings: strictLimits})
	v := visit(t, s, emulation.SetScriptExecutionDisabled(true))
	v.open("/give/csio?lang=en")
	v.do(chromedp.Click(`label[for="amount-1"]`, chromedp.ByQuery), chromedp.Click(`label[for="fund-0"]`, chromedp.ByQuery),
		chromedp.SendKeys("#first_name", "Ana", chromedp.ByID), chromedp.SendKeys("#last_name", "Li", chromedp.ByID),
		chromedp.SendKeys("#email", "ana@donor.example", chromedp.ByID))
	// A slow browser takes longer than the minimum fill time, so the test removes the form's id: a form that was never
	// shown also gets the step.
	v.do(chromedp.SetAttributeValue(`input[name="form"]`, "value", "", chromedp.ByQuery))
	v.do(chromedp.Click("#submit", chromedp.ByID), chromedp.WaitVisible("#step", chromedp.ByID))
	var text string
	v.do(chromedp.Text("#step", &text, chromedp.ByID))
	require.Contains(t, text, "Press the button in 20 seconds.")
	time.Sleep(2 * time.Second)
	v.do(chromedp.Click("#submit", chromedp.ByID))
	testkit.Eventually(t, waitTimeout, func() error { // a click that is too early shows the remaining time
		err := chromedp.Run(v.ctx, chromedp.Evaluate(`document.body.innerText`, &text))
		if err == nil && !regexp.MustCompile(`Press the button in 1\d seconds\.`).MatchString(text) {
			err = fmt.Errorf("the page says %q", text)
		}
		return err
	})
	require.Zero(t, s.sessionCalls())
	time.Sleep(20 * time.Second)
	v.do(chromedp.Click("#submit", chromedp.ByID), chromedp.WaitVisible("#card_number", chromedp.ByID))
	require.Equal(t, 1, s.sessionCalls())
}

// TestEventMode: a tablet at an event takes several gifts and shows an empty form to each donor.
func TestEventMode(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Settings: map[string]string{"GIVE_LIMITS": "address=1/10m network=1/10m shown=off"}})
	var opened struct{ ID, Link string }
	require.NoError(t, json.Unmarshal([]byte(s.Konbit("event-mode", "open", "--org", "csio", "--hours", "8", "--json")), &opened))
	link, err := url.Parse(opened.Link)
	require.NoError(t, err)

	v := visit(t, s, phone())
	v.do(chromedp.Navigate(opened.Link), chromedp.WaitVisible("#pass", chromedp.ByID))
	require.Equal(t, strings.TrimSuffix(link.String(), "#"+link.Fragment), v.location(), "the pass is out of the address")
	require.Contains(t, s.Konbit("event-mode", "list"), "devices 0", "and nothing is open before the button is clicked")
	v.do(chromedp.Click("#submit", chromedp.ByID))
	for _, name := range []string{"Ana", "Berta", "Carmen"} {
		v.do(chromedp.WaitVisible("#give", chromedp.ByID))
		require.Equal(t, gift{Fund: "general"}, v.formValues(), "nothing of the last donor is shown, and the first fund is chosen")
		v.fill(gift{Amount: "20", Fund: "general", First: name, Last: "Li", Email: name + "@donor.example"})
		v.submit()
		v.pay(goodCard)
		v.waitFor("Thank you")
		require.Contains(t, v.body(), "Ready for the next donor")
		if name == "Ana" { // the page returns to the form by itself
			testkit.Eventually(t, waitTimeout, func() error {
				if at := v.location(); at != s.URL()+"/give/csio?lang=en" {
					return fmt.Errorf("still at %s", at)
				}
				return nil
			})
			continue
		}
		v.do(chromedp.Click("#wait", chromedp.ByID))
	}
	s.waitForEmails(3)

	s.Konbit("event-mode", "close", opened.ID)
	require.Regexp(t, opened.ID+`  csio  over since \S+  devices 1  gifts 3\n`, s.Konbit("event-mode", "list"))
	require.Equal(t, 404, s.read(script.PostForm(s.URL()+link.Path, url.Values{"pass": {link.Fragment}})).status)
	_, err = s.TryKonbit("event-mode", "open", "--org", "csio", "--hours", "9")
	require.ErrorContains(t, err, "want 1 to 8")
	_, err = s.TryKonbit("event-mode", "open", "--org", "nobody")
	require.ErrorContains(t, err, "name one with --org SLUG")
}
