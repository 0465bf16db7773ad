package approval_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/office"
)

// TestTwoPeopleInRandomSequences is the short form of row "approvals" of cmd/chaos.
func TestTwoPeopleInRandomSequences(t *testing.T) {
	t.Parallel()
	executed := office.Sequences(t, testkit.DB(t), 15, 60, func(int) {})
	require.Greater(t, executed, 2, "acts with enough people were executed")
}
