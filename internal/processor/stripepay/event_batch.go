package stripepay

import (
	"context"
	"fmt"
	"regexp"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/processor/settlement"
	"konbit/internal/processor/stripebalance"
)

// handleTx translates events and applies what they tell. It answers those that hint at something which must be
// read at Stripe; they are parked meanwhile, so that the reading happens outside any transaction; and those that
// it left for a transaction of their own.
func (d *Drain) handleTx(ctx context.Context, tx *sqlx.Tx, events []event) (needsFetch, ownTransaction []event, err error) {
	catalog, err := d.Catalog.Current(ctx)
	if err != nil {
		return nil, nil, err
	}
	var good, bad []event
	var effects []eventEffect
	if len(events) > 1 {
		events, ownTransaction = splitDisputes(events)
	}
	var failures []result
	for _, e := range events {
		n, err := translateEvent(e)
		if err != nil {
			bad, failures = append(bad, e), append(failures, d.failure(ctx, e, err))
			continue
		}
		good, effects = append(good, e), append(effects, n)
	}
	if err := finishTx(ctx, tx, bad, failures); err != nil {
		return nil, nil, err
	}
	needsFetch, err = d.applyTx(ctx, tx, catalog, good, effects)
	return needsFetch, ownTransaction, err
}

var disputes = regexp.MustCompile(`^charge[.]dispute[.]`)

// apart takes those out of a batch that may end a dispute. They lock funds before receipts, as nothing else
// in a batch does, and so have a transaction each.
func splitDisputes(events []event) (together, ownTransaction []event) {
	for _, e := range events {
		if disputes.MatchString(e.Type) {
			ownTransaction = append(ownTransaction, e)
		} else {
			together = append(together, e)
		}
	}
	return together, ownTransaction
}

// applyTx applies the news of events, in one transaction.
func (d *Drain) applyTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, events []event, effects []eventEffect) ([]event, error) {
	r := &eventBatch{Drain: d, catalog: catalog, events: events, effects: effects, results: make([]result, len(events))}
	for i := range r.results {
		r.results[i] = done
	}
	// Plans are locked before gifts, and gifts before the counter of receipts, which chargesTx locks last.
	for _, step := range []func(context.Context, *sqlx.Tx) error{r.lockPlansTx, r.updateStatusesTx, r.recordDeclinesTx, r.updatePlansTx, r.settleChargesTx, r.awaitChargesTx, r.applyMovementsTx} {
		if err := step(ctx, tx); err != nil {
			return nil, err
		}
	}
	return r.needsFetch, finishTx(ctx, tx, events, r.results)
}

// round is one batch of events with what becomes of each.
type eventBatch struct {
	*Drain
	catalog    *fund.Catalog
	events     []event
	effects    []eventEffect
	results    []result
	needsFetch []event
}

// chargesTx settles the gifts whose charges succeeded, all at once.
func (r *eventBatch) settleChargesTx(ctx context.Context, tx *sqlx.Tx) error {
	var charges []donation.IncomingPayment
	var of []int
	for i, n := range r.effects {
		if n.charge != nil {
			charges, of = append(charges, *n.charge), append(of, i)
		}
	}
	if len(charges) == 0 {
		return nil
	}
	outcomes, err := r.Settler.SettleTx(ctx, tx, r.catalog, charges)
	if err != nil {
		return err
	}
	for n, outcome := range outcomes {
		if outcome == donation.MissingDonation || outcome == donation.AwaitsInvoice {
			r.results[of[n]] = parked("its gift is not here", parkDelay(r.events[of[n]].Tries))
			if e := r.events[of[n]]; charges[n].Invoice != nil && e.Tries > 0 {
				r.needsFetch = append(r.needsFetch, e) // the bill it paid is not known: read it
			}
		}
	}
	return nil
}

func (r *eventBatch) updateStatusesTx(ctx context.Context, tx *sqlx.Tx) error {
	var marks []donation.StatusUpdate
	for _, n := range r.effects {
		if n.status != nil {
			marks = append(marks, *n.status)
		}
	}
	return donation.UpdateStatusTx(ctx, tx, marks, r.Settler.Now())
}

// expectedTx parks the events of payments whose charge is not here yet. It mostly is, or comes in a moment; when an
// event is looked at again and it still isn't, it is fetched. A payment that names no gift of ours is left
// to its charge.
func (r *eventBatch) awaitChargesTx(ctx context.Context, tx *sqlx.Tx) error {
	var ids []uuid.UUID
	for _, n := range r.effects {
		if n.expected != nil && n.expected.donationID != uuid.Nil {
			ids = append(ids, n.expected.donationID)
		}
	}
	open, err := unsettledTx(ctx, tx, ids)
	if err != nil {
		return err
	}
	bills, err := r.unpaidInvoicesTx(ctx, tx)
	if err != nil {
		return err
	}
	for i, n := range r.effects {
		switch {
		case n.expected == nil, n.expected.chargeID == "" && !open[n.expected.donationID] && !bills[n.expected.invoiceID] && !n.needsInvoice():
		case r.events[i].Tries > 0, n.expected.chargeID != "":
			r.needsFetch = append(r.needsFetch, r.events[i])
			fallthrough
		default:
			r.results[i] = parked("waits for its charge", max(chargeGrace, parkDelay(r.events[i].Tries)))
		}
	}
	return nil
}

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

// movedTx looks whether the money an event told of is booked. If not, it asks for a look at the entity's balance
// and parks the event. A lost dispute is booked here, once its withdrawal is.
func (r *eventBatch) applyMovementsTx(ctx context.Context, tx *sqlx.Tx) error {
	for i, n := range r.effects {
		if n.movement == nil {
			continue
		}
		if n.movement.refetch {
			r.results[i] = parked("must be read at Stripe", parkDelay(r.events[i].Tries))
			r.needsFetch = append(r.needsFetch, r.events[i])
			continue
		}
		settled, err := r.applyMovementTx(ctx, tx, r.events[i], *n.movement)
		if err != nil {
			return fmt.Errorf("event %s: %w", r.events[i].ID, err)
		}
		if !settled {
			r.results[i] = parked("waits for its money to be booked", parkDelay(min(r.events[i].Tries, 6)))
		}
	}
	return nil
}

func (r *eventBatch) applyMovementTx(ctx context.Context, tx *sqlx.Tx, e event, m movement) (bool, error) {
	booked, err := settlement.BookedTx(ctx, tx, e.EntityID, m.transactions)
	if err != nil {
		return false, err
	}
	if len(booked) < len(m.transactions) || len(m.transactions) == 0 && m.requestImport {
		if err := stripebalance.RequestImportTx(ctx, tx, e.EntityID); err != nil || len(m.transactions) > 0 {
			return false, err
		}
	}
	if m.lostDispute == nil {
		return true, nil
	}
	return r.Booker.BookLostDisputeTx(ctx, tx, r.catalog, *m.lostDispute)
}
