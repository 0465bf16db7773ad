package stripefake

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// answer is what goes back over the wire and, under an idempotency key, what is replayed.
type answer struct {
	Status  int
	Body    json.RawMessage
	Request string // id of the request first answered so
	Print   string // hash of method, path and parameters
	At      int64
	keep    bool
	hang    time.Duration // before the connection is cut, without an answer
}

const (
	keyLife      = 24 * time.Hour
	maxKeyLength = 255
)

// idempotencySlot is a call's right to run under its idempotency key; nil without a key.
type idempotencySlot struct {
	a     *account
	key   string
	print string
	now   int64
}

// claim answers from the store, refuses, or reserves the key (docs.stripe.com/api/idempotent_requests): same
// parameters replay the stored answer for 24 hours, other ones are an error, and so is a twin still at work.
// The lock is held.
func (s *Server) claim(c *call) (*idempotencySlot, *answer, error) {
	if c.key == "" || c.r.Method != http.MethodPost {
		return nil, nil, nil
	}
	if len(c.key) > maxKeyLength {
		return nil, nil, invalid("", "", fmt.Sprintf("The idempotency key is longer than %d characters.", maxKeyLength))
	}
	sum := sha256.Sum256([]byte(c.r.Method + " " + c.r.URL.Path + "?" + c.r.Form.Encode()))
	print := base64.RawStdEncoding.EncodeToString(sum[:])
	old := c.a.Answers[c.key]
	switch {
	case old != nil && old.At <= c.now-int64(keyLife/time.Second):
		delete(c.a.Answers, c.key)
	case old != nil && old.Print != print:
		return nil, nil, &apiError{status: http.StatusBadRequest, kind: "idempotency_error",
			message: fmt.Sprintf("Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '%s' if you meant to execute a different request.", c.key)}
	case old != nil:
		return nil, old, nil
	}
	place := c.a.ID + "/" + c.key
	if s.inFlight[place] {
		return nil, nil, &apiError{status: http.StatusConflict, kind: "idempotency_error", code: "idempotency_key_in_use",
			message: fmt.Sprintf("There is currently another in-progress request using this Stripe-Idempotency key (that probably means you submitted twice, and the other request is still going through): %s", c.key)}
	}
	s.inFlight[place] = true
	return &idempotencySlot{a: c.a, key: c.key, print: print, now: c.now}, nil, nil
}

// store keeps an answer under the key.
func (st *idempotencySlot) store(a *answer) {
	if st == nil {
		return
	}
	kept := *a
	kept.Print, kept.At = st.print, st.now
	st.a.Answers[st.key] = &kept
}

// abandon frees the key for the next call. The caller holds the lock.
func (st *idempotencySlot) abandon(s *Server) {
	if st != nil {
		delete(s.inFlight, st.a.ID+"/"+st.key)
	}
}
