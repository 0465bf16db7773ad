package portal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"time"

	"github.com/google/uuid"

	"konbit/internal/platform/phrase"
	"konbit/internal/web"
)

// The signed links of emails. Each opens one thing and nothing else, and contains no name and no address. Two of them
// have no date of expiry, because people keep emails for years:
//
//	link                opens                                       valid
//	plan                one recurring gift and its changes          as long as the plan is known
//	payment method      the way to a new payment method             30 days
//	choice of emails    one kind of email of one donor              as long as the donor is known
//	sign-in             a session, with the button on its page      10 minutes; the secret is the fragment (after #)

// paymentMethodLinkLife is how long a link to a new payment method is valid.
const paymentMethodLinkLife = 30 * 24 * time.Hour

// Purposes that signatures are bound to. Links in emails already sent carry them, so they never change.
const (
	planPurpose          = "manage plan: "
	paymentMethodPurpose = "new card: "
	emailChoicePurpose   = "stop letters: "
)

// PlanLinks makes the links of emails about recurring gifts.
type PlanLinks struct {
	Base   *url.URL
	Secret []byte
	Now    func() time.Time // the machine's clock: a link's age is judged by it
}

// Manage returns the link to a plan by its public reference.
func (l PlanLinks) Manage(ref string, lang phrase.Language) string {
	return web.Absolute(l.Base, planPath(ref, planKey(l.Secret, ref), lang))
}

// PaymentMethod returns the link to a new payment method for all plans of a donor.
func (l PlanLinks) PaymentMethod(donor uuid.UUID, lang phrase.Language) string {
	return web.Absolute(l.Base, paymentMethodPath(paymentMethodToken(l.Secret, donor, l.Now().Add(paymentMethodLinkLife)), lang))
}

// StopLink returns the function that makes the links by which a donor stops a kind of email.
func StopLink(base *url.URL, secret []byte) func(donor uuid.UUID, kind string, lang phrase.Language) string {
	return func(donor uuid.UUID, kind string, lang phrase.Language) string {
		return web.Absolute(base, emailChoicePath(emailChoiceToken(secret, donor, kind), lang))
	}
}

// SignInLink returns the function that makes the links of sign-in emails. The secret is the link's fragment (after the
// #), which browsers do not send: no proxy's log and no Referer contains it.
func SignInLink(base *url.URL) func(token string, lang phrase.Language) string {
	return func(token string, lang phrase.Language) string {
		return web.Absolute(base, linkPath+"?lang="+url.QueryEscape(string(lang))+"#"+url.PathEscape(token))
	}
}

func planPath(ref, key string, lang phrase.Language) string {
	return "/plans/" + url.PathEscape(ref) + "/" + url.PathEscape(key) + "?lang=" + url.QueryEscape(string(lang))
}

func paymentMethodPath(token string, lang phrase.Language) string {
	return "/plans/card/" + url.PathEscape(token) + "?lang=" + url.QueryEscape(string(lang))
}

func emailChoicePath(token string, lang phrase.Language) string {
	return "/letters/" + url.PathEscape(token) + "?lang=" + url.QueryEscape(string(lang))
}

func ownPlanPath(ref string, lang phrase.Language) string {
	return "/portal/plans/" + url.PathEscape(ref) + "?lang=" + url.QueryEscape(string(lang))
}

func receiptPath(ref string) string { return "/portal/gifts/" + url.PathEscape(ref) + "/receipt" }

// planKey returns the signature that opens a plan.
func planKey(secret []byte, ref string) string {
	return base64.RawURLEncoding.EncodeToString(signature(secret, planPurpose, []byte(ref)))
}

// paymentMethodToken returns a donor's id (16 bytes), the end of its validity (8 bytes) and their signature (16 bytes).
func paymentMethodToken(secret []byte, donor uuid.UUID, ends time.Time) string {
	signed := binary.BigEndian.AppendUint64(donor[:], uint64(ends.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(signed, signature(secret, paymentMethodPurpose, signed)...))
}

// readPaymentMethodToken returns the donor of a token; valid is false if it is not ours or has ended.
func readPaymentMethodToken(secret []byte, token string, now time.Time) (donor uuid.UUID, valid bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != 16+8+16 || !hmac.Equal(raw[24:], signature(secret, paymentMethodPurpose, raw[:24])) {
		return uuid.Nil, false
	}
	ends := time.Unix(int64(binary.BigEndian.Uint64(raw[16:24])), 0)
	return uuid.UUID(raw[:16]), now.Before(ends)
}

// emailChoiceToken returns a signature (16 bytes), a donor's id (16 bytes) and the name of a kind of email.
func emailChoiceToken(secret []byte, donor uuid.UUID, kind string) string {
	signed := append(donor[:], kind...)
	return base64.RawURLEncoding.EncodeToString(append(signature(secret, emailChoicePurpose, signed), signed...))
}

// readEmailChoiceToken returns the donor and the kind of email of a token; valid is false if it is not ours.
func readEmailChoiceToken(secret []byte, token string) (donor uuid.UUID, kind string, valid bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < 32 || !hmac.Equal(raw[:16], signature(secret, emailChoicePurpose, raw[16:])) {
		return uuid.Nil, "", false
	}
	return uuid.UUID(raw[16:32]), string(raw[32:]), true
}

// signature returns 128 bits of an HMAC: enough for a value that can only be tried against the server.
func signature(secret []byte, purpose string, signed []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(purpose))
	mac.Write(signed)
	return mac.Sum(nil)[:16]
}
