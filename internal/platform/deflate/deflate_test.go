package deflate_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"konbit/internal/platform/deflate"
)

// TestEveryStreamIsReadBack reads streams with Go's library.
func TestEveryStreamIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		word := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(r, "word")
		var content []byte
		for range rapid.IntRange(0, 40).Draw(r, "words") {
			content = append(content, word[rapid.IntRange(0, len(word)).Draw(r, "from"):]...)
		}
		require.Equal(r, content, append([]byte(nil), deflate.Expand(deflate.Compress(content))...))
	})
}

// TestLargeStreams: several blocks, distances up to the window, and bytes that cannot be compressed.
func TestLargeStreams(t *testing.T) {
	t.Parallel()
	random := make([]byte, 100_000)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(random)
	for _, content := range [][]byte{
		nil, {7}, random, bytes.Repeat([]byte{'a'}, 100_000), bytes.Repeat(random[:30_000], 5), bytes.Repeat(random[:32<<10], 3),
	} {
		stream := deflate.Compress(content)
		require.True(t, bytes.Equal(content, deflate.Expand(stream)), "%d bytes", len(content))
		assert.True(t, bytes.HasPrefix(stream, []byte(deflate.Mark)))
	}
	assert.Less(t, len(deflate.Compress(bytes.Repeat([]byte("0.5 0 0 1 68.03 700 Tm\n"), 1000))), 300)
	assert.Nil(t, deflate.Expand([]byte("x")))
}

// TestStreamsNeverChange: stored emails are restored with this compressor. A new one needs another Mark, and this one stays.
func TestStreamsNeverChange(t *testing.T) {
	t.Parallel()
	var content []byte
	source := rand.New(rand.NewPCG(1, 2))
	for i := range 4000 {
		content = fmt.Appendf(content, "%d %d Td (line %x) Tj\n", source.IntN(700), i%90, source.IntN(1<<16))
	}
	sum := sha256.Sum256(deflate.Compress(content))
	assert.Equal(t, "f9cdde2f36b463d150d366153a195579b007a5156e919d02db2de2593911875a", hex.EncodeToString(sum[:]))
}
