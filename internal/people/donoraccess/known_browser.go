package donoraccess

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"konbit/internal/platform/email"
	"konbit/internal/platform/keyring"
)

// A known browser is a browser in which a person proved that they read a mailbox. Strangers cannot use up its limits,
// so they cannot keep the donor out. Its cookie has a mark for each mailbox: random bits (16 bytes), the end of
// validity (8 bytes), and the signature of both and the mailbox (a tag of the key ring; of the previous release 16
// bytes). A mark contains no address; to check it, one needs the address and the key. A mark gives no access: it only
// replaces the limits that all browsers share.
const (
	// KnownBrowserLife is how long a browser is known after a proof: as long as browsers keep cookies (RFC 6265bis,
	// 4.1.2.2).
	KnownBrowserLife = 400 * 24 * time.Hour

	markBits   = 16
	markSigned = markBits + 8
	maxMarks   = 4 // mailboxes of one browser, such as a family's
)

// MarkBrowser returns the new value of the cookie of a browser in which an address was proved. known is its value
// before.
func (s Service) MarkBrowser(known, address string) string {
	var mark [markBits]byte
	_, _ = rand.Read(mark[:]) // documented never to fail
	signed := binary.BigEndian.AppendUint64(mark[:], uint64(s.Now().Add(KnownBrowserLife).Unix()))
	mailbox := email.MailboxKey(address)
	marks := []string{base64.RawURLEncoding.EncodeToString(append(signed, s.Keys.Sign(purpose, "known browser", mailbox, string(signed))...))}
	for _, old := range splitMarks(known) {
		if len(marks) < maxMarks && !s.isMarkOf(old, mailbox) {
			marks = append(marks, old)
		}
	}
	return strings.Join(marks, ".")
}

// KnownFor reports whether a browser with this cookie is known for an address. Limits of known browsers count the
// mailbox: each proof makes another mark, so a mark would not bound who collects them.
func (s Service) KnownFor(known, address string) bool {
	return s.isKnown(known, email.MailboxKey(address))
}

// isKnown reports whether a cookie has a mark of a mailbox.
func (s Service) isKnown(known, mailbox string) bool {
	return slices.ContainsFunc(splitMarks(known), func(mark string) bool { return s.isMarkOf(mark, mailbox) })
}

func (s Service) isMarkOf(mark, mailbox string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(mark)
	if err != nil || len(raw) != markSigned+keyring.TagSize && len(raw) != markSigned+16 {
		return false
	}
	if !s.Keys.Verify(raw[markSigned:], purpose, "known browser", mailbox, string(raw[:markSigned])) {
		return false
	}
	return s.Now().Before(time.Unix(int64(binary.BigEndian.Uint64(raw[markBits:markSigned])), 0))
}

// splitMarks returns at most maxMarks marks of a cookie. It ignores the others.
func splitMarks(known string) []string {
	marks := strings.SplitN(known, ".", maxMarks+1)
	return marks[:min(len(marks), maxMarks)]
}
