// Package deflate compresses bytes in the format of RFC 1950 and 1951. The same bytes give the same stream, in every
// release of this program: a stored email holds the uncompressed bytes, and the email that was sent has the stream.
// The compressor of Go's library may change with each version of Go. Any reader of zlib reads the streams.
package deflate

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/adler32"
	"io"
	"sync"
)

// Mark begins the streams of this package. No level of Go's library writes it.
const Mark = "\x78\x5e"

const (
	minMatch, maxMatch = 3, 258
	window             = 32 << 10
	hashBits           = 13
	maxChain           = 24        // places at which a match is looked for
	goodMatch          = 32        // a match of this length is taken without looking further
	blockTokens        = 16 << 10  // in one block
	literal            = 1<<32 - 1 // the distance of a token that is a byte
)

// token is a byte, or a match: the length and the distance of bytes that came before.
type token struct{ value, distance uint32 }

// compressor finds matches. It is reused.
type compressor struct {
	head   [1 << hashBits]int32 // the last place of each hash, plus 1
	chain  []int32              // for each place the one before with the same hash, plus 1
	tokens []token
}

var compressors = sync.Pool{New: func() any { return &compressor{} }}

// Compress returns content as a zlib stream.
func Compress(content []byte) []byte {
	c := compressors.Get().(*compressor)
	defer compressors.Put(c)
	c.findMatches(content)
	w := &bitWriter{out: append(make([]byte, 0, len(content)/2+64), Mark...)}
	for from := 0; ; from += blockTokens {
		to := min(from+blockTokens, len(c.tokens))
		w.block(c.tokens[from:to], to == len(c.tokens))
		if to == len(c.tokens) {
			break
		}
	}
	w.align()
	stream := binary.BigEndian.AppendUint32(w.out, adler32.Checksum(content))
	newest.keep(stream, content)
	return stream
}

// Original returns the content that Compress makes a stream of; nil if Compress makes no such stream.
func Original(stream []byte) []byte {
	if !bytes.HasPrefix(stream, []byte(Mark)) {
		return nil
	}
	if content := newest.find(stream); content != nil {
		return content
	}
	content := Expand(stream)
	if content == nil || !bytes.Equal(Compress(content), stream) {
		return nil
	}
	return content
}

// Expand returns the content of a stream; nil if the stream is damaged.
func Expand(stream []byte) []byte {
	r, err := zlib.NewReader(bytes.NewReader(stream))
	if err != nil {
		return nil
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return nil
	}
	return content
}

func hashOf(b []byte) uint32 {
	return (uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16) * 2654435761 >> (32 - hashBits)
}

func (c *compressor) findMatches(content []byte) {
	clear(c.head[:])
	if cap(c.chain) < len(content) {
		c.chain = make([]int32, len(content))
	}
	c.chain, c.tokens = c.chain[:len(content)], c.tokens[:0]
	for at := 0; at < len(content); {
		length, distance := c.longest(content, at)
		if length >= minMatch && length < goodMatch && at+1 < len(content) {
			c.insert(content, at)
			if next, _ := c.longest(content, at+1); next > length {
				c.tokens = append(c.tokens, token{uint32(content[at]), literal})
				at++
				continue
			}
			c.tokens = append(c.tokens, token{uint32(length), uint32(distance)})
			for i := at + 1; i < at+length; i++ {
				c.insert(content, i)
			}
			at += length
			continue
		}
		if length < minMatch {
			c.tokens = append(c.tokens, token{uint32(content[at]), literal})
			length = 1
		} else {
			c.tokens = append(c.tokens, token{uint32(length), uint32(distance)})
		}
		for i := at; i < at+length; i++ {
			c.insert(content, i)
		}
		at += length
	}
}

func (c *compressor) insert(content []byte, at int) {
	if at+minMatch <= len(content) {
		h := hashOf(content[at:])
		c.chain[at], c.head[h] = c.head[h], int32(at)+1
	}
}

// longest returns the longest match of the bytes at a place; its length is 0 if there is none.
func (c *compressor) longest(content []byte, at int) (length, distance int) {
	if at+minMatch > len(content) {
		return 0, 0
	}
	limit := min(maxMatch, len(content)-at)
	place := int(c.head[hashOf(content[at:])]) - 1
	for tries := 0; place >= 0 && at-place <= window && tries < maxChain; tries++ {
		if length == 0 || length < limit && content[place+length] == content[at+length] {
			n := 0
			for n < limit && content[place+n] == content[at+n] {
				n++
			}
			if n > length {
				length, distance = n, at-place
				if n >= goodMatch {
					break
				}
			}
		}
		place = int(c.chain[place]) - 1
	}
	if length < minMatch {
		return 0, 0
	}
	return length, distance
}
