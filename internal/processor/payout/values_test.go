package payout

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStoredValues lists the strings that rows hold. A constant may be renamed; its value must not change.
func TestStoredValues(t *testing.T) {
	for _, v := range []struct{ name, got, want string }{
		{"payout.processor", processorStripe, "stripe"},
		{"payout.kind", string(Automatic), "automatic"},
		{"payout.kind", string(Manual), "manual"},
		{"payout.kind", string(Instant), "instant"},
		{"payout.status", string(Pending), "pending"},
		{"payout.status", string(InTransit), "in_transit"},
		{"payout.status", string(Paid), "paid"},
		{"payout.status", string(Failed), "failed"},
		{"payout.status", string(Canceled), "canceled"},
	} {
		t.Run(v.name+" "+v.want, func(t *testing.T) {
			require.Equal(t, v.want, v.got)
		})
	}
}
