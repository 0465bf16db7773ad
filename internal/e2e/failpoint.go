package e2e

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/testkit"
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

// arm sets the trigger, to run the function failpoint.
func (f Failpoint) arm(db *sqlx.DB) {
	condition := ""
	if f.If != "" {
		condition = "WHEN (" + f.If + ")"
	}
	if f.When == AtCommit {
		db.MustExec(fmt.Sprintf(`CREATE CONSTRAINT TRIGGER failpoint AFTER INSERT ON %s DEFERRABLE INITIALLY DEFERRED FOR EACH ROW %s EXECUTE FUNCTION failpoint()`, f.Table, condition))
		return
	}
	db.MustExec(fmt.Sprintf(`CREATE TRIGGER failpoint %s ON %s FOR EACH ROW %s EXECUTE FUNCTION failpoint()`, f.When, f.Table, condition))
}

func (f Failpoint) disarm(db *sqlx.DB) { db.MustExec(`DROP TRIGGER failpoint ON ` + f.Table) }

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
	f.arm(db)
	do()
	s.waitLocks("the server has not come to "+f.String(), `NOT granted`, true, barrier)
	s.Kill()
	if _, err := ours.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, barrier); err != nil {
		s.t.Fatalf("e2e: %v", err)
	}
	s.waitLocks("the dead server's transaction has not ended at "+f.String(), `true`, false, barrier)
	f.disarm(db)
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

// FailAt lets the next n who come to the failpoint fail: by an error, or by the end of their database connection.
func (s *Stack) FailAt(f Failpoint, n int, cut bool) (disarm func()) {
	s.t.Helper()
	fail := `RAISE EXCEPTION 'failed on purpose'`
	if cut {
		fail = `PERFORM pg_terminate_backend(pg_backend_pid())`
	}
	// A sequence keeps count over rollbacks.
	s.DB.Owner.MustExec(fmt.Sprintf(`DROP SEQUENCE IF EXISTS failpoint_count; CREATE SEQUENCE failpoint_count; GRANT USAGE ON SEQUENCE failpoint_count TO PUBLIC;
		CREATE OR REPLACE FUNCTION failpoint() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN IF nextval('public.failpoint_count') <= %d THEN %s; END IF; RETURN coalesce(NEW, OLD); END $$`, n, fail))
	f.arm(s.DB.Owner)
	return func() { f.disarm(s.DB.Owner) }
}

// AgeLeases makes what a dead process had under way look old, instead of waiting until its leases have run out.
func (s *Stack) AgeLeases() {
	s.DB.Owner.MustExec(`UPDATE river_job SET attempted_at = attempted_at - interval '1 minute' WHERE state = 'running';
		UPDATE balance_lookup SET leased_until = '-infinity' WHERE leased_until > now();
		UPDATE stripe_event SET due_at = now() WHERE state = 'parked'`)
}
