package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/securitylog"
)

// Handler answers a request, or returns why it cannot.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Limits of a form. The answer to a larger form is status 413; no value of the form is used.
const (
	MaxForm   = 64 << 10 // bytes of the body
	MaxFields = 200      // values, those of the address included
)

// wrap returns h as the table at Wrap says.
func (k *Kernel) wrap(wrap Wrap, h Handler) http.HandlerFunc {
	switch wrap {
	case Page:
		return k.page(h)
	case Stream:
		return k.stream(h)
	case OwnDeadline:
		return k.ownDeadline(h)
	case Upload:
		return k.upload(h)
	case Machine:
		return k.machine(h)
	case Raw:
		return func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				k.problem(w, r, err)
			}
		}
	}
	panic("web: a route has no wrap")
}

// page wraps a handler that only uses the database: it limits the request to pg.RequestTimeout, and shows errors as
// pages.
func (k *Kernel) page(h Handler) http.HandlerFunc {
	return k.ownDeadline(func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := pg.WithRequestTimeout(r.Context())
		defer cancel()
		return h(w, r.WithContext(ctx))
	})
}

// ownDeadline wraps a handler that limits its time itself: it parses the form, and shows errors as pages. Pages hold
// one-time ids and what people typed, and redirects lead to people's gifts, so that no response may be cached.
func (k *Kernel) ownDeadline(h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, MaxForm)
		err := parseForm(r)
		if fault.Is(err, fault.Invalid) {
			securitylog.Record(r.Context(), securitylog.FormMalformed)
		}
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			k.problem(w, r, err)
		}
	}
}

// parseForm parses the form of a request, once for all handlers, and refuses one with more than MaxFields values.
func parseForm(r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	err := r.ParseForm()
	if err == nil && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		err = r.ParseMultipartForm(MaxForm)
	}
	if err != nil {
		return Malformed(err)
	}
	fields := 0
	for _, values := range r.Form {
		fields += len(values)
	}
	if fields > MaxFields {
		return errTooManyFields
	}
	return nil
}

// errTooManyFields is the error of a form with more than MaxFields values.
var errTooManyFields = errors.New("web: a form has too many fields")

// machine wraps a handler that answers programs: its errors become a bare status.
func (k *Kernel) machine(h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			w.WriteHeader(http.StatusOK)
			return
		}
		status := k.StatusOf(r, err)
		if fault.Is(err, fault.Invalid) {
			status = http.StatusBadRequest
		}
		if status == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", retryAfter)
		}
		setRetryAfter(w, err)
		http.Error(w, http.StatusText(status), status)
	}
}

// WritePage writes a page with a status, whole or not at all.
func WritePage(w http.ResponseWriter, status int, write func(io.Writer) error) error {
	var body bytes.Buffer
	if err := write(&body); err != nil {
		return err
	}
	WriteHTML(w, status, body.Bytes())
	return nil
}

// WriteHTML writes the bytes of a page. The page must not be cached.
func WriteHTML(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // it is no failure if the client has gone
}

// WritePDF writes a document that the browser saves under filename.
func WritePDF(w http.ResponseWriter, filename string, document []byte) {
	WriteFile(w, "application/pdf", filename, document)
}

// WriteFile writes a file that the browser saves under filename, with its length: a part is visibly not the whole.
func WriteFile(w http.ResponseWriter, mediaType, filename string, content []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Disposition", `attachment; filename="`+filename+`"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content) // it is no failure if the client has gone
}

// Malformed returns the error of a body that cannot be read.
func Malformed(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return fault.Wrap(fault.Invalid, "problem.400.text", err)
}

// NotFound returns the error of an address at which there is nothing.
func NotFound() error { return fault.New(fault.NotFound, "problem.404.text", nil) }
