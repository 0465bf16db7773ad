package offlinepay

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStoredValues lists the strings that rows hold. A constant may be renamed; its value must not change.
func TestStoredValues(t *testing.T) {
	require.Equal(t, "refund order", sourceRefundOrder, "journal_entry.source")
}
