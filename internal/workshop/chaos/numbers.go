package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

func init() {
	register(Row{
		Name: "numbers", No: "12", Short: 100, Long: 10_000, Prove: Numbers,
		Promise: "receipts of two entities and two years, three transactions in ten rolled back, on four servers that are killed " +
			"meanwhile: 1..N without a gap or a repeat, at least 500 a second",
	})
}

const (
	settlers   = 4  // replicas
	rolledBack = 30 // of a hundred transactions
	perSettle  = 100
	numbered   = 500 // receipts a second, in full
)

// Numbers lets real servers that are killed issue a tenth of the receipts, and parallel settlers the others, as fast as
// they can.
func Numbers(t testing.TB, run Run) {
	served := max(run.Count/10, 20)
	receiptsOfServers(t, run, served)
	receiptsOfSettlers(t, run, max(run.Count-served, 20))
}

// receiptsOfServers gives gifts while a trigger rolls back three of ten transactions that issue receipts, and servers
// are killed.
func receiptsOfServers(t testing.TB, run Run, gifts int) {
	s := e2e.Start(t, e2e.Options{Servers: settlers, Stripe: stripefake.Options{Seed: run.Seed | 1}})
	s.DB.Owner.MustExec(fmt.Sprintf(`CREATE SEQUENCE undone; GRANT USAGE ON SEQUENCE undone TO PUBLIC;
		CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		    IF random() * 100 < %d THEN
		        PERFORM nextval('public.undone');
		        RAISE EXCEPTION 'rolled back on purpose' USING ERRCODE = 'serialization_failure';
		    END IF;
		    RETURN NULL;
		END $$;
		CREATE TRIGGER undo AFTER INSERT ON receipt FOR EACH STATEMENT EXECUTE FUNCTION undo()`, rolledBack))
	over := make(chan struct{})
	var donors sync.WaitGroup
	var next atomic.Int64
	for range settlers {
		donors.Go(func() {
			for n := next.Add(1); n <= int64(gifts); n = next.Add(1) {
				give(t, s, int(n), patient)
				run.Progress(1)
			}
		})
	}
	go func() { donors.Wait(); close(over) }()
	r, kills := rand.New(rand.NewPCG(run.Seed, 12)), 0
	for given := false; !given || kills == 0; {
		select {
		case <-over:
			given = true
		case <-time.After(time.Duration(100+r.IntN(600)) * time.Millisecond):
		}
		if !given || kills == 0 { // on a fast machine all gifts may be given before the first kill
			pick(r, s.Servers()).Restart()
			kills++
		}
	}
	s.AgeLeases()
	s.WaitDrained(drained)
	var rolledBack int
	require.NoError(t, s.DB.Owner.Get(&rolledBack, `SELECT last_value - 1 + is_called::int FROM undone`))
	s.DB.Owner.MustExec(`DROP TRIGGER undo ON receipt`)
	run.Record("killed", fmt.Sprint(kills))
	run.Record("rolled back on servers", fmt.Sprint(rolledBack))
	s.RequireGifts(gifts)
}

// receiptsOfSettlers settles gifts in batches, each settler with its own pool. Three of ten transactions roll back: by
// themselves, or because their connection is closed.
func receiptsOfSettlers(t testing.TB, run Run, receipts int) {
	h := program.New(t, program.Options{Fake: stripefake.Options{Seed: run.Seed | 1}})
	charges := numberedCharges(t, h, receipts)
	batches := make(chan []donation.IncomingPayment, len(charges))
	for len(charges) > 0 {
		n := min(perSettle, len(charges), 1+receipts/40)
		batches <- charges[:n]
		charges = charges[n:]
	}
	began := time.Now()
	var all sync.WaitGroup
	var failed atomic.Int64
	for i := range settlers {
		db, err := sqlx.Connect("postgres", h.DB.ServerURL+"&binary_parameters=yes") // as pg.Open
		require.NoError(t, err)
		defer db.Close()
		r := rand.New(rand.NewPCG(run.Seed, uint64(i)))
		all.Go(func() {
			for {
				select {
				case batch := <-batches:
					if err := settleOrRollBack(t, h, db, r, batch); err != nil {
						failed.Add(1)
						batches <- batch
						if !errors.Is(err, errUndone) && !pg.IsTransient(err) {
							t.Error(err)
							return
						}
						continue
					}
					run.Progress(len(batch))
				default:
					return // a settler does again what a rollback undid
				}
			}
		})
	}
	all.Wait()
	rate := float64(receipts) / time.Since(began).Seconds()
	require.Positive(t, failed.Load())
	run.Record("rolled back", fmt.Sprint(failed.Load()))
	run.Record("a second", fmt.Sprintf("%.0f", rate))
	checkNumbers(t, h, receipts)
	if receipts >= 5000 {
		require.GreaterOrEqual(t, rate, float64(numbered))
	}
}

var errUndone = errors.New("rolled back on purpose")

func settleOrRollBack(t testing.TB, h *program.Program, db *sqlx.DB, r *rand.Rand, batch []donation.IncomingPayment) error {
	catalog := h.CurrentCatalog()
	return pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		if _, err := h.Settler.SettleTx(t.Context(), tx, catalog, batch); err != nil {
			return err
		}
		switch chance := r.IntN(100); {
		case chance < rolledBack/2:
			return errUndone
		case chance < rolledBack:
			_, err := tx.Exec(`SELECT pg_terminate_backend(pg_backend_pid())`)
			return errors.Join(err, errUndone)
		}
		return nil
	})
}

// numberedCharges starts gifts and charges them to the entities and years in turn.
func numberedCharges(t testing.TB, h *program.Program, n int) []donation.IncomingPayment {
	charges := make([]donation.IncomingPayment, n)
	years := []time.Time{time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)}
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := worker; i < n; i += 8 {
				form := program.ValidForm()
				form.FormID, form.Contact.Email = uuid.New(), fmt.Sprintf("donor%d@donor.example", i)
				slug := "csio"
				if i%2 == 1 {
					slug, form.Fund = "aina", "land"
				}
				d, err := h.SubmitFor(slug, form)
				if err != nil {
					t.Error(err)
					return
				}
				charges[i] = program.ChargeOf(d.Donation, years[i/2%2])
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return charges
}

// checkNumbers checks that each of the four series runs from 1 without a gap, and that every other count equals the
// count of receipts.
func checkNumbers(t testing.TB, h *program.Program, receipts int) {
	t.Helper()
	bad := h.Lines(`SELECT format('%s %s: %s receipts from %s to %s, counter %s', entity_id, year, count(*), min(number), max(number), max(last))
		FROM receipt JOIN receipt_counter USING (entity_id, year) GROUP BY entity_id, year
		HAVING min(number) <> 1 OR max(number) <> count(*) OR count(DISTINCT number) <> count(*) OR max(last) <> count(*)`)
	require.Empty(t, bad)
	require.Equal(t, 4, h.Count(`SELECT count(*) FROM receipt_counter`))
	for _, what := range []string{`receipt`, `donation WHERE status = 'settled'`, `journal_entry WHERE kind = 'payment'`, `river_job WHERE kind = 'receipt_letter'`} {
		require.Equal(t, receipts, h.Count(`SELECT count(*) FROM `+what), what)
	}
}
