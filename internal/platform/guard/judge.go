package guard

import (
	"context"
	"net/netip"
	"slices"
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
	Known     bool      // Email was proved in this browser, which has limits of its own
	Form      uuid.UUID // the form's one-time id
	InputHash [32]byte  // hash of all that was typed
	ShownAt   time.Time // when the form was shown; zero if it was not
	Pass      uuid.UUID // of event mode: no limits of address and network; zero if there is none

	Challenge, Proof string // what the page of the challenge sent back
}

// Verdict is the decision on an attempt.
type Verdict int

// The verdicts.
const (
	Refused Verdict = iota // the answer to a challenge was wrong, used or late
	Challenged
	Passed
)

// Judge decides on an attempt, and returns the challenge to show if the verdict is Challenged. The security log gets
// each verdict but Passed. No limit refuses an attempt: beyond each there is a challenge, of which the hardest to use up
// is a wait. A challenged attempt counts for its page only when it passes: a bot that is challenged uses up nothing of the
// page's limit. A known browser that has used its own limits up is judged like any other.
func (g *Guard) Judge(ctx context.Context, a Attempt) (Verdict, Challenge, error) {
	now := g.now()
	if a.Challenge != "" {
		return g.judgeChallenge(ctx, a, now)
	}
	tooFast := g.limits.MinFillTime > 0 && (a.ShownAt.IsZero() || now.Sub(a.ShownAt) < g.limits.MinFillTime)
	required, err := g.challengeRequired(ctx, a.Page)
	if err != nil {
		return Refused, Challenge{}, err
	}
	f := form{a, now, tooFast, required}
	if a.Known {
		verdict, challenge, exceeded, err := g.judgeForm(ctx, f, true)
		if err != nil || len(exceeded) == 0 {
			return verdict, challenge, err
		}
	}
	verdict, challenge, exceeded, err := g.judgeForm(ctx, f, false)
	if err != nil || len(exceeded) == 0 {
		return verdict, challenge, err
	}
	return g.challengeBeyond(ctx, a, exceeded, now)
}

// form is an attempt that answers no challenge.
type form struct {
	Attempt
	now      time.Time
	tooFast  bool // it was sent sooner than a person can read
	required bool // the page requires the challenge
}

// judgeForm judges an attempt that answers no challenge, with the limits of a known browser or those of all. It does not
// decide on an attempt that exceeds own limits, which exceeded names: such an attempt counts nowhere until its challenge
// is answered, so that a bot uses up nothing of the network it shares.
func (g *Guard) judgeForm(ctx context.Context, f form, known bool) (_ Verdict, _ Challenge, exceeded []string, err error) {
	own := g.ownCounters(f.Attempt, known)
	if !f.required && !f.tooFast {
		all := append(slices.Clone(own), g.sharedCounters(f.Attempt, known)...)
		exceeded, err = g.count(ctx, all, recordGift(ctx, f.Pass))
		if err != nil {
			return Refused, Challenge{}, nil, err
		}
		if len(exceeded) == 0 {
			return Passed, Challenge{}, nil, nil
		}
	}
	var record func(tx *sqlx.Tx) error
	if f.tooFast {
		record = func(tx *sqlx.Tx) error {
			return RecordFailuresTx(ctx, tx, []Failure{{ID: "form " + f.Form.String(), Page: f.Page, At: f.now}})
		}
	}
	exceeded, err = g.count(ctx, own, record)
	if err != nil || len(exceeded) > 0 {
		return Refused, Challenge{}, exceeded, err
	}
	verdict, shown, err := challenge(ctx, g.newChallenge(f.Form, f.InputHash, stepCounted, f.now))
	return verdict, shown, nil, err
}

// challengeBeyond returns the challenge of an attempt that exceeds own limits. It is of the kind whose answer is within
// its limits now: nobody works for nothing.
func (g *Guard) challengeBeyond(ctx context.Context, a Attempt, exceeded []string, now time.Time) (Verdict, Challenge, error) {
	s := stepBeyond(exceeded)
	for {
		full, err := g.full(ctx, g.answerCounters(a, s))
		if err != nil {
			return Refused, Challenge{}, err
		}
		if len(full) == 0 {
			break
		}
		exceeded, s = full, stepBeyond(full)
	}
	shown := g.newChallenge(a.Form, a.InputHash, s, now)
	if s == stepWait {
		securitylog.Limit(ctx, "gifts, "+exceeded[0])
		return Challenged, shown, nil
	}
	return challenge(ctx, shown)
}

// stepBeyond returns the kind of the challenge beyond limits.
func stepBeyond(exceeded []string) step {
	for _, kind := range exceeded {
		if kind == kindSolved || kind == kindHard || kind == kindEmailNetwork {
			return stepWait
		}
	}
	if slices.Contains(exceeded, kindNetwork) {
		return stepHard
	}
	return stepUncounted
}

// full returns the kinds of the counters that are at their limits.
func (g *Guard) full(ctx context.Context, counters []counter) (kinds []string, err error) {
	for _, c := range counters {
		free, err := g.freeAfter(ctx, c)
		if err != nil {
			return nil, err
		}
		if free > 0 {
			kinds = append(kinds, c.kind)
		}
	}
	return kinds, nil
}

// judgeChallenge judges an attempt that answers a challenge. The attempt that led to the challenge was counted, unless it
// was beyond own limits: then it is counted here. An attempt that solved the challenge passes even if the limits of
// its email address and page are exceeded.
func (g *Guard) judgeChallenge(ctx context.Context, a Attempt, now time.Time) (Verdict, Challenge, error) {
	raw, s, ours := g.verifyToken(a.Challenge, a.Form, a.InputHash, now)
	if !ours {
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
	var exceeded []string
	allowed, err := g.commitIf(ctx, func(tx *sqlx.Tx) (_ bool, err error) {
		if fresh, err = redeemTx(ctx, tx, raw[:nonceSize]); err != nil || !fresh {
			return false, err
		}
		if exceeded, err = g.countAnswerTx(ctx, tx, a, s); err != nil || len(exceeded) > 0 {
			return false, err
		}
		if err = countAnywayTx(ctx, tx, g.sharedCounters(a, a.Known)); err != nil {
			return false, err
		}
		if record := recordGift(ctx, a.Pass); record != nil {
			return true, record(tx)
		}
		return true, nil
	})
	switch {
	case err != nil:
		return Refused, Challenge{}, err
	case allowed:
		return Passed, Challenge{}, nil
	case !fresh:
		return fail(ctx)
	case isWait(exceeded[0]):
		securitylog.Limit(ctx, "gifts, "+exceeded[0])
		return g.waitLonger(ctx, a, raw, s)
	}
	return g.challengeBeyond(ctx, a, exceeded, now) // others filled the limit after the challenge was shown
}

// countAnswerTx counts a challenge that was answered, by work or by a wait. It returns the limits that the answer exceeds.
func (g *Guard) countAnswerTx(ctx context.Context, tx *sqlx.Tx, a Attempt, s step) (exceeded []string, err error) {
	if a.Proof != "" {
		return countTx(ctx, tx, g.answerCounters(a, s))
	}
	return g.countWaitTx(ctx, tx, a)
}

// ownCounters returns the counters of an attempt that is not yet challenged, apart from the shared ones: of what people
// of one network can use up for each other, or of the known browsers of one mailbox, which only its reader has. Event mode
// lifts those of address and network.
func (g *Guard) ownCounters(a Attempt, known bool) (all []counter) {
	if known {
		all = g.appendCounter(nil, kindKnown, email.MailboxKey(a.Email), g.limits.Email)
		if a.Pass == uuid.Nil {
			all = g.appendCounter(all, kindKnownNetwork, NetworkKey(a.Address), g.limits.Network.times(networkFactor))
		}
		return all
	}
	if a.Pass == uuid.Nil {
		all = g.appendCounter(all, kindAddress, AddressKey(a.Address), g.limits.Address)
		all = g.appendCounter(all, kindNetwork, NetworkKey(a.Address), g.limits.Network)
	}
	return g.appendCounter(all, kindEmailNetwork, NetworkKey(a.Address)+" "+email.MailboxKey(a.Email), g.limits.Email)
}

// The limits of answered challenges and of known browsers, as multiples of the limits of forms. One address passes at most
// 1+solvedFactor times its limit, which is less than its network's, so that one address does not use up its network's.
const (
	solvedFactor  = 2  // of Limits.Address: challenges solved from one address
	networkFactor = 10 // of Limits.Network: hard challenges solved in one network, and gifts of known browsers in it
)

// answerCounters returns the counters of the work that answers a challenge whose attempt was not counted when it was shown.
// A wait has counters of its own.
func (g *Guard) answerCounters(a Attempt, s step) (all []counter) {
	if s == stepCounted || s == stepWait {
		return nil
	}
	if a.Pass == uuid.Nil {
		all = g.appendCounter(all, kindSolved, AddressKey(a.Address), g.limits.Address.times(solvedFactor))
		if s == stepHard {
			all = g.appendCounter(all, kindHard, NetworkKey(a.Address), g.limits.Network.times(networkFactor))
		} else {
			all = g.appendCounter(all, kindNetwork, NetworkKey(a.Address), g.limits.Network)
		}
	}
	return g.appendCounter(all, kindEmailNetwork, NetworkKey(a.Address)+" "+email.MailboxKey(a.Email), g.limits.Email)
}

// sharedCounters returns the counters of what strangers could use up for others. An attempt that exceeds one is
// challenged.
func (g *Guard) sharedCounters(a Attempt, known bool) (all []counter) {
	if !known {
		all = g.appendCounter(all, kindEmail, email.MailboxKey(a.Email), g.limits.Email)
	}
	return g.appendCounter(all, kindPage, a.Page, g.limits.Page)
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

// recordGift returns what records an attempt with an event pass; nil without one.
func recordGift(ctx context.Context, pass uuid.UUID) func(tx *sqlx.Tx) error {
	if pass == uuid.Nil {
		return nil
	}
	return func(tx *sqlx.Tx) error { return recordPassEventTx(ctx, tx, pass, passGift) }
}

// DeleteExpired deletes counts and failures that no window covers any more.
func (g *Guard) DeleteExpired(ctx context.Context) error {
	return pg.InTx(ctx, g.db, func(tx *sqlx.Tx) error { return deleteExpiredTx(ctx, tx) })
}
