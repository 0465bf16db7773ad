package donation

import (
	"context"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/books/task"
	"konbit/internal/giving/payment"
	"konbit/internal/platform/money"
)

// isOthers reports whether another program made the payment: it has no mark of ours, and its invoice is of no plan of ours.
func (p IncomingPayment) isOthers() bool {
	return p.Unmarked && p.DonationID == uuid.Nil && (p.Invoice == nil || p.Invoice.PlanID == uuid.Nil)
}

// loadIgnoredTx reads which marks finance ignores, if a payment of the batch needs it.
func (b *batch) loadIgnoredTx(ctx context.Context, tx *sqlx.Tx, payments []IncomingPayment) (err error) {
	var entities []uuid.UUID
	for _, p := range payments {
		if p.isOthers() {
			entities = append(entities, p.EntityID)
		}
	}
	if len(entities) > 0 {
		b.ignored, err = payment.IgnoredMarks(ctx, tx, entities)
	}
	return err
}

// bookOthers books a payment of another program:
//
//	its source is ignored   1010 / 1095 in operations, without a task
//	any other               to suspense, with one task for all payments of the source
func (b *batch) bookOthers(p IncomingPayment) (Outcome, error) {
	entity, err := b.catalog.EntityByID(p.EntityID)
	if err != nil {
		return "", err
	}
	operations, err := b.catalog.Operations(entity.ID)
	if err != nil {
		return "", err
	}
	marks, inBooks := p.Marks, p.Amount.Currency == entity.Currency
	if p.Invoice != nil {
		marks = slices.Concat(marks, p.Invoice.Marks)
	}
	source := payment.Source{EntityID: p.EntityID, Name: payment.SourceName(marks)}
	source.Ignored = slices.ContainsFunc(marks, func(mark string) bool { return b.ignored[p.EntityID][mark] })
	if source.Ignored {
		if inBooks { // otherwise the balance transaction gives the amount in the books' currency
			entry := paymentEntry(entity, p)
			entry.Postings = ledger.Move(p.account(), ledger.MoneyOfOthers, operations.ID, p.Amount.Minor)
			b.entries = append(b.entries, entry)
		}
		b.markBooked(p, nil, payment.Suspense)
	} else {
		if _, err := b.suspend(p, nil, taskWithoutGift); err != nil {
			return "", err
		}
		if opened := &b.tasks[len(b.tasks)-1]; inBooks {
			opened.Subject, opened.Detail["source"] = source.Name, source.Name
		}
	}
	source.PaymentID = b.payments[len(b.payments)-1].ID
	b.sources = append(b.sources, source)
	return Suspense, nil
}

// openTasksTx opens the batch's tasks. The task about a source says how many payments of it wait, and their sum.
func (b *batch) openTasksTx(ctx context.Context, tx *sqlx.Tx) error {
	for _, t := range b.tasks {
		open := task.OpenTx
		if source := t.Detail["source"]; source != "" {
			n, sum, err := payment.InSuspense(ctx, tx, t.EntityID, source, money.Currency(t.Detail["currency"]))
			if err != nil {
				return err
			}
			t.Detail["payments"], t.Detail["amount"], open = strconv.Itoa(n), sum.Decimal(), task.RefreshTx
		}
		if err := open(ctx, tx, t, b.newID, b.now); err != nil {
			return err
		}
	}
	return nil
}
