package privacy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestValuesKeepTheirSpelling: jobs hold these kinds and pages these keys of phrases.
func TestValuesKeepTheirSpelling(t *testing.T) {
	for want, got := range map[string]string{
		"erasure_letter": EmailJob{}.Kind(), "erasure_farewell": CompletedEmailJob{}.Kind(), "erasure_customer": CustomerDeletion{}.Kind(),
		"privacy.error.plan": phrasePlan, "privacy.error.gift": phraseGift,
	} {
		t.Run(want, func(t *testing.T) {
			require.Equal(t, want, got)
		})
	}
}
