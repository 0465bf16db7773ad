package settlement

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEventStates: an adapter's table of events holds these values.
func TestEventStates(t *testing.T) {
	require.Equal(t, []EventState{"done", "parked", "set_aside"}, []EventState{EventDone, EventParked, EventSetAside})
}
