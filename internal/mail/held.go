package mail

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/typeset"
)

// taskHeld is the kind of task about papers that wait for a font. There is one for each script, however many papers wait.
var taskHeld = task.Register(task.Kind{
	Code: "paper_needs_font", Severity: task.Urgent, For: task.Operator, Link: task.Link{Object: task.Donation, Detail: "donation"}, Closes: task.ByPerson,
})

// held returns the error of a paper that could not be made. If a font is missing, it opens a task: the email waits, its
// job is tried again, and it is sent once the font is installed and the program was started again. A paper with a box
// instead of a name is never sent, and an email that says a paper is attached is not sent without it.
func (m Mailer) held(ctx context.Context, entity uuid.UUID, cause error) error {
	var missing *typeset.MissingError
	if !errors.As(cause, &missing) {
		return cause
	}
	err := pg.InTx(ctx, m.DB, func(tx *sqlx.Tx) error {
		return task.OpenTx(ctx, tx, task.Task{
			EntityID: entity, Kind: taskHeld, Subject: missing.Script, Detail: map[string]string{"package": missing.Package()},
		}, m.NewID, m.Shown(m.Now()))
	})
	return errors.Join(cause, err)
}
