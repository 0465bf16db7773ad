package chaos

import (
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
)

// realRaces are rounds over the real program by HTTP: one form submitted at all servers, and one event delivered to
// all.
func realRaces(t testing.TB, run Run, rounds int) {
	s := e2e.Start(t, e2e.Options{Servers: run.servers(), Stripe: stripefake.Options{Seed: run.Seed | 1}})
	require.NoError(t, s.Stripe().SetMode(stripefake.Hold))
	at := func(i int) string { return s.Servers()[i%len(s.Servers())].URL() }
	gifts, delivered := 0, 0
	for n := range rounds {
		if n%2 == 0 {
			gifts++
			submitAll(t, s, at)
		} else {
			delivered = deliverAll(t, s, at, delivered)
		}
		run.Progress(1)
	}
	for delivered < len(s.Stripe().Bodies("tsne")) {
		delivered = deliverAll(t, s, at, delivered)
	}
	s.RequireGifts(gifts)
	require.Len(t, s.Mail().Messages(), gifts, "no email has a copy")
	for _, server := range s.Servers() {
		server.Kill()
	}
}

// submitAll submits one form at all servers: every answer leads to the same payment page, which is then paid.
func submitAll(t testing.TB, s *e2e.Stack, at func(i int) string) {
	form := url.Values{
		"form": {uuid.NewString()}, "amount": {"20"}, "frequency": {"once"}, "first_name": {"Racer"}, "last_name": {"All"}, "email": {"all@donor.example"},
	}
	var mu sync.Mutex
	pages, refusals := map[string]bool{}, 0
	for began := time.Now(); len(pages) == 0 && time.Since(began) < patient; { // a machine that is too busy for all asks all to come again
		race(racers, func(i int) error {
			page, err := submit(at(i), form)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				pages[page] = true
			} else {
				refusals++
			}
			return err
		})
	}
	require.Len(t, pages, 1, "%d were asked to come again", refusals)
	for page := range pages {
		require.NoError(t, s.Stripe().Pay(sessionOf(page), stripefake.GoodCard))
	}
}

// deliverAll delivers the next event to all servers until all have answered 2xx. A busy server asks for a
// retry.
func deliverAll(t testing.TB, s *e2e.Stack, at func(i int) string, next int) int {
	bodies := s.Stripe().Bodies("tsne")
	if next >= len(bodies) {
		return next
	}
	errs := race(racers, func(i int) (err error) {
		for range 5 {
			if err = post(at(i), bodies[next]); err == nil {
				return nil
			}
		}
		return err
	})
	require.NoError(t, errors.Join(errs...))
	return next + 1
}
