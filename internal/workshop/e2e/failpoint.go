package e2e

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
)

// A Failpoint is a place in the middle of a transaction: before or after rows of a table are written, or its commit. Boulder's
// trick: a trigger of the table's owner stands there, and the program knows nothing of it.
type Failpoint struct {
	Table string
	When  string // "BEFORE INSERT", "AFTER UPDATE" …, or AtCommit of the transaction that inserts
	If    string // on NEW or OLD; empty: every row
}

// AtCommit is when a transaction that inserts into the table is committed: whether the commit happened, the program will not know.
const AtCommit = "at commit"

func (f Failpoint) String() string { return f.When + " " + f.Table + " " + f.If }

// trigger is the statement that sets it, to run the function failpoint.
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

// KillAt does something and kills the server with SIGKILL when it has come to the failpoint. What the server's database connection
// was in the middle of ends as PostgreSQL ends it. The server is down then; Restart it.
func (s *Stack) KillAt(f Failpoint, do func()) {
	s.t.Helper()
	const barrier = 0x4b0
	db := s.DB.Owner
	db.MustExec(fmt.Sprintf(`CREATE OR REPLACE FUNCTION failpoint() RETURNS trigger LANGUAGE plpgsql AS $$
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
	db.MustExec(f.trigger())
	do()
	s.waitLocks("the server has not come to "+f.String(), `NOT granted`, true, barrier)
	s.Kill()
	if _, err := ours.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, barrier); err != nil {
		s.t.Fatalf("e2e: %v", err)
	}
	s.waitLocks("the dead server's transaction has not ended at "+f.String(), `true`, false, barrier)
	s.ClearFailpoint()
}

// waitLocks waits until somebody has, or nobody has any more, such a lock on the barrier.
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

// An Act is what befalls whoever comes to a failpoint.
type FailpointAction string

// The acts: an error, the end of the database connection, a third of a second of waiting with the locks held.
const (
	Raise FailpointAction = `RAISE EXCEPTION 'failed on purpose'`
	Cut   FailpointAction = `PERFORM pg_terminate_backend(pg_backend_pid())`
	Sleep FailpointAction = `PERFORM pg_sleep(0.3)`
)

// FailAt lets the next n who come to the failpoint fail: by an error, or by the end of their database connection.
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

// Disturb lets the act befall the next n who come to the failpoint, in place of the one before. It may be called from any one
// goroutine at a time; the error is the database's, when the tables are too busy or it is away.
func (s *Stack) Disturb(f Failpoint, act FailpointAction, n int) error {
	if err := s.dropFailpoint(); err != nil {
		return err
	}
	return s.change(func(tx *sqlx.Tx) error {
		// A sequence keeps count over rollbacks.
		_, err := tx.Exec(fmt.Sprintf(`DROP SEQUENCE IF EXISTS failpoint_count; CREATE SEQUENCE failpoint_count; GRANT USAGE ON SEQUENCE failpoint_count TO PUBLIC;
			CREATE OR REPLACE FUNCTION failpoint() RETURNS trigger LANGUAGE plpgsql AS $$
			BEGIN IF nextval('public.failpoint_count') <= %d THEN %s; END IF; RETURN coalesce(NEW, OLD); END $$; `, n, act) + f.trigger())
		return err
	})
}

// Reached counts who came to the failpoint since it was set.
func (s *Stack) Reached() (n int, err error) {
	err = s.DB.Owner.Get(&n, `SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM failpoint_count`)
	return n, err
}

// Calm takes away what Disturb set.
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

// change changes triggers, without waiting long for those who hold the tables: others wait behind it.
func (s *Stack) change(do func(tx *sqlx.Tx) error) error {
	return pg.InTx(context.Background(), s.DB.Owner, func(tx *sqlx.Tx) error {
		if _, err := tx.Exec(`SET LOCAL lock_timeout = '1s'`); err != nil {
			return err
		}
		return do(tx)
	})
}

// AgeLeases makes what a dead process had under way look old, instead of waiting until its leases have run out; just old enough, so
// that no checker takes it for forgotten, however often this is called.
func (s *Stack) AgeLeases() {
	s.DB.Owner.MustExec(`UPDATE river_job SET attempted_at = least(attempted_at, now() - interval '30 seconds') WHERE state = 'running';
		UPDATE balance_lookup SET leased_until = '-infinity' WHERE leased_until > now();
		UPDATE stripe_event SET due_at = now() WHERE state = 'parked'`)
}
