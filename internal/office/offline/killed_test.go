package offline_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/notice"
	"konbit/internal/giving/receipt"
	"konbit/internal/office/offline"
	"konbit/internal/office/thanks"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/settlement"
	"konbit/internal/workshop/testkit/program"
)

// Environment of the process that is killed.
const (
	killedDatabase = "OFFLINE_TEST_DATABASE"
	killedSession  = "OFFLINE_TEST_SESSION"
	killedBatch    = "OFFLINE_TEST_BATCH"
)

// TestMain runs the process that is killed, if the environment says so.
func TestMain(m *testing.M) {
	if os.Getenv(killedBatch) == "" {
		os.Exit(m.Run())
	}
	if err := postOne(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// postOne posts a batch as a server does.
func postOne() error {
	ctx := context.Background()
	db, err := pg.Open(ctx, os.Getenv(killedDatabase), 2)
	if err != nil {
		return err
	}
	queue, err := jobs.NewQueue()
	if err != nil {
		return err
	}
	catalog, err := fund.NewCatalogCache(db, time.Minute, time.Now).Current(ctx)
	if err != nil {
		return err
	}
	poster := offline.Poster{
		Settler: donation.Settler{
			Receipts: receipt.Issuer{Queue: queue, NewID: program.NewID}, Notices: notice.Recorder{Queue: queue, NewID: program.NewID},
			NewID: program.NewID, Now: time.Now, Offline: settlement.OfflineFees{NewID: program.NewID},
		},
		Thanks: thanks.Issuer{Queue: queue, NewID: program.NewID}, NewID: program.NewID, NewRef: program.NewRef, Now: time.Now,
	}
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		if _, err := tx.Exec(`SELECT set_config('konbit.staff_session', $1, true)`, os.Getenv(killedSession)); err != nil {
			return err
		}
		_, err := poster.PostTx(ctx, tx, catalog, uuid.MustParse(os.Getenv(killedBatch)), "")
		return err
	})
}

// TestKilledHalfWay: a server that posts a batch is killed with SIGKILL while it locks the donors, while it takes the numbers of the
// receipts, and after the commit. The batch is posted once.
func TestKilledHalfWay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first := f.batch(1, 10_00)
	f.add(first, offline.Typed{"first_name": "Rosa", "last_name": "Lima", "amount": "10"})
	_, err := f.post(f.clara, first, "")
	require.NoError(t, err)
	rosa := f.find(f.june, "lima")[0]
	for step, lock := range map[string]string{
		"at the donors": `SELECT FROM donor FOR UPDATE`, "at the receipts": `SELECT FROM receipt_counter FOR UPDATE`, "after the commit": ``,
	} {
		b := f.batch(3, 75_00)
		f.add(b, offline.Typed{"donor": "lima", "amount": "25"}, offline.Choice{ID: rosa.ID, Kind: rosa.Kind})
		f.add(b, offline.Typed{"first_name": "New " + step, "amount": "25", "email": "new@example.org"})
		f.add(b, offline.Typed{"organisation": "Fidelity Charitable", "given_by": "daf", "amount": "25"})
		gifts := f.Count(`SELECT count(*) FROM payment`)
		child := exec.Command(os.Args[0], "-test.run=^$")
		child.Env = append(os.Environ(), killedDatabase+"="+f.DB.ServerURL, killedSession+"="+f.clara.Session, killedBatch+"="+b.ID.String())
		child.Stderr = os.Stderr
		if lock == "" {
			require.NoError(t, child.Run())
		} else {
			tx := f.DB.Owner.MustBegin()
			tx.MustExec(lock)
			require.NoError(t, child.Start())
			require.Eventually(t, func() bool {
				return f.Count(`SELECT count(*) FROM pg_locks WHERE NOT granted`) > 0
			}, time.Minute, 20*time.Millisecond, step)
			require.NoError(t, child.Process.Kill())
			_, _ = child.Process.Wait()
			require.NoError(t, tx.Rollback())
			require.Equal(t, gifts, f.Count(`SELECT count(*) FROM payment`), "nothing of it is stored")
		}
		done, err := f.post(f.diego, b, "")
		require.NoError(t, err, step)
		require.Equal(t, lock != "", done, step)
		require.Equal(t, gifts+3, f.Count(`SELECT count(*) FROM payment`), step)
	}
	require.Equal(t, 3, f.Count(`SELECT count(*) FROM thank_you`))
	f.quiet()
}
