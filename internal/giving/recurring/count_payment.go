package recurring

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
)

// numberPaymentTx gives an invoice the number of its payment and its donation: the donation from the form for the
// plan's first invoice, a new donation for any other.
func (ps Plans) numberPaymentTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, in *invoice, c donation.IncomingPayment) error {
	const query = `/* recurring.numberPaymentTx */
		SELECT coalesce(max(n), 0) AS last, coalesce(bool_or(n = 1), false) AS begun FROM instalment WHERE plan_id = $1`
	var counted struct {
		Last  int  `db:"last"`
		Begun bool `db:"begun"` // the first payment was counted
	}
	if err := tx.GetContext(ctx, &counted, query, p.ID); err != nil {
		return err
	}
	id, n := p.ID, 1
	if !in.First || counted.Begun {
		id, n = ps.NewID(), max(counted.Last+1, 2)
		if err := ps.createInstalmentTx(ctx, tx, p, in, c, id); err != nil {
			return err
		}
	}
	in.N, in.DonationID = &n, &id
	return saveInvoiceTx(ctx, tx, in)
}

// createInstalmentTx inserts the donation of a later payment, with the terms that were in force when its invoice was
// created. If another amount was charged, it uses the newest terms with that amount: a change can overlap with an
// invoice in progress.
func (ps Plans) createInstalmentTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, in *invoice, c donation.IncomingPayment, id uuid.UUID) error {
	versions, err := termsOf(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	t := termsAt(versions, in.CreatedAt)
	if t.Amount != c.Amount.Minor {
		if i := slices.IndexFunc(versions, func(t terms) bool { return t.Amount == c.Amount.Minor }); i >= 0 {
			t = versions[i]
		}
	}
	parts, err := PartsOf(ctx, tx, *p, t.N)
	if err != nil {
		return err
	}
	return donation.CreateInstalmentTx(ctx, tx, donation.Instalment{
		ID: id, First: p.ID, PublicRef: ps.NewRef(), Frequency: string(p.Frequency), Parts: parts, At: c.ReceivedAt, Cause: in.InvoiceID,
	})
}

// countPaymentTx counts a payment. The first payment makes the plan active, the last of N finishes it.
func (ps Plans) countPaymentTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, in *invoice, c donation.IncomingPayment) error {
	kind := eventPaid
	if p.Status == plan.Started {
		kind = eventStarted
	}
	p.CountPayment(in.InvoiceID, in.CreatedAt, c.ReceivedAt)
	if _, err := ps.recordEventTx(ctx, tx, p, kind, in.InvoiceID, plan.Detail{N: *in.N, Amount: c.Amount.Minor}); err != nil {
		return err
	}
	if p.NeedsSchedule() && !in.CollectedHere {
		schedule := request{Kind: kindSchedule, Subject: fmt.Sprintf("from %d", *in.N), RequestedBy: byKonbit}
		if err := ps.requestTx(ctx, tx, p, schedule); err != nil {
			return err
		}
	}
	if p.Total == nil || p.Paid < *p.Total || p.EndedAt != nil {
		return ps.scheduleSyncTx(ctx, tx, p)
	}
	p.End(plan.Finished, ps.Now())
	if err := ps.requestTx(ctx, tx, p, request{Kind: kindEnd, RequestedBy: byKonbit}); err != nil {
		return err
	}
	if err := ps.notifyTx(ctx, tx, p, eventFinished, "", plan.Detail{}); err != nil {
		return err
	}
	return savePlanTx(ctx, tx, p)
}

// receiptInstalment returns what a receipt says about payment n of a plan.
func receiptInstalment(p *plan.Plan, n int, c donation.IncomingPayment, e org.LegalEntity) *receipt.Instalment {
	in := &receipt.Instalment{Plan: p.ID, PlanRef: p.PublicRef, N: n, Frequency: string(p.Frequency), Each: p.Amount()}
	if p.Total != nil {
		in.Of = *p.Total
		remaining, _ := p.Remaining()
		in.Sum = money.New(p.AmountMinor*int64(*p.Total), money.Currency(p.Currency))
		in.LastOn = dateIn(cmp.Or(p.LastAt(), &c.ReceivedAt), e)
		if remaining == 0 {
			in.LastOn = dateIn(&c.ReceivedAt, e)
		}
	}
	if p.NextAt != nil {
		in.NextOn = dateIn(p.NextAt, e)
	}
	return in
}

// dateIn returns the date of a time in an entity's time zone, as 2006-01-02.
func dateIn(at *time.Time, e org.LegalEntity) string {
	return ledger.DateOf(*at, e.Location()).String()
}
