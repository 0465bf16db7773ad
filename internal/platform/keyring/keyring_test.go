package keyring

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func newKey(t *testing.T) []byte {
	t.Helper()
	secret := make([]byte, 32)
	_, err := rand.Read(secret)
	require.NoError(t, err)
	return secret
}

// TestRotation goes through the states of a rotation with two servers. Of two servers, one always has the state after
// that of the other.
func TestRotation(t *testing.T) {
	first, second := newKey(t), newKey(t)
	states := []Ring{New(first), New(first, second), New(second, first), New(second)}
	for i, from := range states {
		tag, hash := from.Sign("link", "ref"), from.Hash("code", "1")
		seal, err := from.Seal("pad", []byte("text"), []byte("id"))
		require.NoError(t, err)
		for j, at := range states {
			t.Run(fmt.Sprintf("made in state %d, read in state %d", i, j), func(t *testing.T) {
				valid := i < 2 && j != 3 || i >= 2 && j != 0
				require.Equal(t, valid, at.Verify(tag, "link", "ref"))
				require.Equal(t, valid, at.Verify(hash, "code", "1"))
				require.Equal(t, valid, containsHash(at.Hashes("code", "1"), hash))
				text, err := at.Open("pad", seal, []byte("id"))
				if !valid {
					require.ErrorIs(t, err, ErrSealed)
					return
				}
				require.NoError(t, err)
				require.Equal(t, "text", string(text))
			})
		}
	}
}

func containsHash(all [][]byte, hash []byte) bool {
	for _, one := range all {
		if bytes.Equal(one, hash) {
			return true
		}
	}
	return false
}

// TestWhoMadeIt: tags and seals name their key.
func TestWhoMadeIt(t *testing.T) {
	current := newKey(t)
	r := New(current)
	id := r.Fingerprints()[0].ID()
	require.Len(t, id, 8)
	require.Equal(t, id, r.Fingerprints()[0].String()[:8])

	tag := r.Sign("link", "ref")
	require.Len(t, tag, TagSize)
	require.Equal(t, id, hex.EncodeToString(tag[:4]))

	seal, err := r.Seal("pad", []byte("text"), nil)
	require.NoError(t, err)
	require.Equal(t, "key1", string(seal[:4]))
	require.Equal(t, id, hex.EncodeToString(seal[4:8]))
	require.Equal(t, r.SealPrefix(), seal[:8])
	require.NotEqual(t, New(newKey(t), current).SealPrefix(), seal[:8])
	require.Nil(t, Ring{}.SealPrefix())
}

// TestAnythingElseIsRefused changes each byte, each part and the purpose.
func TestAnythingElseIsRefused(t *testing.T) {
	r := New(newKey(t), newKey(t))
	tag := r.Sign("link", "a", "b")
	require.True(t, r.Verify(tag, "link", "a", "b"))
	require.False(t, r.Verify(tag, "other", "a", "b"))
	require.False(t, r.Verify(tag, "link", "a", "c"))
	require.False(t, r.Verify(tag, "link", "ab", ""), "parts have their length before them")
	require.False(t, r.Verify(tag, "link", "ab"))
	seal, err := r.Seal("pad", []byte("text"), []byte("id"))
	require.NoError(t, err)
	for i := range tag {
		require.False(t, r.Verify(changed(tag, i), "link", "a", "b"), "byte %d", i)
		require.False(t, r.Verify(tag[:i], "link", "a", "b"), "%d bytes", i)
	}
	for i := range seal {
		_, err := r.Open("pad", changed(seal, i), []byte("id"))
		require.ErrorIs(t, err, ErrSealed, "byte %d", i)
		_, err = r.Open("pad", seal[:i], []byte("id"))
		require.ErrorIs(t, err, ErrSealed, "%d bytes", i)
	}
	_, err = r.Open("other", seal, []byte("id"))
	require.ErrorIs(t, err, ErrSealed)
	_, err = r.Open("pad", seal, []byte("other"))
	require.ErrorIs(t, err, ErrSealed)
}

func changed(b []byte, i int) []byte {
	c := bytes.Clone(b)
	c[i] ^= 1
	return c
}

// TestThePreviousRelease: what the program made before keys had ids stays valid, by each key of the ring.
func TestThePreviousRelease(t *testing.T) {
	secret := newKey(t)
	r := New(newKey(t), secret)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("12:konbit guard4:form3:ref"))
	require.True(t, r.Verify(mac.Sum(nil), "konbit guard", "form", "ref"))
	require.True(t, r.Verify(mac.Sum(nil)[:16], "konbit guard", "form", "ref"))
	require.False(t, r.Verify(mac.Sum(nil)[:15], "konbit guard", "form", "ref"))

	marked, err := New(secret).Seal("konbit privacy pad", []byte("text"), []byte("id"))
	require.NoError(t, err)
	text, err := r.Open("konbit privacy pad", marked[8:], []byte("id"))
	require.NoError(t, err)
	require.Equal(t, "text", string(text))
}

// TestAnEmptyRingDoesNothing: a server without a key makes nothing that is valid, here or on another server without one.
func TestAnEmptyRingDoesNothing(t *testing.T) {
	for name, r := range map[string]Ring{"zero": {}, "no current key": New(nil, newKey(t)), "empty keys": New([]byte{}, []byte{})} {
		t.Run(name, func(t *testing.T) {
			require.True(t, r.IsEmpty())
			require.Nil(t, r.Sign("link"))
			require.Nil(t, r.Hash("link"))
			require.False(t, r.Verify(r.Sign("link"), "link"))
			_, err := r.Seal("pad", nil, nil)
			require.ErrorIs(t, err, ErrSealed)
			_, err = r.Open("pad", []byte("key1aaaabbbbbbbbbbbbbbbbbbbbbbbb"), nil)
			require.ErrorIs(t, err, ErrSealed)
		})
	}
}

func TestARingShowsNoKey(t *testing.T) {
	secret, old := newKey(t), newKey(t)
	r := New(secret, old, secret, nil)
	require.Len(t, r.Fingerprints(), 2, "a key that is given twice counts once")
	require.True(t, r.Has(r.Fingerprints()[1]))
	require.Equal(t, New(old).Fingerprints()[0], r.Fingerprints()[1], "a fingerprint depends on the key only")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		shown := fmt.Sprintf(verb, struct{ Keys Ring }{r})
		require.Contains(t, shown, r.Fingerprints()[0].String(), verb)
		require.NotContains(t, shown, hex.EncodeToString(secret)[:10], verb)
		require.NotContains(t, shown, string(secret)[1:12], verb)
	}
}

func TestKeysThatAreNotRandom(t *testing.T) {
	sequence, steps := make([]byte, 32), make([]byte, 32)
	for i := range sequence {
		sequence[i], steps[i] = byte(i), byte(7*i+3)
	}
	for name, c := range map[string]struct {
		secret []byte
		want   string
	}{
		"none":                {nil, "shorter"},
		"16 random bytes":     {newKey(t)[:16], "shorter"},
		"that of the example": {make([]byte, 32), "public"},
		"longer zeros":        {make([]byte, 64), "public"},
		"equal bytes":         {bytes.Repeat([]byte{0xee}, 32), "pattern"},
		"a word again":        {bytes.Repeat([]byte("changeme"), 4), "text"},
		"a sentence":          {[]byte("correct horse battery staple, and more"), "text"},
		"a pattern":           {bytes.Repeat([]byte{0xde, 0xad, 0xbe, 0xef}, 8), "pattern"},
		"half of it repeated": {bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 0x88}, 4), "pattern"},
		"a sequence":          {sequence, "pattern"},
		"a sequence of steps": {steps, "pattern"},
		"zeros and a one":     {append(make([]byte, 31), 1), "pattern"},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorContains(t, Check(c.secret), c.want)
			require.Equal(t, c.want == "public", IsPublic(c.secret))
		})
	}
	for range 1000 {
		require.NoError(t, Check(newKey(t)))
	}
	require.NoError(t, Check(append(newKey(t), newKey(t)...)))
}
