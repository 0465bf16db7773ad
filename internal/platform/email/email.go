// Package email owns the rules of email addresses: what is a valid one, how one that was typed is cleaned, and when
// two are the same.
//
//	Clean       what a person typed → the address that is stored and mailed to
//	Suggest     the address that a person probably meant, if the domain seems mistyped
//	IsValid     an address of a donor, as forms accept it
//	CheckPlain  an address that a message may be sent to; wider than IsValid, because operators and older rows may
//	            have others
//	Normalize   the form in which addresses are compared and used as a key
//	MailboxKey  the form in which limits count them: without the tag after a plus sign
//	Parse       a sender with a name, such as `Example Fund <gifts@example.org>`
package email

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"

	"golang.org/x/net/idna"

	"konbit/internal/platform/clean"
)

// Longest parts of an address, in bytes (RFC 5321 4.5.3.1, with erratum 1690).
const (
	maxLength = 254
	maxLocal  = 64
)

// domains converts domains as browsers do (UTS #46); each label has at most 63 bytes.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.VerifyDNSLength(true))

// Clean returns an address without what comes with it when it is copied: spaces and invisible marks, "mailto:" with its
// parameters (RFC 6068), and a point, comma or semicolon at the end of a sentence. Wide forms of characters become the
// characters, and an international domain (dönor.example) the ASCII form that mail servers use (RFC 5891). A domain that
// cannot be converted stays as it is, so that IsValid refuses it.
func Clean(typed string) string {
	typed = clean.Code(typed)
	if rest := strings.TrimPrefix(strings.ToLower(typed), "mailto:"); len(rest) < len(typed) {
		typed, _, _ = strings.Cut(typed[len(typed)-len(rest):], "?")
	}
	typed = strings.TrimRight(typed, " .,;")
	at := strings.LastIndexByte(typed, '@')
	if at < 0 || !strings.ContainsFunc(typed[at:], func(r rune) bool { return r > unicode.MaxASCII }) {
		return typed
	}
	domain, err := domains.ToASCII(typed[at+1:])
	if err != nil {
		return typed
	}
	return typed[:at+1] + domain
}

// IsValid reports whether text is a plain ASCII address whose domain has a dot. Quoted local parts are refused: the
// standard allows them, but some mail servers read commands out of them.
func IsValid(text string) bool {
	local, domain, _ := strings.Cut(text, "@")
	return CheckPlain(text) == nil && len(local) <= maxLocal && !strings.ContainsAny(text, "()[],;:") &&
		strings.Contains(domain, ".") && !strings.HasSuffix(domain, ".") &&
		!strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}

// CheckPlain reports an error if text is not one address without a name, quotes, spaces and control characters.
func CheckPlain(text string) error {
	parsed, err := mail.ParseAddress(text)
	unsafe := strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) })
	if err != nil || parsed.Address != text || unsafe || strings.ContainsAny(text, `"<>\`) || len(text) > maxLength {
		return errors.New("want a plain address such as ana@example.org")
	}
	return nil
}

// Normalize returns an address in lower case and without surrounding spaces. Tables of donors and mailboxes hold this
// form.
func Normalize(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// MailboxKey returns a normalised address without the tag that anybody can add after a plus sign. Limits count by it.
func MailboxKey(address string) string {
	local, domain, _ := strings.Cut(Normalize(address), "@")
	local, _, _ = strings.Cut(local, "+")
	return local + "@" + domain
}

// Mailbox is an address with the name that is shown beside it; the name may be empty.
type Mailbox struct{ Name, Address string }

// Parse reads one mailbox of RFC 5322, such as `Example Fund <gifts@example.org>` or `gifts@example.org`.
func Parse(text string) (Mailbox, error) {
	parsed, err := mail.ParseAddress(text)
	if err != nil {
		return Mailbox{}, fmt.Errorf("mailbox %q: %w", text, err)
	}
	return Mailbox{Name: parsed.Name, Address: parsed.Address}, nil
}

// IsMailbox reports whether Parse accepts text.
func IsMailbox(text string) bool {
	_, err := Parse(text)
	return err == nil
}

// DomainOf returns the domain of a mailbox in lower case.
func DomainOf(text string) (string, error) {
	m, err := Parse(text)
	if err != nil {
		return "", err
	}
	return strings.ToLower(m.Address[strings.LastIndexByte(m.Address, '@')+1:]), nil
}
