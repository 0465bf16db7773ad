package guard

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The step: rounds puzzles of difficulty bits each, about rounds<<difficulty (a quarter million) SHA-256 hashes in
// all, which an old phone does in one to three seconds; many small puzzles take much the same time for everybody,
// where one large one would keep some waiting ten times as long. Who runs no JavaScript waits instead.
const (
	rounds            = 16
	difficulty        = 14
	noJSWait          = 20 * time.Second
	challengeLifetime = 15 * time.Minute
	// skew is how far apart the clocks of two servers may be: what one dates, another judges.
	maxClockSkew = 5 * time.Minute
)

// Step is what a donor is asked to let their browser do.
type Challenge struct {
	Token              string        // comes back as it is
	Seed               string        // of the puzzles
	Rounds, Difficulty int           // number of puzzles; leading zero bits of each
	Wait               time.Duration // until it passes without the work
}

// A token is base64url of nonce (16 bytes), time of issue (8) and signature (32). The signature also covers what
// the step is bound to, which comes back with the form.
const (
	nonceSize = 16
	stampSize = 8
)

// newStep makes a step for a form as it was typed.
func (k key) newChallenge(form uuid.UUID, typed [32]byte, now time.Time) Challenge {
	var raw [nonceSize + stampSize]byte
	_, _ = rand.Read(raw[:nonceSize]) // documented never to fail
	binary.BigEndian.PutUint64(raw[nonceSize:], uint64(now.UnixMilli()))
	return challengeFrom(append(raw[:], k.sum("step", string(raw[:]), form.String(), string(typed[:]))...), now)
}

func challengeFrom(raw []byte, now time.Time) Challenge {
	remaining := issuedAt(raw).Add(noJSWait).Sub(now)
	return Challenge{
		Token: base64.RawURLEncoding.EncodeToString(raw), Seed: base64.RawURLEncoding.EncodeToString(raw[:nonceSize]),
		Rounds: rounds, Difficulty: difficulty, Wait: max(remaining, 0).Round(time.Second),
	}
}

func issuedAt(raw []byte) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(raw[nonceSize:])))
}

// readStep answers the bytes of a token that is ours, of this form as it is typed now, and has not run out.
func (k key) verifyToken(token string, form uuid.UUID, typed [32]byte, now time.Time) ([]byte, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != nonceSize+stampSize+sha256.Size {
		return nil, false
	}
	signed := raw[:nonceSize+stampSize]
	if !hmac.Equal(raw[len(signed):], k.sum("step", string(signed), form.String(), string(typed[:]))) {
		return nil, false
	}
	age := now.Sub(issuedAt(raw))
	return raw, age >= -maxClockSkew && age < challengeLifetime
}

// solved tells whether a proof, the counters that solve the puzzles in their order with commas between, is right:
// for each puzzle SHA-256 of "seed.puzzle.counter" begins with difficulty zero bits.
func solved(seed, proof string) bool {
	counters := strings.Split(proof, ",")
	if len(counters) != rounds {
		return false
	}
	for i, counter := range counters {
		if len(counter) > 10 || !zeros(seed, i, counter) {
			return false
		}
	}
	return true
}

func zeros(seed string, puzzle int, counter string) bool {
	sum := sha256.Sum256([]byte(seed + "." + strconv.Itoa(puzzle) + "." + counter))
	return bits.LeadingZeros32(binary.BigEndian.Uint32(sum[:4])) >= difficulty
}
