package event

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/guard"
	"konbit/internal/processor/settlement"
)

// batch is a batch of events that are applied together, and what becomes of each.
type batch struct {
	*Worker
	catalog    *fund.Catalog
	events     []Event
	results    []Result
	needsFetch []Event
}

// applyTx applies events in one transaction. It returns those that hint at something that must be read at the
// processor. They are parked meanwhile, so that the reading happens outside any transaction.
//
// The order of the steps is the order in which rows are locked: plans, then donations, then the counter of receipts,
// which settleChargesTx locks last. It does not depend on the order in which events arrive.
//
//	status updates   a charge that succeeded wins over them
//	declines         only those that are no renewal count against a donor's network
//	plans            subscriptions and invoices are known before the charges that pay them
//	charges          settle donations
//	expected charges park until the charge has come
//	movements        park until the import has booked them; a lost dispute is booked here, and what was told of it stored
func (w *Worker) applyTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, events []Event) (needsFetch []Event, err error) {
	b := &batch{Worker: w, catalog: catalog, events: events, results: make([]Result, len(events))}
	for i := range b.results {
		b.results[i] = Result{State: Done}
	}
	for _, step := range []func(context.Context, *sqlx.Tx) error{
		b.lockPlansTx, b.updateStatusesTx, b.recordDeclinesTx, b.updatePlansTx, b.settleChargesTx, b.awaitChargesTx, b.applyMovementsTx,
	} {
		if err := step(ctx, tx); err != nil {
			return nil, err
		}
	}
	return b.needsFetch, w.Source.FinishTx(ctx, tx, events, b.results)
}

func (b *batch) updateStatusesTx(ctx context.Context, tx *sqlx.Tx) error {
	var updates []donation.StatusUpdate
	for _, e := range b.events {
		if e.Fact.Status != nil {
			updates = append(updates, *e.Fact.Status)
		}
	}
	return donation.UpdateStatusTx(ctx, tx, b.Settler.Notices, updates, b.Settler.Now())
}

// recordDeclinesTx records the declines of cards that a donor tried at the form. A renewal is charged without anybody
// at a form.
func (b *batch) recordDeclinesTx(ctx context.Context, tx *sqlx.Tx) error {
	var failures []guard.Failure
	for _, e := range b.events {
		if e.Fact.Decline == nil {
			continue
		}
		renewal, err := recurring.IsRenewal(ctx, tx, e.EntityID, e.Fact.Decline.InvoiceRef, e.Fact.Decline.CustomerRef)
		if err != nil {
			return err
		}
		if !renewal {
			failures = append(failures, e.Fact.Decline.Failure)
		}
	}
	return guard.RecordFailuresTx(ctx, tx, failures)
}

// settleChargesTx settles the donations whose charges succeeded, all at once.
func (b *batch) settleChargesTx(ctx context.Context, tx *sqlx.Tx) error {
	var charges []donation.IncomingPayment
	var indexes []int // of their events
	for i, e := range b.events {
		if e.Fact.Charge != nil {
			charges, indexes = append(charges, *e.Fact.Charge), append(indexes, i)
		}
	}
	if len(charges) == 0 {
		return nil
	}
	outcomes, err := b.Settler.SettleTx(ctx, tx, b.catalog, charges)
	if err != nil {
		return err
	}
	for n, outcome := range outcomes {
		if outcome != donation.MissingDonation && outcome != donation.AwaitsInvoice {
			continue
		}
		e := b.events[indexes[n]]
		b.results[indexes[n]] = parked("its gift is not here", parkDelay(e.Attempts))
		if charges[n].Invoice != nil && e.Attempts > 0 {
			b.needsFetch = append(b.needsFetch, e) // the invoice that it paid is unknown: read it
		}
	}
	return nil
}

// awaitChargesTx parks the events of payments whose charge is not stored yet. The charge's own event usually arrives
// first or a moment later; from the third attempt on, the charge is fetched. An event whose payment names no donation
// of ours is finished: its charge decides.
func (b *batch) awaitChargesTx(ctx context.Context, tx *sqlx.Tx) error {
	var ids []uuid.UUID
	for _, e := range b.events {
		if x := e.Fact.Expected; x != nil && x.DonationID != uuid.Nil {
			ids = append(ids, x.DonationID)
		}
	}
	unsettled, err := unsettledTx(ctx, tx, ids)
	if err != nil {
		return err
	}
	unpaid, err := b.unpaidInvoicesTx(ctx, tx)
	if err != nil {
		return err
	}
	for i, e := range b.events {
		x := e.Fact.Expected
		if x == nil || x.ChargeRef == "" && !unsettled[x.DonationID] && !unpaid[x.InvoiceRef] && !e.Fact.needsInvoice() {
			continue
		}
		if e.Attempts > 1 || x.ChargeRef != "" {
			b.needsFetch = append(b.needsFetch, e)
		}
		delay := max(chargeGrace, parkDelay(e.Attempts))
		if e.Attempts == 0 && x.ChargeRef == "" {
			delay = firstRetry
		}
		b.results[i] = parked("waits for its charge", delay)
	}
	return nil
}

// unsettledTx returns which of the donations have no settled payment.
func unsettledTx(ctx context.Context, tx *sqlx.Tx, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	open := map[uuid.UUID]bool{}
	if len(ids) == 0 {
		return open, nil
	}
	unsettled, err := donation.UnsettledTx(ctx, tx, ids)
	for _, id := range unsettled {
		open[id] = true
	}
	return open, err
}

// applyMovementsTx parks events whose movements of money are not booked yet, and requests an import of the balance for
// them. It books a lost dispute once the withdrawal of its money is booked. What a dispute means for a plan does not wait:
// the first attempt requests it.
func (b *batch) applyMovementsTx(ctx context.Context, tx *sqlx.Tx) error {
	for i, e := range b.events {
		m := e.Fact.Movement
		if m == nil {
			continue
		}
		if m.Refetch {
			b.results[i] = parked("must be read at the processor", parkDelay(e.Attempts))
			b.needsFetch = append(b.needsFetch, e)
			continue
		}
		booked, err := b.applyMovementTx(ctx, tx, e.EntityID, *m)
		if err != nil {
			return fmt.Errorf("event %s: %w", e.ID, err)
		}
		if m.Told != nil { // after the booking, which locks funds first
			if err := b.Booker.Disputes().StoreTx(ctx, tx, *m.Told); err != nil {
				return err
			}
		}
		if m.Dispute != nil && (booked || e.Attempts == 0) {
			if err := b.Plans.RequestDisputeTx(ctx, tx, *m.Dispute); err != nil {
				return err
			}
		}
		if !booked {
			b.results[i] = parked(WaitsForMoney, parkDelay(min(e.Attempts, 6)))
		}
	}
	return nil
}

// applyMovementTx returns whether everything that a movement names is booked.
func (b *batch) applyMovementTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, m Movement) (bool, error) {
	booked, err := settlement.BookedTx(ctx, tx, entity, m.Transactions)
	if err != nil {
		return false, err
	}
	if len(booked) < len(m.Transactions) || len(m.Transactions) == 0 && m.RequestImport {
		if err := b.Source.RequestImportTx(ctx, tx, entity); err != nil || len(m.Transactions) > 0 {
			return false, err
		}
	}
	if m.LostDispute == nil {
		return true, nil
	}
	return b.Booker.BookLostDisputeTx(ctx, tx, b.catalog, *m.LostDispute)
}
