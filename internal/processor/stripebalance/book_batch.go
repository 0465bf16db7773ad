package stripebalance

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/settlement"
)

// gracePeriod is how long a transaction that its rule cannot book is retried before it goes to suspense. A defect of
// ours that is repaired within it leaves no trace in the books. Only transactions that must come after it wait with it.
const gracePeriod = time.Hour

// taskStuck is the task about a transaction that could not be booked, not even to suspense. Subject: the transaction.
var taskStuck = task.Register(task.Kind{
	Code: "balance_transactions_stuck", Severity: task.Urgent, For: task.Operator, Link: task.Link{Object: task.Transaction}, Closes: task.Automatically,
})

// bookBatch books a batch in one database transaction. If that fails it books each transaction alone. One that still
// fails is left to later runs for gracePeriod and then goes to suspense: what happened at Stripe is never refused and
// never blocks the rest for good.
func (r *importRun) bookBatch(ctx context.Context, batch []settlement.Transaction) error {
	if err := r.readInvoices(ctx, batch); err != nil {
		return err
	}
	if r.backlog.empty() {
		if err := r.bookTogether(ctx, batch); err == nil || endsRun(err) {
			return err
		}
	}
	for _, t := range batch {
		if r.backlog.mustWait(t) {
			r.backlog.add(t, nil)
			continue
		}
		err := r.bookOne(ctx, t)
		if endsRun(err) {
			return err
		}
		if err != nil {
			r.backlog.add(t, err)
		}
	}
	return nil
}

// bookOne books one transaction by its rule, or to suspense if its rule has failed for gracePeriod. It returns an error
// if the transaction is not booked.
func (r *importRun) bookOne(ctx context.Context, t settlement.Transaction) error {
	err := r.bookTogether(ctx, []settlement.Transaction{t})
	if err == nil || endsRun(err) || fault.Is(err, fault.Unavailable) { // unavailable: the same may succeed later
		return err
	}
	if waits := r.withinGracePeriod(ctx, t, err); waits != nil {
		return waits
	}
	return r.bookToSuspense(ctx, t, err)
}

func (r *importRun) bookTogether(ctx context.Context, batch []settlement.Transaction) error {
	var n int
	err := pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) (err error) {
		n, err = r.Booker.BookTx(ctx, tx, r.catalog, r.entity.ID, batch)
		return err
	})
	if settlement.IsBookedElsewhere(err) {
		return errLeaseLost
	}
	if err == nil {
		r.booked += n
	}
	return err
}

// bookToSuspense books a transaction to suspense. If that fails too it opens a task.
func (r *importRun) bookToSuspense(ctx context.Context, t settlement.Transaction, reason error) error {
	err := pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) error {
		return r.Booker.BookToSuspenseTx(ctx, tx, r.catalog, r.entity.ID, t, reason)
	})
	if err == nil {
		r.booked++
		return nil
	}
	if settlement.IsBookedElsewhere(err) {
		return errLeaseLost
	}
	if endsRun(err) {
		return err
	}
	return errors.Join(err, r.openStuckTask(ctx, t, err))
}

// withinGracePeriod returns nil once the transaction has failed for gracePeriod. Before that it opens a task and
// returns reason.
func (r *importRun) withinGracePeriod(ctx context.Context, t settlement.Transaction, reason error) error {
	failing, err := task.List(ctx, r.DB, task.Filter{EntityID: r.entity.ID, Code: taskStuck.Code, Subject: t.ID})
	if err != nil {
		return errors.Join(reason, err)
	}
	if len(failing) > 0 && r.Booker.Now().Sub(failing[0].OpenedAt) >= gracePeriod {
		return nil
	}
	return errors.Join(reason, r.openStuckTask(ctx, t, reason))
}

func (r *importRun) openStuckTask(ctx context.Context, t settlement.Transaction, reason error) error {
	opened := task.Task{EntityID: r.entity.ID, Kind: taskStuck, Subject: t.ID, Detail: map[string]string{"reason": reason.Error()}}
	return pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) error {
		return task.OpenTx(ctx, tx, opened, r.Booker.NewID, r.Booker.Now())
	})
}

// closeStuckTasks closes the tasks about transactions that could not be booked: all of them are booked now.
func (r *importRun) closeStuckTasks(ctx context.Context) error {
	stuck, err := task.List(ctx, r.DB, task.Filter{EntityID: r.entity.ID, Code: taskStuck.Code})
	if err != nil || len(stuck) == 0 {
		return err
	}
	return pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) error {
		for _, opened := range stuck {
			if err := task.CloseTx(ctx, tx, r.entity.ID, taskStuck, opened.Subject, r.Booker.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// endsRun reports whether an error ends the run: the database does not answer, or another process has the lease.
func endsRun(err error) bool {
	return err != nil && (pg.IsTransient(err) || errors.Is(err, errLeaseLost))
}
