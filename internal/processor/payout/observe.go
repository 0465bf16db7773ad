package payout

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// glimpses is how often a sweep asks for the balance before it leaves the comparison to the next one.
const glimpses = 3

// observe asks what Stripe holds and keeps it beside the net of the balance transactions that made it so.
//
// Gifts flow meanwhile, so what is kept at the moment of the answer is not known. But everything up to a moment before is kept, and
// a list taken after the answer has everything that came between: if the answer is right, it is the net of what was kept and of
// some of the first of those. Where nothing came between, the answer stands as it is. Where something did and no sum fits, it is
// asked again; a glimpse that tells nothing is not kept.
func (l *look) observe(ctx context.Context, through time.Time) error {
	for range glimpses {
		kept, before, err := l.kept(ctx)
		if err != nil {
			return err
		}
		held, err := l.Source.Balance(ctx, l.entity)
		if err != nil {
			return err
		}
		fresh, err := l.fresh(ctx, through.Add(-overlap))
		if err != nil {
			return err
		}
		sum, fits := fitting(held[l.entity.Currency]-before, kept, fresh)
		if fits || len(fresh) == 0 {
			return l.keepObservation(ctx, held[l.entity.Currency], sum)
		}
		if through, err = l.between(ctx, through.Add(-overlap), time.Time{}, through); err != nil {
			return err
		}
	}
	return nil
}

// fitting is the net of kept and of the first of the transactions with which it makes up held; kept, when none does.
func fitting(held, kept int64, fresh []Transaction) (sum int64, fits bool) {
	sum = kept
	for i := 0; sum != held; i++ {
		if i == len(fresh) {
			return kept, false
		}
		sum += fresh[i].Net
	}
	return sum, true
}

// kept is the net of the transactions kept so far in the books' currency, and how much more than that Stripe held when it was last
// observed: what it had before these books began, for as long as nothing is wrong.
func (l *look) kept(ctx context.Context) (kept, before int64, err error) {
	const query = `/* payout.kept */
		SELECT coalesce((SELECT sum(net) FROM balance_transaction WHERE entity_id = $1 AND currency = $2), 0)::bigint,
		       coalesce((SELECT held - kept FROM balance_observation WHERE entity_id = $1 AND currency = $2 ORDER BY at DESC LIMIT 1), 0)`
	err = l.DB.QueryRowContext(ctx, query, l.entity.ID, l.entity.Currency).Scan(&kept, &before)
	return kept, before, err
}

// fresh lists what is not kept, in the books' currency, oldest first.
func (l *look) fresh(ctx context.Context, since time.Time) (fresh []Transaction, err error) {
	err = l.Source.Transactions(ctx, l.entity, since, time.Time{}, func(page []Transaction) error {
		return pg.InTx(ctx, l.DB, func(tx *sqlx.Tx) error {
			unkept, err := freshTx(ctx, tx, l.entity.ID, page)
			fresh = append(fresh, slices.DeleteFunc(unkept, func(t Transaction) bool { return t.Currency != l.entity.Currency })...)
			return err
		})
	})
	slices.Reverse(fresh)
	return fresh, err
}

// keepObservation keeps what was seen, if the balance is still ours to look through: whoever took it meanwhile may have booked what
// came between, and it would be missing here.
func (l *look) keepObservation(ctx context.Context, held, kept int64) error {
	const insert = `/* payout.keepObservation */
		INSERT INTO balance_observation (entity_id, currency, held, kept)
		SELECT entity_id, $3, $4, $5 FROM balance_lookup WHERE entity_id = $1 AND holder = $2`
	return l.exec(ctx, l.DB, insert, l.entity.ID, l.Holder, l.entity.Currency, held, kept)
}
