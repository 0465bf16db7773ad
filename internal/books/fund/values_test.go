package fund

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestValuesKeepTheirSpelling: rows and the declarative file hold these values.
func TestValuesKeepTheirSpelling(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{string(Unrestricted), "none"},
		{string(ByPurpose), "purpose"},
		{string(ByTime), "time"},
		{Operations, "operations"},
	} {
		t.Run(test.want, func(t *testing.T) {
			require.Equal(t, test.want, test.got)
		})
	}
}
