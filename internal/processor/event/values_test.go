package event

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEventStates: an adapter's table of events holds these values.
func TestEventStates(t *testing.T) {
	require.Equal(t, []State{"done", "parked", "set_aside"}, []State{Done, Parked, SetAside})
}
