package notice

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestValuesKeepTheirSpelling: rows and jobs hold these values.
func TestValuesKeepTheirSpelling(t *testing.T) {
	require.Equal(t, []Kind{"failed", "held", "returned", "refund failed"}, []Kind{Failed, Held, Returned, RefundFailed})
	require.Equal(t, "notice_letter", EmailJob{}.Kind())
}
