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

// Guard judges attempts. Safe for concurrent use, and by any number of servers on one database.
type Guard struct {
	db     *sqlx.DB
	key    key
	limits Limits
	now    func() time.Time
	score  scoreCache
}

// New makes a guard. secret keys what is kept and signs what is given out; all servers share it.
func New(db *sqlx.DB, secret []byte, limits Limits, now func() time.Time) *Guard {
	return &Guard{db: db, key: secret, limits: limits, now: now}
}

// Attempt is one press of a donation form's button, its form found good.
type Attempt struct {
	Page      string     // the organisation's slug
	Address   netip.Addr // the client's; zero when it is not known
	Email     string
	Form      uuid.UUID // the form's one-time id
	InputHash [32]byte  // hash of all that was typed
	ShownAt   time.Time // when the form was shown; zero when it was not
	Pass      uuid.UUID // of event mode, which lifts the limits of address and network; zero: none

	Challenge, Proof string // what the page of the step sent back
}

// Verdict is what becomes of an attempt.
type Verdict int

// The verdicts. Why an attempt is refused nobody is told.
const (
	Refused    Verdict = iota
	Challenged         // for the step
	Passed
)

// Judge decides on an attempt; for Asked it answers the step to show. A press is counted by its address, network
// and e-mail, and by its page when it passes: a bot that is asked for the step uses up nothing of the page's.
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
		kept, err := g.commitIf(ctx, func(tx *sqlx.Tx) (bool, error) {
			kept, err := countTx(ctx, tx, g.attemptCounters(a))
			if err == nil && kept && tooFast {
				err = RecordFailuresTx(ctx, tx, []Failure{{ID: "form " + a.Form.String(), Page: a.Page, At: now}})
			}
			return kept, err
		})
		if err != nil || !kept {
			return Refused, Challenge{}, err
		}
		return Challenged, g.key.newChallenge(a.Form, a.InputHash, now), nil
	}
	return g.admit(ctx, a, func(*sqlx.Tx) ([]counter, bool, error) { return g.attemptCounters(a), true, nil })
}

// judgeStep takes a step back. The press that led to it was counted.
func (g *Guard) judgeChallenge(ctx context.Context, a Attempt, now time.Time) (Verdict, Challenge, error) {
	raw, ours := g.key.verifyToken(a.Challenge, a.Form, a.InputHash, now)
	if !ours {
		return Refused, Challenge{}, nil
	}
	step := challengeFrom(raw, now)
	var counters []counter
	switch {
	case a.Proof != "" && !solved(step.Seed, a.Proof):
		return Refused, Challenge{}, nil
	case a.Proof == "" && now.Before(issuedAt(raw).Add(noJSWait)):
		return Challenged, step, nil
	case a.Proof == "":
		counters = g.appendCounter(nil, "wait", a.Page, g.limits.NoJSWaits)
	}
	return g.admit(ctx, a, func(tx *sqlx.Tx) ([]counter, bool, error) {
		fresh, err := redeemTx(ctx, tx, raw[:nonceSize])
		return counters, fresh, err
	})
}

// pass lets an attempt by if begin says so and it keeps to the limits that begin answers and to its page's. A use
// of event mode is noted.
func (g *Guard) admit(ctx context.Context, a Attempt, begin func(tx *sqlx.Tx) ([]counter, bool, error)) (Verdict, Challenge, error) {
	kept, err := g.commitIf(ctx, func(tx *sqlx.Tx) (bool, error) {
		counters, kept, err := begin(tx)
		if err != nil || !kept {
			return false, err
		}
		if kept, err = countTx(ctx, tx, g.appendCounter(counters, "page", a.Page, g.limits.Page)); err != nil || !kept || a.Pass == uuid.Nil {
			return kept, err
		}
		return true, recordPassEventTx(ctx, tx, a.Pass, passGift)
	})
	if err != nil || !kept {
		return Refused, Challenge{}, err
	}
	return Passed, Challenge{}, nil
}

// ofPress are the limits every press falls under.
func (g *Guard) attemptCounters(a Attempt) (all []counter) {
	if a.Pass == uuid.Nil {
		all = g.appendCounter(all, "address", AddressKey(a.Address), g.limits.Address)
		all = g.appendCounter(all, "network", NetworkKey(a.Address), g.limits.Network)
	}
	return g.appendCounter(all, "email", email.MailboxKey(a.Email), g.limits.Email)
}

// under adds a limit to others.
func (g *Guard) appendCounter(others []counter, kind, of string, l Limit) []counter {
	if l.IsOff() {
		return others
	}
	return append(others, counter{g.key.counter(kind, of, l), l})
}

// errRefused undoes the counting of an attempt that is refused.
var errRefused = errors.New("guard: refused")

// keep commits what do did if do says so, and otherwise undoes it.
func (g *Guard) commitIf(ctx context.Context, do func(tx *sqlx.Tx) (bool, error)) (bool, error) {
	err := pg.InTx(ctx, g.db, func(tx *sqlx.Tx) error {
		kept, err := do(tx)
		if err == nil && !kept {
			err = errRefused
		}
		return err
	})
	if errors.Is(err, errRefused) {
		return false, nil
	}
	return err == nil, err
}

// useTx marks a step as used; false when it was. The mark is made and forgotten by the database's clock, and outlives the step by
// any server's.
func redeemTx(ctx context.Context, tx *sqlx.Tx, nonce []byte) (bool, error) {
	const query = `/* guard.useTx */
		INSERT INTO guard_step_used (nonce, until) VALUES ($1, now() + make_interval(secs => $2)) ON CONFLICT (nonce) DO NOTHING`
	result, err := tx.ExecContext(ctx, query, nonce, (challengeLifetime + 2*maxClockSkew).Seconds())
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// Forget drops what no window reaches any more.
func (g *Guard) DeleteExpired(ctx context.Context) error {
	return pg.InTx(ctx, g.db, func(tx *sqlx.Tx) error { return deleteExpiredTx(ctx, tx) })
}
