package webhook

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStatesOfEvents: the table stripe_event and `konbit stripe events` hold these values.
func TestStatesOfEvents(t *testing.T) {
	require.Equal(t, []string{"waiting", "parked", "set_aside", "done"}, EventStates)
}
