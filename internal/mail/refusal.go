package mail

import (
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
)

// Refusal is a server's no. It carries its codes and not its words, which often quote the address.
type Refusal struct {
	Step     string // of the SMTP transaction
	Code     int    // RFC 5321 reply code; 4xx may pass, 5xx will not
	Enhanced string // RFC 3463 code such as 5.1.1; empty when the server gave none
}

func (r *Refusal) Error() string {
	return strings.TrimSpace(fmt.Sprintf("smtp: %d %s", r.Code, r.Enhanced)) + " at " + r.Step
}

// Permanent tells whether trying the same again is pointless because of the recipient or the letter itself.
// Any other no is about us: a password, a limit, a blocklist. Once that is mended the letters go out, so none
// is given up for it.
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

// refused is what an SMTP command's error means.
func refusalFor(step string, err error) error {
	var said *textproto.Error
	var slow net.Error
	switch {
	case errors.As(err, &said):
		return &Refusal{step, said.Code, enhanced.FindString(said.Msg)}
	case step == "MAIL" && !(errors.As(err, &slow) && slow.Timeout()):
		return errConnectionClosed
	default:
		return fmt.Errorf("smtp: the connection broke at %s", step)
	}
}
