package stripepay

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76/webhook"

	"konbit/internal/platform/fault"
)

// tolerance bounds the age of a signature, both ways: the library alone would take one from the future.
const tolerance = 300 * time.Second

// MaxPayload is the largest webhook body taken, in bytes.
const MaxPayload = 256 << 10

// forged is one answer for whatever is wrong with a webhook, so that it teaches nothing.
func invalidWebhook(why string) error {
	return fault.Wrap(fault.Invalid, "problem.400.text", errors.New("webhook: "+why))
}

// header is what the inbox needs of an event.
type eventHeader struct {
	ID         string `json:"id"`
	Object     string `json:"object"`
	Type       string `json:"type"`
	APIVersion string `json:"api_version"`
	Created    int64  `json:"created"`
	Livemode   bool   `json:"livemode"`
}

const (
	maxNameBytes = 255          // of an id, a type or a version, in bytes; Stripe's are shorter
	maxCreated   = 253402300799 // the end of the year 9999
)

// event tells whether it is an event's, and one the inbox can hold: no text with a NUL, no date beyond dates.
func (h eventHeader) isEvent() bool {
	for _, text := range []string{h.ID, h.Type, h.APIVersion} {
		if len(text) > maxNameBytes || strings.ContainsRune(text, 0) {
			return false
		}
	}
	return h.ID != "" && h.Type != "" && h.Object == "event" && h.Created >= 0 && h.Created <= maxCreated
}

// verify checks a webhook for an entity: signed with one of its secrets, at most 300 s ago and at most 300 s
// ahead, and of the mode (live or test) of the entity's key. Whatever is wrong is fault.Invalid.
func (s *Stripe) verify(entitySlug string, payload []byte, signature string, now time.Time) (eventHeader, error) {
	a, ok := s.accounts[entitySlug]
	if !ok {
		return eventHeader{}, fault.New(fault.NotFound, "problem.404.text", nil)
	}
	signed, err := signedAt(signature)
	if err != nil {
		return eventHeader{}, invalidWebhook(err.Error())
	}
	if age := now.Sub(signed); age > tolerance || age < -tolerance {
		return eventHeader{}, invalidWebhook("signature too old or from the future")
	}
	known := false
	for _, secret := range a.keys.WebhookSecrets {
		known = known || webhook.ValidatePayloadIgnoringTolerance(payload, signature, secret) == nil
	}
	if !known {
		return eventHeader{}, invalidWebhook("no secret fits the signature")
	}
	var h eventHeader
	if err := json.Unmarshal(payload, &h); err != nil || !h.isEvent() {
		return eventHeader{}, invalidWebhook("signed, but no event")
	}
	if h.Livemode != a.keys.Live() {
		return eventHeader{}, invalidWebhook("live and test mode mixed")
	}
	return h, nil
}

// signedAt reads t= of a Stripe-Signature header. There must be one only: Stripe's library signs by the last,
// so a fresh one put before an old one would let an old webhook in again.
func signedAt(signature string) (at time.Time, err error) {
	for _, pair := range strings.Split(signature, ",") {
		name, value, _ := strings.Cut(pair, "=")
		if strings.TrimSpace(name) != "t" {
			continue
		}
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || !at.IsZero() {
			return time.Time{}, errors.New("the signature has not one date")
		}
		at = time.Unix(seconds, 0)
	}
	if at.IsZero() {
		return at, errors.New("no signature")
	}
	return at, nil
}
