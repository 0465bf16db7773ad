package billing

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInvoiceState(t *testing.T) {
	for _, c := range []struct {
		name                     string
		invoice                  *Invoice
		pending, failed, settled bool
	}{
		{"none", nil, false, false, false},
		{"draft", &Invoice{Status: "draft"}, true, false, false},
		{"not tried yet", &Invoice{Status: "open"}, true, false, false},
		{"declined", &Invoice{Status: "open", Attempts: 1}, false, true, false},
		{"bank debit in progress", &Invoice{Status: "open", Attempts: 1, InFlight: true}, true, false, false},
		{"given up", &Invoice{Status: "uncollectible", Attempts: 4}, false, true, false},
		{"paid", &Invoice{Status: "paid", Attempts: 2}, false, false, true},
		{"void", &Invoice{Status: "void"}, false, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, [3]bool{c.pending, c.failed, c.settled}, [3]bool{c.invoice.IsPending(), c.invoice.HasFailed(), c.invoice.IsSettled()})
		})
	}
}

func TestDeclineReason(t *testing.T) {
	for code, want := range map[string]string{
		"": "", "insufficient_funds": "funds", "expired_card": "expired", "stolen_card": "lost", "account_closed": "closed",
		"authentication_required": "asked", "generic_decline": "refused",
	} {
		t.Run("code "+code, func(t *testing.T) {
			require.Equal(t, want, DeclineReason(code))
		})
	}
	require.True(t, IsPermanentDecline("stolen_card"))
	require.False(t, IsPermanentDecline("insufficient_funds"))
}
