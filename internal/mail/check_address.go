package mail

import (
	"errors"
	"net/mail"
	"strings"
	"unicode"
)

// CheckAddress reports an error if text is not a plain address of at most 254 characters. Quoted local parts are valid by
// RFC 5321, but are used to inject commands into a mail server.
func CheckAddress(text string) error {
	parsed, err := mail.ParseAddress(text)
	control := strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) })
	if err != nil || parsed.Address != text || control || strings.ContainsAny(text, `"<>\`) || len(text) > 254 {
		return errors.New("want a plain address such as ana@example.org")
	}
	return nil
}
