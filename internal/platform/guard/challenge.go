package guard

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/keyring"
)

// The challenge has `rounds` puzzles of `difficulty` bits each: about rounds × 2^difficulty (a quarter of a million)
// SHA-256 hashes in total, which an old phone computes in one to three seconds. Many small puzzles take nearly the
// same time for everybody; one large puzzle would take some people ten times as long. A browser without JavaScript
// waits instead. A hard challenge has hardRounds puzzles, eight times the work.
const (
	rounds            = 16
	hardRounds        = 128
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
	Rounds, Difficulty int           // number of puzzles, 0 if only the wait passes; leading zero bits of each
	Wait               time.Duration // after which it passes without the work
}

// A token is the base64url of nonce (16 bytes), time of issue (8) and signature (a tag of the key ring; of the previous
// release 32 bytes). The signature also covers the form's id and the hash of what was typed, which the form sends again.
const (
	nonceSize = 16
	stampSize = 8
)

// step is the kind of a challenge. The signature of its token contains it.
type step string

// The kinds of challenges.
const (
	stepCounted   step = "step"              // the attempt was counted under its own limits
	stepUncounted step = "step, not counted" // the attempt exceeded the limit of its address; it counts when it is answered
	stepHard      step = "step, hard"        // the attempt was beyond the limit of its network, and counts when it is answered
	stepWait      step = "step, wait"        // the attempt was beyond a limit of answers: only a wait passes
)

// newChallenge returns a challenge for a form with what was typed in it.
func (g *Guard) newChallenge(form uuid.UUID, typed [32]byte, s step, now time.Time) Challenge {
	var raw [nonceSize + stampSize]byte
	_, _ = rand.Read(raw[:nonceSize]) // documented never to fail
	binary.BigEndian.PutUint64(raw[nonceSize:], uint64(now.UnixMilli()))
	return challengeFrom(append(raw[:], g.keys.Sign(purpose, string(s), string(raw[:]), form.String(), string(typed[:]))...), s, now)
}

func challengeFrom(raw []byte, s step, now time.Time) Challenge {
	puzzles := rounds
	switch s {
	case stepHard:
		puzzles = hardRounds
	case stepWait:
		puzzles = 0
	}
	remaining := issuedAt(raw).Add(noJSWait).Sub(now)
	return Challenge{
		Token: base64.RawURLEncoding.EncodeToString(raw), Seed: base64.RawURLEncoding.EncodeToString(raw[:nonceSize]),
		Rounds: puzzles, Difficulty: difficulty, Wait: max(remaining, 0).Round(time.Second),
	}
}

func issuedAt(raw []byte) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(raw[nonceSize:])))
}

// verifyToken returns the bytes of a token, the kind of its challenge, and whether it is ours: it belongs to this form as
// typed now, and has not expired.
func (g *Guard) verifyToken(token string, form uuid.UUID, typed [32]byte, now time.Time) (raw []byte, s step, ours bool) {
	const signedSize = nonceSize + stampSize
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != signedSize+keyring.TagSize && len(raw) != signedSize+sha256.Size {
		return nil, "", false
	}
	for _, s = range []step{stepCounted, stepUncounted, stepHard, stepWait} {
		if g.keys.Verify(raw[signedSize:], purpose, string(s), string(raw[:signedSize]), form.String(), string(typed[:])) {
			age := now.Sub(issuedAt(raw))
			return raw, s, age >= -maxClockSkew && age < challengeLifetime
		}
	}
	return nil, "", false
}

// solved reports whether a proof is right. A proof lists the counters that solve the puzzles, in order, separated by
// commas. A counter solves a puzzle if SHA-256 of "seed.puzzle.counter" begins with `difficulty` zero bits.
func solved(c Challenge, proof string) bool {
	counters := strings.Split(proof, ",")
	if len(counters) != c.Rounds {
		return false
	}
	for i, counter := range counters {
		if len(counter) > 10 || !zeros(c.Seed, i, counter) {
			return false
		}
	}
	return true
}

func zeros(seed string, puzzle int, counter string) bool {
	sum := sha256.Sum256([]byte(seed + "." + strconv.Itoa(puzzle) + "." + counter))
	return bits.LeadingZeros32(binary.BigEndian.Uint32(sum[:4])) >= difficulty
}

// redeemTx marks a challenge as used and returns false if it was used before. The mark is made and deleted by the
// database's clock, and lasts longer than the challenge is valid by the clock of any server.
func redeemTx(ctx context.Context, tx *sqlx.Tx, nonce []byte) (bool, error) {
	const query = `/* guard.redeemTx */
		INSERT INTO guard_step_used (nonce, until) VALUES ($1, now() + make_interval(secs => $2)) ON CONFLICT (nonce) DO NOTHING`
	result, err := tx.ExecContext(ctx, query, nonce, (challengeLifetime + 2*maxClockSkew).Seconds())
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}
