package chaos

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
)

// runStarved holds locks that every gift and every webhook needs, until the waiting requests have taken all of the
// server's connections. A request that comes then is quickly answered "try again later". When the locks are released,
// the server works normally and accepts what it refused.
func runStarved(t testing.TB, s *e2e.Stack, run Run, full bool) (gifts int) {
	bodies := s.Stripe().Bodies("tsne")
	locks := s.DB.Owner.MustBegin()
	defer locks.Rollback() // rolled back below
	locks.MustExec(`LOCK TABLE donation, donor, stripe_event, river_job, guard_count, guard_failure`)
	var took latencies
	var refused, forms atomic.Int64
	limit := 2*time.Second + timingTolerance(full)
	refuses := func(what string, planned time.Time, response *http.Response, err error) {
		if err != nil {
			t.Errorf("%s: %v", what, err)
			return
		}
		defer response.Body.Close()
		page, _ := io.ReadAll(response.Body)
		lasted := time.Since(planned)
		took.add(lasted)
		if response.StatusCode == http.StatusOK && what == "form" {
			forms.Add(1) // reading the form needs nothing of the database
			return
		}
		if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" || lasted > limit {
			t.Errorf("%s: %s, Retry-After %q, after %s", what, response.Status, response.Header.Get("Retry-After"), lasted)
		}
		if what == "button" && !strings.Contains(string(page), "@donor.example") {
			t.Error("the typed values are lost")
		}
		refused.Add(1)
	}
	var again atomic.Pointer[url.Values]
	send(starvedFor, webhooksASecond, func(n int, planned time.Time) {
		switch n % 4 {
		case 0:
			form := giftForm(1_000_000 + n)
			again.Store(&form)
			response, err := browser.PostForm(s.URL()+"/give/csio", form)
			refuses("button", planned, response, err)
		case 1:
			response, err := browser.Get(s.URL() + "/give/csio")
			refuses("form", planned, response, err)
		default:
			response, err := postEvent(s.URL(), withNewID(bodies[n%len(bodies)]))
			refuses("webhook", planned, response, err)
		}
	})
	require.NoError(t, locks.Rollback())
	run.Record("starved: slowest answer", ms(took.quantile(100)))
	run.Record("starved: refused", fmt.Sprint(refused.Load()))
	require.Positive(t, forms.Load())

	began := time.Now()
	page, err := submit(s.URL(), *again.Load())
	require.NoError(t, err, "the refused form must start its gift")
	require.NoError(t, s.Stripe().Pay(path.Base(page), stripefake.GoodCard))
	require.NoError(t, post(s.URL(), withNewID(bodies[0])))
	run.Record("well again", ms(time.Since(began)))
	if !full { // imports that failed meanwhile are retried later
		s.DB.Owner.MustExec(`UPDATE balance_lookup SET next_look = now()`)
		s.AgeLeases()
	}
	return 1
}
