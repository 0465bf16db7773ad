package web

import (
	"bytes"
	"errors"
	"net/http"

	"konbit/internal/fault"
	"konbit/internal/phrase"
	"konbit/internal/view"
)

// handler answers a request or returns why it could not.
type handler func(w http.ResponseWriter, r *http.Request) error

// page lets h answer with pages: its errors become the page of the failure. Pages hold one-time ids and what people
// typed, and redirects lead to people's gifts, so nothing keeps them.
func (s *Server) page(h handler) http.HandlerFunc {
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
		status := s.judge(r, err)
		if fault.Is(err, fault.Invalid) {
			status = http.StatusBadRequest
		}
		http.Error(w, http.StatusText(status), status)
	}
}

// statuses turns the kinds of failure into HTTP's.
var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusUnprocessableEntity, fault.NotFound: http.StatusNotFound, fault.Forbidden: http.StatusForbidden,
	fault.Conflict: http.StatusConflict, fault.Unavailable: http.StatusServiceUnavailable, fault.Unexpected: http.StatusInternalServerError,
}

// judge finds the status of a failure and logs what nobody is told.
func (s *Server) judge(r *http.Request, err error) int {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge
	}
	kind := fault.KindOf(err)
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
	status := s.judge(r, err)
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
		w.Header().Set("Retry-After", "30")
	}
	s.show(w, status, page)
}

func (s *Server) show(w http.ResponseWriter, status int, page view.ProblemPage) {
	var body bytes.Buffer
	if err := s.View.Problem(&body, page); err != nil {
		http.Error(w, http.StatusText(status), status)
		return
	}
	html(w, status, body.Bytes())
}

// methodNotAllowed answers what is not asked for in that way here. The router has said in Allow what is.
func (s *Server) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	s.show(w, http.StatusMethodNotAllowed, view.ProblemPage{Frame: view.Frame{Language: s.language(r)}, Status: http.StatusMethodNotAllowed})
}

// language is the reader's, of all we speak, for pages that belong to no organisation.
func (s *Server) language(r *http.Request) phrase.Language {
	return phrase.Match(s.Languages, r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
}

// html writes a page, for one reader once.
func html(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a reader who left is no failure
}
