package bench

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
)

var form = Row{
	Name: "form",
	Claim: "GET /give/{org} over 32 connections, compared with a net/http handler that writes the same bytes from memory; then both " +
		"at half of Konbit's rate, however fast they answer",
	Measure: func(t testing.TB, m *Meter) {
		w := newEnvironment(t, e2e.Options{})
		response, err := http.Get(w.URL() + "/give/csio")
		require.NoError(t, err)
		page, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		memory := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = out.Write(page)
		}))
		t.Cleanup(memory.Close)
		n := m.Size(40_000, 10_000)
		read := func(name, url string) func() {
			front := get(host(url), "/give/csio")
			return func() {
				y := loadFrom(t, host(url), senders, http.StatusOK, n, func(int) request { return front })
				m.Note(name, y.rate())
				m.Note(name+" p99", y.p99())
			}
		}
		m.Interleave(read("konbit", w.URL()), read("net/http", memory.URL))
		half := int(median(m.samples["konbit"]) / 2)
		pacedRead := func(name, url string) func() {
			front := get(host(url), "/give/csio")
			return func() {
				y, _ := loadPaced(t, host(url), senders, http.StatusOK, half, n/2, func(int) request { return front })
				m.Note(name+" paced p99", y.p99())
			}
		}
		m.Interleave(pacedRead("konbit", w.URL()), pacedRead("net/http", memory.URL))
		m.Compare("rate", "pages/s", "konbit", "net/http", AtLeast(0.3))
		m.Compare("p99 at half its rate", "ms", "konbit paced p99", "net/http paced p99", AtMost(2))
		m.Compare("p99 at full load", "ms", "konbit p99", "net/http p99", Shown) // both programs and the load share the cores
	},
}
