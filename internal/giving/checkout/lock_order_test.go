package checkout_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/checkout"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/money"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// pauses makes an insert into donor or checkout wait for a lock of the test's, by the table and the transaction's number.
const pauses = `
	CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM pg_advisory_xact_lock_shared(CASE TG_TABLE_NAME WHEN 'donor' THEN 1 ELSE 2 END, current_setting('test.number')::integer);
		RETURN NULL;
	END $$;
	CREATE TRIGGER pause AFTER INSERT ON donor FOR EACH ROW WHEN (current_setting('test.number', true) <> '') EXECUTE FUNCTION pause();
	CREATE TRIGGER pause AFTER INSERT ON checkout FOR EACH ROW WHEN (current_setting('test.number', true) <> '') EXECUTE FUNCTION pause()`

// beginning is a submission of a form, in a transaction that stops after a number of steps: 1 the donor, 2 the checkout, 3
// the commit.
type beginning struct {
	donation donation.Donation
	checkout checkout.Checkout
	request  donation.Request
	fresh    bool // the form had no gift

	h               *program.Program
	tx              *sqlx.Tx
	pid             int // of the database's process
	number          int
	holder          *sqlx.Tx // holds the lock at which it stops; nil: it does not stop
	pausedBy, steps int
	ended           chan error // receives the error of the transaction
	over            bool
}

// start begins the gift, up to n steps.
func (b *beginning) start(t *testing.T, n int) {
	t.Helper()
	b.steps = n
	if n < 3 {
		holder, err := b.h.DB.Owner.BeginTxx(t.Context(), nil)
		require.NoError(t, err)
		t.Cleanup(func() { _ = holder.Rollback() })
		b.holder = holder
		b.holder.MustExec(`SELECT pg_advisory_xact_lock($1, $2)`, n, b.number)
		require.NoError(t, b.holder.Get(&b.pausedBy, `SELECT pg_backend_pid()`))
	}
	args := checkout.BeginArgs(b.donation, b.checkout, b.request, program.NewID())
	go func() {
		var donors []uuid.NullUUID
		err := b.tx.Select(&donors, checkout.Begin, args...)
		if err == nil {
			b.fresh = donors[0].Valid
			err = b.tx.Commit()
		}
		b.ended <- err
	}()
}

// goOn lets the transaction run to its end.
func (b *beginning) goOn(t *testing.T) {
	t.Helper()
	switch {
	case b.steps == 0:
		b.start(t, 3)
	case b.holder != nil:
		require.NoError(t, b.holder.Rollback())
		b.holder = nil
	}
}

// waits returns true when the transaction waits for one that the test did not stop, and false when it stops or has ended.
func (b *beginning) waits(t *testing.T) (waits bool) {
	t.Helper()
	testkit.Eventually(t, time.Minute, func() error {
		if b.over || b.steps == 0 {
			return nil
		}
		select {
		case err := <-b.ended:
			require.NoError(t, err)
			b.over = true
			return nil
		default:
		}
		var by pq.Int64Array
		require.NoError(t, b.h.DB.Owner.Get(&by, `SELECT pg_blocking_pids($1)`, b.pid))
		stops := slices.Contains(by, int64(b.pausedBy))
		if len(by) == 0 || stops && b.holder == nil {
			return fmt.Errorf("the transaction has not ended and waits for no lock")
		}
		waits = !stops
		return nil
	})
	return waits
}

// TestGiftsBeginWithoutADeadlock lets two requests begin a gift at once. One stops after each number of steps
// and the other after each number of steps, or because it waits for a lock; then the first goes on and the other after
// it. The database ends one of two transactions that wait for each other, so that it would report an error.
func TestGiftsBeginWithoutADeadlock(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	like := h.StartedGift(program.ValidForm())
	page := h.Checkout(like)
	h.DB.Owner.MustExec(pauses)
	for _, c := range []struct {
		name                string
		sameForm, sameDonor bool
		gifts               int
	}{{"same form", true, false, 1}, {"same donor", false, true, 2}, {"same form and donor", true, true, 1}} {
		for firstSteps := 1; firstSteps <= 3; firstSteps++ {
			for otherSteps := range 4 {
				t.Run(fmt.Sprintf("%s, %d and %d steps", c.name, firstSteps, otherSteps), func(t *testing.T) {
					first, other := begin(t, h, like, page, 1), begin(t, h, like, page, 2)
					if c.sameForm {
						other.checkout.FormID = first.checkout.FormID
					}
					if c.sameDonor {
						other.request.Contact.Email = first.request.Contact.Email
					}
					first.start(t, firstSteps)
					require.False(t, first.waits(t))
					require.Equal(t, firstSteps == 3, first.over)
					if otherSteps > 0 {
						other.start(t, otherSteps)
					}
					otherWaits := other.waits(t)
					first.goOn(t)
					if first.waits(t) { // for the other, which stops
						require.False(t, otherWaits)
						other.goOn(t)
						require.False(t, other.waits(t))
						require.False(t, first.waits(t))
					}
					other.goOn(t)
					require.False(t, other.waits(t))
					require.True(t, first.over && other.over)
					require.Equal(t, c.gifts == 2, first.fresh && other.fresh)
					require.True(t, first.fresh || other.fresh)
					require.Equal(t, c.gifts, h.Count(`SELECT count(*) FROM checkout c JOIN donation d ON d.id = c.donation_id WHERE c.form_id IN ($1, $2)`,
						first.checkout.FormID, other.checkout.FormID))
				})
			}
		}
	}
}

// begin returns a submission of a form of its own by a donor of its own, like a gift with its page.
func begin(t *testing.T, h *program.Program, like donation.Donation, page checkout.Checkout, number int) *beginning {
	t.Helper()
	b := &beginning{donation: like, checkout: page, h: h, number: number, ended: make(chan error, 1)}
	b.donation.ID, b.donation.PublicRef = program.NewID(), program.NewRef()
	b.checkout = checkout.Checkout{DonationID: b.donation.ID, FormID: program.NewID(), FormHash: page.FormHash, Try: 1, ExpiresAt: page.ExpiresAt}
	b.request = donation.Request{Designations: []donation.Designation{{FundID: h.Offer("csio").Funds[0].ID, Amount: like.Amount(), Covered: money.New(0, "USD")}}}
	b.request.Contact.Email = program.NewID().String() + "@example.org"
	tx, err := h.DB.Server.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	// However slow this machine is, no time limit ends a transaction.
	_, err = tx.Exec(fmt.Sprintf(`SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
		SET LOCAL test.number = %d`, number))
	require.NoError(t, err)
	b.tx = tx
	require.NoError(t, tx.Get(&b.pid, `SELECT pg_backend_pid()`))
	return b
}
