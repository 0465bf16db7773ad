package check

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/books/task"
	"konbit/internal/platform/pg"
)

// SealWatch opens tasks while entries wait for a seal and nothing is sealed. The daily run finds such entries too
// (A11), but up to a day later.
type SealWatch struct {
	DB    *sqlx.DB
	NewID func() uuid.UUID
	Now   func() time.Time // dates the tasks
}

// taskSealing is the kind of the task about an entity whose entries are not sealed; its subject is the view of A11.
var taskSealing = task.Register(task.Kind{
	Code: "entries_not_sealed", Severity: task.Urgent, For: task.Operator, Link: task.Link{Object: task.Checker}, Closes: task.Automatically,
})

const sealView = "check_chain_broken"

// Run opens a task for each entity whose entries wait, closes the tasks of the others, and returns the waiting entries.
// Any number of servers may call it at the same time.
func (w SealWatch) Run(ctx context.Context) (waiting []ledger.Unsealed, err error) {
	if waiting, err = ledger.SealingStopped(ctx, w.DB); err != nil {
		return nil, err
	}
	byEntity := map[uuid.UUID]ledger.Unsealed{}
	for _, u := range waiting {
		byEntity[u.EntityID] = u
	}
	return waiting, pg.InTx(ctx, w.DB, func(tx *sqlx.Tx) error {
		entities, err := org.Entities(ctx, tx)
		if err != nil {
			return err
		}
		for _, e := range entities {
			u, waits := byEntity[e.ID]
			if !waits {
				err = task.CloseTx(ctx, tx, e.ID, taskSealing, sealView, w.Now())
			} else {
				err = task.OpenTx(ctx, tx, task.Task{EntityID: e.ID, Kind: taskSealing, Subject: sealView, Detail: map[string]string{
					"entries": strconv.FormatInt(u.Entries, 10), "first recorded": w.Now().Add(-u.Longest()).UTC().Truncate(time.Minute).Format(time.RFC3339),
				}}, w.NewID, w.Now())
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// SealingStopped reports an error that names the entries that wait for a seal while nothing is sealed.
func SealingStopped(ctx context.Context, q sqlx.QueryerContext) error {
	waiting, err := ledger.SealingStopped(ctx, q)
	failed := []error{err}
	for _, u := range waiting {
		failed = append(failed, fmt.Errorf("%d entries of entity %s wait, the first for %s, and nothing is sealed: "+
			"is a server running with its workers? konbit ledger seal says what is wrong",
			u.Entries, u.EntityID, u.Longest().Round(time.Second)))
	}
	return errors.Join(failed...)
}
