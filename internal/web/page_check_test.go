package web_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/phrase"
	"konbit/internal/workshop/testkit"
)

// pageCheck checks all pages in one language.
type pageCheck struct {
	t    *testing.T
	g    *pagesProgram
	lang phrase.Language
	ctx  context.Context
}

func (w *pageCheck) run(actions ...chromedp.Action) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 2*time.Minute)
	defer cancel()
	require.NoError(w.t, chromedp.Run(ctx, actions...))
}

func (w *pageCheck) checkPage(s pageVisit) {
	w.t.Helper()
	began := time.Now()
	w.run(emulation.SetDeviceMetricsOverride(320, 640, 1, true))
	if s.path != "" {
		address := w.g.URL + s.path
		if path, fragment, cut := strings.Cut(s.path, "#"); !strings.Contains(path, "lang=") {
			mark := "?"
			if strings.Contains(path, "?") {
				mark = "&"
			}
			address = w.g.URL + path + mark + "lang=" + string(w.lang)
			if cut {
				address += "#" + fragment
			}
		}
		w.run(chromedp.Navigate(address))
	}
	if s.action != nil {
		w.run(s.action)
	}
	w.waitUntilLoaded()
	w.saveScreenshot(s.name)
	for _, width := range w.windowWidths(s.name) {
		w.run(emulation.SetDeviceMetricsOverride(width, 640, 1, width < 600))
		var bad []string
		w.run(chromedp.Evaluate(layoutProblems, &bad))
		assert.Empty(w.t, bad, "%s, %d wide", s.name, width)
		if width == 320 || width == 1280 && w.lang == phrase.English && !strings.HasPrefix(s.name, "office") { // on a desktop only the words differ between languages
			assert.Empty(w.t, testkit.Axe(w.t, w.ctx), "%s, %d wide", s.name, width)
		}
	}
	if w.lang == phrase.English && strings.HasPrefix(s.name, "office") { // on a desktop, for the same reason, in the other colours
		w.run(scheme("dark"))
		assert.Empty(w.t, testkit.Axe(w.t, w.ctx), "%s, dark", s.name)
		w.run(scheme("light"))
	}
	w.t.Log(s.name, time.Since(began).Round(time.Millisecond))
	if s.byKeyboard && w.lang == phrase.English {
		w.checkKeyboard(s.name)
	}
}

// scheme makes the reader prefer light or dark pages.
func scheme(name string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}})
}

// waitUntilLoaded waits until the whole page is loaded.
func (w *pageCheck) waitUntilLoaded() {
	w.t.Helper()
	testkit.Eventually(w.t, 2*time.Minute, func() error {
		var complete bool
		err := chromedp.Run(w.ctx, chromedp.Evaluate(`document.readyState === "complete" && document.body !== null`, &complete))
		if err == nil && !complete {
			err = errors.New("the page is still loading")
		}
		return err
	})
}

// windowWidths returns the window widths in CSS pixels: a small phone, which is also a desktop at 400 % zoom, and a
// desktop. Lists of staff are wide: their pages are looked at on a tablet, upright and across, too.
func (w *pageCheck) windowWidths(name string) []int64 {
	if strings.HasPrefix(name, "office") {
		return []int64{320, 820, 1024, 1280}
	}
	if w.lang == phrase.English || w.lang == phrase.Spanish {
		return []int64{320, 1280}
	}
	return []int64{320}
}

// layoutProblems is a script that returns the elements that extend beyond the window, the tables that are cut, and the controls
// that are too low to be touched, except for links within a sentence. In a table of a working page on a desktop the row is what
// is pointed at, and 36 px high. It also returns text of a template or of a Go value in the page, and a first link that does not
// lead behind the navigation of the office.
const layoutProblems = `(() => {
	const isCard = (head) => head && getComputedStyle(head).position === "absolute"; // the heads of a table whose rows are cards
	const seen = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !e.closest(".skip, .unseen") && !isCard(e.closest("table.rows thead"));
	const name = (e) => e.outerHTML.slice(0, 120);
	const inRow = (e) => !isCard(e.closest("table.rows")?.tHead) && e.closest(".rows td")?.getBoundingClientRect().height >= 35.5;
	const wide = document.documentElement.clientWidth;
	const bad = document.documentElement.scrollWidth > wide ? ["the page scrolls sideways"] : [];
	for (const e of document.body.querySelectorAll("*")) {
		const r = e.getBoundingClientRect();
		if (r.width && (r.left < -0.5 || r.right > wide + 0.5) && seen(e)) bad.push("out of the window: " + name(e));
	}
	for (const e of document.querySelectorAll(".wrap")) {
		if (e.scrollWidth > e.clientWidth + 1 && seen(e)) bad.push("a table is cut: " + name(e));
	}
	const strange = document.documentElement.outerHTML.match(/.{0,40}(\{\{|%!|(true|false) (true|false)\}|&lt;nil&gt;).{0,40}/);
	if (strange) bad.push("text of a program: " + strange[0]);
	const skip = document.querySelector("a.skip");
	const to = skip && document.getElementById(skip.hash.slice(1));
	if (skip && (!to || to.querySelector(".office-nav"))) bad.push("the first link does not lead behind the navigation");
	for (const e of document.querySelectorAll("a, button, summary, select, textarea, label[for], input:not([type=hidden], [type=radio], [type=checkbox])")) {
		const target = e.localName !== "label" || e.control?.matches("[type=radio], [type=checkbox]");
		const within = e.localName === "a" && e.parentElement.textContent.trim() !== e.textContent.trim() && e.parentElement.matches("p, dd");
		if (target && !within && seen(e) && (e.closest(".card") ?? e).getBoundingClientRect().height < 43.5 && !inRow(e)) bad.push("too low for a finger: " + name(e));
	}
	return bad;
})()`

// checkKeyboard moves over the page with the Tab key: every control gets the focus, in reading order, and shows it.
func (w *pageCheck) checkKeyboard(name string) {
	w.t.Helper()
	// Of a group of radio buttons the Tab key reaches one: the arrow keys move within the group.
	const usable = `[...document.querySelectorAll("a, button, summary, select, textarea, input:not([type=hidden]), .wrap[tabindex]")].filter((e) => e.checkVisibility() &&
		(e.type !== "radio" || e === (document.querySelector('[type=radio][name="' + e.name + '"]:checked') ?? document.querySelector('[type=radio][name="' + e.name + '"]'))))`
	var all int
	// A page may focus a notice. The first Tab starts from the top of the page.
	w.run(chromedp.Evaluate(`document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute("tabindex"); `+usable+`.length`, &all))
	reached := map[int]bool{}
	for last := -1; ; {
		var at struct {
			N    int
			Seen bool
		}
		w.run(chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(`(() => {
			const e = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(e);
			return { N: `+usable+`.indexOf(e), Seen: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 };
		})()`, &at))
		if at.N < last || at.N < 0 {
			break
		}
		assert.True(w.t, at.Seen, "%s: the focus on control %d is not visible", name, at.N)
		reached[at.N], last = true, at.N
		if len(reached) == all {
			break
		}
	}
	assert.Len(w.t, reached, all, "%s: some controls were not reached, or not in order", name)
}

// saveScreenshot saves a picture of the page in the directory KONBIT_SHOTS, if it is set.
func (w *pageCheck) saveScreenshot(name string) {
	w.t.Helper()
	dir := os.Getenv("KONBIT_SHOTS")
	if dir == "" {
		return
	}
	for size, set := range map[string]chromedp.Action{
		"phone": emulation.SetDeviceMetricsOverride(320, 640, 1, true), "desktop": emulation.SetDeviceMetricsOverride(1280, 900, 1, false),
	} {
		if only := os.Getenv("KONBIT_SIZE"); only != "" && only != size {
			continue
		}
		var png []byte
		w.run(set, chromedp.FullScreenshot(&png, 100))
		require.NoError(w.t, os.WriteFile(filepath.Join(dir, name+"-"+string(w.lang)+"-"+size+".png"), png, 0o644))
	}
}
