package today

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// History is how far the stand-in has told the history of the demo.
type History struct {
	State string `json:"state"` // none, making, telling or told
	Steps int    `json:"steps"`
	Done  int    `json:"done"`

	Events    int `json:"events"`
	Delivered int `json:"delivered"`
}

// Percent returns how much of the history is told.
func (h History) Percent() int {
	switch {
	case h.State == "making" && h.Steps > 0:
		return 50 * h.Done / h.Steps
	case h.State == "telling" && h.Events > 0:
		return 50 + 50*h.Delivered/h.Events
	}
	return 0
}

// historyWait is how long a page waits for the stand-in.
const historyWait = 200 * time.Millisecond

// HistoryOf returns Area.History for the stand-in at an address; nil if there is none. After the history was told once it is
// not asked again.
func HistoryOf(standIn string) func(ctx context.Context) *History {
	if standIn == "" {
		return nil
	}
	client := &http.Client{Timeout: historyWait}
	var mu sync.Mutex
	over := false
	return func(ctx context.Context) *History {
		mu.Lock()
		done := over
		mu.Unlock()
		if done {
			return nil
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(standIn, "/")+"/_sandbox/history", nil)
		if err != nil {
			return nil
		}
		response, err := client.Do(request)
		if err != nil {
			return nil // the page is right without it
		}
		defer response.Body.Close()
		var h History
		if response.StatusCode != http.StatusOK || json.NewDecoder(http.MaxBytesReader(nil, response.Body, 1<<16)).Decode(&h) != nil {
			return nil
		}
		switch h.State {
		case "making", "telling":
			return &h
		case "told":
			mu.Lock()
			over = true
			mu.Unlock()
		}
		return nil
	}
}
