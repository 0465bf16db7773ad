package guard

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/pg"
)

// Guard judges attempts. Safe for concurrent use, and by any number of servers on one database.
type Guard struct {
	db     *sqlx.DB
	key    key
	limits Limits
	now    func() time.Time
	score  score
}

// New makes a guard. secret keys what is kept and signs what is given out; all servers share it.
func New(db *sqlx.DB, secret []byte, limits Limits, now func() time.Time) *Guard {
	return &Guard{db: db, key: secret, limits: limits, now: now}
}

// Attempt is one press of a donation form's button, its form found good.
type Attempt struct {
	Page    string     // the organisation's slug
	Address netip.Addr // the client's; zero when it is not known
	Email   string
	Form    uuid.UUID // the form's one-time id
	Typed   [32]byte  // hash of all that was typed
	Shown   time.Time // when the form was shown; zero when it was not
	Pass    uuid.UUID // of event mode, which lifts the limits of address and network; zero: none

	Step, Proof string // what the page of the step sent back
}

// Verdict is what becomes of an attempt.
type Verdict int

// The verdicts. Why an attempt is refused nobody is told.
const (
	Refused Verdict = iota
	Asked           // for the step
	Passed
)

// errKept undoes the counting of an attempt that is refused.
var errKept = errors.New("guard: a limit is reached")

// Judge decides on an attempt; for Asked it answers the step to show. What passes is counted.
func (g *Guard) Judge(ctx context.Context, a Attempt) (Verdict, Step, error) {
	now := g.now()
	if a.Step != "" {
		return g.judgeStep(ctx, a, now)
	}
	hurried := g.limits.Shown > 0 && (a.Shown.IsZero() || now.Sub(a.Shown) < g.limits.Shown)
	err := pg.InTx(ctx, g.db, func(tx *sqlx.Tx) error {
		kept, err := countTx(ctx, tx, g.counters(a))
		if err == nil && !kept {
			err = errKept
		}
		if err == nil && hurried {
			err = FailTx(ctx, tx, []Failure{{ID: "form " + a.Form.String(), Page: a.Page, At: now}})
		}
		return err
	})
	if errors.Is(err, errKept) {
		return Refused, Step{}, nil
	}
	if err != nil {
		return Refused, Step{}, err
	}
	raised, err := g.raised(ctx, a.Page)
	switch {
	case err != nil:
		return Refused, Step{}, err
	case hurried || raised:
		return Asked, g.key.newStep(a.Form, a.Typed, now), nil
	default:
		return g.pass(ctx, a)
	}
}

func (g *Guard) counters(a Attempt) []counter {
	l := g.limits
	var all []counter
	if a.Pass == uuid.Nil {
		all = append(all, counter{g.key.counter("address", addressOf(a.Address), l.Address), l.Address},
			counter{g.key.counter("network", networkOf(a.Address), l.Network), l.Network})
	}
	return append(all, counter{g.key.counter("email", mailboxOf(a.Email), l.Email), l.Email},
		counter{g.key.counter("page", a.Page, l.Page), l.Page})
}

// judgeStep takes a step back. The press that led to it was counted.
func (g *Guard) judgeStep(ctx context.Context, a Attempt, now time.Time) (Verdict, Step, error) {
	raw, ours := g.key.readStep(a.Step, a.Form, a.Typed, now)
	if !ours {
		return Refused, Step{}, nil
	}
	step := stepOf(raw, now)
	waited := false
	switch {
	case a.Proof != "" && !solved(step.Seed, a.Proof):
		return Refused, Step{}, nil
	case a.Proof == "" && now.Before(issuedAt(raw).Add(wait)):
		return Asked, step, nil
	case a.Proof == "":
		waited = true
	}
	err := pg.InTx(ctx, g.db, func(tx *sqlx.Tx) error {
		fresh, err := useTx(ctx, tx, raw[:nonceSize], now.Add(stepLife))
		if err == nil && fresh && waited {
			fresh, err = countTx(ctx, tx, []counter{{g.key.counter("wait", a.Page, g.limits.Waits), g.limits.Waits}})
		}
		if err == nil && !fresh {
			err = errKept
		}
		return err
	})
	if errors.Is(err, errKept) {
		return Refused, Step{}, nil
	}
	if err != nil {
		return Refused, Step{}, err
	}
	return g.pass(ctx, a)
}

// useTx marks a step as used; false when it was.
func useTx(ctx context.Context, tx *sqlx.Tx, nonce []byte, until time.Time) (bool, error) {
	const query = `/* guard.useTx */ INSERT INTO guard_step_used (nonce, until) VALUES ($1, $2) ON CONFLICT (nonce) DO NOTHING`
	result, err := tx.ExecContext(ctx, query, nonce, until)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// pass lets an attempt by, and notes the use of a pass.
func (g *Guard) pass(ctx context.Context, a Attempt) (Verdict, Step, error) {
	if a.Pass == uuid.Nil {
		return Passed, Step{}, nil
	}
	if err := pg.InTx(ctx, g.db, func(tx *sqlx.Tx) error { return noteTx(ctx, tx, a.Pass, stepGift) }); err != nil {
		return Refused, Step{}, err
	}
	return Passed, Step{}, nil
}

// Forget drops what no window reaches any more.
func (g *Guard) Forget(ctx context.Context) error {
	return pg.InTx(ctx, g.db, func(tx *sqlx.Tx) error { return forgetTx(ctx, tx) })
}
