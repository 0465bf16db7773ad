package payout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/books/task"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

// look is one process's turn to look through one entity's balance.
type look struct {
	Collector
	*lookup
	catalog *fund.Catalog
	entity  org.LegalEntity
	booked  int              // transactions booked so far
	left    left             // to the next look
	twice   bool             // a payout's transaction was looked for once more
	unread  map[string]error // why a bill could not be read
}

// since books what Stripe has since, oldest first, in chunks. It answers through which moment everything is booked. Stripe lists the
// newest first, so what is listed at once is a span of time: years that nobody looked at are not held in memory together.
func (l *look) since(ctx context.Context, since time.Time) (through time.Time, err error) {
	through = l.ReadThrough
	for from := since; ; from = from.Add(span) {
		until := from.Add(span)
		if until.After(l.Booker.Now()) {
			until = time.Time{} // whatever there is: Stripe's clock is not ours
		}
		if through, err = l.between(ctx, from, until, through); err != nil {
			return through, err
		}
		if until.IsZero() && l.left.none() {
			return through, l.unstick(ctx)
		}
		if until.IsZero() {
			return through, l.left.err()
		}
	}
}

func (l *look) between(ctx context.Context, since, until, through time.Time) (time.Time, error) {
	var listed []Transaction
	err := l.Source.Transactions(ctx, l.entity, since, until, func(page []Transaction) error {
		listed = append(listed, page...)
		return l.renew(ctx, l.DB, through)
	})
	if err != nil {
		return through, err
	}
	slices.Reverse(listed)
	for part := range slices.Chunk(listed, chunk) {
		if err := l.renew(ctx, l.DB, through); err != nil {
			return through, err
		}
		if err := l.members(ctx, part); err != nil {
			return through, err
		}
		if err := l.book(ctx, part); err != nil {
			return through, err
		}
		through = l.reached(part, through)
	}
	return through, nil
}

// reached is through which moment everything is booked once a chunk is: not beyond what is left.
func (l *look) reached(part []Transaction, through time.Time) time.Time {
	if !l.left.none() {
		n := slices.IndexFunc(part, l.left.before)
		part = part[:max(n, 0)]
	}
	if len(part) > 0 && part[len(part)-1].CreatedAt.After(through) {
		through = part[len(part)-1].CreatedAt
	}
	return through
}

// unlisted says that a payout pays out a transaction which no look has seen yet, though it is dated since looks began.
type unlisted struct {
	payout, id string
	at         time.Time
}

func (u *unlisted) Error() string {
	return fmt.Sprintf("payout %s waits for balance transaction %s of %s", u.payout, u.id, u.at.Format(time.RFC3339))
}

// members asks which transactions the new payouts of a list pay out, before any transaction is opened. All of them are booked before
// a payout or with it, but for those dated before these books began.
func (l *look) members(ctx context.Context, part []Transaction) error {
	known := map[string]bool{}
	for i, t := range part {
		known[t.ID] = true
		if t.movement() != paidOut || !t.Automatic {
			continue
		}
		members, err := l.Source.Members(ctx, l.entity, t.SourceID)
		if err != nil {
			return err
		}
		ids := []string{t.ID}
		for _, m := range members {
			ids = append(ids, m.ID)
		}
		var booked map[string]bool
		err = pg.InTx(ctx, l.DB, func(tx *sqlx.Tx) (err error) {
			booked, err = BookedTx(ctx, tx, l.entity.ID, ids)
			return err
		})
		if err != nil {
			return err
		}
		for _, m := range members {
			if booked[t.ID] || booked[m.ID] || known[m.ID] || m.CreatedAt.Before(l.Begun) {
				continue
			}
			why := &unlisted{t.SourceID, m.ID, m.CreatedAt}
			if !l.twice {
				return why
			}
			if err := l.bear(ctx, t, why); err != nil {
				l.left.add(t, err)
			}
			break
		}
		part[i].Members = ids[1:]
	}
	return nil
}

// patience is how long a transaction that its rule cannot book is tried again before it goes to suspense: a defect of ours that is
// mended within the time leaves no trace. What has to come after it waits as long, and nothing else.
const patience = time.Hour

// book books a chunk. If it cannot be booked as a whole, each of its transactions is booked by itself, and one that cannot is left
// to later looks for a while and then goes to suspense: what happened at Stripe is never refused, and keeps nothing waiting for ever.
func (l *look) book(ctx context.Context, part []Transaction) error {
	if err := l.bills(ctx, part); err != nil {
		return err
	}
	if l.left.none() {
		if err := l.try(ctx, part); err == nil || stops(err) {
			return err
		}
	}
	for i, t := range part {
		if l.left.before(t) {
			l.left.add(t, nil)
			continue
		}
		err := l.try(ctx, part[i:i+1])
		if err != nil && !stops(err) {
			err = l.last(ctx, t, err)
		}
		if stops(err) {
			return err
		}
		if err != nil {
			l.left.add(t, err)
		}
	}
	return nil
}

// last books a transaction to suspense that its rule could not book for patience; before that, and where not even that is possible,
// it answers why.
func (l *look) last(ctx context.Context, t Transaction, why error) error {
	if fault.Is(why, fault.Unavailable) {
		return why // the same may well succeed later
	}
	if err := l.bear(ctx, t, why); err != nil {
		return err
	}
	return l.suspend(ctx, t, why)
}

// bear answers why, with a task about it, as long as the transaction has not failed for patience.
func (l *look) bear(ctx context.Context, t Transaction, why error) error {
	failing, err := task.List(ctx, l.DB, task.Filter{EntityID: l.entity.ID, Code: taskStuck.Code, Subject: t.ID})
	if err != nil {
		return errors.Join(why, err)
	}
	if len(failing) > 0 && l.Booker.Now().Sub(failing[0].OpenedAt) >= patience {
		return nil
	}
	return errors.Join(why, l.stuck(ctx, t, why))
}

func (l *look) stuck(ctx context.Context, t Transaction, why error) error {
	opened := task.Task{EntityID: l.entity.ID, Kind: taskStuck, Subject: t.ID, Detail: map[string]string{"reason": why.Error()}}
	return pg.InTx(ctx, l.DB, func(tx *sqlx.Tx) error {
		return task.OpenTx(ctx, tx, opened, l.Booker.NewID, l.Booker.Now())
	})
}

// stops tells of an error that ends a look: the database does not answer, or another process looks by now.
func stops(err error) bool { return err != nil && (pg.IsTransient(err) || errors.Is(err, errTaken)) }

func (l *look) try(ctx context.Context, part []Transaction) error {
	var n int
	err := pg.InTx(ctx, l.DB, func(tx *sqlx.Tx) (err error) {
		n, err = l.Booker.BookTx(ctx, tx, l.catalog, l.entity.ID, part)
		return err
	})
	if pg.Violates(err, "balance_transaction_pkey") {
		return errTaken // another process booked it while we did
	}
	if err == nil {
		l.booked += n
	}
	return err
}

// suspend books a transaction to suspense. If even that fails, a task says so.
func (l *look) suspend(ctx context.Context, t Transaction, why error) error {
	err := pg.InTx(ctx, l.DB, func(tx *sqlx.Tx) error {
		return l.Booker.SuspendTx(ctx, tx, l.catalog, l.entity.ID, t, why)
	})
	if err == nil {
		l.booked++
		return nil
	}
	if pg.Violates(err, "balance_transaction_pkey") {
		return errTaken
	}
	if stops(err) {
		return err
	}
	return errors.Join(err, l.stuck(ctx, t, err))
}

// unstick closes the tasks about what could not be booked: by now everything is.
func (l *look) unstick(ctx context.Context) error {
	stuck, err := task.List(ctx, l.DB, task.Filter{EntityID: l.entity.ID, Code: taskStuck.Code})
	if err != nil || len(stuck) == 0 {
		return err
	}
	return pg.InTx(ctx, l.DB, func(tx *sqlx.Tx) error {
		for _, t := range stuck {
			if err := task.CloseTx(ctx, tx, l.entity.ID, taskStuck, t.Subject, l.Booker.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// losses asks after the disputes whose money is withdrawn and whose end no event told, and books those that are lost.
func (l *look) losses(ctx context.Context) error {
	const query = `/* payout.losses */
		SELECT w.object_id FROM charge_change w WHERE w.entity_id = $1 AND w.kind = 'dispute withdrawn' AND NOT EXISTS (
		    SELECT 1 FROM charge_change e WHERE e.object_id = w.object_id AND e.entity_id = w.entity_id AND e.kind IN ('dispute won', 'dispute lost'))
		 ORDER BY w.at`
	var open []string
	if err := l.DB.SelectContext(ctx, &open, query, l.entity.ID); err != nil {
		return err
	}
	var failed []error
	for _, id := range open {
		if err := l.renew(ctx, l.DB, l.ReadThrough); err != nil {
			return err
		}
		lost, err := l.Source.Lost(ctx, l.entity, id)
		if err == nil && lost != nil {
			err = pg.InTx(ctx, l.DB, func(tx *sqlx.Tx) error {
				_, err := l.Booker.LoseTx(ctx, tx, l.catalog, *lost)
				return err
			})
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("dispute %s: %w", id, err))
		}
	}
	return errors.Join(failed...)
}
