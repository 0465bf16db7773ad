package recurring

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/billing"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/instalment"
	"konbit/internal/giving/notice"
	"konbit/internal/giving/plan"
)

// firstPaymentFailedTx ends a plan whose first payment was a bank debit that the bank did not pay. The donation fails,
// the donor gets an email, and the subscription ends, so that nothing is charged after the email. A declined card is
// shown on the payment page, and its subscription stays incomplete. It does nothing if the invoice is not
// the first, or not recorded yet: then the first payment is only late.
func (ps Plans) firstPaymentFailedTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, latest *billing.Invoice) error {
	rows, err := instalment.ByID(ctx, tx, p.EntityID, []string{latest.ID})
	if err != nil || len(rows) == 0 || !rows[0].First || rows[0].N != nil {
		return err
	}
	failed := donation.StatusUpdate{DonationID: p.ID, EntityID: p.EntityID, To: donation.Failed, Cause: latest.ID} // a plan has the id of its first donation
	if err := donation.UpdateStatusTx(ctx, tx, notice.Recorder{Queue: ps.Queue, NewID: ps.NewID}, []donation.StatusUpdate{failed}, ps.Now()); err != nil {
		return err
	}
	p.End(plan.Failed, plan.Unpaid, ps.Now())
	return ps.requestTx(ctx, tx, p, plan.Request{Kind: plan.KindEnd, RequestedBy: plan.ByKonbit})
}
