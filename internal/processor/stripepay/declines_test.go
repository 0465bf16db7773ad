package stripepay_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/recurring"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// TestRenewalsDeclinedAreNoCardTesting checks that a decline at a renewal does not count as card testing, because no
// person typed the card then. A decline on the payment page counts, also for a plan.
func TestRenewalsDeclinedAreNoCardTesting(t *testing.T) {
	h := program.New(t, program.Options{})
	failures := func() int {
		h.DeliverNew()
		h.DrainAll()
		h.RetryParked()
		return h.Count(`SELECT count(*) FROM guard_failure`)
	}
	f := program.ValidForm()
	f.Frequency = "monthly"
	d := h.StartedGift(f)
	declined := stripefake.GoodCard
	declined.Number = "4000000000000002"
	require.Error(t, h.Fake.Pay(*h.Checkout(d).SessionID, declined))
	require.Equal(t, 1, failures())
	h.Pay(d)
	require.Equal(t, 1, failures())
	require.Positive(t, h.RunPlanJobs())
	p, err := recurring.ByID(t.Context(), h.DB.Server, d.ID)
	require.NoError(t, err)
	require.NoError(t, h.Fake.FailCard(*p.SubscriptionID, "insufficient_funds", 0))
	h.Fake.Advance(p.NextAt.Sub(h.Fake.Now()) + 2*time.Hour)
	require.Equal(t, 1, failures(), "at the renewal")
	h.Fake.Advance(8 * 24 * time.Hour)
	require.Equal(t, 1, failures(), "at the tries after it")
	once := h.StartedGift(program.ValidForm())
	require.Error(t, h.Fake.Pay(*h.Checkout(once).SessionID, declined))
	require.Equal(t, 2, failures())
}
