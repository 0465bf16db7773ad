package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

// TestSlowSockets is threat T24: a thousand sockets send slowly and reconnect when they are closed. The form is as fast
// as before, and the server closes each socket at the limit of its request's phase.
func TestSlowSockets(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	const sockets, forms = 1000, 150
	alone := s.formP95(forms)
	attacks := []struct {
		begin string
		limit time.Duration
	}{
		{"", 2 * time.Second},
		{"GET /give/csio HTTP/1.1\r\n", 2 * time.Second},
		{"GET /give/csio HTTP/1.1\r\nHost: x\r\nX-Slow: ", 2 * time.Second},
		{"POST /give/csio HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nfirst_name=", 15 * time.Second},
	}
	var running sync.WaitGroup
	var over atomic.Bool
	var cut atomic.Int64
	opened := make(chan struct{}, sockets)
	for i := range sockets {
		attack := attacks[i%len(attacks)]
		running.Go(func() {
			for tell := opened; tell != nil || !over.Load(); tell = nil {
				lived, err := trickle(s.addr, attack.begin, tell)
				if cut.Add(1); err != nil || lived > attack.limit+5*time.Second {
					t.Errorf("%q lived %s: %v", attack.begin, lived, err)
					return
				}
			}
		})
	}
	for range sockets {
		<-opened
	}
	beside := s.formP95(forms)
	require.Equal(t, http.StatusSeeOther, s.post("/give/csio", form("Ana")).status, "and a gift is begun")
	testkit.Eventually(t, time.Minute, func() error { // sockets have opened again
		if n := cut.Load(); n <= sockets {
			return fmt.Errorf("%d sockets were closed", n)
		}
		return nil
	})
	over.Store(true)
	running.Wait()
	t.Logf("%d slow sockets, cut off %d times: the form's p95 %s, without them %s", sockets, cut.Load(), beside, alone)
	require.LessOrEqual(t, beside, 500*time.Millisecond+5*alone) // the machine may be busy with other tests
}

// formP95 reads the form n times and returns the 95th percentile of the time.
func (s *Stack) formP95(n int) time.Duration {
	s.t.Helper()
	took := make([]time.Duration, n)
	for i := range took {
		began := time.Now()
		require.Equal(s.t, http.StatusOK, s.get("/give/csio").status)
		took[i] = time.Since(began)
		time.Sleep(20 * time.Millisecond)
	}
	slices.Sort(took)
	return took[n*95/100]
}

// trickle starts a request, reports this, and then sends a byte from time to time until the server closes the socket.
// It returns how long that took, and os.ErrDeadlineExceeded if the socket is open after the longest limit.
func trickle(addr, begin string, opened chan<- struct{}) (time.Duration, error) {
	began := time.Now()
	conn, err := net.Dial("tcp", addr)
	if err == nil {
		defer conn.Close()
		err = errors.Join(conn.SetDeadline(began.Add(25*time.Second)), send(conn, begin))
	}
	if opened != nil {
		opened <- struct{}{}
	}
	if err != nil {
		return 0, err
	}
	closed, sent := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sent)
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for err := error(nil); err == nil && begin != ""; err = send(conn, "x") {
			select {
			case <-closed:
				return
			case <-tick.C:
			}
		}
	}()
	_, err = io.Copy(io.Discard, conn)
	close(closed)
	<-sent
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil // closed or reset: cut off
	}
	return time.Since(began), err
}

func send(conn net.Conn, text string) error {
	_, err := io.WriteString(conn, text)
	return err
}

// TestSizes checks the server's largest sizes: 16 kB of headers, 64 kB of a form, 256 kB of a webhook (T24).
func TestSizes(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	ask := func(method, path string, body io.Reader, header http.Header) int {
		request, err := http.NewRequest(method, s.URL()+path, body)
		require.NoError(t, err)
		request.Header = header
		return s.read(script.Do(request)).status
	}
	formType := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	padded := func(bytes int) string {
		typed := form("Ana").Encode() + "&pad="
		return typed + strings.Repeat("x", bytes-len(typed))
	}
	unsized := func(text string) io.Reader { return io.MultiReader(strings.NewReader(text)) } // sent in chunks
	hook := "/hooks/stripe/tsne"
	for name, test := range map[string]struct{ got, want int }{
		"headers":             {ask("GET", "/give/csio", nil, http.Header{"X-Long": {strings.Repeat("x", 15<<10)}}), 200},
		"long headers":        {ask("GET", "/give/csio", nil, http.Header{"X-Long": {strings.Repeat("x", 25<<10)}}), 431}, // Go allows two buffers of 4 kB more
		"long address":        {ask("GET", "/give/csio?x="+strings.Repeat("x", 25<<10), nil, nil), 431},
		"form":                {ask("POST", "/give/csio", strings.NewReader(padded(64<<10)), formType), 303},
		"long form":           {ask("POST", "/give/csio", strings.NewReader(padded(64<<10+1)), formType), 413},
		"long form in chunks": {ask("POST", "/give/csio", unsized(padded(1<<20)), formType), 413},
		"webhook":             {ask("POST", hook, strings.NewReader(strings.Repeat("x", 256<<10)), nil), 400}, // read, and not signed
		"long webhook":        {ask("POST", hook, strings.NewReader(strings.Repeat("x", 256<<10+1)), nil), 413},
		"webhook in chunks":   {ask("POST", hook, unsized(strings.Repeat("x", 1<<20)), nil), 413},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, test.got)
		})
	}
	require.Equal(t, 1, s.count(`SELECT count(*) FROM donation`))
}
