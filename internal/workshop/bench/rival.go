package bench

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// A Rival is another program that books a payment for each HTTP POST, such as another ledger. It runs already.
type Rival struct {
	target *url.URL
	body   []byte
	head   []string
}

// idPlaceholder stands in a rival's body for an id that differs in each request.
const idPlaceholder = "{{id}}"

// NewRival returns a rival that is sent the body, in which each {{id}} is replaced by an id of that request. header has
// further lines, as "Authorization: …". NewRival reports an error if the address is not http://HOST:PORT/PATH, the body
// has no {{id}}, or a header line has no name.
func NewRival(address string, body []byte, header []string) (*Rival, error) {
	target, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, err
	case target.Scheme != "http" || target.Host == "":
		return nil, fmt.Errorf("%q is not an address like http://127.0.0.1:3068/transactions", address)
	case !bytes.Contains(body, []byte(idPlaceholder)):
		return nil, errors.New("the body has no " + idPlaceholder + ": each request needs an id of its own, or the program books one payment many times")
	}
	if target.Port() == "" {
		target.Host += ":80"
	}
	head, named := []string{}, false
	for _, line := range header {
		name, _, found := strings.Cut(line, ":")
		if !found || strings.TrimSpace(name) == "" || strings.ContainsAny(line, "\r\n") {
			return nil, fmt.Errorf("%q is not a header line like \"Authorization: …\"", line)
		}
		named = named || textproto.CanonicalMIMEHeaderKey(name) == "Content-Type"
		head = append(head, line)
	}
	if !named {
		head = append(head, "Content-Type: application/json")
	}
	return &Rival{target, body, head}, nil
}

// name returns the rival's name in the table.
func (r *Rival) name() string { return r.target.Host }

// requests returns n requests.
func (r *Rival) requests(n int) []request {
	all := make([]request, n)
	for i := range all {
		body := bytes.ReplaceAll(r.body, []byte(idPlaceholder), []byte(uuid.NewString()))
		all[i] = post(r.target.Host, r.target.RequestURI(), body, r.head...)
	}
	return all
}

// book sends n requests over the connections and returns the answers a second. All must have the status 200, 201, 202 or 204.
func (r *Rival) book(t testing.TB, connections, n int) float64 {
	t.Helper()
	asks := r.requests(n)
	return loadFrom(t, r.target.Host, connections, anySuccess, n, func(i int) request { return asks[i] }).rate()
}

// anySuccess is the wanted status of a program whose statuses are not known.
const anySuccess = 0

// wanted reports whether a status is the one that was wanted.
func wanted(status, want int) bool {
	if want == anySuccess {
		return status >= http.StatusOK && status < http.StatusMultipleChoices
	}
	return status == want
}
