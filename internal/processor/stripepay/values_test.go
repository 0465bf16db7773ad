package stripepay

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/giving/checkout"
)

// TestValuesThatStripeHolds: Stripe's objects hold these names and keys, so a rename in the code must not change them.
func TestValuesThatStripeHolds(t *testing.T) {
	require.Equal(t, []string{"konbit_donation", "konbit_organisation", "konbit_move", "konbit_bill"},
		[]string{metaDonation, metaOrganisation, metaMigration, metaInvoice})
	id := uuid.MustParse("0198c0de-0000-7000-8000-000000000001")
	params := sessionParams(checkout.Order{DonationID: id, OrgSlug: "csio", Try: 2, Frequency: org.Once})
	require.Equal(t, "checkout:0198c0de-0000-7000-8000-000000000001:2", *params.IdempotencyKey)
	require.Equal(t, map[string]string{"konbit_donation": id.String(), "konbit_organisation": "csio"}, params.Metadata)
}
