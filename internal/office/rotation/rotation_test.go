package rotation_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/privacy"
	"konbit/internal/office/rotation"
)

// TestLinesSayWhatNeedsAnOldKey lists what `konbit keys list` says of each use of a key.
func TestLinesSayWhatNeedsAnOldKey(t *testing.T) {
	t.Parallel()
	keys := []rotation.Key{{Setting: "SECRET_KEY", Fingerprint: "aaaa", ID: "a"}, {Setting: "SECRET_KEY_OLD", Fingerprint: "bbbb", ID: "b"}}
	for line, s := range map[string]rotation.Status{
		"aaaa  recorded since": {Recorded: "aaaa"},
		"None is recorded":     {},
		"5 one-time keys sealed with SECRET_KEY_OLD: konbit keys rotate": {Sealed: []privacy.SealCount{{What: "one-time keys", KeyID: "b", N: 5}}},
		"which is not among the settings":                                {Sealed: []privacy.SealCount{{What: "one-time keys", KeyID: "c", N: 5}}},
		"2 pending erasures need the key of before":                      {Erasures: 2},
		"3 erasures were recorded before this key":                       {Hashed: 3},
	} {
		s.Keys = keys
		require.Contains(t, strings.Join(s.Lines(), "\n"), line)
	}
	require.NotContains(t, strings.Join(rotation.Status{Keys: keys, Recorded: "aaaa"}.Lines(), "\n"), "erasures")
}
