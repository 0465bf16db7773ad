package stripefake

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Faults is a plan of Stripe's bad days: which calls fail and how, drawn by the seed.
type Faults struct {
	Rate  float64       // share of calls that fail, 0 to 1
	Kinds []string      // drawn evenly from these; see FaultKinds
	Only  string        // when set, only calls of this method and path prefix: "POST /v1/refunds"
	Times int           // when above 0, the plan ends after so many faults
	Hang  time.Duration // how long a "timeout" holds the connection; 0 is as the options say
}

// FaultKinds are the ways a call can fail. The effect of "500" and "timeout" happens or not, by chance; a 500 is kept
// under the idempotency key and replayed, as Stripe does; 429 and 503 do nothing and are not kept; "cut" does the
// work and breaks the connection before the answer; "500-after" is a 500 whose effect happened.
var FaultKinds = []string{"429", "500", "500-after", "503", "timeout", "cut"}

// SetFaults replaces the plan; a rate of 0 ends it. It refuses unknown kinds and rates outside 0 to 1.
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
	defer s.mu.Unlock()
	s.faults = f
	return nil
}

// fault is what befalls one call; the zero kind is none.
type fault struct {
	kind   string
	effect bool          // the work is done
	hang   time.Duration // of a "timeout"
}

// drawFault decides over one call. The lock is held.
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

// answer is what the caller gets to see; nil cuts the connection.
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
