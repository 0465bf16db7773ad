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

// Nightly looks once a day, whatever the number of servers, and puts what it finds before finance.
type Nightly struct {
	DB    *sqlx.DB
	NewID func() uuid.UUID
	Now   func() time.Time // dates tasks
}

// Run looks, unless the day had its look: a day begins at 08:00 UTC, which is night in all of the United States. It
// keeps what each checker found, opens one task for each entity and each checker with rows about it, and closes those
// whose rows are gone. Rows of the whole program are every entity's. All is nil when there was nothing to do.
//
// Servers that come at the same time leave it to one. One that dies in the middle leaves nothing, and the next begins
// anew.
func (n Nightly) Run(ctx context.Context) (all []Found, err error) {
	err = pg.InTx(ctx, n.DB, func(tx *sqlx.Tx) error {
		day, due, err := dueTx(ctx, tx)
		if err != nil || !due {
			return err
		}
		entities, err := org.Entities(ctx, tx)
		if err != nil {
			return err
		}
		found, err := Look(ctx, tx)
		if err != nil {
			return err
		}
		if err := keepTx(ctx, tx, day, found); err != nil {
			return err
		}
		for _, f := range found {
			for _, e := range entities {
				if err := n.tellTx(ctx, tx, e.ID, f); err != nil {
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

// dueTx is the day, and whether its look is ours to do.
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

func keepTx(ctx context.Context, tx *sqlx.Tx, day string, all []Found) error {
	const insert = `/* check.keepTx */ INSERT INTO check_run (day, checker, found, took) VALUES ($1, $2, $3, make_interval(secs => $4))`
	for _, f := range all {
		if _, err := tx.ExecContext(ctx, insert, day, f.No, f.Count, f.Took.Seconds()); err != nil {
			return err
		}
	}
	return nil
}

// tellTx opens the task of a checker that found something about an entity, or closes it.
func (n Nightly) tellTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, f Found) error {
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
	if len(about) >= Most {
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

// Last is what a checker found at the last nightly look.
type Last struct {
	Checker string        `db:"checker"`
	Rows    int64         `db:"found"`
	Age     time.Duration // of the look
}

// ReadLast reads the last nightly look; empty before the first.
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
