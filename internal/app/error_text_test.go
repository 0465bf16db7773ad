package app

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/platform/fault"
)

// TestErrorTextHasNoPhraseKeys: commands show the English phrase and the cause.
func TestErrorTextHasNoPhraseKeys(t *testing.T) {
	lost := fmt.Errorf("Stripe: %w", fault.Wrap(fault.Unavailable, "problem.503.text", fmt.Errorf("dial: %w", errors.New("refused"))))
	const want = "Stripe: We cannot take this just now. Nothing was charged. Please try again in a few minutes. (dial: refused)"
	require.Equal(t, want, ErrorText(lost))

	bad := fault.Fields([]fault.Field{{Name: "note", Phrase: "give.error.too_long", Args: fault.Args{"max": 1000}}})
	require.Regexp(t, `^Some of this needs another look; note: .*1000`, ErrorText(bad))
	require.Equal(t, "as it is", ErrorText(errors.New("as it is")))
}
