package recurring

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
)

// MatchChargesTx finds the gifts of charges that pay bills, as donation asks. The plans are locked in the order of their ids.
func (ps Plans) MatchChargesTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, charges []donation.IncomingPayment) ([]donation.Match, error) {
	var of LockSet
	for _, c := range charges {
		of.AddPlan(c.Invoice.PlanID)
		of.AddInvoice(c.EntityID, c.Invoice.ID)
	}
	if err := ps.LockTx(ctx, tx, of); err != nil {
		return nil, err
	}
	bills := map[string]*invoice{}
	for _, entity := range catalog.Entities() {
		if err := ps.loadInvoicesTx(ctx, tx, entity, charges, bills); err != nil {
			return nil, err
		}
	}
	ids := make([]uuid.UUID, 0, len(bills))
	for _, b := range bills {
		ids = append(ids, b.PlanID)
	}
	plans, err := lockPlansTx(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	// Another worker may have placed some of them while their plans were waited for.
	for _, entity := range catalog.Entities() {
		if err := ps.loadInvoicesTx(ctx, tx, entity, charges, bills); err != nil {
			return nil, err
		}
	}
	placed := make([]donation.Match, len(charges))
	for i, c := range charges {
		b := bills[c.EntityID.String()+c.Invoice.ID]
		switch {
		case b != nil && plans[b.PlanID] == nil:
			placed[i].AwaitsInvoice = true // another worker noted the bill since the plans were locked: it comes again
		case b != nil:
			if placed[i], err = ps.matchChargeTx(ctx, tx, catalog, plans[b.PlanID], b, c); err != nil {
				return nil, fmt.Errorf("charge %s of plan %s: %w", c.ChargeRef, b.PlanID, err)
			}
		case !c.Invoice.Known:
			placed[i].AwaitsInvoice = true
		}
	}
	return placed, nil
}

// billsTx notes what charges say of their bills and reads those of an entity.
func (ps Plans) loadInvoicesTx(ctx context.Context, tx *sqlx.Tx, e org.LegalEntity, charges []donation.IncomingPayment, bills map[string]*invoice) error {
	var ids []string
	var told []donation.Invoice
	for _, c := range charges {
		if c.EntityID != e.ID {
			continue
		}
		ids = append(ids, c.Invoice.ID)
		if c.Invoice.Known && bills[c.EntityID.String()+c.Invoice.ID] == nil {
			told = append(told, *c.Invoice)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if err := ps.RecordInvoicesTx(ctx, tx, e.ID, told); err != nil {
		return err
	}
	rows, err := invoicesByID(ctx, tx, e.ID, ids)
	for i := range rows {
		bills[e.ID.String()+rows[i].InvoiceID] = &rows[i]
	}
	return err
}

func (ps Plans) matchChargeTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, p *Plan, b *invoice, c donation.IncomingPayment) (donation.Match, error) {
	switch {
	case b.DonationID != nil:
		return donation.Match{DonationID: *b.DonationID}, nil // told before
	case b.Refused:
		return donation.Match{Rejected: donation.BeyondPlan}, nil
	case p.Total != nil && p.Paid >= *p.Total:
		return ps.rejectTx(ctx, tx, p, b, c, donation.BeyondPlan)
	case p.EndedAt != nil && b.CreatedAt.After(*p.EndedAt):
		return ps.rejectTx(ctx, tx, p, b, c, donation.PlanEnded)
	}
	entity, err := catalog.EntityByID(p.EntityID)
	if err != nil {
		return donation.Match{}, err
	}
	const before = `/* recurring.matchChargeTx */
		SELECT coalesce(max(n), 0) AS last, coalesce(bool_or(n = 1), false) AS begun FROM instalment WHERE plan_id = $1`
	var counted struct {
		Last  int  `db:"last"`
		Begun bool `db:"begun"`
	}
	if err := tx.GetContext(ctx, &counted, before, p.ID); err != nil {
		return donation.Match{}, err
	}
	gift, n := p.ID, 1 // the form's own
	if !b.First || counted.Begun {
		gift, n = ps.NewID(), max(counted.Last+1, 2)
		if err := ps.createInstalmentTx(ctx, tx, p, b, c, gift); err != nil {
			return donation.Match{}, err
		}
	}
	b.N, b.DonationID = &n, &gift
	if err := saveInvoiceTx(ctx, tx, b); err != nil {
		return donation.Match{}, err
	}
	if err := ps.countPaymentTx(ctx, tx, p, b, c); err != nil {
		return donation.Match{}, err
	}
	return donation.Match{DonationID: gift, Instalment: receiptInstalment(p, n, c, entity)}, nil
}

// instalTx writes the gift of a later payment, by the terms that stood when its bill was made. Should their amount be another
// than what was charged, those that fit count: a change can meet a bill on its way.
func (ps Plans) createInstalmentTx(ctx context.Context, tx *sqlx.Tx, p *Plan, b *invoice, c donation.IncomingPayment, gift uuid.UUID) error {
	all, err := termsOf(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	t := termsAt(all, b.CreatedAt)
	fits := slices.IndexFunc(all, func(t terms) bool { return t.Amount == c.Amount.Minor })
	if t.Amount != c.Amount.Minor && fits >= 0 {
		t = all[fits]
	}
	parts, err := PartsOf(ctx, tx, *p, t.N)
	if err != nil {
		return err
	}
	return donation.CreateInstalmentTx(ctx, tx, donation.Instalment{
		ID: gift, First: p.ID, PublicRef: ps.NewRef(), Frequency: string(p.Frequency), Parts: parts, At: c.ReceivedAt, Cause: b.InvoiceID,
	})
}

func saveInvoiceTx(ctx context.Context, tx *sqlx.Tx, b *invoice) error {
	const query = `/* recurring.saveInvoiceTx */ UPDATE instalment SET n = $3, donation_id = $4, refused = $5 WHERE entity_id = $1 AND invoice_id = $2`
	_, err := tx.ExecContext(ctx, query, b.EntityID, b.InvoiceID, b.N, b.DonationID, b.Refused)
	return err
}

// paidTx counts a payment. The first begins the plan, the last of N finishes it.
func (ps Plans) countPaymentTx(ctx context.Context, tx *sqlx.Tx, p *Plan, b *invoice, c donation.IncomingPayment) error {
	p.Paid++
	kind, now := eventPaid, ps.Now()
	if p.Status == Started {
		p.Status, p.BegunAt = Active, &c.ReceivedAt
		kind = eventStarted
	}
	if p.FailingInvoice != nil && *p.FailingInvoice == b.InvoiceID {
		p.FailingSince, p.FailingCode, p.FailingInvoice = nil, nil, nil
	}
	if p.NextAt == nil || !p.NextAt.After(c.ReceivedAt) {
		next := p.Frequency.Step(b.CreatedAt, 1) // until it is read at Stripe
		p.NextAt = &next
	}
	if p.EndedAt != nil {
		p.NextAt = nil
	}
	if _, err := ps.recordEventTx(ctx, tx, p, kind, b.InvoiceID, Detail{N: *b.N, Amount: c.Amount.Minor}); err != nil {
		return err
	}
	if p.Total != nil && p.Paid > 1 && p.Paid < *p.Total && p.ScheduleID == nil && p.SubscriptionID != nil && !b.CollectedHere {
		if err := ps.requestTx(ctx, tx, p, request{Kind: kindSchedule, Subject: fmt.Sprintf("from %d", *b.N), RequestedBy: "konbit"}); err != nil {
			return err
		}
	}
	if p.Total == nil || p.Paid < *p.Total || p.EndedAt != nil {
		return ps.scheduleSyncTx(ctx, tx, p)
	}
	p.Status, p.EndedAt, p.NextAt, p.PausedUntil = Finished, &now, nil, nil
	if err := ps.requestTx(ctx, tx, p, request{Kind: kindEnd, RequestedBy: "konbit"}); err != nil {
		return err
	}
	if err := ps.notifyTx(ctx, tx, p, eventFinished, "", Detail{}); err != nil {
		return err
	}
	return savePlanTx(ctx, tx, p)
}

// refuseTx has a payment given back that the plan has no room for, and the plan ended at Stripe once more.
func (ps Plans) rejectTx(ctx context.Context, tx *sqlx.Tx, p *Plan, b *invoice, c donation.IncomingPayment, why donation.RejectReason) (donation.Match, error) {
	b.Refused = true
	if err := saveInvoiceTx(ctx, tx, b); err != nil {
		return donation.Match{}, err
	}
	if err := ps.requestTx(ctx, tx, p, request{Kind: kindRefund, Subject: c.ChargeRef, Detail: Detail{Amount: c.Amount.Minor}, RequestedBy: "konbit"}); err != nil {
		return donation.Match{}, err
	}
	if err := ps.requestTx(ctx, tx, p, request{Kind: kindEnd, Subject: c.ChargeRef, RequestedBy: "konbit"}); err != nil {
		return donation.Match{}, err
	}
	if _, err := ps.recordEventTx(ctx, tx, p, eventPaymentRejected, b.InvoiceID, Detail{Amount: c.Amount.Minor}); err != nil {
		return donation.Match{}, err
	}
	return donation.Match{Rejected: why}, savePlanTx(ctx, tx, p)
}

// PaymentsSuspendedTx ends plans whose first payment settled no gift: what began wrong is not charged again. A later payment that is held
// is one of the count, and its task tells finance.
func (ps Plans) PaymentsSuspendedTx(ctx context.Context, tx *sqlx.Tx, charges []donation.IncomingPayment) error {
	for _, c := range charges {
		rows, err := invoicesByID(ctx, tx, c.EntityID, []string{c.Invoice.ID})
		if err != nil {
			return err
		}
		if len(rows) == 0 || rows[0].DonationID == nil || *rows[0].DonationID != rows[0].PlanID {
			continue
		}
		p, err := lockPlanTx(ctx, tx, rows[0].PlanID)
		if err != nil {
			return err
		}
		if p.Status.IsEnded() {
			continue
		}
		if err := ps.requestTx(ctx, tx, p, request{Kind: kindEnd, RequestedBy: "konbit"}); err != nil {
			return err
		}
		now := ps.Now()
		p.Status, p.EndedAt, p.NextAt = Failed, &now, nil
		if err := savePlanTx(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}

// instalment is what a receipt says of a payment's place in its plan.
func receiptInstalment(p *Plan, n int, c donation.IncomingPayment, e org.LegalEntity) *receipt.Instalment {
	in := &receipt.Instalment{Plan: p.ID, PlanRef: p.PublicRef, N: n, Frequency: string(p.Frequency), Each: p.Amount()}
	if p.Total != nil {
		in.Of = *p.Total
		left, _ := p.Remaining()
		in.Sum = money.New(p.AmountMinor*int64(*p.Total), money.Currency(p.Currency))
		in.LastOn = dateIn(cmp.Or(p.LastAt(), &c.ReceivedAt), e)
		if left == 0 {
			in.LastOn = dateIn(&c.ReceivedAt, e)
		}
	}
	if p.NextAt != nil {
		in.NextOn = dateIn(p.NextAt, e)
	}
	return in
}

func dateIn(at *time.Time, e org.LegalEntity) string {
	return ledger.DateOf(*at, e.Location()).String()
}
