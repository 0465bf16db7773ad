package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/stripefake"
	"konbit/internal/testkit"
)

// alternating spreads requests over servers in turn, as a proxy does: those that say they are ready, and the next one when a
// connection cannot be made. A request that a server accepted is never sent twice.
type alternating struct {
	servers []*Server
	ready   []atomic.Bool
	next    atomic.Int64
	under   http.Transport
}

// watch asks the servers whether they are ready until stop is closed.
func (a *alternating) watch(stop <-chan struct{}) {
	client := http.Client{Timeout: time.Second}
	for {
		for i, server := range a.servers {
			resp, err := client.Get(server.URL() + "/readyz")
			a.ready[i].Store(err == nil && resp.StatusCode == http.StatusOK)
			if err == nil {
				_ = resp.Body.Close()
			}
		}
		select {
		case <-stop:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// RoundTrip is part of http.RoundTripper.
func (a *alternating) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	body := []byte{}
	if r.Body != nil {
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	err = errors.New("no server is ready")
	for range 2 * len(a.servers) {
		i := int(a.next.Add(1)) % len(a.servers)
		if !a.ready[i].Load() {
			continue
		}
		try := r.Clone(r.Context())
		try.URL.Scheme, try.URL.Host = "http", a.servers[i].addr
		try.Body, try.GetBody = io.NopCloser(bytes.NewReader(body)), nil
		if resp, err = a.under.RoundTrip(try); err == nil {
			return resp, nil
		}
		var dial *net.OpError
		if !errors.As(err, &dial) || dial.Op != "dial" {
			return nil, err
		}
	}
	return nil, err
}

// balanced is the address of a proxy before the stack's servers, to which Stripe sends too.
func (s *Stack) balanced() string {
	s.t.Helper()
	a := &alternating{servers: s.servers, ready: make([]atomic.Bool, len(s.servers))}
	for i := range a.ready {
		a.ready[i].Store(true)
	}
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { a.watch(stop) })
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}, Transport: a})
	s.t.Cleanup(func() { close(stop); watching.Wait(); proxy.Close() })

	for _, entity := range Entities {
		var endpoints struct{ Data []struct{ ID string } }
		require.NoError(s.t, json.Unmarshal(s.stripeAPI(http.MethodGet, entity, "/v1/webhook_endpoints", nil), &endpoints))
		require.Len(s.t, endpoints.Data, 1)
		s.stripeAPI(http.MethodPost, entity, "/v1/webhook_endpoints/"+endpoints.Data[0].ID, url.Values{"url": {proxy.URL + "/hooks/stripe/" + entity}})
	}
	return proxy.URL
}

// stripeAPI does at an entity's account what a person does in its dashboard.
func (s *Stack) stripeAPI(method, entity, path string, form url.Values) []byte {
	s.t.Helper()
	req, err := http.NewRequest(method, s.StripeURL()+path, bytes.NewBufferString(form.Encode()))
	require.NoError(s.t, err)
	req.SetBasicAuth("sk_test_"+entity, "")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got := s.read(http.DefaultClient.Do(req))
	require.Equal(s.t, http.StatusOK, got.status, got.body)
	return []byte(got.body)
}

// crowd asks for pages and gives until told to go home.
type crowd struct {
	base     string
	stripe   *stripefake.Server
	home     chan struct{}
	mu       sync.Mutex
	asked    int
	gifts    int
	failures []string
}

// visit does one thing again and again; do answers what went wrong.
func (c *crowd) visit(every time.Duration, do func(n int) error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 0; ; n++ {
		err := do(n)
		c.mu.Lock()
		c.asked++
		if err != nil {
			c.failures = append(c.failures, err.Error())
		}
		c.mu.Unlock()
		select {
		case <-c.home:
			return
		case <-tick.C:
		}
	}
}

func (c *crowd) look(int) error {
	resp, err := script.Get(c.base + "/give/csio")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the form answers %s", resp.Status)
	}
	return nil
}

func (c *crowd) give(n int) error {
	resp, err := script.PostForm(c.base+"/give/csio", form(fmt.Sprintf("Rolling%d", n)))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		return fmt.Errorf("a gift is answered %s", resp.Status)
	}
	c.mu.Lock()
	c.gifts++
	c.mu.Unlock()
	return c.stripe.Pay(path.Base(resp.Header.Get("Location")), stripefake.GoodCard)
}

// TestRollingRestart restarts two servers one after the other while people give. (Row 20 of the promises.)
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Servers: 2})
	c := &crowd{base: s.balanced(), stripe: s.Stripe(), home: make(chan struct{})}
	var people sync.WaitGroup
	for range 4 {
		people.Go(func() { c.visit(100*time.Millisecond, c.look) })
	}
	people.Go(func() { c.visit(100*time.Millisecond, c.give) })
	for _, server := range s.Servers() {
		time.Sleep(500 * time.Millisecond)
		began := time.Now()
		require.NoError(t, server.Stop())
		require.Less(t, time.Since(began), 20*time.Second)
		t.Logf("stopped in %s", time.Since(began).Round(time.Millisecond))
		server.Restart()
	}
	time.Sleep(500 * time.Millisecond)
	close(c.home)
	people.Wait()
	t.Logf("%d requests, %d gifts", c.asked, c.gifts)
	require.Empty(t, c.failures)
	require.Greater(t, c.gifts, 20)

	s.letters(c.gifts)
	s.settledDown()
	require.Equal(t, c.gifts, s.count(`SELECT count(*) FROM donation WHERE status = 'settled'`))
	require.Equal(t, c.gifts, s.count(`SELECT last FROM receipt_counter`))
	testkit.Eventually(t, patience, func() error {
		if made, stored := len(s.Stripe().Events()), s.count(`SELECT count(*) FROM stripe_event`); made != stored {
			return fmt.Errorf("%d events made, %d stored", made, stored)
		}
		return nil
	})
	s.Konbit("ledger", "verify")
}

// TestMigrateTwiceAtOnce lets a server wait on an empty database while two processes bring it up at the same time.
func TestMigrateTwiceAtOnce(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Stopped: true})
	empty := testkit.EmptyDB(t)
	s.settings["DATABASE_URL"], s.settings["DATABASE_OWNER_URL"] = empty.ServerURL, empty.OwnerURL
	s.Launch()
	testkit.Eventually(t, readyWithin, func() error {
		if !s.Running() {
			t.Fatalf("a server on an empty database waits for its tables; it ended:\n%s", s.Log())
		}
		resp, err := http.Get(s.URL() + "/readyz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable {
			return fmt.Errorf("readyz answers %s", resp.Status)
		}
		return nil
	})
	said, err := s.TryKonbit("doctor")
	s.failed(err)
	require.Contains(t, said, "✗ migrations: ")
	require.Contains(t, said, "to run: konbit migrate")

	errs := make([]error, 2)
	var both sync.WaitGroup
	for i := range errs {
		both.Go(func() { _, errs[i] = s.TryKonbit("migrate") })
	}
	both.Wait()
	require.NoError(t, errors.Join(errs...))
	s.WaitReady()
	s.Konbit("migrate")

	s.Konbit("apply", filepath.Join(source(t), "cmd", "demo", "demo.yaml"))
	s.DB = empty // what the stack's helpers ask
	s.give("csio", "Patient")
	s.letters(1)
}
