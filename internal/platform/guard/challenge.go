package guard

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"konbit/internal/platform/keyring"
)

// The challenge has `rounds` puzzles of `difficulty` bits each: about rounds × 2^difficulty (a quarter of a million)
// SHA-256 hashes in total, which an old phone computes in one to three seconds. Many small puzzles take nearly the
// same time for everybody; one large puzzle would take some people ten times as long. A browser without JavaScript
// waits instead.
const (
	rounds            = 16
	difficulty        = 14
	noJSWait          = 20 * time.Second
	challengeLifetime = 15 * time.Minute
	// maxClockSkew is the greatest difference between the clocks of two servers: one issues a challenge, another judges
	// it.
	maxClockSkew = 5 * time.Minute
)

// Challenge is what the donor's browser has to do before the attempt passes.
type Challenge struct {
	Token              string        // the page sends it back unchanged
	Seed               string        // of the puzzles
	Rounds, Difficulty int           // number of puzzles; leading zero bits of each
	Wait               time.Duration // after which it passes without the work
}

// A token is the base64url of nonce (16 bytes), time of issue (8) and signature (a tag of the key ring; of the previous
// release 32 bytes). The signature also covers the form's id and the hash of what was typed, which the form sends again.
const (
	nonceSize = 16
	stampSize = 8
)

// newChallenge returns a challenge for a form with what was typed in it.
func (g *Guard) newChallenge(form uuid.UUID, typed [32]byte, now time.Time) Challenge {
	var raw [nonceSize + stampSize]byte
	_, _ = rand.Read(raw[:nonceSize]) // documented never to fail
	binary.BigEndian.PutUint64(raw[nonceSize:], uint64(now.UnixMilli()))
	return challengeFrom(append(raw[:], g.keys.Sign(purpose, "step", string(raw[:]), form.String(), string(typed[:]))...), now)
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

// verifyToken returns the bytes of a token, and whether it is ours, belongs to this form as typed now, and has not
// expired.
func (g *Guard) verifyToken(token string, form uuid.UUID, typed [32]byte, now time.Time) ([]byte, bool) {
	const signedSize = nonceSize + stampSize
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != signedSize+keyring.TagSize && len(raw) != signedSize+sha256.Size {
		return nil, false
	}
	if !g.keys.Verify(raw[signedSize:], purpose, "step", string(raw[:signedSize]), form.String(), string(typed[:])) {
		return nil, false
	}
	age := now.Sub(issuedAt(raw))
	return raw, age >= -maxClockSkew && age < challengeLifetime
}

// solved reports whether a proof is right. A proof lists the counters that solve the puzzles, in order, separated by
// commas. A counter solves a puzzle if SHA-256 of "seed.puzzle.counter" begins with `difficulty` zero bits.
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
