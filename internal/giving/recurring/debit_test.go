package recurring_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/billing"
	"konbit/internal/workshop/testkit/program"
)

// TestInstalmentByBankDebit: a bank answers after days.
//
//	no answer yet         not paid and not failed
//	success               a payment like any other
//	insufficient funds    an email to the donor, and Stripe retries
//	account closed        an email to the donor, and no retry
func TestInstalmentByBankDebit(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly(""))
	bank, err := h.Fake.ReplaceBank(*p.CustomerID)
	require.NoError(t, err)
	deliverAll(t, h)

	p = advanceToNextCharge(t, h, p)
	require.Equal(t, 1, p.Paid, "the debit is in progress")
	require.Nil(t, p.FailingSince)
	h.Fake.Advance(5 * 24 * time.Hour)
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Equal(t, 2, p.Paid)
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM receipt`))

	require.NoError(t, h.Fake.FailCard(bank, "insufficient_funds", 1))
	p = advanceToNextCharge(t, h, p)
	require.Nil(t, p.FailingSince)
	h.Fake.Advance(5 * 24 * time.Hour)
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Equal(t, "insufficient_funds", *p.FailingCode)
	require.Equal(t, 2, p.Paid)
	h.Fake.Advance(9 * 24 * time.Hour) // Stripe retries, and the bank takes days
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Nil(t, p.FailingSince)
	require.Equal(t, 3, p.Paid)

	require.NoError(t, h.Fake.FailCard(bank, "account_closed", 0))
	p = advanceToNextCharge(t, h, p)
	h.Fake.Advance(5 * 24 * time.Hour)
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Equal(t, "closed", billing.DeclineReason(*p.FailingCode))
	require.Equal(t, []string{"rest t"}, h.Lines(`SELECT kind || ' ' || left((carried_at IS NOT NULL)::text, 1) FROM plan_request WHERE kind = 'rest'`))
	charges := len(h.Fake.Objects("tsne", "charge", 0))
	h.Fake.Advance(20 * 24 * time.Hour)
	deliverAll(t, h)
	require.Empty(t, h.Fake.Objects("tsne", "charge", charges), "a closed account is not debited")
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM plan_event WHERE kind = 'payment failed'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
}
