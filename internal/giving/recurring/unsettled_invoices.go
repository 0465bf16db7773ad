package recurring

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"
)

// A payment is counted when its charge is settled, and that comes late when nobody told of it. A plan of N ends after N payments all the
// same: where fewer are counted than there were periods, those count that Stripe has. They are settled by the charges in the balance.

// behind tells whether a plan of N has had more periods than payments are counted.
func (p Plan) isBehind(s RemoteSubscription) bool {
	return p.Total != nil && !p.Status.IsEnded() && p.BegunAt != nil && p.dateAfter(*p.BegunAt, p.Paid).Before(s.PeriodEnd.Add(-dateTolerance))
}

// missedTx lists the bills that were paid and whose payments are not counted yet.
func unsettledInvoicesTx(ctx context.Context, tx *sqlx.Tx, p *Plan, s RemoteSubscription) ([]string, error) {
	if len(s.paidInvoices) == 0 {
		return nil, nil
	}
	settled, err := SettledInvoices(ctx, tx, p.EntityID, s.paidInvoices)
	return slices.DeleteFunc(slices.Clone(s.paidInvoices), func(id string) bool { return settled[id] }), err
}

// enoughTx has a plan ended at Stripe for which N payments were made, counted or not. It finishes when all are counted.
func (ps Plans) endIfCompleteTx(ctx context.Context, tx *sqlx.Tx, p *Plan, missed int) error {
	if p.Total == nil || missed == 0 || p.Paid+missed < *p.Total {
		return nil
	}
	return ps.requestTx(ctx, tx, p, request{Kind: kindEnd, Subject: "enough", RequestedBy: "konbit"})
}
