package stripebalance

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
	"konbit/internal/processor/settlement"
)

// maxAttempts is how often a sweep asks for the balance before it leaves the comparison to the next sweep.
const maxAttempts = 3

// checkBalance stores Stripe's balance beside the net of the booked transactions that explain it.
//
// Gifts continue meanwhile, so Stripe's answer may include transactions that are not booked yet. Everything before the
// question is booked, and a list taken after the answer contains all that happened since. If Stripe's answer is right
// it equals booked + the net of the oldest transactions of that list (matchPrefix).
//
//	a prefix matches                  the comparison is stored: no difference
//	no prefix, and the list is empty  the comparison is stored: the difference is real
//	no prefix, and the list is not    the list is imported and Stripe asked again; after maxAttempts nothing is stored
func (r *importRun) checkBalance(ctx context.Context) error {
	for range maxAttempts {
		booked, opening, err := r.bookedNet(ctx)
		if err != nil {
			return err
		}
		stripeBalance, err := r.Source.Balance(ctx, r.entity)
		if err != nil {
			return err
		}
		unbooked, err := r.unbookedSince(ctx, r.through.Add(-importOverlap))
		if err != nil {
			return err
		}
		net, ok := matchPrefix(stripeBalance[r.entity.Currency]-opening, booked, unbooked)
		if ok || len(unbooked) == 0 {
			return r.saveBalanceCheck(ctx, stripeBalance[r.entity.Currency], net)
		}
		if err := r.importRange(ctx, r.through.Add(-importOverlap), time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// matchPrefix returns booked + the net of the shortest prefix of unbooked with which the sum equals balance. If no
// prefix matches it returns booked, and ok is false. All amounts are minor units of one currency.
func matchPrefix(balance, booked int64, unbooked []settlement.Transaction) (net int64, ok bool) {
	net = booked
	for i := 0; net != balance; i++ {
		if i == len(unbooked) {
			return booked, false
		}
		net += unbooked[i].Net
	}
	return net, true
}

// bookedNet returns the net of the booked transactions in the books' currency, and how much more than that Stripe held
// at the last comparison: the balance from before these books began, as long as nothing is wrong. Minor units.
func (r *importRun) bookedNet(ctx context.Context) (booked, opening int64, err error) {
	const query = `/* stripebalance.bookedNet */
		SELECT coalesce((SELECT held - kept FROM balance_observation WHERE entity_id = $1 AND currency = $2 ORDER BY at DESC LIMIT 1), 0)`
	if booked, err = settlement.BookedNet(ctx, r.DB, r.entity.ID, r.entity.Currency); err != nil {
		return 0, 0, err
	}
	err = r.DB.QueryRowContext(ctx, query, r.entity.ID, r.entity.Currency).Scan(&opening)
	return booked, opening, err
}

// unbookedSince lists the transactions in the books' currency that are not booked, oldest first.
func (r *importRun) unbookedSince(ctx context.Context, since time.Time) (unbooked []settlement.Transaction, err error) {
	err = r.Source.Transactions(ctx, r.entity, since, time.Time{}, func(page []settlement.Transaction) error {
		return pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) error {
			found, err := settlement.UnbookedTx(ctx, tx, r.entity.ID, page)
			other := func(t settlement.Transaction) bool { return t.Currency != r.entity.Currency }
			unbooked = append(unbooked, slices.DeleteFunc(found, other)...)
			return err
		})
	})
	slices.Reverse(unbooked)
	return unbooked, err
}

// saveBalanceCheck stores a comparison if this process still has the lease: a process that took it meanwhile may have
// booked transactions that net does not contain.
func (r *importRun) saveBalanceCheck(ctx context.Context, stripeBalance, net int64) error {
	const insert = `/* stripebalance.saveBalanceCheck */
		INSERT INTO balance_observation (entity_id, currency, held, kept)
		SELECT entity_id, $3, $4, $5 FROM balance_lookup WHERE entity_id = $1 AND holder = $2`
	return r.exec(ctx, r.DB, insert, r.entity.ID, r.Holder, r.entity.Currency, stripeBalance, net)
}
