package guard

import (
	"context"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// timeToPress is how long a person takes to press the button after a wait, at least.
const timeToPress = 2 * time.Minute

// waitsPerNetwork is how often a network passes the challenge of a page by waiting, beyond Limits.NoJSWaits.
var waitsPerNetwork = Limit{1, 10 * time.Minute}

// waitCounters returns the counters of challenges passed by waiting: the page's and, beyond it, the network's, so that
// strangers who use the page's limit up do not keep other people without JavaScript out. Each pass of event mode has the
// page's number of its own.
func (g *Guard) waitCounters(a Attempt) []counter {
	if g.limits.NoJSWaits.IsOff() {
		return nil
	}
	if a.Pass != uuid.Nil {
		return g.appendCounter(nil, kindWait, "pass "+a.Pass.String(), g.limits.NoJSWaits)
	}
	all := g.appendCounter(nil, kindWait, a.Page, g.limits.NoJSWaits)
	return append(all, g.appendCounter(nil, kindWaitNetwork, a.Page+" "+NetworkKey(a.Address), waitsPerNetwork)...)
}

// countWaitTx counts a challenge that was passed by waiting, under the first of its counters that is not exceeded. It
// returns the limits that it exceeds; nil if it was counted, or if waits are not limited.
func (g *Guard) countWaitTx(ctx context.Context, tx *sqlx.Tx, a Attempt) (exceeded []string, err error) {
	for _, c := range g.waitCounters(a) {
		if exceeded, err = countTx(ctx, tx, []counter{c}); err != nil || len(exceeded) == 0 {
			return nil, err
		}
	}
	return exceeded, nil
}

func isWait(kind string) bool { return kind == kindWait || kind == kindWaitNetwork }

// waitLonger answers an attempt that waited as long as its challenge said, while others used up what passes by waiting.
// It shows the challenge again with the time that is left until a wait passes. A challenge that would expire before is
// replaced.
func (g *Guard) waitLonger(ctx context.Context, a Attempt, raw []byte, s step) (Verdict, Challenge, error) {
	now := g.now()
	wait := time.Duration(math.MaxInt64)
	for _, c := range g.waitCounters(a) {
		free, err := g.freeAfter(ctx, c)
		if err != nil {
			return Refused, Challenge{}, err
		}
		wait = min(wait, free)
	}
	shown := challengeFrom(raw, s, now)
	if age := now.Sub(issuedAt(raw)); age+wait+timeToPress > challengeLifetime {
		fresh, err := g.commitIf(ctx, func(tx *sqlx.Tx) (bool, error) { return redeemTx(ctx, tx, raw[:nonceSize]) })
		if err != nil {
			return Refused, Challenge{}, err
		}
		if !fresh {
			return fail(ctx)
		}
		shown = g.newChallenge(a.Form, a.InputHash, s, now)
	}
	shown.Wait = max(shown.Wait, wait)
	return Challenged, shown, nil
}

// Wait returns after which time an attempt is within all quotas, if nobody makes another: 0 if it is now.
func (g *Guard) Wait(ctx context.Context, all ...Quota) (wait time.Duration, err error) {
	for _, c := range g.counters(all) {
		free, err := g.freeAfter(ctx, c)
		if err != nil {
			return 0, err
		}
		wait = max(wait, free)
	}
	return wait, nil
}

// freeAfter returns after which time one more attempt is within a limit, in whole seconds: when so many of the oldest
// slices have left the window that the others and the attempt are not more than the limit.
func (g *Guard) freeAfter(ctx context.Context, c counter) (time.Duration, error) {
	const query = `/* guard.freeAfter */
		WITH counted AS (
		    SELECT slice, sum(sum(n)) OVER (ORDER BY slice DESC) AS since FROM guard_count
		     WHERE key = $1 AND slice >= floor(extract(epoch FROM now()) / $2::float8)::bigint - $4 GROUP BY slice
		)
		SELECT coalesce(ceil((max(slice) + $4 + 1) * $2::float8 - extract(epoch FROM now())), 0)::bigint FROM counted WHERE since >= $3`
	var seconds int64
	err := g.db.GetContext(ctx, &seconds, query, c.key, c.limit.Window.Seconds()/windowSlices, c.limit.Max, windowSlices)
	return time.Duration(max(seconds, 0)) * time.Second, err
}
