package accesspage

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// NextValue returns the cookie's value that holds the address that is shown after signing in.
func NextValue(address string) string { return base64.RawURLEncoding.EncodeToString([]byte(address)) }

// ReadNext returns the address of a cookie's value; empty if it is not that of a plan in a session.
func ReadNext(value string) string {
	raw, err := base64.RawURLEncoding.DecodeString(value)
	next, parseErr := url.Parse(string(raw))
	if err != nil || parseErr != nil || next.IsAbs() || next.Host != "" || !strings.HasPrefix(next.Path, "/portal/plans/") {
		return ""
	}
	return next.String()
}
