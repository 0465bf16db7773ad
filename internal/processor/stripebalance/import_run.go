package stripebalance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/dispute"
	"konbit/internal/processor/settlement"
)

// importRun imports one entity's balance while this process has the lease.
type importRun struct {
	Importer
	*importLease
	catalog        *fund.Catalog
	entity         org.LegalEntity
	booked         int              // transactions booked so far
	through        time.Time        // every transaction up to this time is booked
	backlog        backlog          // what this run could not book
	relisted       bool             // the run has listed again from a payout's missing member on
	unreadInvoices map[string]error // why an invoice could not be read, by its id
}

// run imports from start on; a sweep then does what only sweeps do. It returns the first error that ends the run, or
// the reasons why transactions were left to the next run.
func (r *importRun) run(ctx context.Context, start time.Time, sweep bool) error {
	err := r.importSince(ctx, start)
	if missing := (*missingMember)(nil); errors.As(err, &missing) && !r.relisted {
		r.relisted, r.backlog = true, backlog{}
		err = r.importSince(ctx, missing.createdAt.Add(-importOverlap))
	}
	if !sweep {
		return err
	}
	if !endsRun(err) {
		err = errors.Join(err, r.retryPendingCharges(ctx))
	}
	if err == nil {
		err = r.checkBalance(ctx)
	}
	if err == nil {
		err = r.bookLostDisputes(ctx)
	}
	if err == nil {
		err = r.readPayouts(ctx)
	}
	return err
}

// importSince books what was created at or after since, oldest first. Stripe lists the newest first, so each list
// covers only listSpan: the transactions of years are never in memory together.
func (r *importRun) importSince(ctx context.Context, since time.Time) error {
	r.through = r.ReadThrough
	for from := since; ; from = from.Add(listSpan) {
		until := from.Add(listSpan)
		if until.After(r.Booker.Now()) {
			until = time.Time{} // no upper limit: Stripe's clock may be ahead of ours
		}
		if err := r.importRange(ctx, from, until); err != nil {
			return err
		}
		if until.IsZero() && r.backlog.empty() {
			return r.closeStuckTasks(ctx)
		}
		if until.IsZero() {
			return r.backlog.err()
		}
	}
}

// importRange books what was created at or after since and before until. A zero until means that there is no end.
func (r *importRun) importRange(ctx context.Context, since, until time.Time) error {
	var listed []settlement.Transaction
	err := r.Source.Transactions(ctx, r.entity, since, until, func(page []settlement.Transaction) error {
		listed = append(listed, page...)
		return r.renew(ctx, r.DB, r.through)
	})
	if err != nil {
		return err
	}
	slices.Reverse(listed)
	for batch := range slices.Chunk(listed, batchSize) {
		if err := r.renew(ctx, r.DB, r.through); err != nil {
			return err
		}
		if err := r.loadPayoutMembers(ctx, batch); err != nil {
			return err
		}
		if err := r.bookBatch(ctx, batch); err != nil {
			return err
		}
		r.advance(batch)
	}
	return nil
}

// advance moves through to the end of a booked batch, but not past the first transaction in the backlog.
func (r *importRun) advance(batch []settlement.Transaction) {
	if !r.backlog.empty() {
		n := slices.IndexFunc(batch, r.backlog.mustWait)
		batch = batch[:max(n, 0)]
	}
	if len(batch) > 0 && batch[len(batch)-1].CreatedAt.After(r.through) {
		r.through = batch[len(batch)-1].CreatedAt
	}
}

// missingMember is the error that a payout pays out a transaction that no run has listed yet, although it was created
// after the first run began.
type missingMember struct {
	payout, id string
	createdAt  time.Time
}

func (m *missingMember) Error() string {
	return fmt.Sprintf("payout %s waits for balance transaction %s of %s", m.payout, m.id, m.createdAt.Format(time.RFC3339))
}

// loadPayoutMembers asks Stripe for the members of a batch's new payouts, before a database transaction is open. Every
// member is booked before its payout or together with it, except those created before the first run began.
func (r *importRun) loadPayoutMembers(ctx context.Context, batch []settlement.Transaction) error {
	listed := map[string]bool{}
	for i, t := range batch {
		listed[t.ID] = true
		if !t.IsAutomaticPayout() {
			continue
		}
		members, err := r.Source.Members(ctx, r.entity, t.SourceID)
		if err != nil {
			return err
		}
		ids := memberIDs(members)
		booked, err := r.bookedOf(ctx, append(ids, t.ID))
		if err != nil {
			return err
		}
		for _, m := range members {
			if booked[t.ID] || booked[m.ID] || listed[m.ID] || m.CreatedAt.Before(r.Begun) {
				continue
			}
			missing := &missingMember{t.SourceID, m.ID, m.CreatedAt}
			if !r.relisted {
				return missing
			}
			if err := r.withinGracePeriod(ctx, t, missing); err != nil {
				r.backlog.add(t, err)
			}
			break
		}
		batch[i].Members = ids
	}
	return nil
}

func (r *importRun) bookedOf(ctx context.Context, ids []string) (booked map[string]bool, err error) {
	err = pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) (err error) {
		booked, err = settlement.BookedTx(ctx, tx, r.entity.ID, ids)
		return err
	})
	return booked, err
}

// storeDisputeTx books a lost dispute, and then stores what was told: booking locks funds first.
func (r *importRun) storeDisputeTx(ctx context.Context, tx *sqlx.Tx, told *dispute.Told, lost *settlement.LostDispute) error {
	now := r.Booker.Now()
	if lost != nil {
		lost.At = now
		if _, err := r.Booker.BookLostDisputeTx(ctx, tx, r.catalog, *lost); err != nil {
			return err
		}
	}
	if told == nil {
		return nil
	}
	told.At = now
	return r.Booker.Disputes().StoreTx(ctx, tx, *told)
}

// bookLostDisputes asks Stripe for the disputes whose money is withdrawn and whose end no event reported, and books
// those that were lost.
func (r *importRun) bookLostDisputes(ctx context.Context) error {
	open, err := settlement.OpenDisputes(ctx, r.DB, r.entity.ID)
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range open {
		if err := r.renew(ctx, r.DB, r.ReadThrough); err != nil {
			return err
		}
		told, lost, err := r.Source.Dispute(ctx, r.entity, id)
		if err == nil {
			err = pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) error { return r.storeDisputeTx(ctx, tx, told, lost) })
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("dispute %s: %w", id, err))
		}
	}
	return errors.Join(failed...)
}
