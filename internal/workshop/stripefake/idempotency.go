package stripefake

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// answer is the response to a call. Under an idempotency key it is saved and replayed.
type answer struct {
	Status  int
	Body    json.RawMessage
	Request string // id of the request that was answered first
	Print   string // hash of method, path and parameters
	At      int64
	save    bool
	hang    time.Duration // time before the connection is cut without an answer
}

const (
	keyLife      = 24 * time.Hour
	maxKeyLength = 255
)

// idempotencySlot is the right of one call to run under its idempotency key; nil without a key.
type idempotencySlot struct {
	a           *account
	key         string
	requestHash string
	now         int64
}

// claim checks the idempotency key of a call (docs.stripe.com/api/idempotent_requests). The caller holds
// the lock.
//   - New key, or older than 24 hours: it reserves the key and returns the slot.
//   - Known key with the same parameters: it returns the saved answer.
//   - Known key with other parameters, or a call with this key still runs: it returns an error.
func (s *Server) claim(c *call) (*idempotencySlot, *answer, error) {
	if c.key == "" || c.r.Method != http.MethodPost {
		return nil, nil, nil
	}
	if len(c.key) > maxKeyLength {
		return nil, nil, invalid("", "", fmt.Sprintf("The idempotency key is longer than %d characters.", maxKeyLength))
	}
	sum := sha256.Sum256([]byte(c.r.Method + " " + c.r.URL.Path + "?" + c.r.Form.Encode()))
	requestHash := base64.RawStdEncoding.EncodeToString(sum[:])
	old := c.a.Answers[c.key]
	switch {
	case old != nil && old.At <= c.now-int64(keyLife/time.Second):
		delete(c.a.Answers, c.key)
		c.a.touchAnswer(c.key)
	case old != nil && old.Print != requestHash:
		return nil, nil, &apiError{status: http.StatusBadRequest, kind: "idempotency_error",
			message: fmt.Sprintf("Keys for idempotent requests can only be used with the same parameters they were "+
				"first used with. Try using a key other than '%s' if you meant to execute a different request.", c.key)}
	case old != nil:
		return nil, old, nil
	}
	id := c.a.ID + "/" + c.key
	if s.inFlight[id] {
		return nil, nil, &apiError{status: http.StatusConflict, kind: "idempotency_error", code: "idempotency_key_in_use",
			message: fmt.Sprintf("There is currently another in-progress request using this Stripe-Idempotency key "+
				"(that probably means you submitted twice, and the other request is still going through): %s", c.key)}
	}
	s.inFlight[id] = true
	return &idempotencySlot{a: c.a, key: c.key, requestHash: requestHash, now: c.now}, nil, nil
}

// store saves an answer under the key.
func (st *idempotencySlot) store(a *answer) {
	if st == nil {
		return
	}
	kept := *a
	kept.Print, kept.At = st.requestHash, st.now
	st.a.Answers[st.key] = &kept
	st.a.touchAnswer(st.key)
}

// abandon releases the key for the next call. The caller holds the lock.
func (st *idempotencySlot) abandon(s *Server) {
	if st != nil {
		delete(s.inFlight, st.a.ID+"/"+st.key)
	}
}
