package week_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/authenticator"
)

// patience is how long a page may take on a busy machine. Nothing depends on it but when the test gives up.
const patience = time.Minute

// A person works with a browser by keys alone: every act is a key, and each is counted.
type person struct {
	t         *testing.T
	s         *e2e.Stack
	ctx       context.Context
	keys      int
	downloads string   // directory of files that a link brought
	chosen    []string // files that the next chooser of files takes
	broken    []string // errors of scripts
}

func newPerson(t *testing.T, s *e2e.Stack) *person {
	p := &person{t: t, s: s, ctx: testkit.Browser(t), downloads: t.TempDir()}
	chromedp.ListenTarget(p.ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			p.broken = append(p.broken, e.ExceptionDetails.Error())
		case *page.EventFileChooserOpened:
			files := p.chosen
			go func() { _ = chromedp.Run(p.ctx, dom.SetFileInputFiles(files).WithBackendNodeID(e.BackendNodeID)) }()
		}
	})
	target := chromedp.FromContext(p.ctx)
	p.do(emulation.SetDeviceMetricsOverride(1280, 900, 1, false), runtime.Enable(), log.Enable(), page.SetInterceptFileChooserDialog(true),
		browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(p.downloads).WithBrowserContextID(target.BrowserContextID))
	t.Cleanup(func() { require.Empty(t, p.broken, "errors of scripts") })
	return p
}

func (p *person) do(actions ...chromedp.Action) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := testkit.Act(ctx, actions...); err != nil {
		p.t.Fatalf("%v; at %s", err, p.where())
	}
}

// where returns the address, what has the focus, and the beginning of the page, for messages.
func (p *person) where() string {
	var at, focus, text string
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	_ = chromedp.Run(ctx, chromedp.Location(&at), chromedp.Evaluate(`(document.activeElement || document.body).outerHTML.slice(0, 300)`, &focus),
		chromedp.Evaluate(`(document.querySelector("main") || document.body).innerText.slice(0, 1500)`, &text))
	return at + "\nfocus: " + focus + "\n" + text
}

func eval[T any](p *person, expression string) (result T) {
	p.t.Helper()
	p.do(chromedp.Evaluate(expression, &result))
	return result
}

// open types an address.
func (p *person) open(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.s.URL() + path))
	p.loaded()
}

// press presses keys, one after the other.
func (p *person) press(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		p.keys += len([]rune(key))
		p.do(chromedp.KeyEvent(key))
	}
}

// leads presses keys, of which the last one leads to another page, and waits for it.
func (p *person) leads(keys ...string) {
	p.t.Helper()
	p.do(chromedp.Evaluate(`window.stillHere = true`, nil))
	p.press(keys...)
	p.loaded()
}

// loaded waits until a page without the mark of leads is complete.
func (p *person) loaded() {
	p.t.Helper()
	for until := time.Now().Add(patience); ; {
		var here bool
		err := chromedp.Run(p.ctx, chromedp.Evaluate(`window.stillHere === true || document.readyState !== "complete"`, &here))
		if err == nil && !here {
			return
		}
		if time.Now().After(until) {
			p.t.Fatalf("the page is still the one before: %v; at %s", err, p.where())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// focused is what has the focus, as a person sees it.
const focused = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body) return "";
	const words = e.labels && e.labels.length ? e.labels[0].textContent : e.getAttribute("aria-label") || e.textContent;
	return (e.id ? "#" + e.id + " " : "") + words.replace(/\s+/g, " ").trim();
})()`

// most is after how many tabs a person gives up.
const most = 400

// to presses Tab until the focus is on what has these words, or on the element with this id ("#id").
func (p *person) to(words string) {
	p.t.Helper()
	fits := func(at string) bool {
		if strings.HasPrefix(words, "#") {
			return at == words || strings.HasPrefix(at, words+" ")
		}
		if strings.HasPrefix(at, "#") {
			_, at, _ = strings.Cut(at, " ")
		}
		return strings.Contains(at, words)
	}
	for range most {
		p.press(kb.Tab)
		if fits(eval[string](p, focused)) {
			return
		}
	}
	p.t.Fatalf("no Tab leads to %q; at %s", words, p.where())
}

// on requires that an element has the focus, without a key.
func (p *person) on(id string) {
	p.t.Helper()
	if at := eval[string](p, `(document.activeElement || document.body).id`); at != id {
		p.t.Fatalf("the focus is on %q, not on %q; at %s", at, id, p.where())
	}
}

// choose chooses an option of the select element that has the focus by typing how it begins.
func (p *person) choose(words string) {
	p.t.Helper()
	const chosen = `(() => { const e = document.activeElement; return e.selectedOptions ? e.selectedOptions[0].textContent.trim() : "no choice" })()`
	before := p.keys
	for range 5 { // a browser forgets what was typed after a second: on a busy machine it is typed again
		p.keys = before
		p.press(words)
		if strings.HasPrefix(strings.ToLower(eval[string](p, chosen)), strings.ToLower(words)) {
			return
		}
		time.Sleep(1500 * time.Millisecond)
	}
	p.t.Fatalf("%q was not chosen but %q; at %s", words, eval[string](p, chosen), p.where())
}

func (p *person) text() string {
	p.t.Helper()
	return eval[string](p, `document.querySelector("main").innerText`)
}

// sees requires that the page has these words.
func (p *person) sees(words ...string) {
	p.t.Helper()
	text := p.text()
	for _, w := range words {
		if !strings.Contains(strings.ReplaceAll(text, "\u00a0", " "), w) {
			p.t.Fatalf("the page does not say %q; at %s", w, p.where())
		}
	}
}

// file waits for a file that a link brings, and returns it.
func (p *person) file(name string) []byte {
	p.t.Helper()
	path := filepath.Join(p.downloads, name)
	testkit.Eventually(p.t, patience, func() error {
		if parts, _ := filepath.Glob(filepath.Join(p.downloads, "*.crdownload")); len(parts) > 0 {
			return errors.New("the file is not whole yet")
		}
		_, err := os.Stat(path)
		return err
	})
	content, err := os.ReadFile(path)
	require.NoError(p.t, err)
	return content
}

// axe requires that the page breaks no rule of WCAG 2.2 AA.
func (p *person) axe(name string) {
	p.t.Helper()
	require.Empty(p.t, testkit.Axe(p.t, p.ctx), name)
}

// picture saves the page in the directory KONBIT_SHOTS, if it is set, on a desk and on a tablet, light and dark.
func (p *person) picture(name string) {
	p.t.Helper()
	dir := os.Getenv("KONBIT_SHOTS")
	if dir == "" {
		return
	}
	for _, width := range []int64{1280, 820} {
		for _, scheme := range []string{"light", "dark"} {
			if width == 820 && scheme == "dark" {
				continue
			}
			var png []byte
			p.do(emulation.SetDeviceMetricsOverride(width, 900, 1, false), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: scheme}}), chromedp.FullScreenshot(&png, 100))
			require.NoError(p.t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)), png, 0o600))
		}
	}
	p.do(emulation.SetDeviceMetricsOverride(1280, 900, 1, false), emulation.SetEmulatedMedia())
}

// A spoken is a node of the page as a screen reader has it.
type spoken struct{ Role, Name, Value string }

// tree returns the page as a screen reader has it.
func (p *person) tree() (all []spoken) {
	p.t.Helper()
	type value struct {
		Value any `json:"value"`
	}
	var answer struct { // package accessibility refuses what newer browsers say of ignored nodes
		Nodes []struct {
			Ignored bool  `json:"ignored"`
			Role    value `json:"role"`
			Name    value `json:"name"`
			Value   value `json:"value"`
		} `json:"nodes"`
	}
	p.do(chromedp.ActionFunc(func(ctx context.Context) error { return cdp.Execute(ctx, "Accessibility.getFullAXTree", nil, &answer) }))
	words := func(v value) string {
		text, _ := v.Value.(string) // a node without one has none
		return strings.Join(strings.Fields(text), " ")
	}
	for _, n := range answer.Nodes {
		if !n.Ignored {
			all = append(all, spoken{words(n.Role), words(n.Name), words(n.Value)})
		}
	}
	return all
}

// hears requires that a screen reader finds a node of a role whose name matches an expression.
func (p *person) hears(role, name string) {
	p.t.Helper()
	expression := regexp.MustCompile(name)
	var same []string
	for _, n := range p.tree() {
		if n.Role == role && expression.MatchString(n.Name) {
			return
		}
		if n.Role == role {
			same = append(same, n.Name)
		}
	}
	p.t.Fatalf("a screen reader finds no %s named %q but %q; at %s", role, name, same, p.where())
}

// announced requires that a region, which a screen reader reads when it changes, says these words.
func (p *person) announced(role, words string) {
	p.t.Helper()
	const regions = `[...document.querySelectorAll("[role=alert], [role=status], [aria-live]")].map((e) => (e.getAttribute("role") || "status") + "|" +
		e.textContent.replace(/\s+/g, " "))`
	all := eval[[]string](p, regions)
	for _, region := range all {
		if strings.HasPrefix(region, role+"|") && strings.Contains(strings.ReplaceAll(region, "\u00a0", " "), words) {
			return
		}
	}
	p.t.Fatalf("nothing announces %q as %s, but %q", words, role, all)
}

var invitation = regexp.MustCompile(`(?m)^http\S+$`)

const password = "mild-otters-carry-lanterns"

// signIn adds a member of the staff as the operator does; the person opens the link and sets up a password and an app.
func (p *person) signIn(name, role string) {
	p.t.Helper()
	out := p.s.Konbit("staff", "add", strings.ToLower(name)+"@staff.example", "--role", role, "--name", name, "--entity", "tsne", "--reason", "a test")
	p.do(chromedp.Navigate(invitation.FindString(out)))
	p.loaded()
	p.on("submit")
	p.leads(kb.Enter)
	p.to("#new_password")
	p.leads(password, kb.Enter)
	key := eval[string](p, `document.getElementById("key").textContent`)
	p.to("#code")
	p.leads(authenticator.Code(key, time.Now()), kb.Enter)
	p.to("#go")
	p.leads(kb.Enter)
	p.sees("Today")
}
