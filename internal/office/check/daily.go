package check

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/books/task"
	"konbit/internal/platform/pg"
)

// DailyRun runs the checkers once a day, with any number of servers, and opens tasks for what they find.
type DailyRun struct {
	DB    *sqlx.DB
	NewID func() uuid.UUID
	Now   func() time.Time // dates the tasks
}

// Run runs the checkers unless they ran on this day. A day begins at 08:00 UTC, which is night in all of the United
// States. In one transaction it
//
//   - stores the result of each checker,
//   - opens a task for each entity and each checker with rows about it (rows about no entity count for every entity),
//   - closes the tasks of checkers without rows.
//
// all is nil if the checkers ran already. If several servers call it at the same time, one runs the checkers. If that
// one fails, nothing is stored and the next call starts again.
func (n DailyRun) Run(ctx context.Context) (all []Found, err error) {
	err = pg.InTx(ctx, n.DB, func(tx *sqlx.Tx) error {
		day, due, err := dueTx(ctx, tx)
		if err != nil || !due {
			return err
		}
		entities, err := org.Entities(ctx, tx)
		if err != nil {
			return err
		}
		found, err := RunAll(ctx, tx)
		if err != nil {
			return err
		}
		if err := recordTx(ctx, tx, day, found); err != nil {
			return err
		}
		for _, f := range found {
			for _, e := range entities {
				if err := n.updateTaskTx(ctx, tx, e.ID, f); err != nil {
					return err
				}
			}
		}
		all = found
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// dueTx returns the current day, and whether the caller must run the checkers.
func dueTx(ctx context.Context, tx *sqlx.Tx) (day string, due bool, err error) {
	const lock = `/* check.dueTx */ SELECT pg_try_advisory_xact_lock(hashtext('konbit nightly check'))`
	const today = `/* check.dueTx */ SELECT (now() AT TIME ZONE 'UTC' - interval '8 hours')::date::text`
	const done = `/* check.dueTx */ SELECT EXISTS (SELECT FROM check_run WHERE day = $1)`
	var ours, looked bool
	if err := tx.GetContext(ctx, &ours, lock); err != nil || !ours {
		return "", false, err
	}
	if err := tx.GetContext(ctx, &day, today); err != nil {
		return "", false, err
	}
	err = tx.GetContext(ctx, &looked, done, day)
	return day, err == nil && !looked, err
}

func recordTx(ctx context.Context, tx *sqlx.Tx, day string, all []Found) error {
	const insert = `/* check.recordTx */ INSERT INTO check_run (day, checker, found, took) VALUES ($1, $2, $3, make_interval(secs => $4))`
	for _, f := range all {
		if _, err := tx.ExecContext(ctx, insert, day, f.No, f.Count, f.Took.Seconds()); err != nil {
			return err
		}
	}
	return nil
}

// updateTaskTx opens the task about a checker and an entity if the checker has rows about it, or closes it.
func (n DailyRun) updateTaskTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, f Found) error {
	var about []Row
	for _, r := range f.Rows {
		if !r.EntityID.Valid || r.EntityID.UUID == entity {
			about = append(about, r)
		}
	}
	if len(about) == 0 {
		return task.CloseTx(ctx, tx, entity, taskFound, f.View, n.Now())
	}
	rows := strconv.Itoa(len(about))
	if len(about) >= MaxRows {
		rows += " or more"
	}
	return task.OpenTx(ctx, tx, task.Task{EntityID: entity, Kind: taskFound, Subject: f.View, Detail: map[string]string{
		"not so": f.Promise, "checker": f.No, "rows": rows, "first": about[0].Subject, "about it": about[0].Detail,
	}}, n.NewID, n.Now())
}

// taskFound is the kind of the task about a checker that found something; its view is the subject.
var taskFound = task.Register(task.Kind{
	Code: "checker_found", Severity: task.Urgent, For: task.Operator, Link: task.Link{Object: task.Checker}, Closes: task.Automatically,
})

// Last is the result of a checker in the last daily run.
type Last struct {
	Checker string        `db:"checker"`
	Rows    int64         `db:"found"`
	Age     time.Duration // since the run
}

// ReadLast returns the results of the last daily run, or none before the first run.
func ReadLast(ctx context.Context, q sqlx.QueryerContext) (last []Last, err error) {
	const query = `/* check.ReadLast */
		SELECT checker, found, extract(epoch FROM clock_timestamp() - checked_at)::float8 AS seconds
		  FROM check_run WHERE day = (SELECT max(day) FROM check_run) ORDER BY checker`
	var rows []struct {
		Last
		Seconds float64 `db:"seconds"`
	}
	err = sqlx.SelectContext(ctx, q, &rows, query)
	for _, r := range rows {
		r.Age = time.Duration(r.Seconds * float64(time.Second))
		last = append(last, r.Last)
	}
	return last, err
}
