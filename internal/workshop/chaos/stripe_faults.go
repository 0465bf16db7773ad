package chaos

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"sync/atomic"
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
		Name: "baddays", No: "10", Short: 80, Long: 5000, Prove: StripeFaults,
		Promise: "forms submitted while Stripe fails 30 % of calls in every way: one live page and one charge each, a page or a message " +
			"in time, no idempotency key with other parameters, each refund booked",
	})
}

const (
	failureRate      = 0.3              // share of calls
	concurrentDonors = 12               // donors at once; most of them wait
	maxAnswerTime    = 10 * time.Second // a page, or a message
	// maxAnswerTimeBusy applies on a machine that runs other tests.
	maxAnswerTimeBusy  = 14 * time.Second
	donorsWhileHanging = 6 // donors who submit while Stripe hangs
)

// StripeFaults makes donors submit forms at two servers, at both at once, again, and with another amount, while Stripe
// fails and gifts are refunded. Then Stripe hangs completely, and then it works.
func StripeFaults(t testing.TB, run Run) {
	s := e2e.Start(t, e2e.Options{Servers: 2, Stripe: stripefake.Options{Seed: run.Seed | 1}})
	b := &stripeFaultsRun{t: t, s: s, run: run}
	faults := stripefake.Faults{Rate: failureRate, Kinds: stripefake.FaultKinds}
	if run.Count < 1000 {
		faults.Hang = time.Second // in full, longer than any caller waits
	}
	require.NoError(t, s.Stripe().SetFaults(faults))
	var donors sync.WaitGroup
	for range concurrentDonors {
		donors.Go(func() {
			for int(b.submitted.Load()) < run.Count && !t.Failed() {
				n := b.donors.Add(1)
				b.donor(rand.New(rand.NewPCG(run.Seed, uint64(n))), int(n))
			}
		})
	}
	donors.Wait()

	require.NoError(t, s.Stripe().SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{"timeout"}}))
	for range donorsWhileHanging {
		donors.Go(func() {
			// The page may have been created, and then the second call with its key is answered from the
			// idempotency store.
			if _, err := b.submit(int(b.donors.Add(1)), 0, &openForm{form: uuid.NewString(), amount: 30}); err != nil && !errors.Is(err, errLater) {
				t.Errorf("while Stripe hangs a submit is answered %v", err)
			}
		})
	}
	donors.Wait()
	require.NoError(t, s.Stripe().SetFaults(stripefake.Faults{}))
	s.Konbit("stripe", "events", "sweep")               // else failed imports wait up to a quarter of an hour
	testkit.Eventually(t, drained, func() (err error) { // else an event that has failed six times waits up to three minutes
		s.MakeParkedDue()
		var parked int
		if err = s.DB.Owner.Get(&parked, `SELECT count(*) FROM stripe_event WHERE state = 'parked'`); err == nil && parked > 0 {
			err = fmt.Errorf("%d events are parked", parked)
		}
		return err
	})
	s.WaitDrained(drained)
	b.check()
}

// stripeFaultsRun counts what the donors do.
type stripeFaultsRun struct {
	t   testing.TB
	s   *e2e.Stack
	run Run

	donors, submitted, deferred, paid, refunded atomic.Int64
	mu                                          sync.Mutex
	slowest                                     time.Duration
}

// openForm is one open form of a donor.
type openForm struct {
	form   string
	amount int // dollars
}

// errLater is the answer 503 with a Retry-After.
var errLater = errors.New("503 with the form and Retry-After")

// submit submits the form at a server and returns the page of the redirect. An answer that is neither a page
// nor a clear message fails the test, and so does a late answer.
func (b *stripeFaultsRun) submit(donor, server int, v *openForm) (page string, err error) {
	email := fmt.Sprintf("donor%d@donor.example", donor)
	began := time.Now()
	response, err := program.Client().PostForm(b.s.Servers()[server].URL()+"/give/csio", url.Values{
		"form": {v.form}, "amount": {"other"}, "amount_other": {fmt.Sprint(v.amount)}, "frequency": {"once"}, "first_name": {"Donor"},
		"last_name": {fmt.Sprint(donor)}, "email": {email},
	})
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	took := time.Since(began)
	b.mu.Lock()
	b.slowest = max(b.slowest, took)
	b.mu.Unlock()
	b.submitted.Add(1)
	b.run.Progress(1)
	switch response.StatusCode {
	case http.StatusSeeOther:
		return response.Header.Get("Location"), err
	case http.StatusServiceUnavailable:
		b.deferred.Add(1)
		if response.Header.Get("Retry-After") == "" || !strings.Contains(string(body), email) || !strings.Contains(string(body), v.form) {
			return "", errors.New("503 without Retry-After, or without the typed values")
		}
		return "", cmp.Or(err, errLater)
	}
	return "", fmt.Errorf("a submit is answered %s", response.Status)
}

// donor submits until there is a page, changes the amount at times and usually pays. It may then submit
// again, for the same amount or more, and may get a refund.
func (b *stripeFaultsRun) donor(r *rand.Rand, n int) {
	v := &openForm{form: uuid.NewString(), amount: 20 + r.IntN(50)}
	page := b.submitUntilPage(r, n, v)
	if r.IntN(5) == 0 {
		v.amount++
		page = b.submitUntilPage(r, n, v)
	}
	if page == "" || r.IntN(6) == 0 {
		return
	}
	if err := b.s.Stripe().Pay(path.Base(page), stripefake.GoodCard); err != nil {
		b.t.Errorf("donor %d was redirected to a page that cannot be paid: %v", n, err)
		return
	}
	b.paid.Add(1)
	if r.IntN(4) == 0 {
		more := r.IntN(2) // the same form again, or a new gift, which stays unpaid
		v.amount += more
		again := b.submitUntilPage(r, n, v)
		if known := again == page || strings.Contains(again, "/thanks"); again != "" && known != (more == 0) {
			b.t.Errorf("donor %d had paid, submitted again for $%d more and was redirected to %s", n, more, again)
		}
	}
	if r.IntN(3) == 0 {
		if _, err := b.s.Stripe().Refund(b.intentOf(path.Base(page)), 100*r.Int64N(20)); err != nil {
			b.t.Errorf("donor %d's gift cannot be refunded: %v", n, err)
		}
		b.refunded.Add(1)
	}
}

// submitUntilPage submits, at times at both servers at once, until an answer redirects to a page.
func (b *stripeFaultsRun) submitUntilPage(r *rand.Rand, n int, v *openForm) string {
	for deadline := time.Now().Add(patient); time.Now().Before(deadline) && !b.t.Failed(); {
		var pages, wrong [2]string
		var both sync.WaitGroup
		first := r.IntN(2)
		for i := range 1 + r.IntN(4)/3 {
			both.Go(func() {
				page, err := b.submit(n, (first+i)%2, v)
				if pages[i] = page; err != nil && !errors.Is(err, errLater) {
					wrong[i] = err.Error()
				}
			})
		}
		both.Wait()
		if bad := cmp.Or(wrong[0], wrong[1]); bad != "" {
			b.t.Errorf("donor %d: %s", n, bad)
			return ""
		}
		if pages[0] != "" && pages[1] != "" && pages[0] != pages[1] && !strings.Contains(pages[0]+pages[1], "/thanks") {
			b.t.Errorf("donor %d submitted twice at once and was redirected to two pages", n)
		}
		if page := cmp.Or(pages[0], pages[1]); page != "" {
			return page
		}
		time.Sleep(time.Duration(50+r.IntN(300)) * time.Millisecond)
	}
	b.t.Errorf("donor %d: no page in %s", n, patient)
	return ""
}
