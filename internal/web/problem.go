package web

import (
	"errors"
	"io"
	"net/http"

	"github.com/go-chi/chi/v5"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// retryAfter is the Retry-After header while a part of the program is unavailable, in seconds.
const retryAfter = "5"

// AskToRetry sets the Retry-After header of a response with status 503.
func AskToRetry(w http.ResponseWriter) { w.Header().Set("Retry-After", retryAfter) }

// KindOf returns the kind of a failure. A database that is unavailable, full or overloaded is fault.Unavailable.
func KindOf(err error) fault.Kind {
	if kind := fault.KindOf(err); kind != fault.Unexpected || !pg.IsTransient(err) {
		return kind
	}
	return fault.Unavailable
}

// statuses maps kinds of failure to HTTP statuses.
var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusUnprocessableEntity, fault.NotFound: http.StatusNotFound, fault.Forbidden: http.StatusForbidden,
	fault.Conflict: http.StatusConflict, fault.Unavailable: http.StatusServiceUnavailable, fault.Unexpected: http.StatusInternalServerError,
}

// StatusOf returns the HTTP status of a failure, and logs the failures whose reason the response does not show.
func (k *Kernel) StatusOf(r *http.Request, err error) int {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) || errors.Is(err, errTooManyFields) {
		return http.StatusRequestEntityTooLarge
	}
	if limited := (errLimited{}); errors.As(err, &limited) {
		return http.StatusTooManyRequests
	}
	kind := KindOf(err)
	switch kind {
	case fault.Unexpected:
		k.Log.ErrorContext(r.Context(), "unexpected failure", "reference", reference(r.Context()), "error", err)
	case fault.Unavailable:
		k.Log.WarnContext(r.Context(), "a part is unavailable", "reference", reference(r.Context()), "error", err)
	case fault.Invalid:
		k.Log.DebugContext(r.Context(), "refused", "reference", reference(r.Context()), "error", err)
	}
	return statuses[kind]
}

// problem shows the page of a failure. If a part of the response was sent, it cuts the connection instead: a page after
// it, or its normal end, would make half a response look complete.
func (k *Kernel) problem(w http.ResponseWriter, r *http.Request, err error) {
	if hasBegun(w) {
		k.Log.WarnContext(r.Context(), "the response is incomplete", "reference", reference(r.Context()), "error", err)
		panic(http.ErrAbortHandler)
	}
	status := k.StatusOf(r, err)
	page := ProblemPage{Frame: view.Frame{Language: k.problemLanguage(r, status)}, Status: status, Office: k.servesOffice(r)}
	var known *fault.Error
	if errors.As(err, &known) {
		page.Detail = fault.Field{Phrase: known.Phrase, Args: known.Args}
	}
	if limited := (errLimited{}); errors.As(err, &limited) {
		page.Detail, page.RetryAfter, page.SignInURL = fault.Field{Phrase: limited.Words}, limited.retry, limited.SignIn
	}
	if status >= 500 {
		page.Reference = reference(r.Context())
	}
	if status == http.StatusServiceUnavailable {
		AskToRetry(w)
	}
	if page.Office {
		page.Typed = TypedText(r, k.View, page.Language)
	}
	setRetryAfter(w, err)
	k.writeProblem(w, status, page)
}

// problemLanguage returns the language of the page of a failure: in the office that of the signed-in person, unless the database may be what
// failed.
func (k *Kernel) problemLanguage(r *http.Request, status int) phrase.Language {
	if !k.servesOffice(r) {
		return k.Language(r)
	}
	preferred := ""
	if secret := k.Cookie(r, StaffCookie); secret != "" && status < http.StatusInternalServerError {
		if s, err := k.Staff.OpenAny(r.Context(), secret); err == nil {
			preferred = s.Language
		}
	}
	return k.StaffLanguage(r, preferred)
}

func (k *Kernel) writeProblem(w http.ResponseWriter, status int, page ProblemPage) {
	if err := WritePage(w, status, func(b io.Writer) error { return page.Write(b, k.View) }); err != nil {
		http.Error(w, http.StatusText(status), status)
	}
}

// methodNotAllowed answers a method that the address does not serve, and lists the methods it serves in Allow (RFC
// 9110, 15.5.6).
func (k *Kernel) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		routed := method
		if method == http.MethodHead {
			routed = http.MethodGet
		}
		if chi.RouteContext(r.Context()).Routes.Match(chi.NewRouteContext(), routed, r.URL.Path) {
			w.Header().Add("Allow", method)
		}
	}
	k.writeProblem(w, http.StatusMethodNotAllowed, ProblemPage{Frame: view.Frame{Language: k.Language(r)}, Status: http.StatusMethodNotAllowed})
}
