package e2e

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
)

// A Failpoint is a place in the middle of a transaction: before or after rows of a table are written, or its commit. A
// trigger that the table's owner creates stops there (Boulder's method); the program does not know about it.
type Failpoint struct {
	Table string
	When  string // "BEFORE INSERT", "AFTER UPDATE" …, or AtCommit of the transaction that inserts
	If    string // on NEW or OLD; empty: every row
}

// AtCommit is the commit of a transaction that inserts into the table. The program cannot know whether the commit
// happened.
const AtCommit = "at commit"

func (f Failpoint) String() string { return f.When + " " + f.Table + " " + f.If }

// trigger returns the statement that creates the trigger, which runs the function failpoint.
func (f Failpoint) trigger() string {
	condition := ""
	if f.If != "" {
		condition = "WHEN (" + f.If + ")"
	}
	if f.When == AtCommit {
		return fmt.Sprintf(`CREATE CONSTRAINT TRIGGER failpoint AFTER INSERT ON %s DEFERRABLE INITIALLY DEFERRED FOR EACH ROW %s EXECUTE FUNCTION failpoint()`, f.Table, condition)
	}
	return fmt.Sprintf(`CREATE TRIGGER failpoint %s ON %s FOR EACH ROW %s EXECUTE FUNCTION failpoint()`, f.When, f.Table, condition)
}

// KillAt calls do and kills the server with SIGKILL when it reaches the failpoint. PostgreSQL ends the transaction of
// the server's connection. The server is then down; the caller calls Restart.
func (s *Stack) KillAt(f Failpoint, do func()) {
	s.t.Helper()
	const barrier = 0x4b0
	db := s.DB.Owner
	s.mustChange(fmt.Sprintf(`CREATE OR REPLACE FUNCTION failpoint() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN PERFORM pg_advisory_xact_lock_shared(%d); RETURN coalesce(NEW, OLD); END $$`, barrier))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ours, err := db.Connx(ctx)
	if err != nil {
		s.t.Fatalf("e2e: %v", err)
	}
	defer ours.Close()
	if _, err := ours.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, barrier); err != nil {
		s.t.Fatalf("e2e: %v", err)
	}
	s.mustChange(f.trigger())
	do()
	s.waitLocks("the server has not come to "+f.String(), `NOT granted`, true, barrier)
	s.Kill()
	if _, err := ours.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, barrier); err != nil {
		s.t.Fatalf("e2e: %v", err)
	}
	s.waitLocks("the dead server's transaction has not ended at "+f.String(), `true`, false, barrier)
	s.ClearFailpoint()
}

// waitLocks waits until a session has, or no session has any more, such a lock on the barrier.
func (s *Stack) waitLocks(what, such string, want bool, barrier int) {
	s.t.Helper()
	testkit.Eventually(s.t, readyWithin, func() error {
		var is bool
		if err := s.DB.Owner.Get(&is, `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND
			database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND `+such+`)`, barrier); err != nil {
			return err
		}
		if is != want {
			return fmt.Errorf("%s", what)
		}
		return nil
	})
}

// A FailpointAction is what happens to a transaction at a failpoint.
type FailpointAction string

// The actions: an error, the end of the database connection, or a wait of a third of a second while locks are held.
const (
	Raise FailpointAction = `RAISE EXCEPTION 'failed on purpose'`
	Cut   FailpointAction = `PERFORM pg_terminate_backend(pg_backend_pid())`
	Sleep FailpointAction = `PERFORM pg_sleep(0.3)`
)

// FailAt makes the next n transactions at the failpoint fail, with an error or with the end of their connection.
func (s *Stack) FailAt(f Failpoint, n int, cut bool) (disarm func()) {
	s.t.Helper()
	act := Raise
	if cut {
		act = Cut
	}
	if err := s.Disturb(f, act, n); err != nil {
		s.t.Fatalf("e2e: %v", err)
	}
	return s.ClearFailpoint
}

// Disturb applies the action to the next n transactions at the failpoint and replaces the previous failpoint. Any
// goroutine may call it, but only one at a time. It returns the database's error if the tables are too busy or the
// database is down.
func (s *Stack) Disturb(f Failpoint, act FailpointAction, n int) error {
	if err := s.dropFailpoint(); err != nil {
		return err
	}
	return s.change(func(tx *sqlx.Tx) error {
		// A rollback does not reset a sequence.
		_, err := tx.Exec(fmt.Sprintf(`DROP SEQUENCE IF EXISTS failpoint_count; CREATE SEQUENCE failpoint_count; GRANT USAGE ON SEQUENCE failpoint_count TO PUBLIC;
			CREATE OR REPLACE FUNCTION failpoint() RETURNS trigger LANGUAGE plpgsql AS $$
			BEGIN IF nextval('public.failpoint_count') <= %d THEN %s; END IF; RETURN coalesce(NEW, OLD); END $$; `, n, act) + f.trigger())
		return err
	})
}

// Reached returns how many transactions came to the failpoint since it was set.
func (s *Stack) Reached() (n int, err error) {
	err = s.DB.Owner.Get(&n, `SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM failpoint_count`)
	return n, err
}

// ClearFailpoint removes what Disturb set.
func (s *Stack) ClearFailpoint() {
	testkit.Eventually(s.t, readyWithin, s.dropFailpoint)
}

func (s *Stack) dropFailpoint() error {
	return s.change(func(tx *sqlx.Tx) error {
		var tables []string
		if err := tx.Select(&tables, `SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'failpoint'`); err != nil {
			return err
		}
		for _, table := range tables {
			if _, err := tx.Exec(`DROP TRIGGER failpoint ON ` + table); err != nil {
				return err
			}
		}
		return nil
	})
}

// mustChange runs a statement in a transaction. An error ends the test.
func (s *Stack) mustChange(statement string) {
	s.t.Helper()
	err := pg.InTx(context.Background(), s.DB.Owner, func(tx *sqlx.Tx) error {
		_, err := tx.Exec(statement)
		return err
	})
	if err != nil {
		s.t.Fatalf("e2e: %v", err)
	}
}

// change changes triggers. It does not wait long for locks on the tables, because other sessions would wait behind it. A connection
// that broke since it was used last is replaced.
func (s *Stack) change(do func(tx *sqlx.Tx) error) (err error) {
	for range 5 {
		err = pg.InTx(context.Background(), s.DB.Owner, func(tx *sqlx.Tx) error {
			if _, err := tx.Exec(`SET LOCAL lock_timeout = '1s'`); err != nil {
				return err
			}
			return do(tx)
		})
		if !pg.IsTransient(err) {
			break
		}
	}
	return err
}

// AgeLeases makes the leases of a dead process just expired, so that the test need not wait. It makes them no older:
// repeated calls must not let a checker find a forgotten lease.
func (s *Stack) AgeLeases() {
	s.mustChange(`UPDATE river_job SET attempted_at = least(attempted_at, now() - interval '30 seconds') WHERE state = 'running';
		UPDATE balance_lookup SET leased_until = '-infinity' WHERE leased_until > now()`)
	s.MakeParkedDue()
}
