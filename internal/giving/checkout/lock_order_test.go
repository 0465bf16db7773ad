package checkout_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/checkout"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/platform/money"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// beginning is a submission of a form, in a transaction that executes one step at a time.
type beginning struct {
	donation donation.Donation
	checkout checkout.Checkout
	request  donation.Request
	email    string
	fund     uuid.UUID
	fresh    bool // the form had no gift

	tx    *sqlx.Tx
	pid   int // of the database's process
	steps []func() error
	ended chan error // receives the error of each call of run
}

// run executes up to n steps, and commits after the last one.
func (b *beginning) run(n int) {
	go func() {
		for ; n > 0 && len(b.steps) > 0; n-- {
			if err := b.steps[0](); err != nil {
				b.ended <- err
				return
			}
			b.steps = b.steps[1:]
		}
		if len(b.steps) == 0 {
			b.ended <- b.tx.Commit()
			return
		}
		b.ended <- nil
	}()
}

// prepare sets the steps of Starter.begin.
func (b *beginning) prepare(t *testing.T) {
	b.steps = []func() error{
		func() (err error) {
			b.donation.DonorID, err = donor.FindOrAddTx(t.Context(), b.tx, donor.Donor{
				ID: program.NewID(), EntityID: b.donation.EntityID, Email: b.email, FirstName: "A", LastName: "B", Language: "en", CreatedAt: b.donation.CreatedAt,
			})
			return err
		},
		func() (err error) {
			b.fresh, err = checkout.InsertTx(t.Context(), b.tx, b.checkout)
			return err
		},
		func() error {
			if !b.fresh {
				return nil
			}
			return donation.CreateTx(t.Context(), b.tx, b.donation, b.request)
		},
	}
}

// TestGiftsBeginWithoutADeadlock lets two requests begin a gift at once. One stops after each number of steps
// and the other after each number of steps, or because it waits for a lock; then the first goes on and the other after
// it. The database ends one of two transactions that wait for each other, so that its step would report an error.
func TestGiftsBeginWithoutADeadlock(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	like := h.StartedGift(program.ValidForm())
	page := h.Checkout(like)
	for _, c := range []struct {
		name                string
		sameForm, sameDonor bool
		gifts               int
	}{{"same form", true, false, 1}, {"same donor", false, true, 2}, {"same form and donor", true, true, 1}} {
		for firstSteps := range 3 {
			for otherSteps := range 4 {
				name := fmt.Sprintf("%s, %d and %d steps", c.name, firstSteps+1, otherSteps)
				t.Run(name, func(t *testing.T) {
					first, other := begin(t, h, like, page), begin(t, h, like, page)
					if c.sameForm {
						other.checkout.FormID = first.checkout.FormID
					}
					if c.sameDonor {
						other.email = first.email
					}
					first.prepare(t)
					other.prepare(t)
					interleave(t, h, first, other, firstSteps+1, otherSteps)
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
func begin(t *testing.T, h *program.Program, like donation.Donation, page checkout.Checkout) *beginning {
	t.Helper()
	b := &beginning{donation: like, checkout: page, fund: h.Offer("csio").Funds[0].ID, ended: make(chan error, 1)}
	b.donation.ID, b.donation.PublicRef, b.email = program.NewID(), program.NewRef(), program.NewID().String()+"@example.org"
	b.checkout = checkout.Checkout{DonationID: b.donation.ID, FormID: program.NewID(), FormHash: page.FormHash, Try: 1, ExpiresAt: page.ExpiresAt}
	b.request = donation.Request{Designations: []donation.Designation{{FundID: b.fund, Amount: like.Amount(), Covered: money.New(0, "USD")}}}
	tx, err := h.DB.Server.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	// However slow this machine is, no time limit ends a transaction.
	_, err = tx.Exec(`SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0`)
	require.NoError(t, err)
	b.tx = tx
	require.NoError(t, tx.Get(&b.pid, `SELECT pg_backend_pid()`))
	return b
}

// interleave runs n steps of first and m of other; then the rest of first, and the rest of other.
func interleave(t *testing.T, h *program.Program, first, other *beginning, n, m int) {
	t.Helper()
	first.run(n)
	require.NoError(t, <-first.ended)
	if len(first.steps) == 0 { // it has committed
		other.run(len(other.steps))
		require.NoError(t, <-other.ended)
		return
	}
	other.run(m)
	otherWaits := waitsForLock(t, h, other)
	first.run(len(first.steps))
	if !otherWaits && waitsForLock(t, h, first) {
		other.run(len(other.steps))
		require.NoError(t, <-other.ended)
		require.NoError(t, <-first.ended)
		return
	}
	if otherWaits {
		require.NoError(t, <-first.ended)
		require.NoError(t, <-other.ended)
	}
	if len(other.steps) > 0 {
		other.run(len(other.steps))
		require.NoError(t, <-other.ended)
	}
}

// waitsForLock returns true when the transaction waits for a lock, and false when its steps have ended without an error.
func waitsForLock(t *testing.T, h *program.Program, b *beginning) (waits bool) {
	t.Helper()
	testkit.Eventually(t, time.Minute, func() error {
		select {
		case err := <-b.ended:
			require.NoError(t, err)
			return nil
		default:
		}
		if waits = h.Count(`SELECT cardinality(pg_blocking_pids($1))`, b.pid) > 0; waits {
			return nil
		}
		return fmt.Errorf("the steps have not ended and wait for no lock")
	})
	return waits
}
