package web

import (
	"crypto/hmac"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/google/uuid"

	"konbit/internal/platform/phrase"
)

// StopLink answers where a letter leads that its donor may stop. The address opens that one choice of that one donor and nothing
// else, for as long as the donor is known: mail lies in mailboxes for years.
func StopLink(base *url.URL, secret []byte) func(of uuid.UUID, kind string, lang phrase.Language) string {
	return func(of uuid.UUID, kind string, lang phrase.Language) string {
		return strings.TrimSuffix(base.String(), "/") + emailChoicePath(stopToken(secret, of, kind), lang)
	}
}

func emailChoicePath(token string, lang phrase.Language) string {
	return "/letters/" + url.PathEscape(token) + "?lang=" + url.QueryEscape(string(lang))
}

// stopToken names a donor and a kind of letters, signed: 16 bytes, 16 bytes, and the kind's name.
func stopToken(secret []byte, of uuid.UUID, kind string) string {
	said := append(of[:], kind...)
	return base64.RawURLEncoding.EncodeToString(append(signature(secret, "stop letters: ", said), said...))
}

// readStopToken answers the donor and the kind of letters of a token that is ours.
func readStopToken(secret []byte, token string) (of uuid.UUID, kind string, good bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < 32 || !hmac.Equal(raw[:16], signature(secret, "stop letters: ", raw[16:])) {
		return uuid.Nil, "", false
	}
	return uuid.UUID(raw[16:32]), string(raw[32:]), true
}
