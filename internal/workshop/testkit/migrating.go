package testkit

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/migrations"
)

// MigratedFrom takes a database to an earlier version and migrates it up again. After the migrations, before the server's
// role gets the rights of grants.sql, it runs fn with a new connection of that role: the program of the previous release
// serves at that moment too.
func MigratedFrom(t testing.TB, d *Database, version int64, fn func(server *sqlx.DB)) {
	t.Helper()
	d.Server.Close() // its prepared plans name what goes
	if err := migrations.To(t.Context(), d.OwnerURL, version); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	blocker := d.Owner.MustBegin()
	defer func() { _ = blocker.Rollback() }()
	blocker.MustExec(`SELECT pg_advisory_xact_lock(hashtext('konbit grants'))`) // as migrations.Up
	migrated := make(chan error, 1)
	go func() { migrated <- migrations.Up(context.WithoutCancel(t.Context()), d.OwnerURL, ServerRole) }()
	Eventually(t, time.Minute, func() error {
		select {
		case err := <-migrated:
			t.Fatalf("testkit: the migration has ended: %v", err)
		default:
		}
		var waits bool
		err := d.Owner.Get(&waits, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
			AND query LIKE '%konbit grants%')`)
		if err == nil && !waits {
			err = errors.New("the migration does not wait for its last step yet")
		}
		return err
	})
	fn(open(t, d.ServerURL))
	if err := blocker.Rollback(); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	if err := <-migrated; err != nil {
		t.Fatalf("testkit: %v", err)
	}
}
