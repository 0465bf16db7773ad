package audit_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/people/audit"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/office"
)

func record(ctx context.Context, tx *sqlx.Tx, id string) error {
	return audit.RecordTx(ctx, tx, audit.Act{Name: "refund.ordered", ObjectKind: "refund_order", ObjectID: id, After: map[string]any{"amount": 2000}, Reason: "asked"})
}

// TestWhoAndWhenAreTheDatabases: the person of the session, an operator, or nobody, whatever the statement says.
func TestWhoAndWhenAreTheDatabases(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	ana := office.Add(t, db.Owner, "ana")
	require.NoError(t, ana.InTx(t, db.Server, func(tx *sqlx.Tx) error { return record(t.Context(), tx, "1") }))
	require.NoError(t, pg.InTx(t.Context(), db.Server, func(tx *sqlx.Tx) error { return record(t.Context(), tx, "2") }))
	require.NoError(t, pg.InTx(t.Context(), db.Owner, func(tx *sqlx.Tx) error { return record(t.Context(), tx, "3") }))
	ana.SignInWithPassword(t)
	require.NoError(t, ana.InTx(t, db.Server, func(tx *sqlx.Tx) error { return record(t.Context(), tx, "4") }))
	db.Owner.MustExec(`INSERT INTO audit_entry (at, staff_id, act, object_kind, object_id, reason, recorded_in) VALUES ('2000-01-01', $1, 'x.y', 'x', '5', 'x', '1')`, ana.ID)
	err := pg.InTx(t.Context(), db.Owner, func(tx *sqlx.Tx) error {
		return audit.RecordTx(t.Context(), tx, audit.Act{Name: "staff.added", ObjectKind: "staff", ObjectID: "x"})
	})
	require.True(t, pg.Violates(err, "audit_entry_has_reason"), err)

	find := func(f audit.Filter) (found []audit.Entry) {
		require.NoError(t, pg.InTx(t.Context(), db.Server, func(tx *sqlx.Tx) (err error) {
			found, err = audit.Find(t.Context(), tx, f)
			return err
		}))
		return found
	}
	found := find(audit.Filter{Limit: 10})
	require.Len(t, found, 6, "and the one about ana")
	for i, want := range []struct {
		staff    uuid.UUID
		operator bool
	}{{uuid.Nil, true}, {uuid.Nil, false}, {uuid.Nil, true}, {uuid.Nil, false}, {ana.ID, false}, {uuid.Nil, true}} {
		require.Equal(t, want.staff, found[i].StaffID.UUID, i)
		require.Equal(t, want.operator, found[i].Operator, i)
		require.WithinDuration(t, time.Now(), found[i].At, time.Hour)
	}
	for filter, n := range map[audit.Filter]int{
		{Act: "refund"}: 4, {Act: "refund.ordered", ObjectID: "3"}: 1, {Act: "ref"}: 0, {StaffID: uuid.NullUUID{UUID: ana.ID, Valid: true}}: 1,
		{ObjectKind: "x"}: 1, {From: time.Now().Add(time.Hour)}: 0, {Before: found[1].Serial}: 4,
	} {
		filter.Limit = 10
		require.Len(t, find(filter), n, filter)
	}
}

// TestEffectNeedsAnEntry: a row of a table with the trigger is committed with an entry about it in its transaction only.
func TestEffectNeedsAnEntry(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	for _, sql := range []string{`CREATE TABLE effect (id text, n int)`, `GRANT ALL ON effect TO ` + testkit.ServerRole,
		`CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT OR UPDATE OR DELETE ON effect DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION requires_audit('refund_order', 'id')`} {
		db.Owner.MustExec(sql)
	}
	ana := office.Add(t, db.Owner, "ana")
	try := func(who *office.Person, sql, about string) error {
		return who.InTx(t, db.Server, func(tx *sqlx.Tx) error {
			if _, err := tx.Exec(sql); err != nil || about == "" {
				return err
			}
			return record(t.Context(), tx, about)
		})
	}
	insert := `INSERT INTO effect VALUES ('1', 1)`
	require.True(t, pg.Violates(try(ana, insert, ""), "requires_audit"))
	require.True(t, pg.Violates(try(ana, insert, "2"), "requires_audit"), "an entry about another")
	require.True(t, pg.Violates(try(nil, insert, "1"), "requires_audit"), "an entry of nobody")
	require.NoError(t, try(ana, insert, "1"))
	require.True(t, pg.Violates(try(ana, `UPDATE effect SET n = 2`, ""), "requires_audit"), "the entry is of another transaction")
	require.NoError(t, try(ana, `UPDATE effect SET n = 2`, "1"))
	require.True(t, pg.Violates(try(ana, `DELETE FROM effect`, ""), "requires_audit"))
	require.NoError(t, try(ana, `DELETE FROM effect`, "1"))

	db.Owner.MustExec(`CREATE TABLE act_of (id text, by uuid); GRANT ALL ON act_of TO ` + testkit.ServerRole + `;
		CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON act_of DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION requires_audit('refund_order', 'id', 'by')`)
	ben := office.Add(t, db.Owner, "ben")
	act := `INSERT INTO act_of VALUES ('1', '` + ana.ID.String() + `')`
	require.True(t, pg.Violates(try(ben, act, "1"), "requires_audit"), "an entry of another person")
	require.NoError(t, try(ana, act, "1"))
}

// chain returns a database whose audit log has four sealed entries, and the head after them. The first one is about ana.
func chain(t *testing.T) (*testkit.Database, audit.Head) {
	t.Helper()
	db := testkit.DB(t)
	db.Owner.MustExec(`INSERT INTO legal_entity (id, slug, legal_name, ein, address, timezone, currency, mail_from, created_at, updated_at)
		VALUES (gen_random_uuid(), 'x', 'x', '12-3456789', '{}', 'UTC', 'USD', 'x', now(), now())`)
	ana := office.Add(t, db.Owner, "ana")
	for _, id := range []string{"2", "3", "4"} {
		require.NoError(t, ana.InTx(t, db.Server, func(tx *sqlx.Tx) error { return record(t.Context(), tx, id) }))
	}
	sealed, err := audit.Seal(t.Context(), db.Server)
	require.NoError(t, err)
	require.Equal(t, 4, sealed)
	report, err := audit.Verify(t.Context(), db.Server)
	require.NoError(t, err)
	require.Empty(t, report.Findings)
	require.EqualValues(t, 4, report.Entries)
	head, err := audit.ParseHead(report.Head)
	require.NoError(t, err)
	return db, head
}

// TestVerifyFindsTampering changes sealed entries as the owner of the database could; the report, and checker A21, say so.
func TestVerifyFindsTampering(t *testing.T) {
	t.Parallel()
	const rehash = `DO $$ DECLARE s record; last bytea; BEGIN
		FOR s IN SELECT n, serial FROM audit_seal ORDER BY n LOOP
			UPDATE audit_seal x SET hash = audit_hash(a, s.n, last) FROM audit_entry a WHERE x.n = s.n AND a.serial = s.serial RETURNING hash INTO last;
		END LOOP; END $$`
	for what, tamper := range map[string]struct {
		sql      []string
		external bool // only a head from an email shows it
	}{
		"reason changed":        {[]string{`UPDATE audit_entry SET reason = 'other' WHERE object_id = '2'`}, false},
		"person removed":        {[]string{`UPDATE audit_entry SET staff_id = NULL WHERE object_id = '2'`}, false},
		"time changed":          {[]string{`UPDATE audit_entry SET at = at - interval '1 second' WHERE object_id = '2'`}, false},
		"entry deleted":         {[]string{`ALTER TABLE audit_seal DROP CONSTRAINT audit_seal_serial_fkey`, `DELETE FROM audit_entry WHERE object_id = '2'`}, false},
		"entry and seal gone":   {[]string{`DELETE FROM audit_seal WHERE n = 2`, `DELETE FROM audit_entry WHERE object_id = '2'`}, false},
		"hashed again":          {[]string{`UPDATE audit_entry SET reason = 'other' WHERE object_id = '2'`, rehash}, true},
		"the last ones removed": {[]string{`DELETE FROM audit_seal WHERE n > 2`, `DELETE FROM audit_entry WHERE object_id IN ('3', '4')`}, true},
		"never sealed": {[]string{`ALTER TABLE audit_entry DISABLE TRIGGER USER`,
			`INSERT INTO audit_entry (at, act, object_kind, object_id) VALUES (now() - interval '1 hour', 'x.y', 'x', 'x')`}, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			db, head := chain(t)
			report, err := audit.Verify(t.Context(), db.Server, head)
			require.NoError(t, err)
			require.True(t, report.OK(), report.Findings)
			db.Owner.MustExec(`ALTER TABLE audit_entry DISABLE TRIGGER insert_only; ALTER TABLE audit_seal DISABLE TRIGGER insert_only`)
			for _, sql := range tamper.sql {
				db.Owner.MustExec(sql)
			}
			report, err = audit.Verify(t.Context(), db.Server)
			require.NoError(t, err)
			require.Equal(t, tamper.external, report.OK(), report.Findings)
			var rows int
			require.NoError(t, db.Server.Get(&rows, `SELECT count(*) FROM check_audit_chain`))
			require.Equal(t, tamper.external, rows == 0)
			if tamper.external {
				report, err = audit.Verify(t.Context(), db.Server, head)
				require.NoError(t, err)
				require.False(t, report.OK())
			}
		})
	}
}

// TestLateEntriesAreSealed: an entry that is committed after later ones were sealed is sealed too, and several sealers make
// one chain.
func TestLateEntriesAreSealed(t *testing.T) {
	t.Parallel()
	db, _ := chain(t)
	late := db.Server.MustBegin()
	require.NoError(t, record(t.Context(), late, "late"))
	late.MustExec(`SELECT pg_advisory_xact_lock(hashtext('konbit audit seal')), pg_advisory_xact_lock(n) FROM generate_series(0, 100) n`) // holds no seal back
	require.NoError(t, pg.InTx(t.Context(), db.Server, func(tx *sqlx.Tx) error { return record(t.Context(), tx, "5") }))
	sealed, err := audit.Seal(t.Context(), db.Server)
	require.NoError(t, err)
	require.Equal(t, 1, sealed)
	require.NoError(t, late.Commit())
	done := make(chan error, 4)
	for range 4 {
		go func() { _, err := audit.Seal(t.Context(), db.Server); done <- err }()
	}
	for range 4 {
		require.NoError(t, <-done)
	}
	report, err := audit.Verify(t.Context(), db.Server)
	require.NoError(t, err)
	require.True(t, report.OK(), report.Findings)
	require.EqualValues(t, 6, report.Entries)
}

// TestHeadsOfADay: a head is recorded once a day, as the end of the chain; the acts of operators since the head before
// belong to it.
func TestHeadsOfADay(t *testing.T) {
	t.Parallel()
	db, first := chain(t)
	var entity uuid.UUID
	require.NoError(t, db.Owner.Get(&entity, `SELECT id FROM legal_entity`))
	today := ledger.DateOf(time.Now(), time.UTC)
	yesterday := ledger.DateOf(time.Now().AddDate(0, 0, -1), time.UTC)
	head := func(day ledger.Date) {
		require.NoError(t, pg.InTx(t.Context(), db.Server, func(tx *sqlx.Tx) error { return audit.RecordHeadTx(t.Context(), tx, entity, day) }))
	}
	head(yesterday)
	require.NoError(t, pg.InTx(t.Context(), db.Owner, func(tx *sqlx.Tx) error { return record(t.Context(), tx, "by an operator") }))
	_, err := audit.Seal(t.Context(), db.Server)
	require.NoError(t, err)
	head(yesterday) // has one
	head(today)
	newest, previous, err := audit.HeadsOfDay(t.Context(), db.Server, entity, today)
	require.NoError(t, err)
	require.Equal(t, &first, previous)
	require.EqualValues(t, 5, newest.N)
	acts, err := audit.OperatorActs(t.Context(), db.Server, entity, previous, newest)
	require.NoError(t, err)
	require.Len(t, acts, 1)
	require.Equal(t, "by an operator", acts[0].ObjectID)
	acts, err = audit.OperatorActs(t.Context(), db.Server, entity, nil, previous)
	require.NoError(t, err)
	require.Len(t, acts, 1)
	require.Equal(t, "staff", acts[0].ObjectKind, "ana was added")
}
