package guard

import (
	"context"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/email"
	"konbit/internal/platform/keyring"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/securitylog"
)

// Guard judges attempts. It is safe for concurrent use, and by any number of servers on one database.
type Guard struct {
	db     *sqlx.DB
	keys   keyring.Ring
	limits Limits
	now    func() time.Time
	score  scoreCache
}

// New returns a guard. keys key the stored hashes and sign tokens; all servers have the same.
func New(db *sqlx.DB, keys keyring.Ring, limits Limits, now func() time.Time) *Guard {
	return &Guard{db: db, keys: keys, limits: limits, now: now}
}

// Attempt is one submission of a donation form whose fields are valid.
type Attempt struct {
	Page      string     // the organisation's slug
	Address   netip.Addr // the client's; zero if it is unknown
	Email     string
	Known     string    // mark of a browser in which Email was proved, with a limit of its own; empty if it was not
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

// waitsPerNetwork is how often a network passes the challenge of a page by waiting, beyond Limits.NoJSWaits.
var waitsPerNetwork = Limit{1, 10 * time.Minute}

// Judge decides on an attempt, and returns the challenge to show if the verdict is Challenged. The security log gets
// each verdict but Passed. A refused attempt counts nowhere, and an attempt counts for its page only when it passes: a
// bot that is challenged uses up nothing of the page's limit.
func (g *Guard) Judge(ctx context.Context, a Attempt) (Verdict, Challenge, error) {
	now := g.now()
	if a.Challenge != "" {
		return g.judgeChallenge(ctx, a, now)
	}
	known, err := g.isKnown(ctx, a)
	if err != nil {
		return Refused, Challenge{}, err
	}
	tooFast := g.limits.MinFillTime > 0 && (a.ShownAt.IsZero() || now.Sub(a.ShownAt) < g.limits.MinFillTime)
	challenged, err := g.challengeRequired(ctx, a.Page)
	if err != nil {
		return Refused, Challenge{}, err
	}
	own := g.ownCounters(a, known)
	if !challenged && !tooFast {
		exceeded, err := g.count(ctx, append(own, g.sharedCounters(a, known)...), func(tx *sqlx.Tx) error { return recordGiftTx(ctx, tx, a.Pass) })
		if err == nil && len(exceeded) == 0 {
			return Passed, Challenge{}, nil
		}
		if err != nil || !isShared(exceeded[0]) {
			return refuse(ctx, exceeded, err)
		}
	}
	exceeded, err := g.count(ctx, own, func(tx *sqlx.Tx) error {
		if !tooFast {
			return nil
		}
		return RecordFailuresTx(ctx, tx, []Failure{{ID: "form " + a.Form.String(), Page: a.Page, At: now}})
	})
	if err != nil || len(exceeded) > 0 {
		return refuse(ctx, exceeded, err)
	}
	return challenge(ctx, g.newChallenge(a.Form, a.InputHash, now))
}

// judgeChallenge judges an attempt that answers a challenge. The attempt that led to the challenge was counted. One that
// solved it passes whatever the limits of its email address and page.
func (g *Guard) judgeChallenge(ctx context.Context, a Attempt, now time.Time) (Verdict, Challenge, error) {
	raw, ours := g.verifyToken(a.Challenge, a.Form, a.InputHash, now)
	if !ours {
		return fail(ctx)
	}
	shown := challengeFrom(raw, now)
	switch {
	case a.Proof != "" && !solved(shown.Seed, a.Proof):
		return fail(ctx)
	case a.Proof == "" && now.Before(issuedAt(raw).Add(noJSWait)):
		return challenge(ctx, shown)
	}
	var fresh bool
	var exceeded []string
	allowed, err := g.commitIf(ctx, func(tx *sqlx.Tx) (_ bool, err error) {
		if fresh, err = redeemTx(ctx, tx, raw[:nonceSize]); err != nil || !fresh {
			return false, err
		}
		if a.Proof == "" {
			if exceeded, err = g.countWaitTx(ctx, tx, a); err != nil || len(exceeded) > 0 {
				return false, err
			}
		}
		if _, err = countTx(ctx, tx, g.sharedCounters(a, a.Known != "")); err != nil {
			return false, err
		}
		return true, recordGiftTx(ctx, tx, a.Pass)
	})
	switch {
	case allowed:
		return Passed, Challenge{}, nil
	case err == nil && !fresh:
		return fail(ctx)
	default:
		return refuse(ctx, exceeded, err)
	}
}

// countWaitTx counts a challenge that was passed by waiting. Beyond the page's limit, each network passes from time to
// time, so that strangers who use the limit up do not keep other people without JavaScript out.
func (g *Guard) countWaitTx(ctx context.Context, tx *sqlx.Tx, a Attempt) (exceeded []string, err error) {
	exceeded, err = countTx(ctx, tx, g.appendCounter(nil, kindWait, a.Page, g.limits.NoJSWaits))
	if err != nil || len(exceeded) == 0 {
		return nil, err
	}
	return countTx(ctx, tx, g.appendCounter(nil, kindWaitNetwork, a.Page+" "+NetworkKey(a.Address), waitsPerNetwork))
}

// isKnown counts an attempt of a known browser. It returns false if the browser is not known or has used its limit up:
// then the limits of the email address apply.
func (g *Guard) isKnown(ctx context.Context, a Attempt) (bool, error) {
	if a.Known == "" {
		return false, nil
	}
	exceeded, err := g.count(ctx, g.appendCounter(nil, kindKnown, a.Known, g.limits.Email), nil)
	return len(exceeded) == 0, err
}

// ownCounters returns the counters of what only this client can use up. An attempt that exceeds one is refused.
func (g *Guard) ownCounters(a Attempt, known bool) (all []counter) {
	if a.Pass == uuid.Nil {
		all = g.appendCounter(all, kindAddress, AddressKey(a.Address), g.limits.Address)
		all = g.appendCounter(all, kindNetwork, NetworkKey(a.Address), g.limits.Network)
	}
	if !known {
		all = g.appendCounter(all, kindEmailNetwork, NetworkKey(a.Address)+" "+email.MailboxKey(a.Email), g.limits.Email)
	}
	return all
}

// sharedCounters returns the counters of what strangers could use up for others. An attempt that exceeds one is
// challenged.
func (g *Guard) sharedCounters(a Attempt, known bool) (all []counter) {
	if !known {
		all = g.appendCounter(all, kindEmail, email.MailboxKey(a.Email), g.limits.Email)
	}
	return g.appendCounter(all, kindPage, a.Page, g.limits.Page)
}

func isShared(kind string) bool { return kind == kindEmail || kind == kindPage }

// refuse refuses an attempt that exceeds limits.
func refuse(ctx context.Context, exceeded []string, err error) (Verdict, Challenge, error) {
	if err == nil {
		securitylog.Limit(ctx, "gifts, "+exceeded[0])
	}
	return Refused, Challenge{}, err
}

// fail refuses an attempt with a wrong answer to a challenge.
func fail(ctx context.Context) (Verdict, Challenge, error) {
	securitylog.Record(ctx, securitylog.ChallengeFailed)
	return Refused, Challenge{}, nil
}

func challenge(ctx context.Context, c Challenge) (Verdict, Challenge, error) {
	securitylog.Record(ctx, securitylog.ChallengeShown)
	return Challenged, c, nil
}

// recordGiftTx records an attempt with an event pass; uuid.Nil is none.
func recordGiftTx(ctx context.Context, tx *sqlx.Tx, pass uuid.UUID) error {
	if pass == uuid.Nil {
		return nil
	}
	return recordPassEventTx(ctx, tx, pass, passGift)
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
