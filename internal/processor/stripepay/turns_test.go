package stripepay_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/processor/stripepay"
	"konbit/internal/workshop/testkit/short"
)

// limitedStripe stands for Stripe with its limit of test mode: it refuses calls beyond 25 in a second with status 429.
type limitedStripe struct {
	*httptest.Server
	mu      sync.Mutex
	calls   []time.Time // accepted in the last second
	refused atomic.Int64
}

func newLimitedStripe(t *testing.T) *limitedStripe {
	l := &limitedStripe{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case !l.accept():
			l.refused.Add(1)
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"error":{"type":"invalid_request_error","code":"rate_limit","message":"Too many requests"}}`)
		case strings.Contains(r.URL.Path, "billing_portal"):
			_, _ = fmt.Fprintf(w, `{"id":"bps_1","object":"billing_portal.session","url":%q}`, l.URL+"/p/session")
		default:
			_, _ = fmt.Fprintf(w, `{"id":"cs_test_1","object":"checkout.session","url":%q}`, l.URL+"/c/pay/cs_test_1")
		}
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *limitedStripe) accept() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.calls = slices.DeleteFunc(l.calls, func(at time.Time) bool { return now.Sub(at) >= time.Second })
	if len(l.calls) >= 25 {
		return false
	}
	l.calls = append(l.calls, now)
	return true
}

// TestGiftsComeBeforeActs: 300 acts of the portal begin at once, and gifts begin beside them for six seconds. Every gift
// has its payment page, within two seconds, whether our own limit keeps the acts back or Stripe refuses them: as on two
// servers, whose limits together are more than Stripe's.
func TestGiftsComeBeforeActs(t *testing.T) {
	short.Skip(t, "seconds of a processor's limit")
	for name, c := range map[string]struct {
		servers int
		rate    float64 // our own limit of each; 0 is none
	}{
		"our limit": {1, 20}, "two servers": {2, 20}, "no limit of ours": {1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLimitedStripe(t)
			var servers []*stripepay.Stripe
			for range c.servers {
				s := speaker(t, l.URL)
				if c.rate > 0 {
					s.LimitCalls(c.rate)
				}
				servers = append(servers, s)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
			defer cancel()
			var acts, gifts sync.WaitGroup
			for n := range 300 {
				acts.Go(func() {
					for ctx.Err() == nil { // a donor, or the queue of jobs, tries again
						if _, err := servers[n%c.servers].PaymentMethodPage(ctx, "tsne", "cus_1", "en", "http://konbit.example/"); err == nil {
							return
						}
						time.Sleep(200 * time.Millisecond)
					}
				})
			}
			var slowest atomic.Int64
			for n := 0; ctx.Err() == nil; n++ {
				gifts.Go(func() {
					began := time.Now()
					_, err := servers[n%c.servers].Create(t.Context(), order())
					assert.NoError(t, err)
					took := time.Since(began)
					for old := slowest.Load(); int64(took) > old && !slowest.CompareAndSwap(old, int64(took)); old = slowest.Load() {
					}
				})
				time.Sleep(150 * time.Millisecond)
			}
			gifts.Wait()
			acts.Wait()
			t.Logf("slowest gift %s, %d calls refused", time.Duration(slowest.Load()).Round(time.Millisecond), l.refused.Load())
			require.Less(t, time.Duration(slowest.Load()), 2*time.Second)
			if name == "our limit" {
				require.Less(t, l.refused.Load(), int64(20), "calls of two seconds that arrive in one, on a busy machine")
			}
		})
	}
}
