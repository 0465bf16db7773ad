package webhook

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76/webhook"

	"konbit/internal/platform/fault"
)

// tolerance limits the age of a signature in both directions: the library alone would accept one from the future.
const tolerance = 300 * time.Second

// MaxPayload is the largest accepted body of a webhook, in bytes.
const MaxPayload = 256 << 10

// invalidWebhook returns the same answer for every invalid webhook, so that an attacker learns nothing. why goes to the
// log only.
func invalidWebhook(why string) error {
	return fault.Wrap(fault.Invalid, "problem.400.text", errors.New("webhook: "+why))
}

// Keys are the secrets of the entities' webhooks.
type Keys interface {
	// WebhookKeys returns the secrets of an entity's endpoints, and whether its key is of live mode. ok is false if the
	// entity has no key.
	WebhookKeys(entitySlug string) (secrets []string, live, ok bool)
}

// Header holds the fields of an event that the inbox stores beside the payload.
type Header struct {
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

// IsEvent reports whether the payload is an event that the table can store: no text contains a NUL, the date is within
// the range of dates.
func (h Header) IsEvent() bool {
	for _, text := range []string{h.ID, h.Type, h.APIVersion} {
		if len(text) > maxNameBytes || strings.ContainsRune(text, 0) {
			return false
		}
	}
	return h.ID != "" && h.Type != "" && h.Object == "event" && h.Created >= 0 && h.Created <= maxCreated
}

// verify checks a webhook of an entity. It reports fault.Invalid unless
//
//   - one of the entity's secrets signed it,
//   - the signature is at most 300 s old and at most 300 s in the future,
//   - the body is an event,
//   - its mode (live or test) is that of the entity's key.
func verify(keys Keys, entitySlug string, payload []byte, signature string, now time.Time) (Header, error) {
	secrets, live, ok := keys.WebhookKeys(entitySlug)
	if !ok {
		return Header{}, fault.New(fault.NotFound, "problem.404.text", nil)
	}
	signed, err := signedAt(signature)
	if err != nil {
		return Header{}, invalidWebhook(err.Error())
	}
	if age := now.Sub(signed); age > tolerance || age < -tolerance {
		return Header{}, invalidWebhook("signature too old or from the future")
	}
	known := false
	for _, secret := range secrets {
		known = known || webhook.ValidatePayloadIgnoringTolerance(payload, signature, secret) == nil
	}
	if !known {
		return Header{}, invalidWebhook("no secret fits the signature")
	}
	var h Header
	if err := json.Unmarshal(payload, &h); err != nil || !h.IsEvent() {
		return Header{}, invalidWebhook("signed, but no event")
	}
	if h.Livemode != live {
		return Header{}, invalidWebhook("live and test mode mixed")
	}
	return h, nil
}

// signedAt reads t= of a Stripe-Signature header. It reports an error unless there is exactly one: Stripe's library
// uses the last one, so an attacker could put a fresh time before the old one and replay an old webhook.
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
