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
	Claim: "the resident memory of the server while it serves pages and webhooks over 32 connections, and its time from start to ready",
	Measure: func(t testing.TB, m *Meter) {
		metricsAddress := freeAddress(t)
		w := newEnvironment(t, e2e.Options{Settings: map[string]string{"METRICS_ADDR": metricsAddress}})
		n := m.Size(20_000, 5000)
		m.Interleave(func() {
			w.Kill()
			m.Note("ready", w.start())
			pages := get(host(w.URL()), "/give/csio")
			loadFrom(t, host(w.URL()), senders, http.StatusOK, n, func(int) request { return pages })
			m.Note("serving pages", resident(t, metricsAddress))
			w.settle(senders, m.Size(2000, 500))
			m.Note("settling", resident(t, metricsAddress))
			w.dropEmails()
		})
		m.Absolute("memory, pages", "MB", "serving pages", AtMost(80))
		m.Absolute("memory, settling", "MB", "settling", AtMost(80))
		m.Absolute("start to ready", "s", "ready", AtMost(1))
	},
}

// start starts the server and returns the seconds until it is ready.
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
		require.Less(w.t, time.Since(began), time.Minute, "the server is not ready")
		time.Sleep(2 * time.Millisecond)
	}
}

// freeAddress returns a free local address.
func freeAddress(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

var residentLine = regexp.MustCompile(`(?m)^process_resident_memory_bytes (\S+)`)

// resident returns the server's memory, which its metrics read from the kernel, in megabytes of 10⁶ bytes.
func resident(t testing.TB, metricsAddress string) float64 {
	response, err := http.Get(fmt.Sprintf("http://%s/metrics", metricsAddress))
	require.NoError(t, err)
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	line := residentLine.FindSubmatch(page)
	require.NotNil(t, line)
	bytes, err := strconv.ParseFloat(string(line[1]), 64)
	require.NoError(t, err)
	return bytes / 1e6
}
