package privacy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestValuesKeepTheirSpelling: jobs hold these kinds, rows these reasons, and pages these keys of phrases.
func TestValuesKeepTheirSpelling(t *testing.T) {
	for want, got := range map[string]string{
		"erasure_letter": EmailJob{}.Kind(), "erasure_farewell": CompletedEmailJob{}.Kind(), "erasure_customer": CustomerDeletion{}.Kind(),
		"privacy.error.plan": phrasePlan, "privacy.error.gift": phraseGift,
		"tax law: records of contributions are shown on request for seven years": retentionReason,
	} {
		require.Equal(t, want, got)
	}
}
