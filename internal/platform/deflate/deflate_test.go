package deflate_test

import (
	"bytes"
	"compress/zlib"
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

// TestOriginals: a stream of Compress has an original, whether it was made just now or long ago; another stream has none.
func TestOriginals(t *testing.T) {
	t.Parallel()
	stream := func(i int) []byte { return deflate.Compress(fmt.Appendf(nil, "%d 0 Td (of %d) Tj", i, i)) }
	for i := range 100 { // more than are kept
		content := fmt.Appendf(nil, "%d 0 Td (of %d) Tj", i, i)
		made := deflate.Compress(content)
		clear(content)
		require.Equal(t, fmt.Sprintf("%d 0 Td (of %d) Tj", i, i), string(deflate.Original(made)))
	}
	first := stream(0)
	for i := range 100 {
		stream(i + 1)
	}
	require.Equal(t, "0 0 Td (of 0) Tj", string(deflate.Original(first)))
	changed := bytes.Clone(first)
	clear(first)
	require.Equal(t, "0 0 Td (of 0) Tj", string(deflate.Original(changed)), "what a caller does to a stream changes nothing")
	changed[len(changed)-1] ^= 1
	assert.Nil(t, deflate.Original(changed), "damaged")
	var other bytes.Buffer
	w, err := zlib.NewWriterLevel(&other, zlib.HuffmanOnly)
	require.NoError(t, err)
	_, _ = w.Write([]byte("0 0 Td (of 0) Tj"))
	require.NoError(t, w.Close())
	copy(other.Bytes(), deflate.Mark)
	require.Equal(t, "0 0 Td (of 0) Tj", string(deflate.Expand(other.Bytes())))
	assert.Nil(t, deflate.Original(other.Bytes()), "of another compressor")
}
