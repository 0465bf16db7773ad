package chaos

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

func init() {
	register(Row{
		Name: "rolling", No: "20", Short: 2, Long: 40, Prove: Rolling,
		Promise: "servers restarted one after another behind a load balancer at 50 requests a second: none fails, no webhook is lost, " +
			"each server stops within 20 s",
	})
}

const (
	requestEvery = time.Second / 50
	giftEvery    = 5 // one gift in this many requests
	stopped      = 20 * time.Second
)

// Rolling restarts two servers in turn, so that one is always ready, while people read the form and give.
func Rolling(t testing.TB, run Run) {
	s := e2e.Start(t, e2e.Options{Servers: 2, Stripe: stripefake.Options{Seed: run.Seed | 1}})
	v := &rollingVisitors{base: s.Balanced(), stripe: s.Stripe(), client: program.Client(), home: make(chan struct{})}
	var people sync.WaitGroup
	people.Go(v.start)
	slowest := time.Duration(0)
	for n := range run.Count {
		time.Sleep(500 * time.Millisecond)
		server := s.Servers()[n%2]
		began := time.Now()
		require.NoError(t, server.Stop())
		slowest = max(slowest, time.Since(began))
		server.Restart()
		run.Progress(1)
	}
	time.Sleep(500 * time.Millisecond)
	close(v.home)
	people.Wait()
	run.Record("requests", fmt.Sprint(v.asked))
	run.Record("slowest stop", slowest.Round(time.Millisecond).String())
	require.Empty(t, v.failures)
	if run.Count >= 10 { // a short run shares a machine that can be too slow for a donor
		require.Zero(t, v.busy)
	}
	require.Less(t, slowest, stopped)
	require.Greater(t, v.gifts, 5*run.Count)

	s.RequireGifts(v.gifts)
	testkit.Eventually(t, settled, func() error {
		var stored int
		err := s.DB.Owner.Get(&stored, `SELECT count(*) FROM stripe_event`)
		if made := len(s.Stripe().Events()); err == nil && made != stored {
			err = fmt.Errorf("%d events created, %d stored", made, stored)
		}
		return err
	})
}

// rollingVisitors read the form and give at a fixed rate, independent of the answers, until the run ends.
type rollingVisitors struct {
	base   string
	stripe *stripefake.Server
	client *http.Client
	home   chan struct{}

	mu       sync.Mutex
	asked    int
	gifts    int
	busy     int // answers that the database is busy
	failures []string
}

func (v *rollingVisitors) start() {
	tick := time.NewTicker(requestEvery)
	defer tick.Stop()
	var all sync.WaitGroup
	defer all.Wait()
	for n := 0; ; n++ {
		do := v.readForm
		if n%giftEvery == 0 {
			do = v.give
		}
		all.Go(func() {
			err := do(n)
			v.mu.Lock()
			defer v.mu.Unlock()
			if v.asked++; err != nil {
				v.failures = append(v.failures, err.Error())
			}
		})
		select {
		case <-v.home:
			return
		case <-tick.C:
		}
	}
}

func (v *rollingVisitors) readForm(int) error {
	_, err := v.requestUntilServed(http.StatusOK, func() (*http.Response, error) { return v.client.Get(v.base + "/give/csio") })
	return err
}

func (v *rollingVisitors) give(n int) error {
	form := url.Values{
		"form": {uuid.NewString()}, "amount": {"20"}, "frequency": {"once"}, "first_name": {"Rolling"}, "last_name": {fmt.Sprint(n)},
		"email": {fmt.Sprintf("rolling%d@donor.example", n)},
	}
	page, err := v.requestUntilServed(http.StatusSeeOther, func() (*http.Response, error) { return v.client.PostForm(v.base+"/give/csio", form) })
	if err != nil {
		return err
	}
	v.mu.Lock()
	v.gifts++
	v.mu.Unlock()
	return v.stripe.Pay(path.Base(page), stripefake.GoodCard)
}

// requestUntilServed repeats a request while the answer is "the database is busy", and requires the status want. It
// returns the target of the redirect.
func (v *rollingVisitors) requestUntilServed(want int, send func() (*http.Response, error)) (location string, err error) {
	for deadline := time.Now().Add(patient); ; time.Sleep(500 * time.Millisecond) {
		response, err := send()
		if err != nil {
			return "", err
		}
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		switch busy := response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != ""; {
		case err != nil:
			return "", err
		case response.StatusCode == want:
			return response.Header.Get("Location"), nil
		case !busy || time.Now().After(deadline):
			return "", fmt.Errorf("answered %s", response.Status)
		}
		v.mu.Lock()
		v.busy++
		v.mu.Unlock()
	}
}
