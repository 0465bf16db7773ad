package chaos

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/keyring"
	"konbit/internal/workshop/testkit/program"
)

// steps checks what expires:
//
//	the challenge before a payment page   between servers whose clocks differ by minutes, and on servers whose clock
//	                                      differs by years from the database's
//	a pass of event mode                  by the database's clock
func steps(t testing.TB, h *program.Program) {
	const (
		minutes = 4 * time.Minute
		years   = 400 * 24 * time.Hour
		life    = 15 * time.Minute
	)
	at := func(off time.Duration) *guard.Guard {
		limits := guard.Limits{MinFillTime: 3 * time.Second}
		return guard.New(h.DB.Server, keyring.New([]byte("canary-secret-of-32-bytes-length")), limits, func() time.Time { return time.Now().Add(off) })
	}
	for _, test := range []struct {
		given, judged time.Duration
		passes        bool
	}{
		{0, 0, true}, {minutes, 0, true}, {0, minutes, true}, {minutes, -minutes / 8, true}, {-years, -years, true}, {years, years, true},
		{0, life - time.Minute, true}, {0, life + time.Minute, false}, {0, years, false}, {years, 0, false},
	} {
		what := fmt.Sprintf("given at %s, judged at %s", test.given, test.judged)
		a := guard.Attempt{Page: "csio", Email: uuid.NewString() + "@donor.example", Form: uuid.New(), InputHash: sha256.Sum256([]byte(what))}
		verdict, step, err := at(test.given).Judge(t.Context(), a)
		require.NoError(t, err)
		require.Equal(t, guard.Challenged, verdict, what)
		a.Challenge, a.Proof = step.Token, solve(step)
		for use := range 3 {
			verdict, _, err = at(test.judged).Judge(t.Context(), a)
			require.NoError(t, err)
			require.Equal(t, test.passes && use == 0, verdict == guard.Passed, "%s, use %d", what, use)
			require.NoError(t, at(test.judged).DeleteExpired(t.Context()))
		}
	}
	offer := h.Offer("csio")
	pass, token, err := guard.OpenPass(t.Context(), h.DB.Server, uuid.New(), offer.Organisation.ID, time.Second)
	require.NoError(t, err)
	time.Sleep(time.Until(pass.OpenedAt) + 1100*time.Millisecond)
	_, err = guard.FindPass(t.Context(), h.DB.Server, offer.Organisation.ID, token)
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
}

// solve computes a step's answer as the browser does.
func solve(s guard.Challenge) string {
	var counters []string
	for puzzle := range s.Rounds {
		for n := 0; ; n++ {
			sum := sha256.Sum256([]byte(s.Seed + "." + strconv.Itoa(puzzle) + "." + strconv.Itoa(n)))
			if bits.LeadingZeros32(binary.BigEndian.Uint32(sum[:4])) >= s.Difficulty {
				counters = append(counters, strconv.Itoa(n))
				break
			}
		}
	}
	return strings.Join(counters, ",")
}
