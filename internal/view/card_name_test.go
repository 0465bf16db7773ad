package view_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/platform/phrase"
)

// TestPaymentMethodWithoutDigits: Link, Cash App and others are named by their kind, and no email says "ending in"
// without digits (https://github.com/laravel/cashier-stripe/issues/1371).
func TestPaymentMethodWithoutDigits(t *testing.T) {
	v := newView(t)
	for _, c := range []struct{ brand, last4, en, pt string }{
		{"visa", "4242", "Visa ending in 4242", "Visa com final 4242"},
		{"", "6789", "card or account ending in 6789", "cartão ou conta com final 6789"},
		{"link", "", "Link account", "método Link"},
		{"cashapp", "", "Cash App account", "método Cash App"},
		{"revolut_pay", "", "card or account", "cartão ou conta"},
		{"visa", "", "card or account", "cartão ou conta"},
		{"", "", "card or account", "cartão ou conta"},
	} {
		require.Equal(t, c.en, v.CardName("en", c.brand, c.last4))
		require.Equal(t, c.pt, v.CardName(phrase.Portuguese, c.brand, c.last4))
	}
}
