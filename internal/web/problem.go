package web

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// handler answers a request or returns why it could not.
type handler func(w http.ResponseWriter, r *http.Request) error

// page is patient for an h that needs nothing but the database, and is given pg.RequestTimeout for all it asks of it. What was sent is
// read before.
func (s *Server) page(h handler) http.HandlerFunc {
	return s.ownDeadline(func(w http.ResponseWriter, r *http.Request) error {
		if r.Method == http.MethodPost {
			if err := r.ParseForm(); err != nil {
				return malformed(err)
			}
		}
		ctx, cancel := pg.WithRequestTimeout(r.Context())
		defer cancel()
		return h(w, r.WithContext(ctx))
	})
}

// patient lets h answer with pages: its errors become the page of the failure. Pages hold one-time ids and what people
// typed, and redirects lead to people's gifts, so nothing keeps them.
func (s *Server) ownDeadline(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := h(w, r); err != nil {
			s.problem(w, r, err)
		}
	}
}

// hook lets h answer to machines: its errors become a bare status.
func (s *Server) hook(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			w.WriteHeader(http.StatusOK)
			return
		}
		status := s.statusOf(r, err)
		if fault.Is(err, fault.Invalid) {
			status = http.StatusBadRequest
		}
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", retryAfter)
		}
		http.Error(w, http.StatusText(status), status)
	}
}

// retryAfter is when to come again while a part is away, in seconds.
const retryAfter = "5"

// kindOf is the kind of a failure. The database away, full or overrun is a part that is away.
func kindOf(err error) fault.Kind {
	if kind := fault.KindOf(err); kind != fault.Unexpected || !pg.IsTransient(err) {
		return kind
	}
	return fault.Unavailable
}

// statuses turns the kinds of failure into HTTP's.
var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusUnprocessableEntity, fault.NotFound: http.StatusNotFound, fault.Forbidden: http.StatusForbidden,
	fault.Conflict: http.StatusConflict, fault.Unavailable: http.StatusServiceUnavailable, fault.Unexpected: http.StatusInternalServerError,
}

// judge finds the status of a failure and logs what nobody is told.
func (s *Server) statusOf(r *http.Request, err error) int {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge
	}
	kind := kindOf(err)
	switch kind {
	case fault.Unexpected:
		s.Log.ErrorContext(r.Context(), "unexpected failure", "reference", reference(r.Context()), "error", err)
	case fault.Unavailable:
		s.Log.WarnContext(r.Context(), "a part is unavailable", "reference", reference(r.Context()), "error", err)
	case fault.Invalid:
		s.Log.DebugContext(r.Context(), "refused", "reference", reference(r.Context()), "error", err)
	}
	return statuses[kind]
}

// problem shows the page of a failure.
func (s *Server) problem(w http.ResponseWriter, r *http.Request, err error) {
	status := s.statusOf(r, err)
	lang := s.language(r)
	page := view.ProblemPage{Frame: view.Frame{Language: lang}, Status: status}
	var known *fault.Error
	if errors.As(err, &known) {
		page.Detail = fault.Field{Phrase: known.Phrase, Args: known.Args}
	}
	if status >= 500 {
		page.Reference = reference(r.Context())
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	s.writeProblem(w, status, page)
}

func (s *Server) writeProblem(w http.ResponseWriter, status int, page view.ProblemPage) {
	var body bytes.Buffer
	if err := s.View.Problem(&body, page); err != nil {
		http.Error(w, http.StatusText(status), status)
		return
	}
	html(w, status, body.Bytes())
}

// methodNotAllowed answers what is not asked for in that way here, and names in Allow the ways that are (RFC 9110, 15.5.6).
func (s *Server) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		asked := method
		if method == http.MethodHead {
			asked = http.MethodGet
		}
		if chi.RouteContext(r.Context()).Routes.Match(chi.NewRouteContext(), asked, r.URL.Path) {
			w.Header().Add("Allow", method)
		}
	}
	s.writeProblem(w, http.StatusMethodNotAllowed, view.ProblemPage{Frame: view.Frame{Language: s.language(r)}, Status: http.StatusMethodNotAllowed})
}

// language is the reader's, of all we speak, for pages that belong to no organisation.
func (s *Server) language(r *http.Request) phrase.Language {
	return phrase.Match(s.Languages, r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
}

// html writes a page, for one reader once.
func html(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a reader who left is no failure
}
