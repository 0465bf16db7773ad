package donoraccess

import (
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/jobs"
)

// Keeper lets donors in. Safe for concurrent use, and by any number of servers on one database.
type Service struct {
	DB     *sqlx.DB
	Queue  *jobs.Queue
	Guard  *guard.Guard
	Secret []byte // keys what is kept of codes and signs forms; all servers share it
	Limits Limits
	NewID  func() uuid.UUID
}

// Limits bound what strangers can do (OWASP ASVS 5.0.0 V6.3.1).
type Limits struct {
	EmailsPerMailbox            guard.Limit // letters to one mailbox
	EmailsPerMailboxAndNetwork  guard.Limit // of them, asked for from one network: a stranger leaves some for the donor
	EmailsPerAddress            guard.Limit // letters asked for from one address
	GuessesInRequestingBrowser  guard.Limit // guesses of a code in the browser that asked
	GuessesPerMailboxAndNetwork guard.Limit // guesses of an address's codes from one network, in other browsers
	GuessesPerMailbox           guard.Limit // the same from all networks
	GuessesPerAddress           guard.Limit // guesses from one address of whatever codes, in other browsers
}

// Standard are the limits of every installation.
func Standard() Limits {
	return Limits{
		EmailsPerMailbox: guard.Limit{Max: 5, Window: time.Hour}, EmailsPerMailboxAndNetwork: guard.Limit{Max: 4, Window: time.Hour}, EmailsPerAddress: guard.Limit{Max: 20, Window: time.Hour},
		GuessesInRequestingBrowser: guard.Limit{Max: 5, Window: time.Hour}, GuessesPerMailboxAndNetwork: guard.Limit{Max: 5, Window: time.Hour},
		GuessesPerMailbox: guard.Limit{Max: 20, Window: time.Hour}, GuessesPerAddress: guard.Limit{Max: 30, Window: time.Hour},
	}
}

// How long a session lasts; the package's words say why.
const (
	IdleTimeout = 14 * 24 * time.Hour
	MaxLifetime = 90 * 24 * time.Hour
)

// ErrTooMany is the answer when a limit is passed. It says nothing of whether the address is known.
var ErrTooMany = errors.New("access: too many attempts")

// none is the answer to what does not lead in, whatever the reason.
func errNotFound() error { return fault.New(fault.NotFound, "problem.404.text", nil) }

// Normal is an e-mail address as this room and room donor keep it.
func NormalizeEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }
