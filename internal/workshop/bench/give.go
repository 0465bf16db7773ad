package bench

import (
	"fmt"
	"net/http"
	"testing"

	"konbit/internal/workshop/e2e"
)

// give sends the gifts to the stand-in, which answers at once and uses the same cores.
var give = Row{
	Name:  "give",
	Claim: "POST /give/{org} to the redirect over 32 connections, the stand-in answers at once; compared with D",
	Measure: func(t testing.TB, m *Meter) {
		w := newEnvironment(t, e2e.Options{})
		r := newBaseline(t, w.model)
		n, donors := m.Size(3000, 1000), 0
		m.Interleave(
			func() {
				asks := make([]request, n)
				for i := range asks {
					donors++
					asks[i] = post(host(w.URL()), "/give/csio", []byte(giveForm(fmt.Sprint(donors))), "Content-Type: application/x-www-form-urlencoded")
				}
				m.Note("konbit", load(t, host(w.URL()), senders, http.StatusSeeOther, asks).rate())
			},
			func() { m.Note("D", r.derived(senders, 1600)) },
		)
		m.Compare("", "gifts/s", "konbit", "D", AtLeast(0.3))
	},
}
