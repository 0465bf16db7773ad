package recurring

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/instalment"
	"konbit/internal/giving/plan"
)

// rejectTx requests the refund of a payment that the plan does not accept, and requests the end of its subscription
// again. It enqueues an email to the donor.
func (ps Plans) rejectTx(
	ctx context.Context, tx *sqlx.Tx, p *plan.Plan, in *instalment.Invoice, c donation.IncomingPayment, reason donation.RejectReason,
) (donation.Match, error) {
	in.Refused = true
	if err := instalment.SaveTx(ctx, tx, in); err != nil {
		return donation.Match{}, err
	}
	for _, r := range []plan.Request{
		{Kind: plan.KindRefund, Subject: c.ChargeRef, Detail: plan.Detail{Amount: c.Amount.Minor}, RequestedBy: plan.ByKonbit},
		{Kind: plan.KindEnd, Subject: c.ChargeRef, RequestedBy: plan.ByKonbit},
	} {
		if err := ps.requestTx(ctx, tx, p, r); err != nil {
			return donation.Match{}, err
		}
	}
	detail := plan.Detail{N: p.Paid, Amount: c.Amount.Minor, Frequency: string(p.Frequency)} // the charged amount, not the plan's amount
	e, err := ps.recordEventTx(ctx, tx, p, plan.EventPaymentRejected, in.InvoiceID, detail)
	if err == nil && e != nil {
		err = ps.enqueueEmailTx(ctx, tx, p, e.ID)
	}
	if err != nil {
		return donation.Match{}, err
	}
	return donation.Match{Rejected: reason}, savePlanTx(ctx, tx, p)
}

// RefundsChargeTx implements donation.ChargeMatcher: it reports whether rejectTx requested the refund of a charge.
func (ps Plans) RefundsChargeTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, charge string) (requested bool, err error) {
	const query = `/* recurring.RefundsChargeTx */
		SELECT EXISTS (SELECT 1 FROM plan_request r JOIN plan p ON p.id = r.plan_id WHERE p.entity_id = $1 AND r.kind = 'refund' AND r.subject = $2)`
	err = tx.GetContext(ctx, &requested, query, entity, charge)
	return requested, err
}

// PaymentsSuspendedTx implements donation.ChargeMatcher. It ends plans whose first payment was booked to suspense, so
// that they are not charged again. A later payment in suspense is counted like any other; its task informs finance.
func (ps Plans) PaymentsSuspendedTx(ctx context.Context, tx *sqlx.Tx, charges []donation.IncomingPayment) error {
	for _, c := range charges {
		rows, err := instalment.ByID(ctx, tx, c.EntityID, []string{c.Invoice.ID})
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
		if err := ps.requestTx(ctx, tx, p, plan.Request{Kind: plan.KindEnd, RequestedBy: plan.ByKonbit}); err != nil {
			return err
		}
		p.End(plan.Failed, plan.Unexpected, ps.Now())
		if err := savePlanTx(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}
