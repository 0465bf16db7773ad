package payment_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/payment"
)

// TestMethods lists the values that stand in payment.method, with what follows from each.
func TestMethods(t *testing.T) {
	t.Parallel()
	want := map[payment.Method]struct {
		processor bool
		account   ledger.Account
	}{
		"card": {true, "1010"}, "bank_debit": {true, "1010"}, "check": {false, "1050"}, "cash": {false, "1050"}, "bank_transfer": {false, "1100"},
		"stock": {false, "1300"}, "donor_advised_fund": {false, "1050"}, "in_kind": {false, "5300"}, "suspense": {false, "1010"},
	}
	require.Len(t, payment.Methods, len(want))
	for _, m := range payment.Methods {
		t.Run(string(m), func(t *testing.T) {
			require.Contains(t, want, m)
			require.True(t, m.IsValid())
			require.Equal(t, want[m].processor, m.HasProcessor())
			require.Equal(t, want[m].account, m.Account())
		})
	}
	require.False(t, payment.Method("barter").IsValid())
}

// TestStoredValues lists the other values that rows hold.
func TestStoredValues(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"settled", "suspense", "stripe"}, []string{string(payment.Settled), string(payment.Suspense), payment.Stripe})
}
