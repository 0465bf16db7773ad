package chaos

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// browser keeps enough open connections, so that a load does not measure the opening of connections.
var browser = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 256, IdleConnTimeout: time.Minute},
}

func discard(response *http.Response) error {
	_, err := io.Copy(io.Discard, response.Body)
	return err
}

// send calls do at a fixed rate, each call at its planned time, independent of the calls before. It
// waits for all and returns their number.
func send(length time.Duration, aSecond int, do func(n int, planned time.Time)) (asked int) {
	began, every := time.Now(), time.Second/time.Duration(aSecond)
	var all sync.WaitGroup
	for ; time.Duration(asked)*every < length; asked++ {
		n, planned := asked, began.Add(time.Duration(asked)*every)
		time.Sleep(time.Until(planned))
		all.Go(func() { do(n, planned) })
	}
	all.Wait()
	return asked
}

// latencies collects how long requests took.
type latencies struct {
	mu  sync.Mutex
	all []time.Duration
}

func (t *latencies) add(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, d)
}

// quantile returns the value that a number of hundredths of the latencies do not exceed.
func (t *latencies) quantile(of100 int) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t.all))
	return sorted[min(len(sorted)*of100/100, len(sorted)-1)]
}

func ms(d time.Duration) string { return fmt.Sprint(d.Round(time.Millisecond)) }
