package signedlink

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/planlink"
	"konbit/internal/giving/recurring"
	"konbit/internal/mail"
	"konbit/internal/platform/keyring"
	"konbit/internal/platform/phrase"
	"konbit/internal/web"
)

// The links of emails. internal/mail/README.md says what each shows, what it can do, how long, and what ends it.

// Addresses that links lead to.
const (
	OpenPath   = "/plans/open"
	SignInPath = "/sign-in/link"
)

// Purposes that signatures are bound to. Links in emails already sent carry them, so they never change.
const (
	oldPlanPurpose          = "manage plan: "  // of links in emails sent before plan_link
	oldPaymentMethodPurpose = "new card: "     // the same
	oldEmailChoicePurpose   = "stop letters: " // of links in emails sent before keys had ids
	emailChoicePurpose      = "konbit link: stop emails"
	openedPurpose           = "konbit link: opened"
	openedFormPurpose       = "konbit link: form"
	endedPurpose            = "konbit link: ended"
)

// PlanLinks makes the links of emails about recurring gifts.
type PlanLinks struct {
	Base  *url.URL
	DB    *sqlx.DB
	Links planlink.Links
}

// Of returns the links to a plan by its public reference. The secret is the fragment (after the #), which browsers do
// not send.
func (l PlanLinks) Of(ctx context.Context, ref string, lang phrase.Language) (mail.PlanLink, error) {
	p, err := recurring.ByRef(ctx, l.DB, ref)
	if err != nil {
		return mail.PlanLink{}, err
	}
	s, err := l.Links.Current(ctx, p.ID, p.DonorID)
	if err != nil {
		return mail.PlanLink{}, err
	}
	address := web.Absolute(l.Base, OpenPath+"?lang="+url.QueryEscape(string(lang)))
	return mail.PlanLink{ManageURL: address + "#" + s.Token, CardURL: address + "&to=card#" + s.Token, Code: s.Code}, nil
}

// StopLink returns the function that makes the links by which a donor stops a kind of email.
func StopLink(base *url.URL, keys keyring.Ring) func(donor uuid.UUID, kind string, lang phrase.Language) string {
	return func(donor uuid.UUID, kind string, lang phrase.Language) string {
		return web.Absolute(base, EmailChoicePath(EmailChoiceToken(keys, donor, kind), lang))
	}
}

// SignInLink returns the function that makes the links of sign-in emails. The secret is the link's fragment (after the
// #), which browsers do not send: no proxy's log and no Referer contains it.
func SignInLink(base *url.URL) func(token string, lang phrase.Language) string {
	return func(token string, lang phrase.Language) string {
		return web.Absolute(base, SignInPath+"?lang="+url.QueryEscape(string(lang))+"#"+url.PathEscape(token))
	}
}

// EmailChoicePath returns the path of a link that stops a kind of email.
func EmailChoicePath(token string, lang phrase.Language) string {
	return "/letters/" + url.PathEscape(token) + "?lang=" + url.QueryEscape(string(lang))
}

// EmailAgainPath returns the path of the form that allows the emails of EmailChoicePath again.
func EmailAgainPath(token string, lang phrase.Language) string {
	return "/letters/" + url.PathEscape(token) + "/again?lang=" + url.QueryEscape(string(lang))
}

// IsOldPlanKey reports whether key is the signature in the address of a link to a plan sent before plan_link.
func IsOldPlanKey(keys keyring.Ring, ref, key string) bool {
	signature, err := base64.RawURLEncoding.Strict().DecodeString(key)
	return err == nil && isOldSignature(keys, signature, oldPlanPurpose, []byte(ref))
}

// ReadOldPaymentMethodToken returns the donor of a link to a new payment method sent before plan_link, even if the
// link has expired; valid is false if it is not ours. It has a donor's id (16 bytes), the end of its validity (8)
// and their signature.
func ReadOldPaymentMethodToken(keys keyring.Ring, token string) (donor uuid.UUID, valid bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != 16+8+16 || !isOldSignature(keys, raw[24:], oldPaymentMethodPurpose, raw[:24]) {
		return uuid.Nil, false
	}
	return uuid.UUID(raw[:16]), true
}

// OpenedToken returns the cookie's value of a browser that opened a link: the link's id (16 bytes), when it ends (8)
// and their tag.
func OpenedToken(keys keyring.Ring, link uuid.UUID, ends time.Time) string {
	signed := binary.BigEndian.AppendUint64(link[:], uint64(ends.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(signed, keys.Sign(openedPurpose, string(signed))...))
}

// ReadOpenedToken returns the link of a cookie; valid is false if it is not ours or has ended.
func ReadOpenedToken(keys keyring.Ring, token string, now time.Time) (link uuid.UUID, valid bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != 16+8+keyring.TagSize || !keys.Verify(raw[24:], openedPurpose, string(raw[:24])) {
		return uuid.Nil, false
	}
	ends := time.Unix(int64(binary.BigEndian.Uint64(raw[16:24])), 0)
	return uuid.UUID(raw[:16]), now.Before(ends)
}

// OpenedFormToken returns what the forms of a page carry that a browser opened by a link, so that another site's form
// changes nothing. It is the same each time the link is opened: pages that are open already stay usable.
func OpenedFormToken(keys keyring.Ring, link uuid.UUID) string {
	return base64.RawURLEncoding.EncodeToString(keys.Sign(openedFormPurpose, string(link[:])))
}

// IsOpenedFormToken reports whether token is an OpenedFormToken of a link.
func IsOpenedFormToken(keys keyring.Ring, link uuid.UUID, token string) bool {
	tag, err := base64.RawURLEncoding.Strict().DecodeString(token)
	return err == nil && keys.Verify(tag, openedFormPurpose, string(link[:]))
}

// EndedToken returns what the page of a link that has ended contains instead of the link's secret: the link's id and its
// tag. It asks for a valid link, and does nothing else.
func EndedToken(keys keyring.Ring, link uuid.UUID) string {
	return base64.RawURLEncoding.EncodeToString(append(link[:], keys.Sign(endedPurpose, string(link[:]))...))
}

// ReadEndedToken returns the link of a page that has an EndedToken; valid is false if it is not ours.
func ReadEndedToken(keys keyring.Ring, token string) (link uuid.UUID, valid bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != 16+keyring.TagSize || !keys.Verify(raw[16:], endedPurpose, string(raw[:16])) {
		return uuid.Nil, false
	}
	return uuid.UUID(raw[:16]), true
}

// EmailChoiceToken returns a tag, a donor's id (16 bytes) and the name of a kind of email.
func EmailChoiceToken(keys keyring.Ring, donor uuid.UUID, kind string) string {
	signed := append(donor[:], kind...)
	return base64.RawURLEncoding.EncodeToString(append(keys.Sign(emailChoicePurpose, string(signed)), signed...))
}

// ReadEmailChoiceToken returns the donor and the kind of email of a token; valid is false if it is not ours. Tokens of
// earlier releases begin with a signature of 16 bytes; they stay valid.
func ReadEmailChoiceToken(keys keyring.Ring, token string) (donor uuid.UUID, kind string, valid bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return uuid.Nil, "", false
	}
	const tagged, old = keyring.TagSize + 16, 16 + 16
	switch {
	case len(raw) >= tagged && keys.Verify(raw[:keyring.TagSize], emailChoicePurpose, string(raw[keyring.TagSize:])):
		return uuid.UUID(raw[keyring.TagSize:tagged]), string(raw[tagged:]), true
	case len(raw) >= old && isOldSignature(keys, raw[:16], oldEmailChoicePurpose, raw[16:]):
		return uuid.UUID(raw[16:old]), string(raw[old:]), true
	}
	return uuid.Nil, "", false
}

// isOldSignature reports whether signature is what an earlier release signed with any of the keys.
func isOldSignature(keys keyring.Ring, signature []byte, purpose string, signed []byte) bool {
	return keys.Any(func(secret []byte) bool {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(purpose))
		mac.Write(signed)
		return hmac.Equal(signature, mac.Sum(nil)[:16])
	})
}
