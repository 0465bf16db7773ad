package stripepay_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/checkout"
	"konbit/internal/workshop/testkit/program"
)

// TestAPageIsFoundAmongMany: on a busy day more pages than a list's hundred are created before a donor submits again.
func TestAPageIsFoundAmongMany(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	first := h.StartedGift(program.ValidForm())
	for range 100 {
		h.StartedGift(program.ValidForm())
	}
	found, err := h.Stripe.Find(t.Context(), checkout.Order{EntitySlug: "tsne", DonationID: first.ID, ExpiresAt: h.Checkout(first).ExpiresAt})
	require.NoError(t, err)
	require.Equal(t, &checkout.Session{ID: *h.Checkout(first).SessionID, URL: *h.Checkout(first).SessionURL}, found)
}
