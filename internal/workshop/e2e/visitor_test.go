package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

// waitTimeout is how long a page may take on a busy machine.
const waitTimeout = 30 * time.Second

// A visitor is a person with a browser. At the end of the test it checks that no page violated the content security
// policy, raised an error or sent a request to a third party.
type visitor struct {
	t   *testing.T
	s   *Stack
	ctx context.Context

	touch bool // clicks by touch

	mu         sync.Mutex
	complaints []string
	asked      map[network.RequestID]string // address
	received   map[network.RequestID]int64  // bytes on the wire
	statuses   map[string]int64             // by address, the last one
}

// visit starts a browser and runs before before it opens any page.
func visit(t *testing.T, s *Stack, before ...chromedp.Action) *visitor {
	t.Helper()
	v := &visitor{t: t, s: s, ctx: testkit.Browser(t)}
	v.watch()
	v.do(before...)
	t.Cleanup(func() { assert.Empty(t, v.problems()) })
	return v
}

// watch starts to record what happens.
func (v *visitor) watch() {
	v.t.Helper()
	v.forgetTraffic()
	chromedp.ListenTarget(v.ctx, v.note)
	v.do(network.Enable(), log.Enable(), runtime.Enable())
}

func (v *visitor) forgetTraffic() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked, v.received, v.statuses = map[network.RequestID]string{}, map[network.RequestID]int64{}, map[string]int64{}
}

func (v *visitor) note(event any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		v.asked[e.RequestID] = e.Request.URL
		if !v.ours(e.Request.URL) {
			v.complaints = append(v.complaints, "asked a third party: "+e.Request.URL)
		}
	case *network.EventResponseReceived:
		v.statuses[e.Response.URL] = e.Response.Status
	case *network.EventLoadingFinished:
		v.received[e.RequestID] = int64(e.EncodedDataLength)
	case *network.EventLoadingFailed:
		if e.Canceled { // by leaving the page
			delete(v.asked, e.RequestID)
		}
	case *runtime.EventExceptionThrown:
		v.complaints = append(v.complaints, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		v.complaints = append(v.complaints, fmt.Sprintf("console.%s", e.Type))
	case *log.EventEntryAdded:
		// The console reports a page with status 404 or 422 as a failure to load. At sign-out it reports, as
		// information, what Clear-Site-Data has cleared.
		cleared := e.Entry.Level == log.LevelInfo && strings.HasPrefix(e.Entry.Text, "Clear-Site-Data header on ")
		if e.Entry.Source != log.SourceNetwork && !cleared {
			v.complaints = append(v.complaints, string(e.Entry.Source)+": "+e.Entry.Text)
		}
	}
}

// ours reports whether an address belongs to Konbit, to the stand-in's payment page, or to the inbox.
func (v *visitor) ours(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "data" || u.Scheme == "about" {
		return err == nil
	}
	base := u.Scheme + "://" + u.Host
	return base == v.s.URL() || base == v.s.StripeURL() || base == v.s.MailURL()
}

// problems returns the problems recorded so far.
func (v *visitor) problems() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.complaints)
}

// do runs actions in the browser. An action that takes too long ends the test.
func (v *visitor) do(actions ...chromedp.Action) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.ctx, waitTimeout)
	defer cancel()
	if err := testkit.Act(ctx, actions...); err != nil {
		var at, body string
		_ = chromedp.Run(v.ctx, chromedp.Location(&at), chromedp.Evaluate(`document.body.innerText`, &body))
		v.t.Fatalf("%v; at %s:\n%.500s", err, at, body)
	}
}

func (v *visitor) open(path string) {
	v.t.Helper()
	v.do(chromedp.Navigate(v.s.URL() + path))
}

// eval evaluates an expression in the page.
func eval[T any](v *visitor, expression string) (result T) {
	v.t.Helper()
	v.do(chromedp.Evaluate(expression, &result))
	return result
}

// click clicks or taps the middle of an element.
func (v *visitor) click(selector string) {
	v.t.Helper()
	if !v.touch {
		v.do(chromedp.Click(selector, chromedp.BySearch))
		return
	}
	v.do(chromedp.QueryAfter(selector, func(ctx context.Context, _ runtime.ExecutionContextID, nodes ...*cdp.Node) error {
		if err := dom.ScrollIntoViewIfNeeded().WithNodeID(nodes[0].NodeID).Do(ctx); err != nil {
			return err
		}
		quads, err := dom.GetContentQuads().WithNodeID(nodes[0].NodeID).Do(ctx)
		if err != nil {
			return err
		}
		corner, opposite := quads[0][:2], quads[0][4:6]
		at := &input.TouchPoint{X: (corner[0] + opposite[0]) / 2, Y: (corner[1] + opposite[1]) / 2}
		if err := input.DispatchTouchEvent(input.TouchStart, []*input.TouchPoint{at}).Do(ctx); err != nil {
			return err
		}
		return input.DispatchTouchEvent(input.TouchEnd, []*input.TouchPoint{}).Do(ctx)
	}, chromedp.BySearch, chromedp.NodeVisible))
}

// navigate calls do, which leads to another page, and waits for that page.
func (v *visitor) navigate(act func()) {
	v.t.Helper()
	v.do(chromedp.Evaluate(`window.stillHere = true`, nil))
	act()
	testkit.Eventually(v.t, waitTimeout, func() error {
		var here bool
		err := chromedp.Run(v.ctx, chromedp.Evaluate(`window.stillHere === true || document.readyState === "loading"`, &here))
		if err == nil && here {
			err = errors.New("the page is still the one before")
		}
		return err
	})
}

func (v *visitor) location() (at string) {
	v.t.Helper()
	v.do(chromedp.Location(&at))
	return at
}

// body returns the text of the page as a person sees it.
func (v *visitor) body() string {
	v.t.Helper()
	return eval[string](v, `document.body.innerText`)
}

// waitFor waits for a page whose first heading is title.
func (v *visitor) waitFor(title string) {
	v.t.Helper()
	testkit.Eventually(v.t, waitTimeout, func() error {
		var heading string
		err := chromedp.Run(v.ctx, chromedp.Evaluate(`(document.querySelector("h1") || {}).innerText || ""`, &heading))
		if err == nil && heading != title {
			err = fmt.Errorf("the page is headed %q, not %q", heading, title)
		}
		return err
	})
}

// A gift is what a person fills in. Empty fields are not filled in.
type gift struct {
	Amount    string // a preset in major units
	Other     string // or another amount, as typed
	Fund      string // slug
	First     string
	Last      string
	Email     string
	Phone     string
	Street    string
	City      string
	Country   string // code
	Note      string
	Anonymous bool
	News      bool
}

// rosa is a donor who fills in every field.
func rosa() gift {
	return gift{
		Other: "25.50", Fund: "general", First: "Rosa", Last: "Núñez-O’Hara", Email: "rosa@donor.example", Phone: "+1 617 555 0100",
		Street: "12 Elm Street", City: "Boston", Country: "US", Note: "For my neighbours <3", Anonymous: true, News: true,
	}
}

// label returns the selector of a choice's label, which a person clicks.
func label(name, value string) string {
	return fmt.Sprintf(`//label[@for=//input[@name=%q and @value=%q]/@id]`, name, value)
}

// fill fills in the form with clicks and keys.
func (v *visitor) fill(g gift) {
	v.t.Helper()
	if g.Amount != "" {
		v.click(label("amount", g.Amount))
	}
	if g.Other != "" {
		v.click(label("amount", "other"))
		v.do(chromedp.SendKeys("#amount_other", g.Other, chromedp.ByID))
	}
	if g.Fund != "" {
		v.click(label("fund", g.Fund))
	}
	if g.Street+g.City+g.Country != "" {
		v.do(chromedp.Evaluate(`document.getElementById("address").open = true`, nil))
	}
	for _, field := range [][2]string{
		{"first_name", g.First}, {"last_name", g.Last}, {"email", g.Email}, {"phone", g.Phone}, {"address_line1", g.Street},
		{"city", g.City}, {"note", g.Note},
	} {
		if field[1] != "" {
			v.do(chromedp.SendKeys("#"+field[0], field[1], chromedp.ByID))
		}
	}
	if g.Country != "" {
		v.do(chromedp.SetValue("#country", g.Country, chromedp.ByID))
	}
	if g.Anonymous {
		v.click(`label[for="anonymous"]`)
	}
	if g.News {
		v.click(`label[for="news"]`)
	}
}

// formValues returns the values of the form's fields as a gift.
func (v *visitor) formValues() (g gift) {
	v.t.Helper()
	return eval[gift](v, `(() => {
		const f = document.getElementById("give").elements, amount = f.amount.value
		return {
			Amount: amount === "other" ? "" : amount, Other: f.amount_other.value, Fund: f.fund.value, First: f.first_name.value,
			Last: f.last_name.value, Email: f.email.value, Phone: f.phone.value, Street: f.address_line1.value, City: f.city.value,
			Country: f.country.value, Note: f.note.value, Anonymous: f.anonymous.checked, News: f.news.checked,
		}
	})()`)
}

// submit clicks the form's button and waits for the payment page.
func (v *visitor) submit() {
	v.t.Helper()
	v.click("#submit")
	for range 10 { // on a busy machine the form may come back and ask to submit it again
		v.do(chromedp.WaitVisible("#card_number, #away", chromedp.ByQuery))
		if !eval[bool](v, `document.getElementById("away") !== null`) {
			break
		}
		v.navigate(func() { v.click("#submit") })
	}
	v.do(chromedp.WaitVisible("#card_number", chromedp.ByID))
	require.True(v.t, strings.HasPrefix(v.location(), v.s.StripeURL()+"/c/pay/"), "the payment page is the processor's")
}

// Card numbers of Stripe's documentation.
const (
	goodCard     = "4242 4242 4242 4242"
	declinedCard = "4000000000000002"
)

// pay fills in and submits the payment page.
func (v *visitor) pay(card string) {
	v.t.Helper()
	v.do(
		chromedp.Clear("#card_number", chromedp.ByID), chromedp.SendKeys("#card_number", card, chromedp.ByID),
		chromedp.Clear("#exp", chromedp.ByID), chromedp.SendKeys("#exp", "12/49", chromedp.ByID),
		chromedp.SendKeys("#cvc", "123", chromedp.ByID),
		chromedp.Clear("#name", chromedp.ByID), chromedp.SendKeys("#name", "Rosa N", chromedp.ByID),
	)
	v.navigate(func() { v.click("main form button") })
}

// phone sets a phone's window size, touch input and mobile mode.
func phone() chromedp.Action {
	return chromedp.Tasks{
		emulation.SetDeviceMetricsOverride(390, 844, 2, true),
		emulation.SetTouchEmulationEnabled(true).WithMaxTouchPoints(5),
	}
}

func desktop() chromedp.Action { return emulation.SetDeviceMetricsOverride(1280, 900, 1, false) }

// scheme sets the reader's preferred colour scheme: light or dark.
func scheme(name string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}})
}
