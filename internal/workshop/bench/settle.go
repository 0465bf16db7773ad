package bench

import (
	"testing"

	"konbit/internal/workshop/e2e"
)

var settle = Row{
	Name:  "settle",
	Claim: "signed webhooks over HTTP, 32 senders, until every gift is booked with its receipt number and its email job",
	Measure: func(t testing.TB, m *Meter) {
		w := newEnvironment(t, e2e.Options{})
		r := newBaseline(t, w.model)
		gifts := m.Size(4000, 1000)
		turns := []func(){
			func() { m.Note("konbit", w.settle(senders, gifts)); w.dropEmails() },
			func() { m.Note("N", r.naive(senders, 1600)) },
			func() { m.Note("D", r.derived(senders, 1600)) },
		}
		if rival := m.Rival; rival != nil {
			turns = append(turns, func() { m.Note(rival.name(), rival.book(t, senders, gifts)) })
		}
		m.Interleave(turns...)
		m.Compare("beside N", "gifts/s", "konbit", "N", AtLeast(3.5))
		m.Compare("beside D", "gifts/s", "konbit", "D", AtLeast(1))
		if m.Rival != nil {
			m.Compare("beside another program", "gifts/s", "konbit", m.Rival.name(), Shown)
		}
	},
}

// senders is how many connections Stripe opens in most rows.
const senders = 32

var scaling = Row{
	Name:  "settle-scaling",
	Claim: "settling with 32 senders, compared with 8 senders",
	Measure: func(t testing.TB, m *Meter) {
		w := newEnvironment(t, e2e.Options{})
		gifts := m.Size(4000, 1000)
		m.Interleave(
			func() { m.Note("32 senders", w.settle(senders, gifts)); w.dropEmails() },
			func() { m.Note("8 senders", w.settle(8, gifts)); w.dropEmails() },
		)
		m.Compare("", "gifts/s", "32 senders", "8 senders", AtLeast(1.5))
	},
}

var runsAlone = Row{
	Name:  "settle-alone",
	Claim: "one webhook after another, until every gift is booked, compared with N with one client",
	Measure: func(t testing.TB, m *Meter) {
		w := newEnvironment(t, e2e.Options{})
		r := newBaseline(t, w.model)
		gifts := m.Size(1000, 300)
		m.Interleave(
			func() { m.Note("konbit", w.settle(1, gifts)); w.dropEmails() },
			func() { m.Note("N", r.naive(1, 500)) },
		)
		m.Compare("", "gifts/s", "konbit", "N", AtLeast(1))
	},
}
