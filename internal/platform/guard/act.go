package guard

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/securitylog"
)

// Act is an attempt at something else than a gift, such as a request for an email. Other packages say under which quotas it
// counts. Each list has several ways: the act counts under the quotas of the first way that it is within.
type Act struct {
	Name    string     // contains a space, so that it is no page's; challenges passed by a wait count for it
	Address netip.Addr // the client's; zero if it is unknown
	Input   string     // all that was typed

	Free   [][]Quota // without a challenge
	Solved [][]Quota // after the challenge
	Hard   [][]Quota // after a hard challenge, which is shown beyond Solved

	Challenge, Proof string // what the page of the challenge sent back
}

// hash returns what the token of the act's challenge is bound to.
func (a Act) hash() [32]byte { return sha256.Sum256([]byte(a.Name + "\x00" + a.Input)) }

// ways returns the ways of an act that answered a challenge of a kind; nil if acts have no such challenge.
func (a Act) ways(s step) [][]Quota {
	switch s {
	case stepUncounted:
		return a.Solved
	case stepHard:
		return a.Hard
	}
	return nil
}

// attempt returns the act as an attempt, for the counters of waits.
func (a Act) attempt() Attempt {
	return Attempt{Page: a.Name, Address: a.Address, InputHash: a.hash()}
}

// JudgeAct decides on an act. It returns the challenge to show if the verdict is Challenged, and, if the act is beyond all
// ways, Refused and after which time it is within one, if nobody makes another. An act that is not Passed counts nowhere. A
// challenge that was answered wrong, late or twice is replaced. A caller that refuses the act tells the security log
// (securitylog.Limit).
func (g *Guard) JudgeAct(ctx context.Context, a Act) (verdict Verdict, shown Challenge, wait time.Duration, err error) {
	now := g.now()
	if a.Challenge != "" {
		verdict, shown, err = g.judgeAnswer(ctx, a, now)
		if err != nil || verdict != Refused {
			return verdict, shown, 0, err
		}
	}
	for _, way := range a.Free {
		if allowed, err := g.Allow(ctx, way...); err != nil {
			return Refused, Challenge{}, 0, err
		} else if allowed {
			return Passed, Challenge{}, 0, nil
		}
	}
	for _, s := range []step{stepUncounted, stepHard} { // the first whose answer is within its limits: nobody works for nothing
		for _, way := range a.ways(s) {
			full, err := g.full(ctx, g.counters(way))
			if err != nil {
				return Refused, Challenge{}, 0, err
			}
			if len(full) == 0 {
				verdict, shown, err = challenge(ctx, g.newChallenge(uuid.Nil, a.hash(), s, now))
				return verdict, shown, 0, err
			}
		}
	}
	wait, err = g.firstFree(ctx, slices.Concat(a.Free, a.Solved, a.Hard))
	return Refused, Challenge{}, wait, err
}

// judgeAnswer judges an act that answers a challenge. It is Refused if the answer is wrong, late or used, or if others
// filled the limits after the challenge was shown.
func (g *Guard) judgeAnswer(ctx context.Context, a Act, now time.Time) (Verdict, Challenge, error) {
	raw, s, ours := g.verifyToken(a.Challenge, uuid.Nil, a.hash(), now)
	if !ours || a.ways(s) == nil {
		return fail(ctx)
	}
	shown := challengeFrom(raw, s, now)
	switch {
	case a.Proof != "" && !solved(shown, a.Proof):
		return fail(ctx)
	case a.Proof == "" && now.Before(issuedAt(raw).Add(noJSWait)):
		return challenge(ctx, shown)
	}
	var fresh bool
	var waits, exceeded []string
	allowed, err := g.commitIf(ctx, func(tx *sqlx.Tx) (_ bool, err error) {
		if fresh, err = redeemTx(ctx, tx, raw[:nonceSize]); err != nil || !fresh {
			return false, err
		}
		if a.Proof == "" {
			if waits, err = g.countWaitTx(ctx, tx, a.attempt()); err != nil || len(waits) > 0 {
				return false, err
			}
		}
		for _, way := range a.ways(s) {
			if exceeded, err = countTx(ctx, tx, g.counters(way)); err != nil || len(exceeded) == 0 {
				return err == nil, err
			}
		}
		return false, nil
	})
	switch {
	case err != nil:
		return Refused, Challenge{}, err
	case allowed:
		return Passed, Challenge{}, nil
	case !fresh:
		return fail(ctx)
	case len(waits) > 0:
		securitylog.Limit(ctx, a.Name+", "+waits[0])
		return g.waitLonger(ctx, a.attempt(), raw, s)
	}
	return Refused, Challenge{}, nil
}

// counters returns the counters of quotas, without those that are off.
func (g *Guard) counters(all []Quota) (counters []counter) {
	for _, q := range all {
		counters = g.appendCounter(counters, q.Kind, q.Subject, q.Limit)
	}
	return counters
}
