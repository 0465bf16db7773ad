package org

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestValuesKeepTheirSpelling: rows, the declarative file and idempotency keys at Stripe hold these values.
func TestValuesKeepTheirSpelling(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{string(PaidByFund), "fund"},
		{string(PaidByOperations), "operations"},
		{string(OfGross), "gross"},
		{string(OfNet), "net"},
		{string(Once), "once"},
		{string(Weekly), "weekly"},
		{string(Monthly), "monthly"},
		{string(Quarterly), "quarterly"},
		{string(Yearly), "yearly"},
	} {
		t.Run(test.want, func(t *testing.T) {
			require.Equal(t, test.want, test.got)
		})
	}
}
