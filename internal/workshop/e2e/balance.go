package e2e

import (
	"bytes"
	"errors"
	"fmt"
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
	a := &roundRobin{servers: s.servers, notReady: make([]atomic.Pointer[error], len(s.servers))}
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
	servers  []*Server
	notReady []atomic.Pointer[error] // why, when it was asked last; nil if it is ready
	next     atomic.Uint64
	under    http.Transport
}

// pollReadiness asks the servers whether they are ready until stop is closed.
func (a *roundRobin) pollReadiness(stop <-chan struct{}) {
	client := http.Client{Timeout: time.Second}
	for {
		for i, server := range a.servers {
			if err := askReady(&client, server); err != nil {
				a.notReady[i].Store(&err)
			} else {
				a.notReady[i].Store(nil)
			}
		}
		select {
		case <-stop:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// askReady reports an error if a server does not say that it is ready.
func askReady(client *http.Client, server *Server) error {
	resp, err := client.Get(server.URL() + "/readyz")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s at %s", server.addr, resp.Status, time.Now().UTC().Format(time.TimeOnly))
	}
	return nil
}

// RoundTrip implements http.RoundTripper.
func (a *roundRobin) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	body := []byte{}
	if r.Body != nil {
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	reasons := []error{errors.New("no server is ready")}
	first := a.next.Add(1)
	for n := range 2 * uint64(len(a.servers)) { // each server twice, also if other requests take some in between
		i := (first + n) % uint64(len(a.servers))
		if why := a.notReady[i].Load(); why != nil {
			reasons = append(reasons, *why)
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
		reasons = append(reasons, err)
	}
	return nil, errors.Join(reasons...)
}
