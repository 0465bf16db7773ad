package transport

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"konbit/internal/platform/email"
)

// Unaddressed stands in the field To of a stored message, where Address writes the recipient: the address of a person is
// stored with each delivery only, and is deleted there. Function unaddressed of the database (migration 00094) knows it.
const Unaddressed = "recipient@konbit.invalid"

// Address returns a message for one recipient, signed with key; nil: it is not signed. A message that an earlier release
// stored is addressed and signed already, and is returned as it is. It returns ErrNoRecipient if there is no recipient,
// or if the message was erased.
func Address(message []byte, to string, key *DKIM) ([]byte, error) {
	if to == "" || len(message) == 0 {
		return nil, ErrNoRecipient
	}
	from, end := field(message, "To")
	at := bytes.LastIndex(message[from:end], []byte("<"+Unaddressed+">")) // a name may contain it too
	if at < 0 {
		return message, nil
	}
	if err := email.CheckPlain(to); err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	at += from + len("<")
	addressed := slices.Concat(message[:at], []byte(to), message[at+len(Unaddressed):])
	if key == nil {
		return addressed, nil
	}
	return key.sign(addressed)
}

// field returns where the first header field of a name begins and ends, with its continuation lines and the line break.
// If there is no such header, from equals end.
func field(message []byte, name string) (from, end int) {
	for at := 0; at < len(message); {
		next := len(message)
		if n := bytes.IndexByte(message[at:], '\n'); n >= 0 {
			next = at + n + 1
		}
		line := message[at:next]
		continues := line[0] == ' ' || line[0] == '\t'
		if end > 0 && !continues || len(bytes.TrimSpace(line)) == 0 { // the field or the header has ended
			return from, end
		}
		if end > 0 || isField(line, name) {
			if end == 0 {
				from = at
			}
			end = next
		}
		at = next
	}
	return from, end
}

func isField(line []byte, name string) bool {
	found, _, ok := bytes.Cut(line, []byte(":"))
	return ok && strings.EqualFold(string(found), name)
}
