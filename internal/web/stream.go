package web

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5/middleware"
)

// Limits of a stream. A slow database does not cut a stream; a database that does not answer cuts it.
const (
	streamTimeout = 2 * time.Minute // for the whole answer
	streamStall   = 5 * time.Second // for the next part of the answer; the time in which the client reads does not count
	streamBuffer  = 64 << 10        // bytes that are buffered, so that an early failure still gets its page
)

// stream wraps a handler that sends an answer while it reads it from the database. The answer is complete, or the
// client sees that it is not: after a failure, stream sends an error page if nothing was sent yet, and otherwise cuts
// the connection.
func (k *Kernel) stream(h Handler) http.HandlerFunc {
	return k.ownDeadline(func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), streamTimeout)
		defer cancel()
		// The server's own limits are those of pages. When its ReadTimeout passes, it cancels the request's context,
		// also after the request was read. Writers of tests have no deadlines.
		server, end := http.NewResponseController(w), k.Wall().Add(streamTimeout+streamStall)
		_, _ = server.SetReadDeadline(end), server.SetWriteDeadline(end)
		s := &streamWriter{ResponseWriter: w, whole: !r.ProtoAtLeast(1, 1), stalled: time.AfterFunc(streamStall, cancel)}
		defer s.stalled.Stop()
		err := h(s, r.WithContext(ctx))
		if err == nil {
			return s.end()
		}
		w.Header().Del("Content-Disposition") // no effect if the answer has begun: then problem cuts the connection
		return err
	})
}

// streamWriter buffers the beginning of a response. A response that fits is sent with its length. A client of HTTP/1.0
// gets each response whole and with its length, because it could not distinguish a cut from the end.
type streamWriter struct {
	http.ResponseWriter
	buffered bytes.Buffer
	whole    bool // buffers everything
	begun    bool // something was sent
	stalled  *time.Timer
}

// Unwrap is for http.ResponseController.
func (s *streamWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *streamWriter) WriteHeader(status int) {
	s.begun = true
	s.ResponseWriter.WriteHeader(status)
}

func (s *streamWriter) Write(p []byte) (int, error) {
	if !s.begun && (s.whole || s.buffered.Len()+len(p) <= streamBuffer) {
		s.stalled.Reset(streamStall)
		return s.buffered.Write(p)
	}
	s.stalled.Stop()
	defer s.stalled.Reset(streamStall)
	s.begun = true
	if s.buffered.Len() > 0 {
		if _, err := s.buffered.WriteTo(s.ResponseWriter); err != nil {
			return 0, err
		}
	}
	return s.ResponseWriter.Write(p)
}

// end sends what is still buffered.
func (s *streamWriter) end() error {
	if s.begun {
		return nil
	}
	s.Header().Set("Content-Length", strconv.Itoa(s.buffered.Len()))
	_, _ = s.buffered.WriteTo(s.ResponseWriter) // it is no failure if the client has gone
	return nil
}

// hasBegun reports whether a part of a response was sent. Then no page can be shown in its place.
func hasBegun(w http.ResponseWriter) bool {
	seen, ok := w.(middleware.WrapResponseWriter)
	return ok && seen.Status() != 0
}
