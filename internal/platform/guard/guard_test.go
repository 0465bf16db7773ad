package guard_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/guard"
	"konbit/internal/platform/keyring"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/securitylog"
	"konbit/internal/workshop/testkit"
)

// off has no limits.
var off = guard.Limits{}

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newGuard(t *testing.T, l guard.Limits) (*guard.Guard, *testkit.Database, *clock) {
	db, c := testkit.DB(t), &clock{time.Now()}
	return guard.New(db.Server, keyring.New([]byte("secret")), l, c.now), db, c
}

// attempt returns an attempt of a new donor who had time to read the form.
func attempt(address string) guard.Attempt {
	id := uuid.New()
	return guard.Attempt{
		Page: "csio", Address: netip.MustParseAddr(address), Email: id.String() + "@example.org", Form: id, InputHash: sha256.Sum256(id[:]),
		ShownAt: time.Now().Add(-time.Minute),
	}
}

func judge(t *testing.T, g *guard.Guard, a guard.Attempt) (guard.Verdict, guard.Challenge) {
	t.Helper()
	v, challenge, err := g.Judge(t.Context(), a)
	require.NoError(t, err)
	return v, challenge
}

func fail(t *testing.T, db *testkit.Database, n int, page string, at time.Time) {
	t.Helper()
	var all []guard.Failure
	for range n {
		all = append(all, guard.Failure{ID: uuid.NewString(), Page: page, At: at})
	}
	require.NoError(t, pg.InTx(t.Context(), db.Server, func(tx *sqlx.Tx) error { return guard.RecordFailuresTx(context.Background(), tx, all) }))
}

// solve returns the proof of a challenge, as a browser computes it.
func solve(s guard.Challenge) string {
	var found []string
	for puzzle := range s.Rounds {
		for n := 0; ; n++ {
			sum := sha256.Sum256([]byte(s.Seed + "." + strconv.Itoa(puzzle) + "." + strconv.Itoa(n)))
			if bits.LeadingZeros32(binary.BigEndian.Uint32(sum[:4])) >= s.Difficulty {
				found = append(found, strconv.Itoa(n))
				break
			}
		}
	}
	return strings.Join(found, ",")
}

// TestEachLimit tries each limit alone. An attempt beyond it does not count for other addresses.
func TestEachLimit(t *testing.T) {
	three := guard.Limit{Max: 3, Window: 10 * time.Minute}
	for name, c := range map[string]struct {
		limits guard.Limits
		beyond guard.Verdict
		same   func(i int) guard.Attempt // is under the same limit each time
		other  guard.Attempt             // is under another limit
	}{
		"address": {guard.Limits{Address: three}, guard.Challenged, func(int) guard.Attempt { return attempt("203.0.113.1") }, attempt("203.0.113.2")},
		"the /64 of IPv6": {guard.Limits{Address: three}, guard.Challenged, func(i int) guard.Attempt { return attempt(fmt.Sprintf("2001:db8::%x", i+1)) },
			attempt("2001:db8:0:1::1")},
		"network": {guard.Limits{Network: three}, guard.Challenged, func(i int) guard.Attempt { return attempt(fmt.Sprintf("203.0.113.%d", i)) }, attempt("203.0.112.1")},
		"email in one network": {guard.Limits{Email: three}, guard.Challenged, func(i int) guard.Attempt {
			a := attempt(fmt.Sprintf("203.0.113.%d", i))
			a.Email = fmt.Sprintf("Ana+%d@example.org", i)
			return a
		}, attempt("203.0.113.1")},
		"email": {guard.Limits{Email: three}, guard.Challenged, func(i int) guard.Attempt {
			a := attempt(fmt.Sprintf("203.0.%d.1", i))
			a.Email = fmt.Sprintf("Ana+%d@example.org", i)
			return a
		}, attempt("203.0.113.1")},
		"page": {guard.Limits{Page: three}, guard.Challenged, func(i int) guard.Attempt { return attempt(fmt.Sprintf("203.0.%d.1", i)) },
			func() guard.Attempt { a := attempt("203.0.113.1"); a.Page = "another"; return a }()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, _, _ := newGuard(t, c.limits)
			for i := range 10 {
				want := guard.Passed
				if i >= 3 {
					want = c.beyond
				}
				v, _ := judge(t, g, c.same(i))
				require.Equal(t, want, v, "attempt %d", i+1)
			}
			v, _ := judge(t, g, c.other)
			require.Equal(t, guard.Passed, v)
		})
	}
}

// TestNeighboursOfABot: attempts beyond the limit of their address do not count for their network and page, unless their
// challenge is solved. One address passes three times its limit, which leaves others of its network theirs; beyond it only
// waits pass.
func TestNeighboursOfABot(t *testing.T) {
	l := off
	l.Address, l.Network, l.Page = guard.Limit{Max: 2, Window: time.Minute}, guard.Limit{Max: 10, Window: time.Minute}, guard.Limit{Max: 100, Window: time.Minute}
	g, _, _ := newGuard(t, l)
	for range 50 {
		judge(t, g, attempt("203.0.113.1"))
	}
	solvedOnes := 0
	for {
		a := attempt("203.0.113.1")
		v, challenge := judge(t, g, a)
		require.Equal(t, guard.Challenged, v)
		if challenge.Rounds == 0 {
			break
		}
		a.Challenge, a.Proof = challenge.Token, solve(challenge)
		v, _ = judge(t, g, a)
		require.Equal(t, guard.Passed, v)
		solvedOnes++
	}
	require.Equal(t, 4, solvedOnes, "challenges solved from one address")
	for i := range 4 {
		v, _ := judge(t, g, attempt(fmt.Sprintf("203.0.113.%d", i+2)))
		require.Equal(t, guard.Passed, v, "a neighbour")
	}
}

// TestAFullNetwork: many addresses of one network use up its limit. Who is not known gives by a hard challenge, as often
// as ten times the limit, and then by a wait.
func TestAFullNetwork(t *testing.T) {
	l := off
	l.Network = guard.Limit{Max: 1, Window: time.Hour}
	g, _, _ := newGuard(t, l)
	v, _ := judge(t, g, attempt("203.0.113.1"))
	require.Equal(t, guard.Passed, v)
	var challenge guard.Challenge
	for i := range 10 {
		a := attempt(fmt.Sprintf("203.0.113.%d", i+3))
		v, challenge = judge(t, g, a)
		require.Equal(t, guard.Challenged, v)
		require.Equal(t, 128, challenge.Rounds, "a hard one")
		a.Challenge, a.Proof = challenge.Token, solve(challenge)
		v, _ = judge(t, g, a)
		require.Equal(t, guard.Passed, v)
	}
	v, challenge = judge(t, g, attempt("203.0.113.99"))
	require.Equal(t, guard.Challenged, v)
	require.Zero(t, challenge.Rounds, "only a wait passes")
	for i := range 10 {
		a := attempt("203.0.113.99")
		a.Known = true
		v, _ = judge(t, g, a)
		require.Equal(t, guard.Passed, v, "known browser %d", i+1)
	}
	a := attempt("203.0.113.99")
	a.Known = true
	v, _ = judge(t, g, a)
	require.Equal(t, guard.Challenged, v, "many known browsers in one network are judged like others")
	a.Address = netip.MustParseAddr("203.0.112.1")
	v, _ = judge(t, g, a)
	require.Equal(t, guard.Passed, v)
}

// TestANetworkFillsBeforeTheAnswer: others use up the limit of a network while a person of it solves an ordinary
// challenge. The person gets a hard one, and is not refused.
func TestANetworkFillsBeforeTheAnswer(t *testing.T) {
	l := off
	l.Address, l.Network = guard.Limit{Max: 1, Window: time.Hour}, guard.Limit{Max: 2, Window: time.Hour}
	g, _, _ := newGuard(t, l)
	judge(t, g, attempt("203.0.113.1"))
	a := attempt("203.0.113.1")
	_, challenge := judge(t, g, a)
	require.Equal(t, 16, challenge.Rounds)
	judge(t, g, attempt("203.0.113.2"))
	a.Challenge, a.Proof = challenge.Token, solve(challenge)
	v, harder := judge(t, g, a)
	require.Equal(t, guard.Challenged, v)
	require.Equal(t, 128, harder.Rounds)
	a.Challenge, a.Proof = harder.Token, solve(challenge)
	v, _ = judge(t, g, a)
	require.Equal(t, guard.Refused, v, "the proof of the other one")
	a.Proof = solve(harder)
	v, _ = judge(t, g, a)
	require.Equal(t, guard.Passed, v)
}

// TestMarksOfOneMailboxShareALimit: each proof of an address makes another mark, so the limit counts the mailbox.
func TestMarksOfOneMailboxShareALimit(t *testing.T) {
	l := off
	l.Email, l.Address, l.Network = guard.Limit{Max: 5, Window: time.Hour}, guard.Limit{Max: 1, Window: time.Hour}, guard.Limit{Max: 100, Window: time.Hour}
	g, _, _ := newGuard(t, l)
	judge(t, g, attempt("203.0.113.1")) // the address is at its limit
	passed := 0
	for i := range 20 {
		a := attempt("203.0.113.1")
		a.Email, a.Known = fmt.Sprintf("Ana+%d@example.org", i), true
		if v, _ := judge(t, g, a); v == guard.Passed {
			passed++
		}
	}
	require.Equal(t, 5, passed)
}

// TestLimitHoldsInEveryWindow: attempts throughout two windows never exceed the limit in any window. New ones pass
// after a window and the slice in which it began.
func TestLimitHoldsInEveryWindow(t *testing.T) {
	l := off
	l.Address = guard.Limit{Max: 4, Window: 24 * time.Hour} // so long that the test itself stays within one slice
	g, db, _ := newGuard(t, l)
	count := func() (passed int) {
		for range 8 {
			if v, _ := judge(t, g, attempt("203.0.113.1")); v == guard.Passed {
				passed++
			}
		}
		return passed
	}
	require.Equal(t, 4, count())
	for slice := range 10 { // moves all counts back by a tenth of the window, ten times
		db.Owner.MustExec(`UPDATE guard_count SET slice = slice - 1`)
		require.Equal(t, 0, count(), "%d tenths later", slice+1)
	}
	db.Owner.MustExec(`UPDATE guard_count SET slice = slice - 1`)
	require.Equal(t, 4, count(), "after the window")
}

// TestLimitHoldsUnderConcurrency: many concurrent attempts on two servers.
func TestLimitHoldsUnderConcurrency(t *testing.T) {
	one, db, c := newGuard(t, guard.Standard())
	guards := []*guard.Guard{one, guard.New(db.Server, keyring.New([]byte("secret")), guard.Standard(), c.now)}
	var passed atomic.Int64
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for range 30 {
				v, _, err := guards[i%2].Judge(context.Background(), attempt("203.0.113.1"))
				if err != nil {
					t.Error(err)
				}
				if v == guard.Passed {
					passed.Add(1)
				}
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 5, passed.Load(), "of 480 attempts from one address")
}

// TestWideLimitsAreCountedInShards: the limit of a busy page applies to the sum of its rows.
func TestWideLimitsAreCountedInShards(t *testing.T) {
	l := off
	l.Page = guard.Limit{Max: 150, Window: time.Minute}
	g, db, _ := newGuard(t, l)
	passed := 0
	for range 200 {
		if v, _ := judge(t, g, attempt("203.0.113.1")); v == guard.Passed {
			passed++
		}
	}
	require.Equal(t, 150, passed)
	var rows int
	require.NoError(t, db.Owner.Get(&rows, `SELECT count(DISTINCT shard) FROM guard_count`))
	require.Greater(t, rows, 3)
}

// TestWhatIsCounted: a refused attempt counts nowhere, also if it would be the first of its slice, and an answered challenge
// counts for the page, beyond its limit.
func TestWhatIsCounted(t *testing.T) {
	l := off
	l.Page = guard.Limit{Max: 2, Window: 24 * time.Hour}
	g, db, _ := newGuard(t, l)
	counted := func() (n []int) {
		require.NoError(t, db.Owner.Select(&n, `SELECT n FROM guard_count ORDER BY slice`))
		return n
	}
	for range 2 {
		require.False(t, passes(t, g, attempt("203.0.113.1")))
	}
	require.Equal(t, []int{2}, counted())
	a := attempt("203.0.113.1")
	verdict, challenge := judge(t, g, a)
	require.Equal(t, guard.Challenged, verdict)
	require.Equal(t, []int{2}, counted())
	db.Owner.MustExec(`UPDATE guard_count SET slice = slice - 1`)
	verdict, _ = judge(t, g, a)
	require.Equal(t, guard.Challenged, verdict)
	require.Equal(t, []int{2}, counted())
	a.Challenge, a.Proof = challenge.Token, solve(challenge)
	verdict, _ = judge(t, g, a)
	require.Equal(t, guard.Passed, verdict)
	require.Equal(t, []int{2, 1}, counted())
}

// TestScoreRisesAndFalls: when there are more failures than allowed, every server requires the challenge, until the
// failures expire.
func TestScoreRisesAndFalls(t *testing.T) {
	for name, c := range map[string]struct {
		failures    int
		page        string // page of the failures
		here, there guard.Verdict
	}{
		"calm":                       {10, "csio", guard.Passed, guard.Passed},
		"one page is tried":          {11, "csio", guard.Challenged, guard.Passed},
		"as many elsewhere":          {11, "other", guard.Passed, guard.Challenged},
		"the most the site may have": {20, "", guard.Passed, guard.Passed},
		"the whole site is tried":    {21, "", guard.Challenged, guard.Challenged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, db, clock := newGuard(t, guard.Standard())
			verdicts := func() (here, there guard.Verdict) { // on a server that has just read the score
				g := guard.New(db.Server, keyring.New([]byte("secret")), guard.Standard(), clock.now)
				here, _ = judge(t, g, attempt("203.0.113.1"))
				a := attempt("203.0.114.1")
				a.Page = "other"
				there, _ = judge(t, g, a)
				return here, there
			}
			fail(t, db, c.failures, c.page, time.Now().Add(time.Hour)) // a time in the future counts as now
			here, there := verdicts()
			require.Equal(t, c.here, here)
			require.Equal(t, c.there, there)
			db.Owner.MustExec(`UPDATE guard_failure SET at = at - interval '10 minutes'`)
			here, there = verdicts()
			require.Equal(t, guard.Passed, here)
			require.Equal(t, guard.Passed, there)
		})
	}
}

func TestAFailureCountsOnce(t *testing.T) {
	g, db, _ := newGuard(t, guard.Standard())
	same := []guard.Failure{{ID: "charge 1", Page: "csio", At: time.Now()}, {ID: "charge 1", Page: "csio", At: time.Now()}}
	for range 30 {
		require.NoError(t, pg.InTx(t.Context(), db.Server, func(tx *sqlx.Tx) error { return guard.RecordFailuresTx(context.Background(), tx, same) }))
	}
	v, _ := judge(t, g, attempt("203.0.113.1"))
	require.Equal(t, guard.Passed, v)
}

func TestTooFastRequiresTheChallenge(t *testing.T) {
	g, _, c := newGuard(t, guard.Standard())
	for name, shown := range map[string]time.Time{
		"just now": c.at, "2.9 s ago": c.at.Add(-2900 * time.Millisecond), "never": {}, "tomorrow": c.at.Add(24 * time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			a := attempt("203.0.113.1")
			a.ShownAt = shown
			v, _ := judge(t, g, a)
			require.Equal(t, guard.Challenged, v)
		})
	}
	a := attempt("203.0.113.1")
	a.ShownAt = c.at.Add(-3 * time.Second)
	v, _ := judge(t, g, a)
	require.Equal(t, guard.Passed, v)
}

// challenged returns an attempt that got a challenge, and the challenge.
func challenged(t *testing.T, g *guard.Guard) (guard.Attempt, guard.Challenge) {
	t.Helper()
	a := attempt("203.0.113.1")
	a.ShownAt = time.Time{}
	v, challenge := judge(t, g, a)
	require.Equal(t, guard.Challenged, v)
	a.Challenge = challenge.Token
	return a, challenge
}

// otherThan returns a character that differs from c.
func otherThan(c byte) string {
	if c == 'x' {
		return "y"
	}
	return "x"
}

func TestChallengeByWork(t *testing.T) {
	g, _, c := newGuard(t, guard.Standard())
	a, challenge := challenged(t, g)
	proof := solve(challenge)

	for name, wrong := range map[string]func(*guard.Attempt){
		"another proof":       func(a *guard.Attempt) { a.Proof = strings.Repeat("0,", challenge.Rounds-1) + "0" },
		"one puzzle less":     func(a *guard.Attempt) { a.Proof = proof[:strings.LastIndex(proof, ",")] },
		"a long counter":      func(a *guard.Attempt) { a.Proof = strings.Repeat("9", 60_000) },
		"another form":        func(a *guard.Attempt) { a.Form = uuid.New() },
		"something retyped":   func(a *guard.Attempt) { a.InputHash[0]++ },
		"a forged token":      func(a *guard.Attempt) { a.Challenge = otherThan(a.Challenge[0]) + a.Challenge[1:] },
		"a token cut short":   func(a *guard.Attempt) { a.Challenge = a.Challenge[:40] },
		"a token of no bytes": func(a *guard.Attempt) { a.Challenge = "%" },
	} {
		t.Run(name, func(t *testing.T) {
			b := a
			b.Proof = proof
			wrong(&b)
			v, _ := judge(t, g, b)
			require.Equal(t, guard.Refused, v)
		})
	}

	a.Proof = proof
	v, _ := judge(t, g, a)
	require.Equal(t, guard.Passed, v)
	v, _ = judge(t, g, a)
	require.Equal(t, guard.Refused, v, "a challenge is valid once")

	late, challenge := challenged(t, g)
	late.Proof = solve(challenge)
	c.at = c.at.Add(15 * time.Minute)
	v, _ = judge(t, g, late)
	require.Equal(t, guard.Refused, v, "a challenge expires")
}

func TestChallengeByWaiting(t *testing.T) {
	l := guard.Standard()
	l.NoJSWaits, l.Address = guard.Limit{Max: 2, Window: 10 * time.Minute}, guard.Limit{}
	g, _, c := newGuard(t, l)
	a, challenge := challenged(t, g)
	require.Equal(t, 20*time.Second, challenge.Wait)
	c.at = c.at.Add(12 * time.Second)
	v, again := judge(t, g, a)
	require.Equal(t, guard.Challenged, v, "too early")
	require.Equal(t, challenge.Token, again.Token, "submitting early does not restart the wait")
	require.Equal(t, 8*time.Second, again.Wait)
	c.at = c.at.Add(8 * time.Second)
	v, _ = judge(t, g, a)
	require.Equal(t, guard.Passed, v)
	v, _ = judge(t, g, a)
	require.Equal(t, guard.Refused, v, "a wait is accepted once")

	for i, want := range []guard.Verdict{guard.Passed, guard.Passed, guard.Challenged} { // the third is the first of its network
		a, _ := challenged(t, g)
		c.at = c.at.Add(20 * time.Second)
		v, _ = judge(t, g, a)
		require.Equal(t, want, v, "waiter %d", i+2)
	}
	a, challenge = challenged(t, g)
	a.Proof = solve(challenge)
	v, _ = judge(t, g, a)
	require.Equal(t, guard.Passed, v, "a solved challenge is accepted without a wait")
}

// TestNothingInClear: neither network addresses nor email addresses are stored in clear.
func TestNothingInClear(t *testing.T) {
	g, db, _ := newGuard(t, guard.Standard())
	a := attempt("203.0.113.77")
	a.Email, a.ShownAt = "canary@example.org", time.Time{}
	judge(t, g, a)
	for _, table := range []string{"guard_count", "guard_failure", "guard_step_used"} {
		var rows []string
		require.NoError(t, db.Owner.Select(&rows, `SELECT t::text || encode(convert_to(t::text, 'UTF8'), 'hex') FROM `+table+` t`))
		for _, secret := range []string{"203.0.113", "canary", fmt.Sprintf("%x", "canary"), fmt.Sprintf("%x", "203.0.113")} {
			require.NotContains(t, strings.Join(rows, "\n"), secret)
		}
	}
}

func TestDeleteExpired(t *testing.T) {
	g, db, _ := newGuard(t, guard.Standard())
	a, challenge := challenged(t, g)
	a.Proof = solve(challenge)
	judge(t, g, a)
	require.NoError(t, g.DeleteExpired(t.Context()))
	rows := func() (n int) {
		require.NoError(t, db.Owner.Get(&n, `SELECT (SELECT count(*) FROM guard_count) + (SELECT count(*) FROM guard_failure) + (SELECT count(*) FROM guard_step_used)`))
		return n
	}
	require.Equal(t, 7, rows(), "five counters, one failure, one challenge")
	db.Owner.MustExec(`UPDATE guard_count SET until = until - interval '2 hours'`)
	db.Owner.MustExec(`UPDATE guard_failure SET at = at - interval '26 hours'`)
	db.Owner.MustExec(`UPDATE guard_step_used SET until = until - interval '1 hour'`)
	require.NoError(t, g.DeleteExpired(t.Context()))
	require.Equal(t, 0, rows())
}

// passes requires that an attempt passes at once or, if it is challenged, by its work. It returns whether it was
// challenged.
func passes(t *testing.T, g *guard.Guard, a guard.Attempt) (challenged bool) {
	t.Helper()
	v, challenge := judge(t, g, a)
	if challenged = v == guard.Challenged; challenged {
		a.Challenge, a.Proof = challenge.Token, solve(challenge)
		v, _ = judge(t, g, a)
	}
	require.Equal(t, guard.Passed, v)
	return challenged
}

// TestStrangersKeepNobodyOut: strangers in many networks use up the limits of a donor's email address and of a page. The
// donor gives by the challenge, a known browser without it.
func TestStrangersKeepNobodyOut(t *testing.T) {
	limits := guard.Standard()
	limits.Page.Max = 40
	g, _, _ := newGuard(t, limits)
	of := func(address, email string) guard.Attempt {
		a := attempt(address)
		if email != "" {
			a.Email = email
		}
		return a
	}
	passed, waits := 0, 0
	for i := range 20 {
		for range 8 {
			v, challenge := judge(t, g, of(fmt.Sprintf("198.51.%d.%d", i, i), "ana@example.org"))
			require.NotEqual(t, guard.Refused, v)
			if v == guard.Passed {
				passed++
			} else if challenge.Rounds == 0 {
				waits++
			}
		}
	}
	require.Equal(t, 5, passed, "without a challenge")
	require.Equal(t, 20*3, waits, "each network has five attempts that may be solved")
	require.True(t, passes(t, g, of("203.0.113.1", "ana@example.org")))
	for n := range 6 {
		a := of(fmt.Sprintf("203.0.%d.1", n), "Ana+plus@example.org")
		a.Known = true
		require.Equal(t, n == 5, passes(t, g, a), "a known browser has a limit of its own")
	}

	for i := range 100 {
		judge(t, g, attempt(fmt.Sprintf("198.52.%d.1", i)))
	}
	for i := range 10 {
		require.True(t, passes(t, g, attempt(fmt.Sprintf("203.0.%d.1", 100+i))), "the page is at its limit")
	}
	a := attempt("203.0.200.1")
	a.Page = "another"
	require.False(t, passes(t, g, a))
}

// TestFullPlacesKeepNoKnownBrowserOut: people behind one address, or in one network, use up its limits. A browser known
// for its email address gives as if they had not, as often as a known browser may, and an unknown one by the challenge.
func TestFullPlacesKeepNoKnownBrowserOut(t *testing.T) {
	for name, c := range map[string]struct {
		forms int // of strangers, at 16 addresses of one network or all at one
		one   bool
	}{
		"a full address": {5, true},
		"a full network": {30, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, db, _ := newGuard(t, guard.Standard())
			for i := range c.forms {
				address := "203.0.113.1"
				if !c.one {
					address = fmt.Sprintf("203.0.113.%d", 1+i%16)
				}
				v, _ := judge(t, g, attempt(address))
				require.Equal(t, guard.Passed, v)
			}
			v, _ := judge(t, g, attempt("203.0.113.1"))
			require.Equal(t, guard.Challenged, v, "a browser that is not known")
			for n := range 6 {
				a := attempt("203.0.113.1")
				a.Email, a.Known = "ana@example.org", true
				v, _ = judge(t, g, a)
				want := guard.Passed
				if n == 5 {
					want = guard.Challenged
				}
				require.Equal(t, want, v, "gift %d of the known browser", n+1)
			}
			require.True(t, passes(t, g, attempt("203.0.113.1")))
			for range 5 {
				judge(t, g, attempt("203.0.113.1"))
			}
			db.Owner.MustExec(`UPDATE guard_count SET slice = slice - 11 WHERE until < now() + interval '30 minutes'`) // address and network
			v, _ = judge(t, g, attempt("203.0.113.1"))
			require.Equal(t, guard.Passed, v, "ten minutes later")
		})
	}
}

// TestWaitsOfStrangers: strangers use up the challenges of a page that may be passed by waiting. Each other network still
// passes once in ten minutes. The second person keeps the challenge, reads how long to wait, also if the challenge would
// expire before, and then passes.
func TestWaitsOfStrangers(t *testing.T) {
	limits := guard.Standard()
	limits.NoJSWaits.Max = 3
	g, db, c := newGuard(t, limits)
	wait := func(address string, more time.Duration) (guard.Attempt, guard.Verdict, guard.Challenge) {
		t.Helper()
		a := attempt(address)
		a.ShownAt = time.Time{}
		v, challenge := judge(t, g, a)
		require.Equal(t, guard.Challenged, v)
		a.Challenge = challenge.Token
		before := c.at
		c.at = c.at.Add(challenge.Wait + more)
		defer func() { c.at = before }()
		v, challenge = judge(t, g, a)
		return a, v, challenge
	}
	for i := range 3 {
		_, v, _ := wait(fmt.Sprintf("198.51.%d.1", i), 0)
		require.Equal(t, guard.Passed, v)
	}
	var kept []guard.Attempt
	for i := range 5 {
		_, v, _ := wait(fmt.Sprintf("203.0.%d.1", i), 0)
		require.Equal(t, guard.Passed, v, "another network")
		more := time.Duration(i) * 3 * time.Minute
		a, v, shown := wait(fmt.Sprintf("203.0.%d.2", i), more)
		require.Equal(t, guard.Challenged, v, "the same network again")
		require.InDelta(t, 10*time.Minute, shown.Wait, float64(time.Minute))
		require.Equal(t, i == 0, shown.Token == a.Challenge, "a challenge that would expire before is replaced")
		if shown.Token != a.Challenge {
			c.at = c.at.Add(20*time.Second + more)
			v, _ = judge(t, g, a)
			c.at = c.at.Add(-20*time.Second - more)
			require.Equal(t, guard.Refused, v, "the old one is used up")
		}
		a.Challenge = shown.Token
		kept = append(kept, a)
	}
	db.Owner.MustExec(`UPDATE guard_count SET slice = slice - 11`)
	c.at = c.at.Add(12 * time.Minute)
	for _, a := range kept[:3] { // the page's limit is free again for three
		v, _ := judge(t, g, a)
		require.Equal(t, guard.Passed, v)
	}
}

// TestWaitsBeyondThePageDoNotFillIt: what passes by its network's wait counts for the network only, so the page's waits are
// free again when the window of the first ones ends.
func TestWaitsBeyondThePageDoNotFillIt(t *testing.T) {
	limits := off
	limits.NoJSWaits, limits.MinFillTime = guard.Limit{Max: 2, Window: 10 * time.Hour}, 3*time.Second
	g, db, c := newGuard(t, limits)
	pass := func(address string) guard.Verdict {
		t.Helper()
		a := attempt(address)
		a.ShownAt = time.Time{}
		v, challenge := judge(t, g, a)
		require.Equal(t, guard.Challenged, v)
		a.Challenge = challenge.Token
		c.at = c.at.Add(20 * time.Second)
		v, _ = judge(t, g, a)
		c.at = c.at.Add(-20 * time.Second)
		return v
	}
	for i := range 2 {
		require.Equal(t, guard.Passed, pass(fmt.Sprintf("198.51.%d.1", i)))
	}
	db.Owner.MustExec(`UPDATE guard_count SET slice = slice - 6`)
	for i := range 10 { // six tenths of the window later, each by its network
		require.Equal(t, guard.Passed, pass(fmt.Sprintf("203.0.%d.1", i)))
	}
	require.Equal(t, guard.Challenged, pass("203.0.0.2"), "the page and the network are at their limits")
	db.Owner.MustExec(`UPDATE guard_count SET slice = slice - 5`) // more than a window after the first two
	require.Equal(t, guard.Passed, pass("203.0.0.2"), "by the page's waits")
	require.Equal(t, guard.Passed, pass("203.0.0.3"))
}

// TestWaitsInEventMode: a tablet of event mode has waits of its own, which others in its network and on its page do
// not lengthen.
func TestWaitsInEventMode(t *testing.T) {
	limits := guard.Standard()
	limits.NoJSWaits = guard.Limit{Max: 2, Window: 10 * time.Minute}
	g, db, c := newGuard(t, limits)
	pass, _ := open(t, db, organisation(t, db.Owner), time.Hour)
	wait := func(address string, pass uuid.UUID) guard.Verdict {
		a := attempt(address)
		a.ShownAt, a.Pass = time.Time{}, pass
		_, challenge := judge(t, g, a)
		a.Challenge = challenge.Token
		c.at = c.at.Add(challenge.Wait)
		v, _ := judge(t, g, a)
		return v
	}
	for i := range 4 {
		wait(fmt.Sprintf("203.0.113.%d", i+1), uuid.Nil)
	}
	require.Equal(t, guard.Challenged, wait("203.0.113.9", uuid.Nil))
	for _, want := range []guard.Verdict{guard.Passed, guard.Passed, guard.Challenged} {
		require.Equal(t, want, wait("203.0.113.9", pass.ID))
	}
}

// TestWait: the time until one more is allowed is the time after which one is.
func TestWait(t *testing.T) {
	g, db, _ := newGuard(t, off)
	quota := guard.Quota{Kind: "a test", Subject: "ana", Limit: guard.Limit{Max: 3, Window: 100 * time.Hour}} // longer than the test
	wait := func() time.Duration {
		t.Helper()
		d, err := g.Wait(t.Context(), quota)
		require.NoError(t, err)
		return d
	}
	allow := func() bool {
		allowed, err := g.Allow(t.Context(), quota)
		require.NoError(t, err)
		return allowed
	}
	require.Zero(t, wait())
	for n := range 3 { // one in each of three slices, each ten hours long
		require.True(t, allow())
		if n < 2 {
			db.Owner.MustExec(`UPDATE guard_count SET slice = slice - 3`)
		}
	}
	require.False(t, allow())
	require.InDelta(t, 45*time.Hour, wait(), float64(5*time.Hour), "the oldest is six slices old, and leaves after eleven")
	db.Owner.MustExec(`UPDATE guard_count SET slice = slice - 4`)
	require.False(t, allow())
	require.InDelta(t, 5*time.Hour, wait(), float64(5*time.Hour))
	db.Owner.MustExec(`UPDATE guard_count SET slice = slice - 1`)
	require.Zero(t, wait())
	require.True(t, allow())
	require.NotZero(t, wait())
}

// TestEachVerdictIsLogged: the security log has every refusal and every challenge.
func TestEachVerdictIsLogged(t *testing.T) {
	limits := guard.Standard()
	limits.NoJSWaits.Max = 1
	g, _, c := newGuard(t, limits)
	var out bytes.Buffer
	log := &securitylog.Log{Log: slog.New(slog.NewTextHandler(&out, nil))}
	entry := func(a guard.Attempt) (guard.Verdict, guard.Challenge, string) {
		t.Helper()
		out.Reset()
		v, challenge, err := g.Judge(log.With(t.Context(), "ref", "net"), a)
		require.NoError(t, err)
		_, entry, _ := strings.Cut(strings.TrimSpace(out.String()), "event=")
		return v, challenge, strings.ReplaceAll(entry, " network=net reference=ref", "")
	}
	for range 5 {
		v, _, said := entry(attempt("203.0.113.1"))
		require.Equal(t, guard.Passed, v)
		require.Empty(t, said)
	}
	_, _, said := entry(attempt("203.0.113.1"))
	require.Equal(t, "challenge_shown", said, "beyond the limit of its address")
	fast := func(address string) guard.Attempt {
		a := attempt(address)
		a.ShownAt = time.Time{}
		_, challenge, said := entry(a)
		require.Equal(t, "challenge_shown", said)
		a.Challenge = challenge.Token
		return a
	}
	a := fast("203.0.114.1")
	_, _, said = entry(a)
	require.Equal(t, "challenge_shown", said, "it is too early")
	a.Proof = "0"
	_, _, said = entry(a)
	require.Equal(t, "challenge_failed", said)
	one, two, three := fast("203.0.115.1"), fast("203.0.115.2"), fast("203.0.115.3")
	c.at = c.at.Add(time.Minute)
	for _, a := range []guard.Attempt{one, two} {
		v, _, said := entry(a)
		require.Equal(t, guard.Passed, v)
		require.Empty(t, said)
	}
	_, _, said = entry(three)
	require.Equal(t, `limit_reached limit="gifts, wait-network"`, said)
	_, _, said = entry(one)
	require.Equal(t, "challenge_failed", said, "used before")
}
