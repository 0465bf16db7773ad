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

	"konbit/internal/e2e"
	"konbit/internal/stripefake"
	"konbit/internal/testkit"
	"konbit/internal/testkit/house"
)

func init() {
	register(Row{
		Name: "rolling", No: "20", Short: 2, Long: 40, Prove: Rolling,
		Promise: "servers restarted one after the other behind a balancer at 50 requests a second: none fails, no webhook is lost, " +
			"each has stopped within 20 s",
	})
}

const (
	requestEvery = time.Second / 50
	giftEvery    = 5 // requests
	stopped      = 20 * time.Second
)

// Rolling restarts two servers in turn, one always ready, while people look at the form and give.
func Rolling(t testing.TB, run Run) {
	s := e2e.Start(t, e2e.Options{Servers: 2, Stripe: stripefake.Options{Seed: run.Seed | 1}})
	v := &visitors{base: s.Balanced(), stripe: s.Stripe(), client: house.Client(), home: make(chan struct{})}
	var people sync.WaitGroup
	people.Go(v.come)
	slowest := time.Duration(0)
	for n := range run.Number {
		time.Sleep(500 * time.Millisecond)
		server := s.Servers()[n%2]
		began := time.Now()
		require.NoError(t, server.Stop())
		slowest = max(slowest, time.Since(began))
		server.Restart()
		run.Reached(1)
	}
	time.Sleep(500 * time.Millisecond)
	close(v.home)
	people.Wait()
	run.Found("requests", fmt.Sprint(v.asked))
	run.Found("slowest stop", slowest.Round(time.Millisecond).String())
	require.Empty(t, v.failures)
	require.Less(t, slowest, stopped)
	require.Greater(t, v.gifts, 5*run.Number)

	s.WantGifts(v.gifts)
	testkit.Eventually(t, settled, func() error {
		var stored int
		err := s.DB.Owner.Get(&stored, `SELECT count(*) FROM stripe_event`)
		if made := len(s.Stripe().Events()); err == nil && made != stored {
			err = fmt.Errorf("%d events made, %d stored", made, stored)
		}
		return err
	})
}

// visitors look at the form and give, at a steady rate whatever the answers take, until told to go home.
type visitors struct {
	base   string
	stripe *stripefake.Server
	client *http.Client
	home   chan struct{}

	mu       sync.Mutex
	asked    int
	gifts    int
	failures []string
}

func (v *visitors) come() {
	tick := time.NewTicker(requestEvery)
	defer tick.Stop()
	var all sync.WaitGroup
	defer all.Wait()
	for n := 0; ; n++ {
		do := v.look
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

func (v *visitors) look(int) error {
	response, err := v.client.Get(v.base + "/give/csio")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the form answers %s", response.Status)
	}
	return nil
}

func (v *visitors) give(n int) error {
	page, err := press(v.base, url.Values{
		"form": {uuid.NewString()}, "amount": {"20"}, "frequency": {"once"}, "first_name": {"Rolling"}, "last_name": {fmt.Sprint(n)},
		"email": {fmt.Sprintf("rolling%d@donor.example", n)},
	})
	if err != nil {
		return err
	}
	v.mu.Lock()
	v.gifts++
	v.mu.Unlock()
	return v.stripe.Pay(path.Base(page), stripefake.GoodCard)
}
