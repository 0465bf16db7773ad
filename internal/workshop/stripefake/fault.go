package stripefake

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Faults is a plan of faults: which calls fail and how. The seed decides each call.
type Faults struct {
	Rate  float64       // share of calls that fail, 0 to 1
	Kinds []string      // one is drawn for each failing call; see FaultKinds
	Only  string        // if set, only calls of this method and path prefix fail: "POST /v1/refunds"
	Times int           // if above 0, the plan ends after this number of faults
	Hang  time.Duration // how long a "timeout" holds the connection; 0 means Options.Hang
}

// FaultKinds lists the ways in which a call can fail.
//   - 429, 503: the work is not done; the answer is not saved under the idempotency key.
//   - 500: the work is done or not, by chance; the answer is saved and replayed, as Stripe does.
//   - 500-after: like 500, but the work is always done.
//   - timeout: the work is done or not, by chance; there is no answer.
//   - cut: the work is done; the connection breaks before the answer.
var FaultKinds = []string{"429", "500", "500-after", "503", "timeout", "cut"}

// SetFaults replaces the plan; a rate of 0 ends it. It reports an error if a kind is unknown or the rate is
// not in 0 to 1.
func (s *Server) SetFaults(f Faults) error {
	if !(f.Rate >= 0 && f.Rate <= 1) || (f.Rate > 0 && len(f.Kinds) == 0) {
		return fmt.Errorf("a fault plan needs a rate from 0 to 1 and kinds, of %s", strings.Join(FaultKinds, ", "))
	}
	for _, kind := range f.Kinds {
		if !slices.Contains(FaultKinds, kind) {
			return fmt.Errorf("no fault is called %q; there are %s", kind, strings.Join(FaultKinds, ", "))
		}
	}
	s.mu.Lock()
	defer s.unlock()
	s.faults = f
	return nil
}

// fault is the fault of one call; an empty kind means none.
type fault struct {
	kind   string
	effect bool          // the work is done
	hang   time.Duration // of a "timeout"
}

// drawFault decides whether one call fails. The caller holds the lock.
func (s *Server) drawFault(rec Call) fault {
	f := &s.faults
	if f.Rate == 0 || !strings.HasPrefix(rec.Method+" "+rec.Path, f.Only) || s.chance.Float64() >= f.Rate {
		return fault{effect: true}
	}
	if f.Times > 0 {
		if f.Times--; f.Times == 0 {
			defer func() { s.faults = Faults{} }()
		}
	}
	kind := f.Kinds[s.chance.IntN(len(f.Kinds))]
	switch kind {
	case "cut", "500-after":
		return fault{kind: kind, effect: true}
	case "500", "timeout":
		return fault{kind, s.chance.IntN(2) == 0, cmp.Or(f.Hang, s.opts.Hang)}
	}
	return fault{kind: kind}
}

// answer returns what the caller receives; nil cuts the connection.
func (f fault) answer(request string, st *idempotencySlot) *answer {
	switch f.kind {
	case "429":
		return failure(unavailable(http.StatusTooManyRequests), request)
	case "503":
		return failure(unavailable(http.StatusServiceUnavailable), request)
	case "500", "500-after":
		a := failure(unavailable(http.StatusInternalServerError), request)
		st.store(a)
		return a
	case "timeout":
		return &answer{hang: f.hang, Request: request}
	}
	return nil
}
