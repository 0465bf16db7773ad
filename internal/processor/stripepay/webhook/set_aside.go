package webhook

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

// SetAsideWatch opens a task for each entity while any of its events is set aside. The daily run finds them too (A15),
// but up to a day later.
type SetAsideWatch struct {
	DB    *sqlx.DB
	NewID func() uuid.UUID
	Now   func() time.Time // dates the tasks
}

// taskSetAside is the kind of the task about an entity's events that are set aside; its subject is the view of A15.
var taskSetAside = task.Register(task.Kind{
	Code: "events_set_aside", Severity: task.Urgent, For: task.Operator, Link: task.Link{Object: task.Checker}, Closes: task.Automatically,
})

// taskEventLost is the kind of the task about an event whose payload was erased before it was applied; its subject is the
// event.
var taskEventLost = task.Register(task.Kind{
	Code: "event_lost", Severity: task.Urgent, For: task.Operator, Link: task.Link{Object: task.Event}, Closes: task.ByPerson,
})

const setAsideView = "check_event_set_aside"

// Run opens a task for each entity with events set aside, and closes the tasks of the others. It returns the number of
// these events. An event whose payload is erased does not count: it has a task of its own, which a person closes
// (EraseEvents). Any number of servers may call Run at the same time.
func (w SetAsideWatch) Run(ctx context.Context) (total int, err error) {
	const query = `/* webhook.Run */
		SELECT entity_id, count(*) AS events, (array_agg(id ORDER BY received_at, id))[1] AS first, min(received_at) AS since
		  FROM stripe_event WHERE state = 'set_aside' AND payload IS NOT NULL GROUP BY entity_id`
	return total, pg.InTx(ctx, w.DB, func(tx *sqlx.Tx) error {
		var rows []struct {
			EntityID uuid.UUID `db:"entity_id"`
			Events   int       `db:"events"`
			First    string    `db:"first"`
			Since    time.Time `db:"since"`
		}
		if err := tx.SelectContext(ctx, &rows, query); err != nil {
			return err
		}
		total = 0
		details := map[uuid.UUID]map[string]string{}
		for _, r := range rows {
			total += r.Events
			details[r.EntityID] = map[string]string{
				"events": strconv.Itoa(r.Events), "oldest": r.First, "received": r.Since.UTC().Format(time.RFC3339),
			}
		}
		entities, err := org.Entities(ctx, tx)
		if err != nil {
			return err
		}
		for _, e := range entities {
			if details[e.ID] == nil {
				err = task.CloseTx(ctx, tx, e.ID, taskSetAside, setAsideView, w.Now())
			} else {
				err = task.OpenTx(ctx, tx, task.Task{EntityID: e.ID, Kind: taskSetAside, Subject: setAsideView, Detail: details[e.ID]}, w.NewID, w.Now())
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
