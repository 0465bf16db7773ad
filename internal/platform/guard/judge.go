package guard

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/email"
	"konbit/internal/platform/pg"
)

// Guard judges attempts. It is safe for concurrent use, and by any number of servers on one database.
type Guard struct {
	db     *sqlx.DB
	key    key
	limits Limits
	now    func() time.Time
	score  scoreCache
}

// New returns a guard. secret keys the stored hashes and signs tokens; all servers have the same.
func New(db *sqlx.DB, secret []byte, limits Limits, now func() time.Time) *Guard {
	return &Guard{db: db, key: secret, limits: limits, now: now}
}

// Attempt is one submission of a donation form whose fields are valid.
type Attempt struct {
	Page      string     // the organisation's slug
	Address   netip.Addr // the client's; zero if it is unknown
	Email     string
	Form      uuid.UUID // the form's one-time id
	InputHash [32]byte  // hash of all that was typed
	ShownAt   time.Time // when the form was shown; zero if it was not
	Pass      uuid.UUID // of event mode: no limits of address and network; zero if there is none

	Challenge, Proof string // what the page of the challenge sent back
}

// Verdict is the decision on an attempt.
type Verdict int

// The verdicts. The reason of a refusal is not revealed.
const (
	Refused Verdict = iota
	Challenged
	Passed
)

// Judge decides on an attempt, and returns the challenge to show if the verdict is Challenged. An attempt counts for
// its address, network and email address at once, and for its page only when it passes: a bot that is challenged uses
// up nothing of the page's limit.
func (g *Guard) Judge(ctx context.Context, a Attempt) (Verdict, Challenge, error) {
	now := g.now()
	if a.Challenge != "" {
		return g.judgeChallenge(ctx, a, now)
	}
	tooFast := g.limits.MinFillTime > 0 && (a.ShownAt.IsZero() || now.Sub(a.ShownAt) < g.limits.MinFillTime)
	challenged, err := g.challengeRequired(ctx, a.Page)
	if err != nil {
		return Refused, Challenge{}, err
	}
	if challenged = challenged || tooFast; challenged {
		allowed, err := g.commitIf(ctx, func(tx *sqlx.Tx) (bool, error) {
			allowed, err := countTx(ctx, tx, g.attemptCounters(a))
			if err == nil && allowed && tooFast {
				err = RecordFailuresTx(ctx, tx, []Failure{{ID: "form " + a.Form.String(), Page: a.Page, At: now}})
			}
			return allowed, err
		})
		if err != nil || !allowed {
			return Refused, Challenge{}, err
		}
		return Challenged, g.key.newChallenge(a.Form, a.InputHash, now), nil
	}
	return g.admit(ctx, a, func(*sqlx.Tx) ([]counter, bool, error) { return g.attemptCounters(a), true, nil })
}

// judgeChallenge judges an attempt that answers a challenge. The attempt that led to the challenge was counted.
func (g *Guard) judgeChallenge(ctx context.Context, a Attempt, now time.Time) (Verdict, Challenge, error) {
	raw, ours := g.key.verifyToken(a.Challenge, a.Form, a.InputHash, now)
	if !ours {
		return Refused, Challenge{}, nil
	}
	challenge := challengeFrom(raw, now)
	var counters []counter
	switch {
	case a.Proof != "" && !solved(challenge.Seed, a.Proof):
		return Refused, Challenge{}, nil
	case a.Proof == "" && now.Before(issuedAt(raw).Add(noJSWait)):
		return Challenged, challenge, nil
	case a.Proof == "":
		counters = g.appendCounter(nil, "wait", a.Page, g.limits.NoJSWaits)
	}
	return g.admit(ctx, a, func(tx *sqlx.Tx) ([]counter, bool, error) {
		fresh, err := redeemTx(ctx, tx, raw[:nonceSize])
		return counters, fresh, err
	})
}

// admit passes an attempt if begin allows it and if it is within the limits that begin returns and within its page's
// limit. It records the use of an event pass.
func (g *Guard) admit(ctx context.Context, a Attempt, begin func(tx *sqlx.Tx) ([]counter, bool, error)) (Verdict, Challenge, error) {
	allowed, err := g.commitIf(ctx, func(tx *sqlx.Tx) (bool, error) {
		counters, allowed, err := begin(tx)
		if err != nil || !allowed {
			return false, err
		}
		if allowed, err = countTx(ctx, tx, g.appendCounter(counters, "page", a.Page, g.limits.Page)); err != nil || !allowed || a.Pass == uuid.Nil {
			return allowed, err
		}
		return true, recordPassEventTx(ctx, tx, a.Pass, passGift)
	})
	if err != nil || !allowed {
		return Refused, Challenge{}, err
	}
	return Passed, Challenge{}, nil
}

// attemptCounters returns the counters under which every attempt counts.
func (g *Guard) attemptCounters(a Attempt) (all []counter) {
	if a.Pass == uuid.Nil {
		all = g.appendCounter(all, "address", AddressKey(a.Address), g.limits.Address)
		all = g.appendCounter(all, "network", NetworkKey(a.Address), g.limits.Network)
	}
	return g.appendCounter(all, "email", email.MailboxKey(a.Email), g.limits.Email)
}

// appendCounter appends a counter for a limit, unless the limit is off.
func (g *Guard) appendCounter(others []counter, kind, of string, l Limit) []counter {
	if l.IsOff() {
		return others
	}
	return append(others, counter{g.key.counter(kind, of, l), l})
}

// errRefused rolls the counting of a refused attempt back.
var errRefused = errors.New("guard: refused")

// commitIf commits what do did if do returns true, and otherwise rolls it back.
func (g *Guard) commitIf(ctx context.Context, do func(tx *sqlx.Tx) (bool, error)) (bool, error) {
	err := pg.InTx(ctx, g.db, func(tx *sqlx.Tx) error {
		allowed, err := do(tx)
		if err == nil && !allowed {
			err = errRefused
		}
		return err
	})
	if errors.Is(err, errRefused) {
		return false, nil
	}
	return err == nil, err
}

// redeemTx marks a challenge as used and returns false if it was used before. The mark is made and deleted by the
// database's clock, and lasts longer than the challenge is valid by the clock of any server.
func redeemTx(ctx context.Context, tx *sqlx.Tx, nonce []byte) (bool, error) {
	const query = `/* guard.redeemTx */
		INSERT INTO guard_step_used (nonce, until) VALUES ($1, now() + make_interval(secs => $2)) ON CONFLICT (nonce) DO NOTHING`
	result, err := tx.ExecContext(ctx, query, nonce, (challengeLifetime + 2*maxClockSkew).Seconds())
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// DeleteExpired deletes counts and failures that no window covers any more.
func (g *Guard) DeleteExpired(ctx context.Context) error {
	return pg.InTx(ctx, g.db, func(tx *sqlx.Tx) error { return deleteExpiredTx(ctx, tx) })
}
