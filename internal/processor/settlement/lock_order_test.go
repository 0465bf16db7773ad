package settlement_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/settlement"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// TestFundsAreLockedBeforeTheReceiptsCounter: booking locks funds first and the counter of receipt numbers last,
// because a transaction that has locked a fund may settle gifts meanwhile.
func TestFundsAreLockedBeforeTheReceiptsCounter(t *testing.T) {
	h := program.New(t, program.Options{})
	g, first, second := settledGift(t, h), h.StartedGift(program.ValidForm()), h.StartedGift(program.ValidForm())
	catalog, now := h.CurrentCatalog(), time.Now().UTC()
	general := catalog.Open(g.OrganisationID)[0]
	charge := program.ChargeOf(second, now)
	refund := disputed(g, "txn_refund", "refund", -500)
	refund.Type, refund.SourceID = "refund", "re_1"
	booked := make(chan error, 1)
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		if err := fund.LockTx(t.Context(), tx, general.ID); err != nil {
			return err
		}
		go func() {
			booked <- pg.InTx(context.Background(), h.DB.Server, func(tx *sqlx.Tx) error {
				_, err := h.Booker.BookTx(context.Background(), tx, catalog, g.EntityID, []settlement.Transaction{{ID: "txn_charge", Type: "charge", Category: "charge", SourceID: charge.ChargeRef,
					ChargeID: charge.ChargeRef, Amount: 2000, Fee: 88, Net: 1912, Currency: "USD", CreatedAt: now, AvailableOn: now, Charge: &charge}, refund})
				return err
			})
		}()
		time.Sleep(300 * time.Millisecond)
		_, err := h.Settler.SettleTx(t.Context(), tx, catalog, []donation.IncomingPayment{program.ChargeOf(first, now)})
		return err
	}))
	require.NoError(t, <-booked)
}

// TestDonationsAreLockedBeforeDonors: booking a refund waits for a move of its gift before it locks the donor. The move
// locks the donor after the gift too.
func TestDonationsAreLockedBeforeDonors(t *testing.T) {
	h := program.New(t, program.Options{})
	g := settledGift(t, h)
	refund := disputed(g, "txn_refund", "refund", -500)
	refund.Type, refund.SourceID = "refund", "re_1"
	move, err := h.DB.Owner.Beginx()
	require.NoError(t, err)
	defer func() { _ = move.Rollback() }()
	_, err = move.Exec(`SELECT id FROM donation FOR UPDATE`)
	require.NoError(t, err)
	booked := make(chan error, 1)
	go func() {
		booked <- pg.InTx(context.Background(), h.DB.Server, func(tx *sqlx.Tx) error {
			_, err := h.Booker.BookTx(context.Background(), tx, h.CurrentCatalog(), g.EntityID, []settlement.Transaction{refund})
			return err
		})
	}()
	testkit.Eventually(t, time.Minute, func() error {
		if h.Count(`SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND NOT l.granted`) == 0 {
			return errors.New("the booking does not wait yet")
		}
		return nil
	})
	_, err = move.Exec(`SELECT id FROM donor FOR UPDATE NOWAIT`)
	require.NoError(t, err, "the donor is free")
	require.NoError(t, move.Commit())
	require.NoError(t, <-booked)
}

// TestDonorsAreLockedBeforeFunds: booking a refund waits for an erasure of its donor before it locks a fund, so that
// everybody else's money is booked meanwhile.
func TestDonorsAreLockedBeforeFunds(t *testing.T) {
	h := program.New(t, program.Options{})
	g := settledGift(t, h)
	refund := disputed(g, "txn_refund", "refund", -500)
	refund.Type, refund.SourceID = "refund", "re_1"
	erasure, err := h.DB.Owner.Beginx()
	require.NoError(t, err)
	defer func() { _ = erasure.Rollback() }()
	_, err = erasure.Exec(`SELECT id FROM donor FOR UPDATE`)
	require.NoError(t, err)
	booked := make(chan error, 1)
	go func() {
		booked <- pg.InTx(context.Background(), h.DB.Server, func(tx *sqlx.Tx) error {
			_, err := h.Booker.BookTx(context.Background(), tx, h.CurrentCatalog(), g.EntityID, []settlement.Transaction{refund})
			return err
		})
	}()
	testkit.Eventually(t, time.Minute, func() error {
		if h.Count(`SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND NOT l.granted`) == 0 {
			return errors.New("the booking does not wait yet")
		}
		return nil
	})
	_, err = erasure.Exec(`SELECT id FROM fund FOR NO KEY UPDATE NOWAIT`)
	require.NoError(t, err, "no fund is locked")
	require.NoError(t, erasure.Rollback())
	require.NoError(t, <-booked)
}
