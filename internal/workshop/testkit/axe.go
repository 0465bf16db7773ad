package testkit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A Violation is one rule of axe-core broken by the page, with every element that breaks it.
type Violation struct {
	ID      string `json:"id"`
	Impact  string `json:"impact"`
	Help    string `json:"help"`
	HelpURL string `json:"helpUrl"`
	Nodes   []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

func (v Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s, see %s", v.ID, v.Impact, v.Help, v.HelpURL)
	for _, n := range v.Nodes {
		fmt.Fprintf(&b, "\n  %s\n    %s", n.HTML, strings.ReplaceAll(n.Summary, "\n", "\n    "))
	}
	return b.String()
}

// axeScript lists the rules of WCAG 2.2 AA by axe-core's tags. Each version of the guidelines adds rules to the earlier
// versions.
const axeScript = `axe.run(document, {
	runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
	resultTypes: ["violations"],
}).then(r => r.violations.map(({id, impact, help, helpUrl, nodes}) => ({id, impact, help, helpUrl, nodes: nodes.map(({html, failureSummary}) => ({html, failureSummary}))})))`

// Axe checks the browser's current page against WCAG 2.2 AA and returns the violations. A correct page has none.
func Axe(t testing.TB, ctx context.Context) []Violation {
	t.Helper()
	source, err := axeSource()
	if err != nil {
		t.Fatalf("testkit: %v; mend it with: make test-deps", err)
	}
	var loaded bool
	if err := chromedp.Run(ctx, chromedp.Evaluate(`"axe" in window`, &loaded)); err != nil {
		t.Fatalf("testkit: axe-core: %v", err)
	}
	if !loaded { // half a megabyte for the browser to read
		if err := chromedp.Run(ctx, chromedp.Evaluate(source, nil)); err != nil {
			t.Fatalf("testkit: axe-core: %v", err)
		}
	}
	var found []Violation
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	if err := chromedp.Run(ctx, chromedp.Evaluate(axeScript, &found, await)); err != nil {
		t.Fatalf("testkit: axe-core: %v", err)
	}
	return found
}

// axeSource reads the script that `make test-deps` installs, at the version pinned in package-lock.json beside this
// file.
var axeSource = sync.OnceValues(func() (string, error) {
	dir, err := moduleRoot()
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(filepath.Join(dir, ".cache", "axe", "node_modules", "axe-core", "axe.min.js"))
	return string(source), err
})
