package staff

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/books/task"
	"konbit/internal/people/session"
	"konbit/internal/platform/pg"
)

// What the operator does by commands, as the owner of the tables: Service.DB is the owner's. Each records a reason.

// Add adds a person with a role, and returns the secret of the link with which they set up how they sign in; empty if they
// can sign in already.
func (s Service) Add(ctx context.Context, i Invitation, reason string) (token string, err error) {
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		m, err := s.addTx(ctx, tx, uuid.Nil, i, reason)
		if err != nil || m.CanSignIn {
			return err
		}
		token, err = s.linkTx(ctx, tx, m.ID, "invite", reason)
		return err
	})
	return token, explained(err)
}

// AddReset returns the secret of a link that replaces all ways of a person to sign in. The person and their admins are told.
func (s Service) AddReset(ctx context.Context, person uuid.UUID, reason string) (token string, err error) {
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		if token, err = s.linkTx(ctx, tx, person, "reset", reason); err != nil {
			return err
		}
		return s.tellTx(ctx, tx, EmailReset, person)
	})
	return token, explained(err)
}

func (s Service) linkTx(ctx context.Context, tx *sqlx.Tx, person uuid.UUID, kind, reason string) (string, error) {
	token := session.NewSecret()
	const query = `/* staff.linkTx */ SELECT invite_staff($1, $2, $3, $4)`
	if _, err := tx.ExecContext(ctx, query, s.NewID(), person, kind, hashOf("link", token)); err != nil {
		return "", err
	}
	return token, s.recordTx(ctx, tx, Event{Act: "staff." + kind, About: person, Reason: reason})
}

// Disable ends everything of a person: roles, ways to sign in, sessions, links. The row stays, because acts name it.
func (s Service) Disable(ctx context.Context, person uuid.UUID, reason string) error {
	return explained(pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `/* staff.Disable */ SELECT disable_staff($1)`, person); err != nil {
			return err
		}
		return s.recordTx(ctx, tx, Event{Act: "staff.disabled", About: person, Reason: reason})
	}))
}

// taskBreakGlass stays open until a person has looked at what was done in an emergency access.
var taskBreakGlass = task.Register(task.Kind{
	Code: "staff_break_glass", Severity: task.Urgent, For: task.Finance, Link: task.Link{Object: task.Staff}, Closes: task.ByPerson,
})

// BreakGlass makes an emergency access and returns the secret of its link and the account. All admins and the auditors are
// told, and each entity has a task. now is the business clock's.
func (s Service) BreakGlass(ctx context.Context, why string, now time.Time) (token string, account uuid.UUID, err error) {
	const (
		insert = `/* staff.BreakGlass */ INSERT INTO staff (id, email, name, break_glass) VALUES ($1::uuid, 'break-glass-' || $1::uuid || '@invalid', 'Emergency access', true)`
		link   = `/* staff.BreakGlass link */ INSERT INTO staff_invitation (id, staff_id, kind, token_hash, expires_at)
			VALUES ($1, $2, 'break-glass', $3, clock_timestamp() + interval '15 minutes')`
		admins = `/* staff.BreakGlass admins */ SELECT DISTINCT staff_id FROM staff_role WHERE role = 'admin' AND ended_at IS NULL`
	)
	token, account = session.NewSecret(), s.NewID()
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, insert, account); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, link, s.NewID(), account, hashOf("link", token)); err != nil {
			return err
		}
		var told []uuid.UUID
		if err := tx.SelectContext(ctx, &told, admins); err != nil {
			return err
		}
		if err := s.recordTx(ctx, tx, Event{Act: "staff.break_glass", About: account, Reason: why}); err != nil {
			return err
		}
		entities, err := org.Entities(ctx, tx)
		if err != nil {
			return err
		}
		for _, e := range entities {
			about := task.Task{EntityID: e.ID, Kind: taskBreakGlass, Subject: account.String(), Detail: map[string]string{"why": why}}
			if err := task.OpenTx(ctx, tx, about, s.NewID, now); err != nil {
				return err
			}
		}
		return s.enqueueTx(ctx, tx, EmailGlass, account, append(told, uuid.Nil)) // Nil: the auditors
	})
	return token, account, explained(err)
}
