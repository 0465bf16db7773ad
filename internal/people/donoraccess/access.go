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
type Keeper struct {
	DB     *sqlx.DB
	Queue  *jobs.Queue
	Guard  *guard.Guard
	Secret []byte // keys what is kept of codes and signs forms; all servers share it
	Limits Limits
	NewID  func() uuid.UUID
}

// Limits bound what strangers can do (OWASP ASVS 5.0.0 V6.3.1).
type Limits struct {
	Mailbox  guard.Limit // letters to one mailbox
	Place    guard.Limit // of them, asked for from one network: a stranger leaves some for the donor
	Address  guard.Limit // letters asked for from one address
	Own      guard.Limit // guesses of a code in the browser that asked
	Strange  guard.Limit // guesses of an address's codes from one network, in other browsers
	Together guard.Limit // the same from all networks
	Anyone   guard.Limit // guesses from one address of whatever codes, in other browsers
}

// Standard are the limits of every installation.
func Standard() Limits {
	return Limits{
		Mailbox: guard.Limit{Most: 5, Window: time.Hour}, Place: guard.Limit{Most: 4, Window: time.Hour}, Address: guard.Limit{Most: 20, Window: time.Hour},
		Own: guard.Limit{Most: 5, Window: time.Hour}, Strange: guard.Limit{Most: 5, Window: time.Hour},
		Together: guard.Limit{Most: 20, Window: time.Hour}, Anyone: guard.Limit{Most: 30, Window: time.Hour},
	}
}

// How long a session lasts; the package's words say why.
const (
	Idle     = 14 * 24 * time.Hour
	Absolute = 90 * 24 * time.Hour
)

// ErrTooMany is the answer when a limit is passed. It says nothing of whether the address is known.
var ErrTooMany = errors.New("access: too many attempts")

// none is the answer to what does not lead in, whatever the reason.
func none() error { return fault.New(fault.NotFound, "problem.404.text", nil) }

// Normal is an e-mail address as this room and room donor keep it.
func Normal(email string) string { return strings.ToLower(strings.TrimSpace(email)) }
