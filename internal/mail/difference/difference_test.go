package difference_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"konbit/internal/mail/difference"
	"konbit/internal/platform/deflate"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return content
}

// TestDifferencesOfEveryReleaseAreRestored: testdata has a receipt that each version of the format has stored. Files are
// added when the format changes, and never changed.
func TestDifferencesOfEveryReleaseAreRestored(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"v1"} {
		message, err := difference.ReadModel(read(t, version+".model")).Message(read(t, version+".difference"))
		require.NoError(t, err)
		require.Equal(t, string(read(t, version+".message")), string(message))
	}
}

// TestEveryMessageIsRestored: any message is restored, in any encoding of its parts.
func TestEveryMessageIsRestored(t *testing.T) {
	t.Parallel()
	model := difference.ReadModel(read(t, "v1.model"))
	receipt := string(read(t, "v1.message"))
	pieces := []string{
		"\r\nContent-Transfer-Encoding: base64\r\n", "\r\nContent-Transfer-Encoding: quoted-printable\r\n", "\r\n\r\n", "\r\n--", "\r\n", "\n", "=", "=20",
		"=C3=B1", "=c3", "=\r\n", " \r\n", "\t", "SGVsbG8=", "SGVsbG8", strings.Repeat("QUJD", 19), strings.Repeat("x", 80), ">>\nstream\n", "/Length 12>>\nstream\n",
		"/Length 99999999999999999999>>\nstream\n", "/Length -1>>\nstream\n", deflate.Mark, "\x00\xff", "Ana",
		fmt.Sprintf("/Length %d>>\nstream\n%s", len(deflate.Compress([]byte("0 0 m"))), deflate.Compress([]byte("0 0 m"))),
		base64.StdEncoding.EncodeToString([]byte("%PDF-1.7\n/Length 4>>\nstream\nabcd\nendstream")), receipt[:2000], receipt[len(receipt)-3000:],
	}
	rapid.Check(t, func(r *rapid.T) {
		var message strings.Builder
		for range rapid.IntRange(0, 30).Draw(r, "pieces") {
			message.WriteString(rapid.SampledFrom(pieces).Draw(r, "piece"))
		}
		back, err := model.Message(model.Of([]byte(message.String())))
		require.NoError(r, err)
		require.Equal(r, message.String(), string(back))
	})
}

// TestReceiptsOfAModelAreSmall: what is equal in the model is not stored.
func TestReceiptsOfAModelAreSmall(t *testing.T) {
	t.Parallel()
	message := read(t, "v1.message")
	require.Greater(t, len(message), 20_000)
	assert.Less(t, len(difference.NewModel(message).Of(message)), 100)
	changed := bytes.ReplaceAll(message, []byte("123.45"), []byte("987.60"))
	require.NotEqual(t, message, changed)
	assert.Less(t, len(difference.NewModel(message).Of(changed)), 150)
	assert.Less(t, len(difference.ReadModel(read(t, "v1.model")).Of(message)), 2600, "with letters that the model does not have")
}

// TestADamagedDifferenceIsAnError: nothing but the message that was stored is returned.
func TestADamagedDifferenceIsAnError(t *testing.T) {
	t.Parallel()
	model, message, stored := difference.ReadModel(read(t, "v1.model")), read(t, "v1.message"), read(t, "v1.difference")
	for i := range stored {
		damaged := bytes.Clone(stored)
		damaged[i] ^= 0x20
		if back, err := model.Message(damaged); err == nil {
			require.Equal(t, string(message), string(back), "byte %d", i)
		}
		if i%50 == 0 {
			_, err := model.Message(stored[:i])
			require.ErrorIs(t, err, difference.ErrNotRestored, "%d bytes of it", i)
		}
	}
	other := difference.NewModel([]byte("another model"))
	_, err := other.Message(stored)
	require.ErrorIs(t, err, difference.ErrNotRestored)
}
