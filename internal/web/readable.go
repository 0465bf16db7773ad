package web

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/securitylog"
)

// errUnreadable is the error of a form or an address of the office with a value that is not text.
func errUnreadable() error { return fault.New(fault.Invalid, "office.problem.unreadable", nil) }

// readable refuses what is not text: a NUL or bytes that are not UTF-8, which the database cannot store. Nothing is at an address
// with such a path. In the office, no value of the form or of the query is used then; forms of donors mark the field.
func (k *Kernel) readable(h Handler) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !isText(r.URL.Path) {
			return NotFound()
		}
		if k.servesOffice(r) && (!areTexts(r.URL.Query()) || !areTexts(r.PostForm)) {
			securitylog.Record(r.Context(), securitylog.FormMalformed)
			return errUnreadable()
		}
		return h(w, r)
	}
}

func areTexts(values url.Values) bool {
	for name, all := range values {
		if !isText(name) || !isText(strings.Join(all, "")) {
			return false
		}
	}
	return true
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }
