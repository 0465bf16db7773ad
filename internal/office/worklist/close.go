package worklist

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/platform/pg"
)

// ErrSeveral is the error that several entities have the task.
var ErrSeveral = errors.New("have that task: choose one with --entity")

// Close closes the open task of a kind and subject. It reports an error if none is open, or if several entities have one;
// the error names them.
func Close(ctx context.Context, db *sqlx.DB, slugs map[uuid.UUID]string, filter task.Filter, now time.Time) error {
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		open, err := task.List(ctx, tx, filter)
		if err != nil {
			return err
		}
		switch len(open) {
		case 0:
			return fmt.Errorf("no task %s %q is open: konbit tasks list --all", filter.Code, filter.Subject)
		case 1:
			return task.CloseStoredTx(ctx, tx, open[0], now)
		}
		var having []string
		for _, t := range open {
			having = append(having, slugs[t.EntityID])
		}
		slices.Sort(having)
		return fmt.Errorf("%s %w", strings.Join(having, " and "), ErrSeveral)
	})
}
