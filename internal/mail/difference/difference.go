// Package difference stores emails as their difference to a model: an email to an invented donor, rendered by the same
// words for the same organisation. The bytes that were stored are restored, each of them, by every later release.
//
//	message ── unfold ── zstd with the unfolded model as its dictionary ── difference
//
// Unfolding undoes what hides equal parts: base64, quoted-printable and the compression of package deflate. It keeps the
// encoded form where encoding again would not give the same bytes. A difference holds a hash of its message: a message that
// is not restored exactly is an error, and is never sent.
package difference

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// version begins each difference. A change of the format, of unfolding or of package deflate needs another one, and the
// code of each version stays as long as there are differences of it.
const version = 1

const hashLength = 8

// ErrNotRestored: the difference, or its model, is damaged.
var ErrNotRestored = errors.New("the email cannot be restored from its model")

// Model is what messages are compared with. It is safe for concurrent use.
type Model struct {
	unfolded []byte
	streams  streams
	encoder  func() *zstd.Encoder
	decoder  func() (*zstd.Decoder, error)
}

// NewModel returns a message as a model.
func NewModel(message []byte) *Model { return ReadModel(unfold(message, &streams{})) }

const (
	window     = 512 << 10 // the model and the longest part of a message that is compared with it
	dictionary = 1         // the number of the model in a difference, always the same
	maxMessage = 64 << 20  // of a message that is restored
)

// ReadModel returns a model from what Bytes returned.
func ReadModel(unfolded []byte) *Model {
	m := &Model{
		unfolded: unfolded,
		encoder: sync.OnceValue(func() *zstd.Encoder {
			e, err := zstd.NewWriter(nil, zstd.WithEncoderDictRaw(dictionary, unfolded),
				zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
				zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
			if err != nil {
				panic(fmt.Errorf("difference: %w", err)) // the options are constants
			}
			return e
		}),
		decoder: sync.OnceValues(func() (*zstd.Decoder, error) {
			return zstd.NewReader(nil, zstd.WithDecoderDictRaw(dictionary, unfolded), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
				zstd.WithDecoderMaxMemory(maxMessage))
		}),
	}
	m.streams.keep(unfolded)
	return m
}

// Bytes returns the model as it is stored.
func (m *Model) Bytes() []byte { return m.unfolded }

// Of returns the difference of a message.
func (m *Model) Of(message []byte) []byte {
	hash := sha256.Sum256(message)
	difference := append(make([]byte, 0, 2<<10), version)
	difference = append(difference, hash[:hashLength]...)
	return m.encoder().EncodeAll(unfold(message, &m.streams), difference)
}

// Message returns the message of a difference. It reports ErrNotRestored if it cannot restore it exactly.
func (m *Model) Message(difference []byte) ([]byte, error) {
	if len(difference) <= 1+hashLength || difference[0] != version {
		return nil, fmt.Errorf("%w: it is in no known format", ErrNotRestored)
	}
	decoder, err := m.decoder()
	if err != nil {
		return nil, err
	}
	unfolded, err := decoder.DecodeAll(difference[1+hashLength:], nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotRestored, err)
	}
	message, err := fold(unfolded, &m.streams)
	if err != nil {
		return nil, err
	}
	if hash := sha256.Sum256(message); !bytes.Equal(hash[:hashLength], difference[1:1+hashLength]) {
		return nil, fmt.Errorf("%w: it differs from what was stored", ErrNotRestored)
	}
	return message, nil
}
