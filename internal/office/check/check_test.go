package check_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/office/check"
	"konbit/internal/office/figures"
	"konbit/internal/office/privacy"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// scenario is a program in which everything happened that can happen: gifts, one refunded in part and one in full,
// disputes that were lost, won and withdrawn, a payment without a gift, a payout, emails. All events are processed and
// all entries sealed. unchanged is a gift to which nothing else happened.
type scenario struct {
	*program.Program
	unchanged, part, whole, lost donation.Donation
}

func newScenario(t *testing.T) *scenario {
	t.Helper()
	h := program.New(t, program.Options{})
	s := &scenario{Program: h}
	for _, d := range []*donation.Donation{&s.part, &s.unchanged, &s.whole, &s.lost} {
		*d = h.SettledGift(program.ValidForm())
	}
	won, open := h.SettledGift(program.ValidForm()), h.SettledGift(program.ValidForm())
	s.settle(t)
	for d, amount := range map[uuid.UUID]int64{s.part.ID: 500, s.whole.ID: 0} {
		_, err := h.Fake.Refund(*h.Gift(d).PaymentIntentID, amount)
		require.NoError(t, err)
	}
	for d, end := range map[uuid.UUID]string{s.lost.ID: "lost", won.ID: "won", open.ID: ""} {
		dispute, err := h.Fake.Dispute(*h.Gift(d).PaymentIntentID, false)
		require.NoError(t, err)
		if end != "" {
			require.NoError(t, h.Fake.CloseDispute(dispute, end))
		}
	}
	s.settle(t)
	h.Fake.Advance(8 * 24 * time.Hour)
	_, err := h.Fake.Payout("tsne")
	require.NoError(t, err)
	h.StartWorkers()
	s.settle(t)
	testkit.Eventually(t, 30*time.Second, func() error {
		if n := h.Count(`SELECT count(*) FROM river_job WHERE state <> 'completed'`); n > 0 {
			return fmt.Errorf("%d jobs to do", n)
		}
		return nil
	})
	return s
}

func (s *scenario) settle(t *testing.T) {
	t.Helper()
	_, err := s.Sweeper.Sweep(t.Context())
	require.NoError(t, err)
	for _, body := range s.Fake.Bodies("tsne") {
		s.Deliver(s.ParseEvent(body))
	}
	s.DrainAll()
	_, err = s.Sweeper.Sweep(t.Context())
	require.NoError(t, err)
	s.RetryParked()
	_, err = ledger.Seal(t.Context(), s.DB.Server)
	require.NoError(t, err)
	_, err = figures.Refresh(t.Context(), s.DB.Server)
	require.NoError(t, err)
}

// TestCheckersFindNothingInAValidState runs the checkers after the whole scenario and after each step of a gift.
func TestCheckersFindNothingInAValidState(t *testing.T) {
	t.Parallel()
	newScenario(t).RequireNoFindings()

	h := program.New(t, program.Options{})
	h.RequireNoFindings()
	d := h.StartedGift(program.ValidForm())
	h.RequireNoFindings()
	h.Pay(d)
	h.RequireNoFindings()
	h.Deliver(h.EventOf(d, "charge.succeeded"))
	h.RequireNoFindings()
	h.DrainAll()
	h.RequireNoFindings() // the gift is booked, its fee is not
	_, err := h.Collector.ImportDue(t.Context())
	require.NoError(t, err)
	h.RequireNoFindings() // the balance was not compared yet
	_, err = h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM balance_observation WHERE held = kept AND held > 0`))
	h.RequireNoFindings()
}

// TestDailyRunReadsWhatIsNew: after a day without rows, a checker reads what was sealed since; a week later, and while it
// finds something, it reads everything.
func TestDailyRunReadsWhatIsNew(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	first := h.SettledGift(program.ValidForm())
	n := check.DailyRun{DB: h.DB.Server, NewID: program.NewID, Now: time.Now}
	day := func() (found []string) {
		t.Helper()
		_, err := ledger.Seal(t.Context(), h.DB.Server)
		require.NoError(t, err)
		all, err := n.Run(t.Context())
		require.NoError(t, err)
		for _, f := range all {
			if f.No == "A11" || f.No == "A3" {
				for range f.Count {
					found = append(found, f.No)
				}
			}
		}
		h.Exec(`ALTER TABLE check_run DISABLE TRIGGER insert_only; DELETE FROM check_run`)
		return found
	}
	change := func(d donation.Donation, by int) {
		t.Helper()
		h.Exec(`ALTER TABLE posting DISABLE TRIGGER USER`)
		h.Exec(`UPDATE posting SET amount = amount + $1::bigint WHERE account_code = '4100'
			AND entry_id = (SELECT id FROM journal_entry WHERE kind = 'payment' AND dimensions->>'donation' = $2)`, by, d.ID.String())
		h.Exec(`ALTER TABLE posting ENABLE TRIGGER USER`)
	}
	require.Empty(t, day())
	h.SettledGift(program.ValidForm())
	require.Empty(t, day())
	change(first, 1)
	require.Empty(t, day(), "the entry is not new")
	h.Exec(`UPDATE check_progress SET whole_at = now() - interval '7 days'`)
	require.Equal(t, []string{"A3", "A11"}, day(), "everything is read once a week")
	require.Equal(t, []string{"A3", "A11"}, day(), "and until nothing is wrong")
	change(first, -1)
	require.Empty(t, day())
	third := h.SettledGift(program.ValidForm())
	_, err := ledger.Seal(t.Context(), h.DB.Server)
	require.NoError(t, err)
	change(third, 1)
	require.Equal(t, []string{"A3", "A11"}, day(), "what is new is read every day")
	change(third, -1)
	require.Empty(t, day())
}

// TestDailyRun: the checkers run once a day; what they find is an open task until it is corrected.
func TestDailyRun(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.SettledGift(program.ValidForm())
	n := check.DailyRun{DB: h.DB.Server, NewID: program.NewID, Now: time.Now}
	nextDay := func(found ...string) {
		t.Helper()
		all, err := n.Run(t.Context())
		require.NoError(t, err)
		require.Len(t, all, len(check.Checkers()))
		require.Equal(t, found, h.Lines(`SELECT format('%s %s rows %s: %s', e.slug, t.subject, detail->>'rows', detail->>'first')
			FROM finance_task t JOIN legal_entity e ON e.id = t.entity_id WHERE kind = 'checker_found' AND closed_at IS NULL ORDER BY 1`))
		again, err := n.Run(t.Context())
		require.NoError(t, err)
		require.Nil(t, again, "once a day")
		h.Exec(`ALTER TABLE check_run DISABLE TRIGGER insert_only`)
		h.Exec(`UPDATE check_run SET day = day - 1000`) // in two steps: no day is taken twice meanwhile
		h.Exec(`UPDATE check_run SET day = day + 999`)
	}
	last, err := check.ReadLast(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.Empty(t, last)

	nextDay([]string{}...)
	h.Exec(`INSERT INTO river_job (kind, args, max_attempts, state, scheduled_at) VALUES ('odd', '{}', 1, 'available', now() - interval '1 hour')`)
	h.Exec(`UPDATE stripe_event SET state = 'new', done_at = NULL, due_at = now() - interval '1 hour'`)
	event := h.EventsOf(d)[0].ID
	for _, e := range h.EventsOf(d) {
		if e.Type == "charge.succeeded" {
			event = e.ID
		}
	}
	job := h.Lines(`SELECT id::text FROM river_job WHERE kind = 'odd'`)[0]
	nextDay("aina check_job_overdue rows 1: "+job, "tsne check_event_overdue rows 1: "+event, "tsne check_job_overdue rows 1: "+job)
	last, err = check.ReadLast(t.Context(), h.DB.Server)
	require.NoError(t, err)
	for _, l := range last {
		want := map[string]int64{"A8": 1, "A9": 1}[l.Checker]
		require.Equal(t, want, l.Rows, l.Checker)
		require.Less(t, l.Age, time.Hour)
	}
	h.Exec(`DELETE FROM river_job WHERE kind = 'odd'`)
	nextDay("tsne check_event_overdue rows 1: " + event)
	h.DrainAll()
	nextDay([]string{}...)
}

// TestAnInventedResultStopsNothing: an intruder with the server's role inserts results of the day before the daily run.
// The other checkers run, and what the database counted for an inserted result is a task.
func TestAnInventedResultStopsNothing(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(program.ValidForm())
	h.Exec(`UPDATE stripe_event SET state = 'new', done_at = NULL, due_at = now() - interval '1 hour'`)
	for _, no := range []string{"A1", "A9"} {
		_, err := h.DB.Server.Exec(`INSERT INTO check_run (day, checker, found, took) VALUES (current_date, $1, 0, '0')`, no)
		require.NoError(t, err)
	}
	const tasks = `SELECT subject || ' ' || (detail ->> 'rows') || coalesce(' closed' || left(closed_at::text, 0), '') FROM finance_task WHERE kind = 'checker_found' ORDER BY 1`
	require.Equal(t, []string{"check_event_overdue 1"}, h.Lines(tasks))
	all, err := check.DailyRun{DB: h.DB.Server, NewID: program.NewID, Now: time.Now}.Run(t.Context())
	require.NoError(t, err)
	require.Len(t, all, len(check.Checkers())-2)
	require.Equal(t, len(check.Checkers()), h.Count(`SELECT count(*) FROM check_run`))

	// Inserted with a snapshot of the time when all was well.
	h.Exec(`ALTER TABLE check_run DISABLE TRIGGER insert_only; DELETE FROM check_run; UPDATE finance_task SET closed_at = now()`)
	h.Exec(`UPDATE stripe_event SET state = 'done', done_at = now()`)
	tx, err := h.DB.Server.Beginx()
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.Exec(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM stripe_event`)
	require.NoError(t, err)
	h.Exec(`UPDATE stripe_event SET state = 'new', done_at = NULL, due_at = now() - interval '1 hour'`)
	_, err = tx.Exec(`INSERT INTO check_run (day, checker, found, took) VALUES (current_date, 'A9', 0, '0')`)
	require.ErrorContains(t, err, "read committed")
}

// leaveErasedAddress erases the donor of a gift and inserts a donor of another legal entity with the same address, dated
// before the erasure.
func leaveErasedAddress(t *testing.T, h *program.Program, d donation.Donation) {
	t.Helper()
	address := h.Lines(`SELECT email FROM donor WHERE id = $1`, d.DonorID)[0]
	e, err := h.OwnersPrivacy().Request(t.Context(), privacy.ErasureRequest{
		Donors: []uuid.UUID{d.DonorID}, Addresses: []string{address}, Language: "en", RequestedBy: "donor",
	})
	require.NoError(t, err)
	require.NoError(t, h.OwnersPrivacy().Erase(t.Context(), e.ID))
	h.Exec(`INSERT INTO donor (id, entity_id, email, first_name, last_name, language, created_at)
		SELECT gen_random_uuid(), id, $1, '', '', 'en', now() FROM legal_entity WHERE slug = 'aina'`, address)
	h.Exec(`UPDATE donor SET recorded_at = now() - interval '1 hour' WHERE email = $1`, address)
}

// TestAnInventedResultHidesNoErasedPerson: an intruder with the server's role inserts a result of A17 and says that the
// addresses were compared. The run compares them once.
func TestAnInventedResultHidesNoErasedPerson(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	leaveErasedAddress(t, h, h.SettledGift(program.ValidForm()))
	daily := check.DailyRun{DB: h.DB.Server, NewID: program.NewID, Now: time.Now, Traces: h.Privacy}
	for _, statement := range []string{
		`INSERT INTO check_run (day, checker, found, took) VALUES (current_date, 'A1', 0, '0')`,
		`INSERT INTO check_run (day, checker, found, took) VALUES (current_date, 'A17', 0, '0')`,
		`INSERT INTO erasure_trace_run (day, mac) SELECT (now() AT TIME ZONE 'UTC' - interval '8 hours')::date, sha256('x')`,
	} {
		_, err := h.DB.Server.Exec(statement)
		require.NoError(t, err, statement)
	}
	all, err := daily.Run(t.Context())
	require.NoError(t, err)
	require.Len(t, all, len(check.Checkers())-1, "all but A1")
	require.Len(t, check.Rows(all), 1)
	require.Equal(t, "A17", check.Rows(all)[0].Checker)
	require.NotZero(t, h.Count(`SELECT count(*) FROM finance_task WHERE subject = 'check_erased_person' AND closed_at IS NULL`))
	all, err = daily.Run(t.Context())
	require.NoError(t, err)
	require.Nil(t, all, "once a day")
}

// brokenTracer cannot compare addresses.
type brokenTracer struct{}

func (brokenTracer) RecordTracesTx(ctx context.Context, tx *sqlx.Tx) error {
	_, err := tx.ExecContext(ctx, `SELECT 1 / 0`)
	return err
}

func (brokenTracer) TracedTodayTx(context.Context, *sqlx.Tx) (bool, error) { return false, nil }

// TestAddressesThatCannotBeComparedStopNoChecker: the failure is that of A17, with a task.
func TestAddressesThatCannotBeComparedStopNoChecker(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	all, err := check.DailyRun{DB: h.DB.Server, NewID: program.NewID, Now: time.Now, Traces: brokenTracer{}}.Run(t.Context())
	require.ErrorContains(t, err, "no row names a person who was erased")
	require.Len(t, all, len(check.Checkers())-1)
	require.Equal(t, []string{"it cannot run: SQLSTATE 22012"},
		h.Lines(`SELECT DISTINCT detail ->> 'about it' FROM finance_task WHERE kind = 'checker_found' AND subject = 'check_erased_person'`))
	all, err = check.DailyRun{DB: h.DB.Server, NewID: program.NewID, Now: time.Now, Traces: h.Privacy}.Run(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
}

// TestAnUnreadableDayStopsNoChecker: between a migration and its grants the server's role may not read which day was
// compared. Then the addresses count as not compared.
func TestAnUnreadableDayStopsNoChecker(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	_, err := h.DB.Server.Exec(`INSERT INTO check_run (day, checker, found, took) VALUES (current_date, 'A17', 0, '0')`)
	require.NoError(t, err)
	h.Exec(`REVOKE ALL ON erasure_trace_run FROM konbit_server`)
	daily := check.DailyRun{DB: h.DB.Server, NewID: program.NewID, Now: time.Now, Traces: h.Privacy}
	all, err := daily.Run(t.Context())
	require.ErrorContains(t, err, "no row names a person who was erased")
	require.Len(t, all, len(check.Checkers())-1)
}

// TestACheckerThatFailsStopsNoOther: rows that an intruder inserts can make a view fail. The others run, a task says
// which one cannot, and it runs again when it can.
func TestACheckerThatFailsStopsNoOther(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	_, err := h.DB.Server.Exec(`INSERT INTO balance_observation (entity_id, currency, held, kept) SELECT id, currency, 9223372036854775807, -1 FROM legal_entity`)
	require.NoError(t, err)
	_, err = h.DB.Server.Exec(`INSERT INTO river_job (kind, args, max_attempts, state, scheduled_at)
		VALUES ('x', '{"receipt_id": "------------------------------------"}', 1, 'available', now() - interval '1 hour')`)
	require.NoError(t, err)
	daily := check.DailyRun{DB: h.DB.Server, NewID: program.NewID, Now: time.Now}
	all, err := daily.Run(t.Context())
	require.ErrorContains(t, err, "clearing is what Stripe holds")
	require.Len(t, all, len(check.Checkers())-1, "A8 runs too")
	require.Equal(t, []string{"check_clearing_differs it cannot run: SQLSTATE 22003"},
		h.Lines(`SELECT DISTINCT subject || ' ' || (detail ->> 'about it') FROM finance_task WHERE kind = 'checker_found' AND subject = 'check_clearing_differs'`))
	_, err = daily.Run(t.Context())
	require.Error(t, err, "it is due until it runs")
	_, err = h.DB.Server.Exec(`INSERT INTO balance_observation (entity_id, currency, held, kept) SELECT id, currency, 0, 0 FROM legal_entity`)
	require.NoError(t, err)
	all, err = daily.Run(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task WHERE subject = 'check_clearing_differs' AND closed_at IS NULL`))
}

// TestOneServerRunsTheCheckers: of several servers at the same time, one runs the checkers.
func TestOneServerRunsTheCheckers(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	var runs atomic.Int64
	var servers sync.WaitGroup
	for range 8 {
		servers.Go(func() {
			all, err := check.DailyRun{DB: h.DB.Server, NewID: program.NewID, Now: time.Now}.Run(t.Context())
			if assert.NoError(t, err); all != nil {
				runs.Add(1)
			}
		})
	}
	servers.Wait()
	require.EqualValues(t, 1, runs.Load())
	require.Equal(t, len(check.Checkers()), h.Count(`SELECT count(*) FROM check_run`))
}

// TestServerRoleOnlyReads: the server's role may read every view of the schema, and write through none.
func TestServerRoleOnlyReads(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	var views []string
	for _, c := range check.Checkers() {
		views = append(views, c.View)
		_, err := h.DB.Server.Exec(`DELETE FROM ` + c.View)
		require.Error(t, err)
	}
	require.ElementsMatch(t, views, h.Lines(`SELECT viewname FROM pg_views WHERE schemaname = 'public' AND viewname LIKE 'check%'`))
	for _, view := range views {
		require.Equal(t, []string{"SELECT"}, h.Lines(`SELECT privilege_type FROM information_schema.role_table_grants WHERE grantee = 'konbit_server' AND table_name = $1`, view))
	}
	for _, statement := range []string{
		`UPDATE check_run SET found = 0`, `DELETE FROM check_run`, `INSERT INTO check_run (day, checker, found, took, checked_at) VALUES ('2000-01-01', 'A1', 0, '0', '2000-01-01')`,
		`UPDATE balance_observation SET held = kept`, `DELETE FROM balance_observation`,
	} {
		_, err := h.DB.Server.Exec(statement)
		require.ErrorContains(t, err, "permission denied", statement)
	}
}
