package stripebalance

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/settlement"
)

// A charge of a plan is identified by its invoice. An event normally brings the invoice; if none did, it is read at
// Stripe. A charge whose invoice cannot be read blocks nothing: it is in suspense (settlement/deferred.go), and each
// sweep asks for the invoice again.

// maxInvoiceFailures is how many invoices in a row may be unavailable before a run leaves the rest to the next run.
const maxInvoiceFailures = 3

// readInvoices reads the unknown invoices of a batch's charges that are to be booked, and sets them on the charges.
func (r *importRun) readInvoices(ctx context.Context, batch []settlement.Transaction) error {
	byInvoice := map[string][]*donation.IncomingPayment{}
	for _, t := range batch {
		if c := t.Charge; c != nil && c.DonationID == uuid.Nil && c.Invoice != nil && !c.Invoice.Known {
			byInvoice[c.Invoice.ID] = append(byInvoice[c.Invoice.ID], c)
		}
	}
	if len(byInvoice) == 0 {
		return nil
	}
	var missing []string
	err := pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) (err error) {
		missing, err = r.Booker.InvoicesToReadTx(ctx, tx, r.entity, batch)
		return err
	})
	if err != nil {
		return err
	}
	for failed, i := 0, 0; i < len(missing) && failed < maxInvoiceFailures; i++ {
		if err := r.renew(ctx, r.DB, r.ReadThrough); err != nil {
			return err
		}
		invoice, err := r.Source.Invoice(ctx, r.entity, missing[i])
		if err != nil {
			r.unreadInvoices[missing[i]] = err
			if fault.Is(err, fault.Unavailable) {
				failed++
			}
			continue
		}
		for _, c := range byInvoice[missing[i]] {
			c.Invoice = &invoice
		}
	}
	return nil
}

// retryPendingCharges asks Stripe again about charges in suspense:
//
//	charge whose invoice could not be read   in every sweep of the first day, once a day after it
//	bank debit                               once a day; it succeeds or fails within days
//
// Then it books the refunds and disputes that waited for a charge that is booked now.
func (r *importRun) retryPendingCharges(ctx context.Context) error {
	pending, err := settlement.PendingCharges(ctx, r.DB, r.entity.ID, r.NewDay, gracePeriod)
	if err != nil {
		return err
	}
	var failed []error
	for _, p := range pending {
		err := r.retryCharge(ctx, p)
		if endsRun(err) {
			return err
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("charge %s: %w", p.ChargeID, err))
		}
		if fault.Is(err, fault.Unavailable) && len(failed) >= maxInvoiceFailures {
			break
		}
	}
	return errors.Join(append(failed, r.bookDeferred(ctx))...)
}

func (r *importRun) retryCharge(ctx context.Context, p settlement.PendingCharge) error {
	t, err := r.Source.Transaction(ctx, r.entity, p.TransactionID)
	if err != nil {
		r.unreadInvoices[p.InvoiceID] = err
	} else if err := r.bookBatch(ctx, []settlement.Transaction{t}); err != nil {
		return err
	}
	if p.InvoiceID == "" || !p.Overdue {
		return err
	}
	return pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) error {
		return r.Booker.OpenInvoiceTaskTx(ctx, tx, r.entity, p, r.unreadInvoices[p.InvoiceID])
	})
}

// bookDeferred books the refunds and disputes in suspense whose charge is booked now. Each gets its own database
// transaction: it locks funds, and a transaction that settles a charge has already locked the counter of receipt
// numbers.
func (r *importRun) bookDeferred(ctx context.Context) error {
	for {
		found := false
		err := pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) (err error) {
			found, err = r.Booker.BookDeferredTx(ctx, tx, r.catalog, r.entity.ID)
			return err
		})
		if err != nil || !found {
			return err
		}
	}
}
