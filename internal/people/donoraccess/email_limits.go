package donoraccess

import (
	"context"
	"fmt"
	"time"

	"konbit/internal/platform/email"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/securitylog"
)

// StepRequired is returned when a request for an email is beyond the limits: the browser answers the challenge, and makes
// the request again.
type StepRequired struct{ guard.Challenge }

func (StepRequired) Error() string {
	return "donoraccess: beyond the limits of emails, a challenge is required"
}

// Is reports that StepRequired is an ErrTooMany.
func (StepRequired) Is(target error) bool { return target == ErrTooMany }

// TooMany is returned when a request for an email is beyond all limits.
type TooMany struct {
	Wait time.Duration // after which a request is within one, if nobody makes another
}

func (e TooMany) Error() string { return fmt.Sprintf("donoraccess: too many emails, wait %s", e.Wait) }

// Is reports that TooMany is an ErrTooMany.
func (TooMany) Is(target error) bool { return target == ErrTooMany }

// judgeRequest counts a request for an email. Every address gets the same answers, known or not, except where the mailbox
// was proved in the network before and strangers have used up what all networks have: see answerLimits.
func (s Service) judgeRequest(ctx context.Context, c EmailChallenge) error {
	proved, err := s.isProvedNetwork(ctx, c.Email, c.From)
	if err != nil {
		return err
	}
	verdict, challenge, wait, err := s.Guard.JudgeAct(ctx, guard.Act{
		Name: "sign-in emails", Address: c.From, Input: c.Email + "\x00" + c.Person.String(),
		Free:      s.emailLimits(c),
		Solved:    s.answerLimits(c, guard.Quota{Kind: "sign-in solved from", Subject: guard.AddressKey(c.From), Limit: s.Limits.SolvedPerAddress}, proved),
		Hard:      s.answerLimits(c, guard.Quota{Kind: "sign-in hard from", Subject: guard.NetworkKey(c.From), Limit: s.Limits.HardPerNetwork}, proved),
		Challenge: c.Step, Proof: c.Proof,
	})
	switch {
	case err != nil:
		return err
	case verdict == guard.Challenged:
		return StepRequired{challenge}
	case verdict == guard.Refused:
		securitylog.Limit(ctx, "sign-in emails")
		return TooMany{wait}
	}
	return nil
}

// emailLimits returns the limits of a request's email without a challenge; the first that it is within counts. The known
// browsers of a mailbox have limits of their own. Beyond the limits of a mailbox each network still gets an email from time
// to time, so that strangers who use the limits up do not keep the donor out.
func (s Service) emailLimits(c EmailChallenge) (ways [][]guard.Quota) {
	mailbox := email.MailboxKey(c.Email)
	network := guard.NetworkKey(c.From)
	if s.isKnown(c.Known, mailbox) {
		ways = append(ways, []guard.Quota{
			{Kind: "sign-in known", Subject: mailbox, Limit: s.Limits.EmailsPerKnownMailbox},
			{Kind: "sign-in known from", Subject: network, Limit: s.Limits.EmailsPerKnownNetwork},
		})
	}
	from := guard.Quota{Kind: "sign-in from", Subject: guard.AddressKey(c.From), Limit: s.Limits.EmailsPerAddress}
	all := guard.Quota{Kind: "sign-in all to", Subject: mailbox, Limit: s.Limits.AllEmailsPerMailbox}
	return append(ways,
		[]guard.Quota{
			from, all,
			{Kind: "sign-in from to", Subject: network + " " + mailbox, Limit: s.Limits.EmailsPerMailboxAndNetwork},
			{Kind: "sign-in to", Subject: mailbox, Limit: s.Limits.EmailsPerMailbox},
		},
		[]guard.Quota{from, all, {Kind: "sign-in more from to", Subject: network + " " + mailbox, Limit: s.Limits.MoreEmailsPerMailboxAndNetwork}})
}

// answerLimits returns the limits of a request that answered a challenge. from limits what its address or network does to
// any mailbox. A network in which the mailbox was proved before has the same number of emails as any other, but strangers
// in other networks cannot use it up. So its answer differs from another's only after strangers did that, and then only for
// somebody in this network: no answer is a cheap way to learn who is a donor.
func (s Service) answerLimits(c EmailChallenge, from guard.Quota, proved bool) (ways [][]guard.Quota) {
	mailbox := email.MailboxKey(c.Email)
	here := guard.Quota{
		Kind: "sign-in solved from to", Subject: guard.NetworkKey(c.From) + " " + mailbox, Limit: s.Limits.SolvedPerMailboxAndNetwork,
	}
	if proved {
		ways = append(ways, []guard.Quota{from, here, {Kind: "sign-in proved to", Subject: mailbox, Limit: s.Limits.SolvedInProvedNetworks}})
	}
	return append(ways, []guard.Quota{from, here, {Kind: "sign-in solved to", Subject: mailbox, Limit: s.Limits.SolvedPerMailbox}})
}
