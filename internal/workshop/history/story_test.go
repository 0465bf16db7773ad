package history

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestStoryIsTheSameAfterARestart: a history goes on by the number of its steps, so the steps must be the same, and all of
// them must lie in it.
func TestStoryIsTheSameAfterARestart(t *testing.T) {
	for _, hour := range []int{0, 10, 11, 12, 23} {
		from := time.Date(2026, 9, 29, hour, 30, 5, 0, time.UTC)
		steps, again := story(from), story(time.Unix(from.Unix(), 0))
		require.Greater(t, len(steps), 140)
		require.Len(t, again, len(steps))
		for i := range steps {
			require.Equal(t, steps[i].at.Unix(), again[i].at.Unix())
			require.False(t, i > 0 && steps[i].at.Before(steps[i-1].at), "oldest first")
		}
		require.False(t, steps[0].at.Before(from))
		require.True(t, steps[len(steps)-1].at.Before(from.Add(length)))
		require.True(t, steps[len(steps)-1].at.After(from.Add(length-48*time.Hour)), "the newest gift is of yesterday or the day before")
	}
}

func TestPeopleHaveTheirOwnAddresses(t *testing.T) {
	seen := map[string]bool{}
	for language, list := range names {
		people := crowd{given: map[string]int{}}
		for range len(list[0]) * len(list[1]) {
			p := people.next(language)
			require.Regexp(t, `^[a-z-]+\.[a-z-]+@donor\.example$`, p.email())
			require.False(t, seen[p.email()], p.email())
			seen[p.email()] = true
		}
	}
}
