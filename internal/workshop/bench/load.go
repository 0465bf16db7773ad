package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// request is the bytes of a prepared HTTP request.
type request []byte

// get returns a GET of a path with a browser's headers; head has further header lines.
func get(host, path string, head ...string) request {
	lines := ""
	for _, line := range head {
		lines += line + "\r\n"
	}
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/html\r\nAccept-Language: en\r\n%s\r\n", path, host, lines)
}

// post returns a POST; head has further header lines.
func post(host, path string, body []byte, head ...string) request {
	lines := ""
	for _, line := range head {
		lines += line + "\r\n"
	}
	return append(fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\n%sContent-Length: %d\r\n\r\n", path, host, lines, len(body)), body...)
}

// host returns the host and port of a URL without a path.
func host(url string) string { return strings.TrimPrefix(url, "http://") }

// loadResult is the result of a load.
type loadResult struct {
	latencies []time.Duration // of each answer, unordered
	elapsed   time.Duration   // from the first request to the last answer
}

// rate returns the answers a second.
func (y loadResult) rate() float64 { return float64(len(y.latencies)) / y.elapsed.Seconds() }

// p99 returns the 99th percentile in milliseconds.
func (y loadResult) p99() float64 { return float64(percentile(y.latencies, 99).Microseconds()) / 1000 }

// load sends the requests over a number of open connections. Each connection sends its next request after the
// answer to the one before. All answers must have the status want. The load costs little: it writes bytes and
// parses only the answer's status and headers.
func load(t testing.TB, address string, connections, want int, requests []request) loadResult {
	t.Helper()
	return loadFrom(t, address, connections, want, len(requests), func(i int) request { return requests[i] })
}

// loadFrom is load, but creates the i-th of n requests when it is sent.
func loadFrom(t testing.TB, address string, connections, want, n int, request func(i int) request) loadResult {
	t.Helper()
	return sendAll(t, address, connections, n, func(w *connection, i int) (time.Duration, error) {
		return w.sendWithRetry(request(i), want)
	})
}

// loadPaced is loadFrom, but sends the requests at a fixed rate a second, although earlier ones have no answer yet, as long
// as a connection is free. A latency is counted from the time when the request was due, so that it contains the wait for a
// free connection. sent has that time of each request.
func loadPaced(t testing.TB, address string, connections, want, rate, n int, request func(i int) request) (y loadResult, sent []time.Time) {
	t.Helper()
	sent = make([]time.Time, n)
	began := time.Now()
	y = sendAll(t, address, connections, n, func(w *connection, i int) (time.Duration, error) {
		sent[i] = began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(sent[i]))
		_, err := w.sendWithRetry(request(i), want)
		return time.Since(sent[i]), err
	})
	return y, sent
}

// sendAll calls send for each i below n, in this order, over a number of connections. send returns the latency.
func sendAll(t testing.TB, address string, connections, n int, send func(w *connection, i int) (time.Duration, error)) loadResult {
	t.Helper()
	took := make([]time.Duration, n)
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var senders sync.WaitGroup
	began := time.Now()
	for range connections {
		senders.Go(func() {
			w, err := dial(address)
			if err == nil {
				defer w.Close()
			}
			for err == nil && failed.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				took[i], err = send(w, i)
			}
			if err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		})
	}
	senders.Wait()
	all := time.Since(began)
	if err := failed.Load(); err != nil {
		t.Fatalf("bench: %v", *err)
	}
	return loadResult{took, all}
}

// connection is one connection that is kept open.
type connection struct {
	net.Conn
	r *bufio.Reader
}

func dial(address string) (*connection, error) {
	c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	return &connection{c, bufio.NewReaderSize(c, 64<<10)}, nil
}

// maxTries is the maximum of attempts of one request, a second apart.
const maxTries = 10

// sendWithRetry sends a request, and again a second later if the answer asks for it, as Stripe and donors do
// when a disk is slow. The time starts with the first byte of the first attempt.
func (w *connection) sendWithRetry(request request, want int) (time.Duration, error) {
	began := time.Now()
	for tries := 1; ; tries++ {
		status, err := w.send(request)
		switch {
		case err != nil:
			return 0, err
		case wanted(status, want):
			return time.Since(began), nil
		case status != http.StatusServiceUnavailable || tries == maxTries:
			return 0, fmt.Errorf("answered %d %s, not %d", status, http.StatusText(status), want)
		}
		time.Sleep(time.Second)
	}
}

// send sends a request and reads its answer to the end.
func (w *connection) send(request request) (status int, err error) {
	return w.sendTo(io.Discard, request)
}

// page is send, and returns the answer's body.
func (w *connection) page(request request) (status int, page string, err error) {
	var body strings.Builder
	status, err = w.sendTo(&body, request)
	return status, body.String(), err
}

func (w *connection) sendTo(out io.Writer, request request) (status int, err error) {
	if err := w.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, err
	}
	if _, err := w.Write(request); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(w.r, nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(out, response.Body)
	return response.StatusCode, err
}
