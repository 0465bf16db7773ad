package bench

import (
	"fmt"
	"net/http"
	"testing"

	"konbit/internal/workshop/e2e"
)

// give sends the gifts to the stand-in, which answers at once and uses the same cores. The limits are on: each donor has an
// address and a network of their own, as in the row whole.
var give = Row{
	Name:  "give",
	Claim: "POST /give/{org} with the limits on to the redirect, over 32 connections, the stand-in answers at once; compared with D",
	Measure: func(t testing.TB, m *Meter) {
		w := newEnvironment(t, e2e.Options{Settings: limitsOn})
		r := newBaseline(t, w.model)
		n, donors := m.Size(3000, 1000), 0
		m.Interleave(
			func() {
				asks := make([]request, n)
				for i := range asks {
					donors++
					asks[i] = post(host(w.URL()), "/give/csio", []byte(giveForm(fmt.Sprint(donors))),
						"Content-Type: application/x-www-form-urlencoded", "X-Forwarded-For: "+addressOf(donors))
				}
				m.Note("konbit", load(t, host(w.URL()), senders, http.StatusSeeOther, asks).rate())
			},
			func() { m.Note("D", r.derived(senders, 1600)) },
		)
		m.Compare("", "gifts/s", "konbit", "D", AtLeast(0.3))
	},
}

// limitsOn are settings with which the limits count every donor and refuse none: the load is one page's and fills in nothing.
var limitsOn = map[string]string{"TRUSTED_PROXIES": "127.0.0.1", "GIVE_LIMITS": "page=1000000/10m min_fill_time=off"}

// addressOf returns a donor's address, in a network of its own.
func addressOf(donor int) string { return fmt.Sprintf("11.%d.%d.1", donor/256%256, donor%256) }
