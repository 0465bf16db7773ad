package stripebalance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/workshop/testkit/program"
)

// balances lists the account balances of tsne's funds that are not zero, as "fund account amount" in minor units.
func balances(h *program.Program) []string {
	return h.Lines(`SELECT format('%s %s %s', f.code, p.account_code, sum(p.amount)) FROM posting p
		JOIN fund f ON f.id = p.fund_id JOIN legal_entity e ON e.id = f.entity_id
		WHERE e.slug = 'tsne' GROUP BY f.code, p.account_code HAVING sum(p.amount) <> 0 ORDER BY 1`)
}

// importAll applies every event, sweeps, applies the events that waited for the sweep, and runs the checkers.
func importAll(t *testing.T, h *program.Program) {
	t.Helper()
	h.DrainAll()
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	h.RetryParked()
	h.RequireNoFindings()
}

// settledGift returns a gift of 20.00 whose fee is booked.
func settledGift(t *testing.T, h *program.Program) donation.Donation {
	t.Helper()
	d := h.SettledGift(program.ValidForm())
	importAll(t, h)
	return h.Gift(d.ID)
}

func intent(d donation.Donation) string { return *d.PaymentIntentID }
