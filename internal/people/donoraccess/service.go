package donoraccess

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/people/session"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/keyring"
)

// Service signs donors in. It is safe for concurrent use, and by any number of servers on one database.
type Service struct {
	DB     *sqlx.DB
	Queue  *jobs.Queue
	Guard  *guard.Guard
	Keys   keyring.Ring // key the stored hashes of codes, sign form tokens and marks of browsers; all servers have the same
	Limits Limits
	Now    func() time.Time // the machine's clock: known browsers age by it
	NewID  func() uuid.UUID
	// EndLinksTx ends what the links of emails sent to these addresses open. It is called when an address gets another
	// person, and when all sessions of a person end.
	EndLinksTx func(ctx context.Context, tx *sqlx.Tx, emails []string) error
}

// Sessions returns the donors' sessions.
func (s Service) Sessions() session.Service {
	return session.Service{DB: s.DB, Keys: s.Keys, NewID: s.NewID, Kind: session.Donor()}
}

// Limits bound what strangers can do (OWASP ASVS 5.0.0 V6.3.1). An address is a client's IP address, a network its
// /24 or /48.
type Limits struct {
	EmailsPerMailbox           guard.Limit
	EmailsPerMailboxAndNetwork guard.Limit // lower: some emails always remain for the donor
	// Beyond the two limits above, each network still gets some emails, until all limits of the mailbox are reached.
	MoreEmailsPerMailboxAndNetwork guard.Limit
	AllEmailsPerMailbox            guard.Limit // without those of known browsers
	EmailsPerKnownMailbox          guard.Limit // from all browsers known for the mailbox
	EmailsPerKnownNetwork          guard.Limit // from known browsers in one network, to any mailbox
	EmailsPerAddress               guard.Limit // to any mailbox

	// Beyond the limits above, emails whose request answered a challenge: a proof of work, or a wait.
	SolvedPerAddress           guard.Limit // to any mailbox
	HardPerNetwork             guard.Limit // to any mailbox, by hard challenges, beyond SolvedPerAddress
	SolvedPerMailboxAndNetwork guard.Limit
	SolvedPerMailbox           guard.Limit // from networks in which the mailbox was not proved before
	SolvedInProvedNetworks     guard.Limit // to one mailbox, from networks in which it was proved before

	GuessesInKnownBrowsers      guard.Limit // of codes for one mailbox, in all browsers known for it
	GuessesInRequestingBrowser  guard.Limit // of the code that this browser requested
	GuessesPerMailboxAndNetwork guard.Limit // in other browsers
	GuessesPerMailbox           guard.Limit // in other browsers
	GuessesPerAddress           guard.Limit // in other browsers, for any mailbox
}

// Standard returns the limits of every installation. One mailbox gets at most 60 emails an hour: 20 without a challenge, 10
// after one, 10 after one in networks in which it was proved, 20 in known browsers. Strangers cause at most the first 30.
func Standard() Limits {
	return Limits{
		EmailsPerMailbox:           guard.Limit{Max: 5, Window: time.Hour},
		EmailsPerMailboxAndNetwork: guard.Limit{Max: 4, Window: time.Hour},
		EmailsPerAddress:           guard.Limit{Max: 20, Window: time.Hour},

		MoreEmailsPerMailboxAndNetwork: guard.Limit{Max: 1, Window: 15 * time.Minute},
		AllEmailsPerMailbox:            guard.Limit{Max: 20, Window: time.Hour},
		EmailsPerKnownMailbox:          guard.Limit{Max: 20, Window: time.Hour},
		EmailsPerKnownNetwork:          guard.Limit{Max: 200, Window: time.Hour},

		SolvedPerAddress:           guard.Limit{Max: 40, Window: time.Hour},
		HardPerNetwork:             guard.Limit{Max: 200, Window: time.Hour},
		SolvedPerMailboxAndNetwork: guard.Limit{Max: 4, Window: time.Hour},
		SolvedPerMailbox:           guard.Limit{Max: 10, Window: time.Hour},
		SolvedInProvedNetworks:     guard.Limit{Max: 10, Window: time.Hour},

		GuessesInKnownBrowsers:      guard.Limit{Max: 5, Window: time.Hour},
		GuessesInRequestingBrowser:  guard.Limit{Max: 5, Window: time.Hour},
		GuessesPerMailboxAndNetwork: guard.Limit{Max: 5, Window: time.Hour},
		GuessesPerMailbox:           guard.Limit{Max: 20, Window: time.Hour},
		GuessesPerAddress:           guard.Limit{Max: 30, Window: time.Hour},
	}
}

// ErrTooMany is returned when a limit is exceeded. It does not reveal whether the address is known.
var ErrTooMany = errors.New("donoraccess: too many attempts")

// errNotFound is the error of every failed sign-in. It does not reveal the reason.
var errNotFound error = fault.New(fault.NotFound, "problem.404.text", nil)
