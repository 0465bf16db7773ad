package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"konbit/internal/platform/phrase"
)

// cardLinkLife is how long a link to give a new card is good.
const paymentMethodLinkLife = 30 * 24 * time.Hour

// PlanLinks makes the links that letters about recurring gifts carry. Each is signed and opens one thing: a plan, with what its
// donor may do to it, or the way to a new card. They show no name and no address.
type PlanLinks struct {
	Base   *url.URL
	Secret []byte
	Now    func() time.Time // the machine's clock, which nothing moves: the page judges a link's age by it
}

// Manage leads to a plan by its public reference. It is good for as long as the plan is known.
func (l PlanLinks) Manage(ref string, lang phrase.Language) string {
	return strings.TrimSuffix(l.Base.String(), "/") + planPath(ref, planKey(l.Secret, ref), lang)
}

// Card leads to a new card for all plans of a donor, for thirty days.
func (l PlanLinks) PaymentMethod(donor uuid.UUID, lang phrase.Language) string {
	return strings.TrimSuffix(l.Base.String(), "/") + paymentMethodPath(paymentMethodToken(l.Secret, donor, l.Now().Add(paymentMethodLinkLife)), lang)
}

func planPath(ref, key string, lang phrase.Language) string {
	return "/plans/" + url.PathEscape(ref) + "/" + url.PathEscape(key) + "?lang=" + url.QueryEscape(string(lang))
}

func paymentMethodPath(token string, lang phrase.Language) string {
	return "/plans/card/" + url.PathEscape(token) + "?lang=" + url.QueryEscape(string(lang))
}

// planKey is what opens a plan.
func planKey(secret []byte, ref string) string {
	return base64.RawURLEncoding.EncodeToString(signature(secret, "manage plan: ", []byte(ref)))
}

// cardToken names a donor and when it ends, signed: 16 bytes, 8 bytes, 16 bytes.
func paymentMethodToken(secret []byte, donor uuid.UUID, ends time.Time) string {
	said := binary.BigEndian.AppendUint64(donor[:], uint64(ends.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(said, signature(secret, "new card: ", said)...))
}

// readCardToken answers the donor of a token that is ours and has not ended.
func readPaymentMethodToken(secret []byte, token string, now time.Time) (uuid.UUID, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != 16+8+16 || !hmac.Equal(raw[24:], signature(secret, "new card: ", raw[:24])) {
		return uuid.Nil, false
	}
	ends := time.Unix(int64(binary.BigEndian.Uint64(raw[16:24])), 0)
	return uuid.UUID(raw[:16]), now.Before(ends)
}

// signature is 128 bits, enough for what cannot be tried offline.
func signature(secret []byte, purpose string, said []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(purpose))
	mac.Write(said)
	return mac.Sum(nil)[:16]
}
