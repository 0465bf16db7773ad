package payout

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

// What a plan's payment is for, its bill says, and an event brings the bill. When none did, the bill is read at Stripe. One that cannot
// be read holds up nothing: its charge stands in suspense (waits.go), and every sweep asks for it again.

// silent is how many bills in a row may not be had before the rest is left to the next look: Stripe is away.
const silent = 3

// bills reads the bills of those charges that are to be booked and whose bill nobody told of, and gives them to the charges.
func (l *look) bills(ctx context.Context, part []Transaction) error {
	of := map[string][]*donation.IncomingPayment{}
	for _, t := range part {
		if c := t.Charge; c != nil && c.DonationID == uuid.Nil && c.Invoice != nil && !c.Invoice.Known {
			of[c.Invoice.ID] = append(of[c.Invoice.ID], c)
		}
	}
	if len(of) == 0 {
		return nil
	}
	var missing []string
	err := pg.InTx(ctx, l.DB, func(tx *sqlx.Tx) (err error) {
		missing, err = l.untoldTx(ctx, tx, part)
		return err
	})
	if err != nil {
		return err
	}
	for failed, i := 0, 0; i < len(missing) && failed < silent; i++ {
		if err := l.renew(ctx, l.DB, l.ReadThrough); err != nil {
			return err
		}
		bill, err := l.Source.Bill(ctx, l.entity, missing[i])
		if err != nil {
			l.unread[missing[i]] = err
			if fault.Is(err, fault.Unavailable) {
				failed++
			}
			continue
		}
		for _, c := range of[missing[i]] {
			c.Invoice = &bill
		}
	}
	return nil
}

// untoldTx lists the bills of a list's charges that are not known, but for charges that are booked.
func (l *look) untoldTx(ctx context.Context, tx *sqlx.Tx, part []Transaction) (bills []string, err error) {
	ids, charges := make([]string, len(part)), make([]string, len(part))
	for i, t := range part {
		ids[i], charges[i] = t.ID, t.SourceID
	}
	s := &session{Booker: l.Booker, entity: l.entity}
	open, err := s.pendingTx(ctx, tx, charges)
	if err != nil {
		return nil, err
	}
	booked, err := BookedTx(ctx, tx, l.entity.ID, ids)
	if err != nil {
		return nil, err
	}
	for _, t := range part {
		_, pending := open[t.SourceID]
		if c := t.Charge; c != nil && c.DonationID == uuid.Nil && c.Invoice != nil && !c.Invoice.Known && (pending || !booked[t.ID]) {
			bills = append(bills, c.Invoice.ID)
		}
	}
	if len(bills) == 0 {
		return nil, nil
	}
	return l.Booker.Settler.Plans.UnknownInvoicesTx(ctx, tx, l.entity.ID, bills)
}

// waiting is a charge in suspense that nobody told the rest of.
type waiting struct {
	ChargeID      string `db:"charge_id"`
	TransactionID string `db:"transaction_id"`
	Bill          string `db:"bill"` // empty: a bank debit
	Long          bool   `db:"long"` // for longer than patience
}

// waited asks Stripe again for what stands in suspense: charges whose bill could not be read, in every sweep of the first day and once a
// day after it; and once a day, for debits succeed or fail within days, what nobody told of bank debits. Then it books what happened
// meanwhile to those that are booked by now.
func (l *look) waited(ctx context.Context) error {
	const query = `/* payout.waited */
		SELECT charge_id, transaction_id, coalesce(bill, '') AS bill, at < now() - make_interval(secs => $3) AS long FROM pending_charge
		 WHERE entity_id = $1 AND cleared_at IS NULL AND (bill IS NOT NULL AND at > now() - interval '1 day' OR $2 AND at < now() - interval '1 day')
		 ORDER BY random() LIMIT 500`
	var all []waiting
	if err := l.DB.SelectContext(ctx, &all, query, l.entity.ID, l.NewDay, patience.Seconds()); err != nil {
		return err
	}
	var failed []error
	for _, w := range all {
		err := l.ask(ctx, w)
		if stops(err) {
			return err
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("charge %s: %w", w.ChargeID, err))
		}
		if fault.Is(err, fault.Unavailable) && len(failed) >= silent {
			break
		}
	}
	return errors.Join(append(failed, l.release(ctx))...)
}

func (l *look) ask(ctx context.Context, w waiting) error {
	t, err := l.Source.Transaction(ctx, l.entity, w.TransactionID)
	if err != nil {
		l.unread[w.Bill] = err
	} else if err := l.book(ctx, []Transaction{t}); err != nil {
		return err
	}
	if w.Bill == "" || !w.Long {
		return err
	}
	return pg.InTx(ctx, l.DB, func(tx *sqlx.Tx) error { return l.tellTx(ctx, tx, w) })
}

// tellTx opens the task about a charge that still waits.
func (l *look) tellTx(ctx context.Context, tx *sqlx.Tx, w waiting) error {
	s := &session{Booker: l.Booker, entity: l.entity}
	open, err := s.pendingTx(ctx, tx, []string{w.ChargeID})
	amount, waits := open[w.ChargeID]
	if err != nil || !waits {
		return err
	}
	why := "Stripe does not tell of it"
	if err := l.unread[w.Bill]; err != nil {
		why = err.Error()
	}
	return task.OpenTx(ctx, tx, task.Task{EntityID: l.entity.ID, Kind: taskWithoutInvoice, Subject: w.ChargeID, Detail: map[string]string{
		"bill": w.Bill, "net": fmt.Sprint(amount), "currency": string(l.entity.Currency), "reason": why,
	}}, l.Booker.NewID, l.Booker.Now())
}

// release books by their rules the movements in suspense whose charge is booked by now, each in a transaction of its own: they lock
// funds, and who settles a charge has locked the counter of receipts.
func (l *look) release(ctx context.Context) error {
	for {
		released := false
		err := pg.InTx(ctx, l.DB, func(tx *sqlx.Tx) (err error) {
			released, err = l.Booker.ReleaseTx(ctx, tx, l.catalog, l.entity.ID)
			return err
		})
		if err != nil || !released {
			return err
		}
	}
}
