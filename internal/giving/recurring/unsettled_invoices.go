package recurring

import (
	"context"
	"slices"
	"strconv"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/billing"
	"konbit/internal/giving/instalment"
	"konbit/internal/giving/plan"
)

// A payment is counted when its charge is settled. If no webhook event arrived, it is settled later. A plan of N payments
// must end after N payments nevertheless. If fewer payments are counted than there were periods, the paid invoices at
// Stripe are counted too; the balance import settles them when it finds their charges.

// unsettledInvoicesTx returns the paid invoices whose payments are not counted yet.
func unsettledInvoicesTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, s billing.RemoteSubscription) ([]string, error) {
	if len(s.PaidInvoices) == 0 {
		return nil, nil
	}
	settled, err := instalment.Settled(ctx, tx, p.EntityID, s.PaidInvoices)
	return slices.DeleteFunc(slices.Clone(s.PaidInvoices), func(id string) bool { return settled[id] }), err
}

// endIfCompleteTx requests the end of a subscription if all N payments were made, counted or not. The plan is finished
// when all are counted. A payment made outside Stripe is one of the N: the donor never pays more than N times.
func (ps Plans) endIfCompleteTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, s billing.RemoteSubscription, unsettled int) error {
	if made := p.Paid + unsettled + s.PaidElsewhere; p.Total == nil || made == p.Paid || made < *p.Total {
		return nil
	}
	if unsettled == 0 {
		return ps.finishTx(ctx, tx, p)
	}
	return ps.requestTx(ctx, tx, p, plan.Request{Kind: plan.KindEnd, Subject: "enough", RequestedBy: plan.ByKonbit})
}

// extendScheduleTx requests a longer schedule if a period was not paid, so that N payments are made. An earlier end that
// was set at Stripe stays.
func (ps Plans) extendScheduleTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, s billing.RemoteSubscription, unsettled []string) error {
	if p.Total == nil || p.PhaseStart == nil || p.EndsAt != nil {
		return nil
	}
	pending := s.LatestInvoice.IsPending()
	if latest := s.LatestInvoice; latest.AwaitsCharge() {
		settled, err := instalment.Settled(ctx, tx, p.EntityID, []string{latest.ID})
		if err != nil {
			return err
		}
		pending = !settled[latest.ID] && !slices.Contains(unsettled, latest.ID) // its charge is not settled yet
	}
	counted := *p
	counted.Paid += len(unsettled) + s.PaidElsewhere
	if length := counted.ScheduleLength(*p.PhaseStart, s.PeriodEnd, pending); length > p.Iterations {
		return ps.requestTx(ctx, tx, p, plan.Request{Kind: plan.KindSchedule, Subject: strconv.Itoa(length), RequestedBy: plan.ByKonbit})
	}
	return nil
}
