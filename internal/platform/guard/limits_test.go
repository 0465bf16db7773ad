package guard

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseLimits(t *testing.T) {
	l, err := ParseLimits("")
	require.NoError(t, err)
	require.Equal(t, Standard(), l)

	l, err = ParseLimits(" address=7/1h30m  page=off min_fill_time=1500ms no_js_waits=1/10s ")
	require.NoError(t, err)
	want := Standard()
	want.Address, want.Page, want.MinFillTime, want.NoJSWaits = Limit{7, 90 * time.Minute}, Limit{}, 1500*time.Millisecond, Limit{1, 10 * time.Second}
	require.Equal(t, want, l)

	old, err := ParseLimits("shown=1500ms address=7/1h30m page=off waits=1/10s")
	require.NoError(t, err)
	require.Equal(t, want, old, "the names of earlier releases")
	require.Equal(t, map[string]string{"shown": "min_fill_time", "waits": "no_js_waits"}, OldLimitNames("shown=3s page=off waits=1/10s"))
	require.Empty(t, OldLimitNames("min_fill_time=3s page=off"))

	for text, why := range map[string]string{
		"adress=5/10m":              "want one of address",
		"address":                   "want a count and a window",
		"address=5":                 "want a count and a window",
		"address=0/10m":             "want a count and a window",
		"address=-1/10m":            "want a count and a window",
		"address=5/10":              "want a count and a window",
		"address=5/9s":              "from 10s to 24h",
		"address=5/25h":             "from 10s to 24h",
		"address=5/10m address=off": "address is set twice",
		"shown=2s min_fill_time=3s": "min_fill_time is set twice",
		"min_fill_time=2m":          "at most a minute",
		"min_fill_time=-1s":         "at most a minute",
		"min_fill_time":             "at most a minute",
	} {
		t.Run(text, func(t *testing.T) {
			_, err := ParseLimits(text)
			require.ErrorContains(t, err, why)
		})
	}
}

func TestLimitsReadAsTheyAreWritten(t *testing.T) {
	for want, l := range map[string]Limit{"5/10m": {5, 10 * time.Minute}, "5/1h": {5, time.Hour}, "1/1h30m": {1, 90 * time.Minute}, "2/10s": {2, 10 * time.Second}, "off": {}} {
		t.Run(want, func(t *testing.T) {
			require.Equal(t, want, l.String())
		})
	}
}

// TestLimitsAreDocumented: the page for operators has each limit with its standard value.
func TestLimitsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../cmd/konbit/running/limits.md")
	require.NoError(t, err)
	standard := Standard()
	for name, l := range standard.named() {
		require.Contains(t, string(page), "| `"+name+"` | "+l.String()+" |")
	}
	require.Contains(t, string(page), "| `min_fill_time` | "+standard.MinFillTime.String()+" |")
}
