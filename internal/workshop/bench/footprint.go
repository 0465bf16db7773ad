package bench

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
)

var footprint = Row{
	Name:  "footprint",
	Claim: "the server's resident memory while it serves pages and webhooks over 32 connections, and from its start to ready",
	Measure: func(t testing.TB, m *Meter) {
		technician := free(t)
		w := newEnvironment(t, e2e.Options{Settings: map[string]string{"METRICS_ADDR": technician}})
		n := m.Size(20_000, 5000)
		m.Interleave(func() {
			w.Kill()
			m.Note("ready", w.start())
			pages := get(host(w.URL()), "/give/csio")
			loadFrom(t, host(w.URL()), senders, http.StatusOK, n, func(int) request { return pages })
			m.Note("serving pages", resident(t, technician))
			w.settle(senders, m.Size(2000, 500))
			m.Note("settling", resident(t, technician))
			w.dropEmails()
		})
		m.Absolute("memory, pages", "MB", "serving pages", AtMost(80))
		m.Absolute("memory, settling", "MB", "settling", AtMost(80))
		m.Absolute("start to ready", "s", "ready", AtMost(1))
	},
}

// start starts the server and answers how many seconds it took to be ready.
func (w *environment) start() float64 {
	w.t.Helper()
	began := time.Now()
	w.Launch()
	for {
		response, err := http.Get(w.URL() + "/readyz")
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return time.Since(began).Seconds()
			}
		}
		require.Less(w.t, time.Since(began), time.Minute, "the server does not get ready")
		time.Sleep(2 * time.Millisecond)
	}
}

func free(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

var residentLine = regexp.MustCompile(`(?m)^process_resident_memory_bytes (\S+)`)

// resident is the server's memory as its own metrics have it from the kernel, in megabytes of 10⁶ bytes.
func resident(t testing.TB, technician string) float64 {
	response, err := http.Get(fmt.Sprintf("http://%s/metrics", technician))
	require.NoError(t, err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	said := residentLine.FindSubmatch(page)
	require.NotNil(t, said)
	bytes, err := strconv.ParseFloat(string(said[1]), 64)
	require.NoError(t, err)
	return bytes / 1e6
}
