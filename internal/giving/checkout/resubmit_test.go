package checkout_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/workshop/testkit/program"
)

// TestSubmittedAgainLongAfterAPaymentWithoutWebhook: a donor pays, no webhook arrives, and an hour later the donor
// submits the form again. The result is the paid gift. Another amount on the same form is another gift.
func TestSubmittedAgainLongAfterAPaymentWithoutWebhook(t *testing.T) {
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	paid := h.StartedGift(form)
	h.Pay(paid)
	h.Fake.Advance(time.Hour)
	again, err := h.Submit(form)
	require.NoError(t, err)
	require.Equal(t, paid.ID, again.ID)
	require.Equal(t, donation.Processing, again.Status)
	form.Amount = "30"
	more, err := h.Submit(form)
	require.NoError(t, err)
	require.NotEqual(t, paid.ID, more.ID)
	require.Equal(t, donation.Started, more.Status)
	h.Deliver(h.EventOf(paid, "charge.succeeded"))
	h.DrainAll()
	require.Equal(t, donation.Settled, h.Gift(paid.ID).Status)
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
}
