package transport

import (
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
)

// Refusal is a negative reply of a mail server. It contains the codes and not the text, because the text often quotes
// the address.
type Refusal struct {
	Step     string // of the SMTP transaction: MAIL, RCPT, DATA, end of DATA
	Code     int    // RFC 5321 reply code; 4xx is temporary, 5xx permanent
	Enhanced string // RFC 3463 code such as 5.1.1; empty if the server gave none
}

func (r *Refusal) Error() string {
	return strings.TrimSpace(fmt.Sprintf("smtp: %d %s", r.Code, r.Enhanced)) + " at " + r.Step
}

// Permanent reports whether the server refused the recipient or the email itself, so that another attempt has the same
// result. Any other refusal is about us (a password, a limit, a blocklist): the email is tried again until that is
// corrected.
func (r *Refusal) Permanent() bool {
	if r.Code < 500 || r.Step != "RCPT" && r.Step != "end of DATA" {
		return false
	}
	if r.Enhanced == "" {
		return r.Step == "RCPT" && slices.Contains([]int{550, 551, 552, 553}, r.Code)
	}
	subject := strings.Split(r.Enhanced, ".")[1] // 1 address, 2 mailbox, 6 content
	sender := r.Enhanced == "5.1.7" || r.Enhanced == "5.1.8"
	return slices.Contains([]string{"1", "2", "6"}, subject) && !sender
}

var enhanced = regexp.MustCompile(`^([245]\.\d{1,3}\.\d{1,3})\b`)

// refusalFor converts the error of an SMTP command: to a *Refusal if the server replied, to errSilent if it did not
// reply in time, to errConnectionClosed if the connection was closed before MAIL, and to an error without the server's
// text otherwise.
func refusalFor(step string, err error) error {
	var reply *textproto.Error
	var slow net.Error
	switch {
	case errors.As(err, &reply):
		return &Refusal{step, reply.Code, enhanced.FindString(reply.Msg)}
	case errors.As(err, &slow) && slow.Timeout():
		return fmt.Errorf("%w at %s", errSilent, step)
	case step == "MAIL":
		return errConnectionClosed
	default:
		return fmt.Errorf("smtp: the connection broke at %s", step)
	}
}
