package testkit

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"konbit/internal/workshop/testkit/short"
)

// Browser returns a context for chromedp's actions: one tab of a headless Chromium, with cookies and storage of its own, as
// a new profile has. The tab is closed at the end of the test. Chromium makes no request of its own. Tests that run at the
// same time share one Chromium, because its start costs about a second of a processor.
func Browser(t testing.TB) context.Context {
	t.Helper()
	short.Skip(t, "a browser")
	running, err := chromium.use()
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	t.Cleanup(chromium.leave)
	ctx, closeTab := chromedp.NewContext(running, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	if err := chromedp.Run(ctx, emulation.SetFocusEmulationEnabled(true)); err != nil { // as if its window were in front
		t.Fatalf("testkit: open a tab: %v", err)
	}
	return ctx
}

// sharedBrowser is a Chromium that runs while at least one test uses it. Any goroutine may call its methods.
type sharedBrowser struct {
	mu    sync.Mutex
	users int
	ctx   context.Context // of the running browser; nil if users is 0
	stop  func()
}

var chromium sharedBrowser

// use starts the browser if it does not run. Each call that returns no error is followed by one call of leave.
func (b *sharedBrowser) use() (context.Context, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.users == 0 {
		if err := b.start(); err != nil {
			return nil, err
		}
	}
	b.users++
	return b.ctx, nil
}

// leave stops the browser after the last user.
func (b *sharedBrowser) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.users--; b.users == 0 {
		b.stop()
		b.ctx = nil
	}
}

func (b *sharedBrowser) start() error {
	path := browserPath()
	if path == "" {
		return errors.New("no Chromium on this machine; mend it with: make test-deps")
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
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...) // outlives the test that starts it
	ctx, closeFirst := chromedp.NewContext(allocator, chromedp.WithErrorf(log.Printf))
	if err := chromedp.Run(ctx); err != nil {
		stop()
		return fmt.Errorf("start %s: %w", path, err)
	}
	b.ctx, b.stop = ctx, func() { closeFirst(); stop() }
	return nil
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
