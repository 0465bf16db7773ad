package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/books/org"
	"konbit/internal/books/task"
	"konbit/internal/platform/pg"
)

// DailyRun runs the checkers once a day, with any number of servers, and opens tasks for what they find.
type DailyRun struct {
	DB     *sqlx.DB
	NewID  func() uuid.UUID
	Now    func() time.Time // dates the tasks
	Traces AddressTracer    // nil: addresses are not compared
}

// AddressTracer finds rows that contain an erased address, for checker A17: no view can. Package privacy implements it.
type AddressTracer interface {
	RecordTracesTx(ctx context.Context, tx *sqlx.Tx) error
	// TracedTodayTx reports whether RecordTracesTx ran on this day. It does not read check_run.
	TracedTodayTx(ctx context.Context, tx *sqlx.Tx) (bool, error)
}

// Run runs the checkers that did not run on this day. A day begins at 08:00 UTC, which is night in all of the United
// States. In one transaction it
//
//   - opens a task for each entity and each checker with rows about it (rows about no entity count for every entity),
//   - closes the tasks of checkers without rows,
//   - stores the result of each checker.
//
// all is nil if all checkers ran already. If several servers call it at the same time, one runs the checkers. A checker
// that fails stops no other one: it gets a task, has no result of the day, and so runs again with the next call. Then
// Run returns the results of the others and an error. A17 also runs if the addresses were not compared on this day. A
// stored result does not prove the comparison, because the server's role may insert one.
func (n DailyRun) Run(ctx context.Context) (all []Found, err error) {
	var failed []error
	err = pg.InTx(ctx, n.DB, func(tx *sqlx.Tx) error {
		all, failed = nil, nil
		due, err := n.dueTx(ctx, tx)
		if err != nil || len(due) == 0 {
			return err
		}
		entities, err := org.Entities(ctx, tx)
		if err != nil {
			return err
		}
		for _, c := range due {
			found, err := n.runOneTx(ctx, tx, entities, c)
			if err != nil {
				failed = append(failed, err)
				err = n.openFailedTx(ctx, tx, entities, c, err)
			} else {
				all = append(all, found)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, errors.Join(failed...)
}

// runOneTx runs a checker, updates its tasks and stores its result. If it reports an error, it changed nothing.
func (n DailyRun) runOneTx(ctx context.Context, tx *sqlx.Tx, entities []org.LegalEntity, c Checker) (found Found, err error) {
	const begin = `/* check.runOneTx */ SAVEPOINT checker`
	const undo = `/* check.runOneTx */ ROLLBACK TO SAVEPOINT checker`
	if _, err = tx.ExecContext(ctx, begin); err != nil {
		return found, err
	}
	if c.No == erasedPerson && n.Traces != nil {
		err = n.Traces.RecordTracesTx(ctx, tx)
	}
	if err == nil {
		found, err = runChecker(ctx, tx, c)
	}
	for i := 0; i < len(entities) && err == nil; i++ {
		err = n.updateTaskTx(ctx, tx, entities[i].ID, found)
	}
	if err == nil {
		err = recordTx(ctx, tx, found)
	}
	if err == nil {
		return found, nil
	}
	_, undone := tx.ExecContext(ctx, undo)
	return found, errors.Join(fmt.Errorf("check that %s: %w", c.Promise, err), undone)
}

// dueTx returns the checkers without a result of the current day. It returns none if another process is running them.
func (n DailyRun) dueTx(ctx context.Context, tx *sqlx.Tx) (due []Checker, err error) {
	const lock = `/* check.dueTx */ SELECT pg_try_advisory_xact_lock(hashtext('konbit nightly check'))`
	const done = `/* check.dueTx */ SELECT checker FROM check_run WHERE day = (now() AT TIME ZONE 'UTC' - interval '8 hours')::date`
	var ours bool
	if err := tx.GetContext(ctx, &ours, lock); err != nil || !ours {
		return nil, err
	}
	var today []string
	if err := tx.SelectContext(ctx, &today, done); err != nil {
		return nil, err
	}
	if n.Traces != nil && slices.Contains(today, erasedPerson) {
		if !n.tracedTx(ctx, tx) {
			today = slices.DeleteFunc(today, func(no string) bool { return no == erasedPerson })
		}
	}
	return slices.DeleteFunc(Checkers(), func(c Checker) bool { return slices.Contains(today, c.No) }), nil
}

// tracedTx reports whether the addresses were compared on this day. An error counts as no, and undoes nothing else: the
// other checkers run, and this one reports it.
func (n DailyRun) tracedTx(ctx context.Context, tx *sqlx.Tx) bool {
	const begin = `/* check.tracedTx */ SAVEPOINT traced`
	const undo = `/* check.tracedTx */ ROLLBACK TO SAVEPOINT traced`
	if _, err := tx.ExecContext(ctx, begin); err != nil {
		return false
	}
	traced, err := n.Traces.TracedTodayTx(ctx, tx)
	if err == nil {
		return traced
	}
	_, _ = tx.ExecContext(ctx, undo) // if it fails too, so does the run
	return false
}

// recordTx stores the result of a checker, if it has none of the day. The database sets its day and counts the rows
// itself.
func recordTx(ctx context.Context, tx *sqlx.Tx, f Found) error {
	const insert = `/* check.recordTx */ INSERT INTO check_run (day, checker, found, took) VALUES (current_date, $1, $2, make_interval(secs => $3)) ON CONFLICT DO NOTHING`
	_, err := tx.ExecContext(ctx, insert, f.No, f.Count, f.Took.Seconds())
	return err
}

// openFailedTx opens a task for each entity about a checker that cannot run.
func (n DailyRun) openFailedTx(ctx context.Context, tx *sqlx.Tx, entities []org.LegalEntity, c Checker, failure error) error {
	for _, e := range entities {
		err := task.OpenTx(ctx, tx, task.Task{EntityID: e.ID, Kind: taskFound, Subject: c.View, Detail: map[string]string{
			"not so": c.Promise, "checker": c.No, "rows": "unknown", "about it": failureOf(failure),
		}}, n.NewID, n.Now())
		if err != nil {
			return err
		}
	}
	return nil
}

// failureOf says why a checker cannot run, without the data that a message of PostgreSQL may quote.
func failureOf(err error) string {
	var refused *pq.Error
	if errors.As(err, &refused) {
		return "it cannot run: SQLSTATE " + string(refused.Code)
	}
	return "it cannot run"
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

// Last is the newest result of a checker.
type Last struct {
	Checker string        `db:"checker"`
	Rows    int64         `db:"found"`
	Age     time.Duration // since the run
}

// ReadLast returns the newest result of each checker, or none before the first run. So a checker that cannot run keeps
// its last result, whose age grows.
func ReadLast(ctx context.Context, q sqlx.QueryerContext) (last []Last, err error) {
	const query = `/* check.ReadLast */
		SELECT DISTINCT ON (checker) checker, found, extract(epoch FROM clock_timestamp() - checked_at)::float8 AS seconds
		  FROM check_run WHERE checker = ANY($1) ORDER BY checker, day DESC`
	var known pq.StringArray
	for _, c := range Checkers() {
		known = append(known, c.No)
	}
	var rows []struct {
		Last
		Seconds float64 `db:"seconds"`
	}
	err = sqlx.SelectContext(ctx, q, &rows, query, known)
	for _, r := range rows {
		r.Age = time.Duration(r.Seconds * float64(time.Second))
		last = append(last, r.Last)
	}
	return last, err
}
