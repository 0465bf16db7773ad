package app

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/mail"
	"konbit/internal/platform/pg"
)

// The kinds of tasks about an email that is not stored and that a mail server refused permanently: the person who
// asked for it does not get it. taskLinkRefused is about one recurring gift. taskEmailRefused is
// about a kind of email, such as those for signing in: strangers can ask for these, so one task is about all of them.
var (
	taskLinkRefused = task.Register(task.Kind{
		Code: "plan_link_refused", Severity: task.Normal, For: task.Finance, Link: task.Link{Object: task.Plan}, Closes: task.ByPerson,
	})
	taskEmailRefused = task.Register(task.Kind{
		Code: "unstored_email_refused", Severity: task.Low, For: task.Operator, Link: task.Link{Object: task.Email}, Closes: task.ByPerson,
	})
)

// emailRefused counts an unstored email that was refused permanently, and opens a task for a person. A task that cannot be
// opened is logged: the email's job has done its work.
func (a *App) emailRefused(ctx context.Context, e mail.Email, about any) {
	a.Metrics.EmailRefused(e.Kind)
	t := task.Task{EntityID: e.EntityID, Kind: taskEmailRefused, Subject: e.Kind}
	if e.Kind == mail.KindPlanLink {
		t.Kind, t.Subject = taskLinkRefused, fmt.Sprint(about)
	}
	ctx = context.WithoutCancel(ctx)
	err := pg.InTx(ctx, a.resources.DB, func(tx *sqlx.Tx) error { return task.OpenTx(ctx, tx, t, NewID, a.resources.Clocks.Business()) })
	if err != nil {
		a.resources.Log.ErrorContext(ctx, "cannot open a task about a refused email", "kind", e.Kind, "about", about, "error", err)
	}
}
