package donation_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
)

// TestStoredValues lists the texts that rows hold: a constant may be renamed, its value may not.
func TestStoredValues(t *testing.T) {
	t.Parallel()
	require.Equal(t, []donation.Status{"started", "processing", "settled", "held", "failed", "expired"}, []donation.Status{
		donation.Started, donation.Processing, donation.Settled, donation.NeedsReview, donation.Failed, donation.Expired,
	})
	require.Equal(t, []donation.Source{"form", "plan", "office", "import"},
		[]donation.Source{donation.FromForm, donation.FromPlan, donation.FromOffice, donation.FromImport})
}
