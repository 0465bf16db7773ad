package e2e

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"time"
)

// Balanced returns the address of a proxy in front of the current servers, as Stripe and donors would use a load
// balancer. From now on Stripe sends webhooks there.
func (s *Stack) Balanced() string {
	a := &roundRobin{servers: s.servers, ready: make([]atomic.Bool, len(s.servers))}
	for i := range a.ready {
		a.ready[i].Store(true)
	}
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { a.pollReadiness(stop) })
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}, Transport: a})
	s.t.Cleanup(func() { close(stop); watching.Wait(); proxy.CloseClientConnections(); proxy.Close() })
	for _, entity := range Entities {
		stripeAccount := account(entity, s.Server)
		stripeAccount.WebhookURL = proxy.URL + "/hooks/stripe/" + entity
		s.stripe.AddAccount(stripeAccount)
	}
	return proxy.URL
}

// roundRobin sends requests in turn to the servers that report ready, and to the next one if it cannot connect. A
// request that a server accepted is never sent twice.
type roundRobin struct {
	servers []*Server
	ready   []atomic.Bool
	next    atomic.Int64
	under   http.Transport
}

// pollReadiness asks the servers whether they are ready until stop is closed.
func (a *roundRobin) pollReadiness(stop <-chan struct{}) {
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

// RoundTrip implements http.RoundTripper.
func (a *roundRobin) RoundTrip(r *http.Request) (resp *http.Response, err error) {
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
