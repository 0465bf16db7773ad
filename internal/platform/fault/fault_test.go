package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/fault"
)

func TestKindOfAWrappedError(t *testing.T) {
	lost := errors.New("no answer")
	wrapped := fmt.Errorf("open: %w", fault.Wrap(fault.Unavailable, "problem.503.text", lost))
	assert.Equal(t, fault.Unavailable, fault.KindOf(wrapped))
	assert.True(t, fault.Is(wrapped, fault.Unavailable))
	assert.False(t, fault.Is(wrapped, fault.NotFound))
	assert.ErrorIs(t, wrapped, lost)
	assert.EqualError(t, wrapped, "open: unavailable: problem.503.text: no answer")
}

func TestAnyOtherErrorIsUnexpected(t *testing.T) {
	assert.Equal(t, fault.Unexpected, fault.KindOf(lone()))
	assert.True(t, fault.Is(lone(), fault.Unexpected))
	assert.False(t, fault.Is(nil, fault.Unexpected), "nil is not a failure")
}

func lone() error { return errors.New("broken") }

func TestFields(t *testing.T) {
	require.NoError(t, fault.Fields(nil))
	err := fault.Fields([]fault.Field{{Name: "email", Phrase: "give.error.email.format"}, {Name: "note", Phrase: "give.error.too_long", Args: fault.Args{"max": 1000}}})
	var bad *fault.Error
	require.ErrorAs(t, err, &bad)
	assert.Equal(t, fault.Invalid, bad.Kind)
	assert.Len(t, bad.Fields, 2)
	assert.EqualError(t, err, "invalid: problem.form [email: give.error.email.format] [note: give.error.too_long]")
}

func TestKindsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for k := fault.Unexpected; k <= fault.Unavailable; k++ {
		assert.NotEmpty(t, k.String())
		seen[k.String()] = true
	}
	assert.Len(t, seen, 6)
}
