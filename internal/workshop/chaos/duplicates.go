package chaos

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
)

func init() {
	register(Row{
		Name: "duplicates", No: "2", Short: 200, Long: 1000, Prove: Duplicates,
		Promise: "events, each delivered ten times at once to two servers: every answer 2xx, one effect",
	})
}

const (
	times          = 10 // each event
	parallelEvents = 4  // events at once
)

// Duplicates sends each event of the gifts ten times at once, to two servers in turn. In full, 99 of 100 answers must
// come within a second.
func Duplicates(t testing.TB, run Run) {
	s := e2e.Start(t, e2e.Options{Servers: 2, Stripe: stripefake.Options{Seed: run.Seed | 1}})
	require.NoError(t, s.Stripe().SetMode(stripefake.Hold))
	gifts := 0
	for len(s.Stripe().Bodies("tsne")) < run.Count {
		gifts++
		give(t, s, gifts, time.Minute)
	}
	var mu sync.Mutex
	var took []time.Duration
	var wrong []string
	events, queue := s.Stripe().Bodies("tsne"), make(chan []byte)
	var couriers sync.WaitGroup
	for range parallelEvents {
		couriers.Go(func() {
			for body := range queue {
				var all sync.WaitGroup
				for i := range times {
					all.Go(func() {
						began := time.Now()
						err := post(s.Servers()[i%2].URL(), body)
						mu.Lock()
						defer mu.Unlock()
						if took = append(took, time.Since(began)); err != nil {
							wrong = append(wrong, err.Error())
						}
					})
				}
				all.Wait()
				run.Progress(1)
			}
		})
	}
	for _, body := range events {
		queue <- body
	}
	close(queue)
	couriers.Wait()
	require.Empty(t, wrong)
	require.Len(t, took, times*len(events))
	var stored int
	require.NoError(t, s.DB.Owner.Get(&stored, `SELECT count(*) FROM stripe_event`))
	require.Equal(t, len(events), stored)
	s.RequireGifts(gifts)
	require.Len(t, s.Mail().Messages(), gifts, "no email has a copy")

	slices.Sort(took)
	p99 := took[len(took)*99/100]
	run.Record("p99", p99.Round(time.Millisecond).String())
	run.Record("slowest", took[len(took)-1].Round(time.Millisecond).String())
	if run.Count >= 1000 {
		require.Less(t, p99, time.Second)
	}
}

// postEvent delivers an event of tsne's account as Stripe does.
func postEvent(server string, body []byte) (*http.Response, error) {
	request, err := http.NewRequest(http.MethodPost, server+"/hooks/stripe/tsne", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Stripe-Signature", stripefake.Sign(time.Now(), body, "whsec_tsne"))
	return browser.Do(request)
}

// post is postEvent for a webhook that must be accepted.
func post(server string, body []byte) error {
	response, err := postEvent(server, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("a webhook is answered %s", response.Status)
	}
	return nil
}
