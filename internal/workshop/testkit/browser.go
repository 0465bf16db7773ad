package testkit

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"konbit/internal/workshop/testkit/short"
)

// Browser starts a headless Chromium with an empty profile and returns the context for chromedp's actions. It has one
// tab, which is closed at the end of the test. Chromium makes no request of its own.
func Browser(t testing.TB) context.Context {
	t.Helper()
	short.Skip(t, "a browser")
	path := browserPath()
	if path == "" {
		t.Fatal("testkit: no Chromium on this machine; mend it with: make test-deps")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.WSURLReadTimeout(time.Minute),
		chromedp.Flag("headless", "new"),
		chromedp.Flag("no-sandbox", os.Geteuid() == 0), // Chromium's sandbox does not run as root
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(allocator, chromedp.WithErrorf(t.Logf))
	t.Cleanup(closeTab)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("testkit: start %s: %v", path, err)
	}
	return ctx
}

// headlessShell is Chromium without the parts that draw windows: it starts with a quarter of the work. The path is that of
// Debian's program: the script in /usr/bin does not end the browser when it is ended itself.
const headlessShell = "/usr/lib/chromium/chromium-headless-shell"

func browserPath() string {
	names := []string{headlessShell, "/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	if runtime.GOOS == "darwin" {
		names = []string{"/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "chromium"}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
