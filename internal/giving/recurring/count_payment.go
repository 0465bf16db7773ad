package recurring

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/instalment"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planterms"
)

// numberPaymentTx gives an invoice the number of its payment and its donation: the donation from the form for the
// plan's first invoice, a new donation for any other.
func (ps Plans) numberPaymentTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, in *instalment.Invoice, c donation.IncomingPayment) error {
	counted, err := instalment.CountedOf(ctx, tx, p.ID)
	if err != nil {
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
	return instalment.SaveTx(ctx, tx, in)
}

// createInstalmentTx inserts the donation of a later payment, with the terms that were in force when its invoice was
// created. If another amount was charged, it uses the newest terms with that amount: a change can overlap with an
// invoice in progress. If no terms have it, the price was changed at Stripe, or a change was prorated there: what was
// charged is the gift, divided among the funds by those terms.
func (ps Plans) createInstalmentTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, in *instalment.Invoice, c donation.IncomingPayment, id uuid.UUID) error {
	versions, err := planterms.Of(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	t := planterms.At(versions, in.CreatedAt)
	if t.Amount != c.Amount.Minor {
		if i := slices.IndexFunc(versions, func(t planterms.Version) bool { return t.Amount == c.Amount.Minor }); i >= 0 {
			t = versions[i]
		}
	}
	parts, err := planterms.PartsOf(ctx, tx, *p, t.N)
	if err == nil && t.Amount != c.Amount.Minor && string(c.Amount.Currency) == p.Currency {
		parts, err = plan.Divide(c.Amount, parts)
	}
	if err != nil {
		return err
	}
	return donation.CreateInstalmentTx(ctx, tx, donation.Instalment{
		ID: id, First: p.ID, PublicRef: ps.NewRef(), Frequency: string(p.Frequency), Parts: parts, At: c.ReceivedAt, Cause: in.InvoiceID,
	})
}

// countPaymentTx counts a payment. The first payment makes the plan active, the last of N finishes it.
func (ps Plans) countPaymentTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, in *instalment.Invoice, c donation.IncomingPayment) error {
	kind := plan.EventPaid
	if p.Status == plan.Started {
		kind = plan.EventStarted
	}
	p.CountPayment(in.InvoiceID, in.CreatedAt, c.ReceivedAt)
	if _, err := ps.recordEventTx(ctx, tx, p, kind, in.InvoiceID, plan.Detail{N: *in.N, Amount: c.Amount.Minor}); err != nil {
		return err
	}
	if p.NeedsSchedule() && !in.CollectedHere {
		schedule := plan.Request{Kind: plan.KindSchedule, Subject: fmt.Sprintf("from %d", *in.N), RequestedBy: plan.ByKonbit}
		if err := ps.requestTx(ctx, tx, p, schedule); err != nil {
			return err
		}
	}
	if p.Total == nil || p.Paid < *p.Total || p.EndedAt != nil {
		return ps.scheduleSyncTx(ctx, tx, p)
	}
	if err := ps.finishTx(ctx, tx, p); err != nil {
		return err
	}
	return savePlanTx(ctx, tx, p)
}

// finishTx ends a plan whose payments were all made.
func (ps Plans) finishTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan) error {
	p.End(plan.Finished, plan.Completed, ps.Now())
	if err := ps.requestTx(ctx, tx, p, plan.Request{Kind: plan.KindEnd, RequestedBy: plan.ByKonbit}); err != nil {
		return err
	}
	return ps.notifyTx(ctx, tx, p, plan.EventFinished, "", plan.Detail{})
}
