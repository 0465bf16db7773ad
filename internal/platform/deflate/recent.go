package deflate

import (
	"bytes"
	"sync"
)

const (
	ringSize       = 32       // of a few documents that are written at the same time
	longestContent = 16 << 10 // bytes of content; large streams are fonts, whose users keep them
)

// newest has the streams that Compress made last. A document is stored a moment after it was written, and its streams need
// neither be expanded nor compressed again for it.
var newest streamRing

// streamRing is a ring of streams and their contents. It is safe for concurrent use.
type streamRing struct {
	mu      sync.Mutex
	next    int
	entries [ringSize]struct{ stream, content []byte }
}

// keep copies a stream and its content.
func (r *streamRing) keep(stream, content []byte) {
	if len(content) == 0 || len(content) > longestContent {
		return
	}
	both := append(append(make([]byte, 0, len(stream)+len(content)), stream...), content...)
	r.mu.Lock()
	defer r.mu.Unlock()
	e := &r.entries[r.next]
	e.stream, e.content = both[:len(stream):len(stream)], both[len(stream):]
	r.next = (r.next + 1) % ringSize
}

// find returns the content of a stream; nil if the ring does not have it. The caller must not change it.
func (r *streamRing) find(stream []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.entries {
		if e := &r.entries[i]; bytes.Equal(e.stream, stream) {
			return e.content
		}
	}
	return nil
}
