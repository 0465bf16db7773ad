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
	Known     string    // mark of a browser in which Email was proved, with one limit, of its own; empty if it was not
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

// Judge decides on an attempt, and returns the challenge to show if the verdict is Challenged. The security log gets
// each verdict but Passed. A refused attempt counts nowhere, and an attempt counts for its page only when it passes: a
// bot that is challenged uses up nothing of the page's limit. A known browser that has used its own limit up is judged
// like any other.
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
	if a.Known != "" {
		if verdict, challenge, exceeded, err := g.judgeForm(ctx, f, true); err != nil || len(exceeded) == 0 {
			return verdict, challenge, err
		}
	}
	verdict, challenge, exceeded, err := g.judgeForm(ctx, f, false)
	if len(exceeded) > 0 {
		return refuse(ctx, exceeded, err)
	}
	return verdict, challenge, err
}

// form is an attempt that answers no challenge.
type form struct {
	Attempt
	now      time.Time
	tooFast  bool // it was sent sooner than a person can read
	required bool // the page requires the challenge
}

// judgeForm judges an attempt that answers no challenge, with the limits of a known browser or those of all. exceeded
// has the limits because of which it is refused. An attempt beyond the limit of its address is challenged and counts
// nowhere until the challenge is solved, so that a bot uses up nothing of the network it shares.
func (g *Guard) judgeForm(ctx context.Context, f form, known bool) (_ Verdict, _ Challenge, exceeded []string, err error) {
	own := g.ownCounters(f.Attempt, known)
	if !f.required && !f.tooFast {
		exceeded, err = g.count(ctx, append(own, g.sharedCounters(f.Attempt, known)...), func(tx *sqlx.Tx) error { return recordGiftTx(ctx, tx, f.Pass) })
		if err == nil && len(exceeded) == 0 {
			return Passed, Challenge{}, nil, nil
		}
		if hard := refusing(exceeded); err != nil || len(hard) > 0 {
			return Refused, Challenge{}, hard, err
		}
	}
	exceeded, err = g.count(ctx, own, func(tx *sqlx.Tx) error {
		if !f.tooFast {
			return nil
		}
		return RecordFailuresTx(ctx, tx, []Failure{{ID: "form " + f.Form.String(), Page: f.Page, At: f.now}})
	})
	if hard := refusing(exceeded); err != nil || len(hard) > 0 {
		return Refused, Challenge{}, hard, err
	}
	counted := len(exceeded) == 0
	verdict, shown, err := challenge(ctx, g.newChallenge(f.Form, f.InputHash, counted, f.now))
	return verdict, shown, nil, err
}

// judgeChallenge judges an attempt that answers a challenge. The attempt that led to the challenge was counted, unless it
// was beyond the limit of its address: then it is counted here. One that solved the challenge passes whatever the limits
// of its email address and page.
func (g *Guard) judgeChallenge(ctx context.Context, a Attempt, now time.Time) (Verdict, Challenge, error) {
	raw, counted, ours := g.verifyToken(a.Challenge, a.Form, a.InputHash, now)
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
		if exceeded, err = g.countAnswerTx(ctx, tx, a, counted); err != nil || len(exceeded) > 0 {
			return false, err
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
	case err == nil && isWait(exceeded[0]):
		return g.waitLonger(ctx, a, raw, counted, exceeded[0])
	default:
		return refuse(ctx, exceeded, err)
	}
}

// countAnswerTx counts a challenge that was answered, under the limits that refuse the attempt or let it wait longer.
// counted is true if the attempt was counted when the challenge was shown.
func (g *Guard) countAnswerTx(ctx context.Context, tx *sqlx.Tx, a Attempt, counted bool) (exceeded []string, err error) {
	if !counted {
		if exceeded, err = countTx(ctx, tx, g.refusingCounters(a)); err != nil || len(exceeded) > 0 {
			return exceeded, err
		}
	}
	if a.Proof != "" {
		return nil, nil
	}
	for _, c := range g.waitCounters(a) { // the first that is not exceeded counts
		if exceeded, err = countTx(ctx, tx, []counter{c}); err != nil || len(exceeded) == 0 {
			return nil, err
		}
	}
	return exceeded, nil
}

// ownCounters returns the counters of an attempt that is not yet challenged, apart from the shared ones: of what people
// of one network can use up for each other, or of the known browser alone. Event mode lifts those of address and network.
func (g *Guard) ownCounters(a Attempt, known bool) (all []counter) {
	if known {
		return g.appendCounter(nil, kindKnown, a.Known, g.limits.Email)
	}
	if a.Pass == uuid.Nil {
		all = g.appendCounter(all, kindAddress, AddressKey(a.Address), g.limits.Address)
	}
	return append(all, g.refusingCounters(a)...)
}

// refusingCounters returns the counters beyond which an attempt of a browser that is not known is refused.
func (g *Guard) refusingCounters(a Attempt) (all []counter) {
	if a.Pass == uuid.Nil {
		all = g.appendCounter(all, kindNetwork, NetworkKey(a.Address), g.limits.Network)
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

// refusing returns those of the limits that an attempt exceeds because of which it is refused, and not challenged.
func refusing(exceeded []string) []string {
	return slices.DeleteFunc(slices.Clone(exceeded), func(kind string) bool {
		return kind == kindAddress || kind == kindEmail || kind == kindPage
	})
}

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

// DeleteExpired deletes counts and failures that no window covers any more.
func (g *Guard) DeleteExpired(ctx context.Context) error {
	return pg.InTx(ctx, g.db, func(tx *sqlx.Tx) error { return deleteExpiredTx(ctx, tx) })
}
