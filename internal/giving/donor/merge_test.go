package donor

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// TestPerDonor merges several donations of one donor.
func TestPerDonor(t *testing.T) {
	t.Parallel()
	a, b := uuid.MustParse("00000000-0000-0000-0000-00000000000a"), uuid.MustParse("00000000-0000-0000-0000-00000000000b")
	at := func(day int) time.Time { return time.Date(2026, 5, day, 0, 0, 0, 0, time.UTC) }
	for name, test := range map[string]struct {
		gifts    []PaidGift
		latest   []PaidGift
		earliest map[uuid.UUID]time.Time
	}{
		"one": {
			[]PaidGift{{DonorID: a, FirstName: "Ana", At: at(1)}},
			[]PaidGift{{DonorID: a, FirstName: "Ana", At: at(1)}}, map[uuid.UUID]time.Time{a: at(1)},
		},
		"the latest names count, in any order": {
			[]PaidGift{{DonorID: a, FirstName: "Anita", At: at(3)}, {DonorID: a, FirstName: "Ana", At: at(1)}},
			[]PaidGift{{DonorID: a, FirstName: "Anita", At: at(3)}}, map[uuid.UUID]time.Time{a: at(1)},
		},
		"consent with any of them counts": {
			[]PaidGift{{DonorID: a, News: true, At: at(1)}, {DonorID: a, At: at(2)}},
			[]PaidGift{{DonorID: a, News: true, At: at(2)}}, map[uuid.UUID]time.Time{a: at(1)},
		},
		"in the order of ids": {
			[]PaidGift{{DonorID: b, At: at(1)}, {DonorID: a, At: at(2)}},
			[]PaidGift{{DonorID: a, At: at(2)}, {DonorID: b, At: at(1)}}, map[uuid.UUID]time.Time{a: at(2), b: at(1)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			latest, earliest := perDonor(test.gifts)
			require.Equal(t, test.latest, latest)
			require.Equal(t, test.earliest, earliest)
		})
	}
}

// TestStoredValues lists the values that rows hold.
func TestStoredValues(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"person", "organisation"}, []string{string(Person), string(Organisation)})
	require.Equal(t, []string{"statements", "reminders", "news"}, EmailKinds)
}
