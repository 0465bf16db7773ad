package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"path"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

func init() {
	register(Row{
		Name: "outage", No: "8", Short: 24, Long: 1000, Prove: Outage,
		Promise: "receipts in an hour in which the mail server refuses, hangs or postpones: none lost, none given up, the form as fast " +
			"as before, all sent within ten minutes after the outage, without a burst",
	})
}

const (
	hour       = time.Hour
	shortHour  = 1500 * time.Millisecond // outage of the short form; the retries are those of the program in both forms
	back       = 10 * time.Minute        // all are sent within this time after the outage
	shortBack  = 2 * time.Minute
	forms      = 4                // a second, at each of the two
	slower     = 1.10             // allowed ratio of the form's p99 in the outage
	spreadTime = 30 * time.Second // emails are spread over this time
)

// Outage submits forms at a steady rate to a Konbit whose mail server is down and to another whose mail server works,
// so that both share the machine's speed. The gifts are paid evenly during the outage. Each kind of failure takes a
// third of it, in an order that follows from the seed. The retries are those of the program, in full and in short.
func Outage(t testing.TB, run Run) {
	r := rand.New(rand.NewPCG(run.Seed, 8))
	lasts, limit := shortHour, shortBack
	if run.Count >= 1000 {
		lasts, limit = hour, back
	}
	o := &mailOutage{t: t, run: run, ill: e2e.Start(t, e2e.Options{Stripe: stripefake.Options{Seed: run.Seed | 1}}),
		well: e2e.Start(t, e2e.Options{Stripe: stripefake.Options{Seed: run.Seed | 1}})}
	kinds := []mailcatch.Kind{mailcatch.Refuse, mailcatch.Defer, mailcatch.Hang}
	r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	over := make(chan struct{})
	var submitting sync.WaitGroup
	o.ill.Mail().SetFault(mailcatch.Fault{Kind: kinds[0]})
	began := time.Now()
	submitting.Go(func() { o.submitAll(over, lasts) })
	for _, kind := range kinds[1:] {
		time.Sleep(lasts / 3)
		o.ill.Mail().SetFault(mailcatch.Fault{Kind: kind})
	}
	time.Sleep(time.Until(began.Add(lasts)))
	close(over)
	submitting.Wait()
	require.Equal(t, run.Count, o.paid)
	sent := len(o.ill.Mail().Messages())
	require.Zero(t, sent, "nothing is sent in the outage")

	o.ill.Mail().SetFault(mailcatch.Fault{})
	returned := time.Now()
	testkit.Eventually(t, limit, func() error {
		if n := len(o.ill.Mail().Messages()); n < run.Count {
			return fmt.Errorf("%d of %d emails sent %s after the return", n, run.Count, time.Since(returned).Round(time.Second))
		}
		return nil
	})
	run.Record("all sent after", time.Since(returned).Round(100*time.Millisecond).String())
	o.check(began, returned)
}

type mailOutage struct {
	t         testing.TB
	run       Run
	ill, well *e2e.Stack
	paid      int
	took      [2][]time.Duration // time until a form got a payment page, at the one without mail and the one with mail
	retries   [2]int             // forms that were asked to try again and did
}

// submitAll submits a form at each Konbit until the outage ends, and pays the number of gifts at the one without mail.
func (o *mailOutage) submitAll(over <-chan struct{}, lasts time.Duration) {
	pace := min(time.Second/forms, lasts/time.Duration(o.run.Count+2))
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-over:
			for o.paid < o.run.Count { // a busy machine submitted too few
				o.submit(n, 0, true)
			}
			return
		case <-tick.C:
		}
		due := int(int64(o.run.Count) * int64(n+1) * int64(pace) / int64(lasts*9/10)) // all well before the end
		for i := range 2 {
			which := (n + i) % 2
			o.submit(n, which, which == 0 && o.paid < min(due, o.run.Count))
		}
	}
}

func (o *mailOutage) submit(n, which int, pay bool) {
	s := []*e2e.Stack{o.ill, o.well}[which]
	form := url.Values{
		"form": {uuid.NewString()}, "amount": {"20"}, "frequency": {"once"}, "first_name": {"Donor"}, "last_name": {fmt.Sprint(n)},
		"email": {fmt.Sprintf("donor%d@donor.example", n)},
	}
	began := time.Now()
	page, err := submit(s.URL(), form)
	for tries := 0; errors.Is(err, errLater) && tries < 5; tries++ { // as a donor does; the time of the retries counts
		o.retries[which]++
		time.Sleep(time.Second)
		page, err = submit(s.URL(), form)
	}
	o.took[which] = append(o.took[which], time.Since(began))
	if err == nil && pay {
		if err = s.Stripe().Pay(path.Base(page), stripefake.GoodCard); err == nil {
			o.paid++
			o.run.Progress(1)
		}
	}
	if err != nil {
		o.t.Errorf("form %d: %v", n, err)
	}
}

// check checks the emails, the speed of the form, and how often the mail server was called.
func (o *mailOutage) check(began, returned time.Time) {
	o.ill.RequireGifts(o.run.Count)
	require.Len(o.t, o.ill.Mail().Messages(), o.run.Count, "no email has a copy")
	for what, query := range map[string]string{
		"given up": `SELECT count(*) FROM river_job WHERE state IN ('discarded', 'cancelled')`,
		"refused":  `SELECT count(*) FROM letter_delivery WHERE refused_at IS NOT NULL`,
	} {
		var n int
		require.NoError(o.t, o.ill.DB.Owner.Get(&n, query))
		require.Zero(o.t, n, what)
	}
	ill, well := p99(o.took[0]), p99(o.took[1])
	o.run.Record("form p99 in the outage", fmt.Sprintf("%s, without an outage %s", ill.Round(time.Millisecond), well.Round(time.Millisecond)))
	o.run.Record("forms asked to try again", fmt.Sprintf("%d, without an outage %d", o.retries[0], o.retries[1]))
	var arrived []time.Time
	for _, m := range o.ill.Mail().Messages() {
		arrived = append(arrived, m.Received)
	}
	dials := o.ill.Mail().Dials()
	bursts := 0
	for at := began; !at.After(time.Now()); at = at.Add(time.Second) {
		if within(dials, at, time.Second) > senders {
			bursts++
		}
	}
	most := 0
	for at := returned; !at.After(time.Now()); at = at.Add(spreadTime / 2) {
		most = max(most, within(arrived, at, spreadTime))
	}
	var tries int
	require.NoError(o.t, o.ill.DB.Owner.Get(&tries, `SELECT max(tries) FROM letter_delivery`))
	o.run.Record("most attempts of an email", fmt.Sprint(tries))
	o.run.Record("connections", fmt.Sprint(len(dials)))
	o.run.Record("bursts", fmt.Sprint(bursts))
	o.run.Record("most emails in half a minute", fmt.Sprint(most))
	require.LessOrEqual(o.t, bursts, 1, "seconds with more connections than there are workers")
	if o.run.Count >= 1000 {
		require.LessOrEqual(o.t, float64(ill), slower*float64(well), "the form's p99")
		require.LessOrEqual(o.t, most, o.run.Count/4, "the retries are spread")
	}
}

// within counts the moments in a period that begins at from.
func within(moments []time.Time, from time.Time, during time.Duration) (n int) {
	for _, m := range moments {
		if since := m.Sub(from); since >= 0 && since < during {
			n++
		}
	}
	return n
}

func p99(took []time.Duration) time.Duration {
	slices.Sort(took)
	return took[len(took)*99/100]
}
