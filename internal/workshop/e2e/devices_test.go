package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// smallTargetsScript lists targets under 44 px, except links in a sentence. The label of a choice belongs to its
// target.
const smallTargetsScript = `(() => {
	const small = []
	for (const e of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")) {
		let {left, right, top, bottom} = e.getBoundingClientRect()
		if (e.type === "radio" || e.type === "checkbox") {
			const l = document.querySelector('label[for="' + e.id + '"]').getBoundingClientRect()
			left = Math.min(left, l.left), right = Math.max(right, l.right), top = Math.min(top, l.top), bottom = Math.max(bottom, l.bottom)
		}
		const shown = e.checkVisibility() && bottom > 0 && right > 0 && right > left
		const inSentence = e.tagName === "A" && getComputedStyle(e).display === "inline" && e.parentElement.innerText.trim() !== e.innerText.trim()
		if (shown && !inSentence && (right - left < 43.5 || bottom - top < 43.5)) {
			small.push((e.id || e.innerText || e.outerHTML) + " " + Math.round(right - left) + "x" + Math.round(bottom - top))
		}
	}
	return small
})()`

// requireFitsPhone checks that a page fits a phone.
func (v *visitor) requireFitsPhone(page string) {
	v.t.Helper()
	v.do(chromedp.Poll(`document.readyState === "complete"`, nil)) // with its style sheets
	assert.LessOrEqual(v.t, eval[int](v, `document.documentElement.scrollWidth`), 390, "%s scrolls sideways", page)
	assert.Empty(v.t, eval[[]string](v, smallTargetsScript), "%s has targets too small for a finger", page)
}

// TestPhone gives on a phone.
func TestPhone(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s, phone())
	v.touch = true
	v.open("/?lang=es")
	v.requireFitsPhone("the front page")
	for _, donee := range []string{"TSNE MissionWorks", "Grassroots International"} {
		require.Contains(t, v.body(), "recibe "+donee+".", "it says who receives the gifts")
	}
	v.navigate(func() { v.click(`a[href^="/give/csio"]`) })
	require.True(t, eval[bool](v, `matchMedia("(pointer: coarse)").matches && innerWidth === 390`), "it is a phone")
	v.requireFitsPhone("the form")
	v.navigate(func() { v.click("#submit") })
	v.do(chromedp.WaitVisible("#errors", chromedp.ByID))
	v.requireFitsPhone("the form with problems")
	v.screenshot("errors-es-phone-light")
	v.fill(rosa())
	v.submit()
	v.requireFitsPhone("the payment page")
	v.screenshot("payment-es-phone-light")
	v.pay(goodCard)
	v.waitFor("¡Gracias!")
	v.requireFitsPhone("the thanks page")
	s.requireOneGift()
}

// TestNoScript gives without JavaScript and corrects a mistake on the way.
func TestNoScript(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s, emulation.SetScriptExecutionDisabled(true))
	v.open("/give/csio?lang=en")
	wrong := rosa()
	wrong.Email = "rosa@"
	v.fill(wrong)
	v.navigate(func() { v.click("#submit") })
	v.do(chromedp.WaitVisible("#errors", chromedp.ByID))
	require.Equal(t, wrong, v.formValues())
	require.Equal(t, "Continue to payment", eval[string](v, `document.getElementById("submit").innerText`), "no script has run")
	v.do(chromedp.Clear("#email", chromedp.ByID), chromedp.SendKeys("#email", rosa().Email, chromedp.ByID))
	v.submit()
	v.pay(goodCard)
	v.waitFor("Thank you") // the page refreshes itself if the payment is not settled yet
	s.requireOneGift()
}

// TestKeyboard gives with Tab, arrows, Space and Enter only.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s)
	v.open("/give/csio?lang=en")
	v.key(kb.Tab)
	require.Equal(t, "#main", eval[string](v, `document.activeElement.getAttribute("href")`), "the first stop skips to the content")
	v.tabTo("amount-0")
	v.key(" ")
	v.key(kb.ArrowRight)
	require.Equal(t, "20", v.formValues().Amount)
	v.tabTo("fund-0")
	v.key(kb.ArrowDown)
	v.tabTo("first_name")
	v.key("Rosa")
	v.tabTo("last_name")
	v.key("Key")
	v.tabTo("email")
	v.key("rosa@donor.example")
	v.tabTo("anonymous")
	v.key(" ")
	require.Equal(t, gift{Amount: "20", Fund: "grassroots-leadership-network", First: "Rosa", Last: "Key", Email: "rosa@donor.example", Anonymous: true}, v.formValues())
	v.tabTo("submit")
	v.key(kb.Enter)
	v.do(chromedp.WaitVisible("#card_number", chromedp.ByID))
	for _, field := range [][2]string{{"card_number", goodCard}, {"exp", "1249"}, {"cvc", "123"}, {"name", "Rosa"}} {
		v.tabTo(field[0])
		v.key(field[1])
	}
	v.key(kb.Enter)
	v.waitFor("Thank you")
	s.requireOneGift()
}

func (v *visitor) key(keys string) {
	v.t.Helper()
	v.do(chromedp.KeyEvent(keys))
}

// tabTo presses Tab until the element with that id has the focus. The focus must be visible.
func (v *visitor) tabTo(id string) {
	v.t.Helper()
	var passed []string
	for range 60 {
		v.key(kb.Tab)
		at := eval[string](v, `document.activeElement.id`)
		if at == id {
			require.True(v.t, eval[bool](v, fmt.Sprintf(visibleFocusScript, id)), "the focus on %s cannot be seen", id)
			return
		}
		passed = append(passed, at)
	}
	v.t.Fatalf("Tab does not lead to %s; it passes %q", id, passed)
}

// visibleFocusScript tells whether a focused element, or the label of a choice, has an outline.
const visibleFocusScript = `(() => {
	const e = document.getElementById(%q), outlined = x => x && getComputedStyle(x).outlineStyle !== "none" && parseFloat(getComputedStyle(x).outlineWidth) > 0
	return e.matches(":focus-visible") && (outlined(e) || [...(e.labels || [])].some(outlined))
})()`
