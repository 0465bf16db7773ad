package stripebalance

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/payout"
)

// payoutsPerSweep is how many stored payouts one sweep reads from Stripe again. Earlier payouts without members are
// completed by successive sweeps.
const payoutsPerSweep = 20

// readPayouts reads payouts from Stripe that are stored but not complete, and stores what Stripe shows:
//
//	booked before payouts were stored   kind, descriptor, arrival, status; members if the payout was automatic
//	pending or in transit               status and arrival
//	no longer known to Stripe           marked as read; kind and members stay unknown
//
// If Stripe is unavailable it stops without an error: the next sweep continues.
func (r *importRun) readPayouts(ctx context.Context) error {
	refs, err := payout.ToRead(ctx, r.DB, r.entity.ID, payoutsPerSweep)
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if err := r.renew(ctx, r.DB, r.ReadThrough); err != nil {
			return err
		}
		err := r.readPayout(ctx, ref)
		if fault.Is(err, fault.Unavailable) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("payout %s: %w", ref, err)
		}
	}
	return nil
}

func (r *importRun) readPayout(ctx context.Context, ref string) error {
	read, err := r.Source.Payout(ctx, r.entity, ref)
	if err != nil {
		return err
	}
	store := payout.Store{NewID: r.Booker.NewID, Now: r.Booker.Now}
	if read == nil {
		return pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) error { return store.ForgetTx(ctx, tx, r.entity.ID, ref) })
	}
	var ids []string
	if read.Kind == payout.Automatic {
		members, err := r.Source.Members(ctx, r.entity, ref)
		if err != nil {
			return err
		}
		ids = memberIDs(members)
	}
	return pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) error { return store.StoreTx(ctx, tx, r.entity.ID, *read, ids) })
}

// memberIDs returns the ids of members; never nil.
func memberIDs(members []Member) []string {
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	return ids
}
