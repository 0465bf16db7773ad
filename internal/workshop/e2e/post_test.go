package e2e

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

// The tests of this package check what pages do, not how fast a busy machine is. cmd/chaos keeps the default.
func init() { requestTimeout = "10s" }

// An answer is what an HTTP client without a browser receives.
type answer struct {
	status   int
	location string
	body     string
}

// script is an HTTP client that follows no redirect and keeps no cookie. It sends a request again if the server asks for that.
var script = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     retrying{},
}

// retrying sends a request again, up to ten times, while the answer is 503 with Retry-After: on a busy machine a page may
// take longer than pg.RequestTimeout.
type retrying struct{}

func (retrying) RoundTrip(r *http.Request) (*http.Response, error) {
	for again := 0; ; again++ {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || again == 10 {
			return resp, err
		}
		if r.Body != nil {
			if r.GetBody == nil {
				return resp, nil
			}
			body, err := r.GetBody()
			if err != nil {
				_ = resp.Body.Close()
				return nil, err
			}
			r = r.Clone(r.Context())
			r.Body = body
		}
		_ = resp.Body.Close()
		time.Sleep(time.Second / 4)
	}
}

func (s *Stack) read(resp *http.Response, err error) answer {
	s.t.Helper()
	require.NoError(s.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	return answer{resp.StatusCode, resp.Header.Get("Location"), string(body)}
}

// get requests a page without a browser.
func (s *Stack) get(path string) answer {
	s.t.Helper()
	return s.read(script.Get(s.URL() + path))
}

// post sends a form without a browser. A gift form without an id gets one, as each form that the server shows has one: a form
// that is sent again makes no second gift.
func (s *Stack) post(path string, form url.Values) answer {
	s.t.Helper()
	if strings.HasPrefix(path, "/give/") && !form.Has("form") {
		form = maps.Clone(form)
		form.Set("form", uuid.NewString())
	}
	return s.read(script.PostForm(s.URL()+path, form))
}

// form returns a valid form for a gift of $20 by a donor with this name.
func form(name string) url.Values {
	return url.Values{
		"amount": {"20"}, "frequency": {"once"}, "first_name": {name}, "last_name": {"Tester"}, "email": {strings.ToLower(name) + "@donor.example"},
	}
}

// A startedGift has a payment page.
type startedGift struct {
	ref     string // in the address of the page after payment
	session string // Stripe's
}

// begin sends a form and returns the gift that it started.
func (s *Stack) begin(org string, form url.Values) startedGift {
	s.t.Helper()
	got := s.post("/give/"+org, form)
	require.Equal(s.t, http.StatusSeeOther, got.status, got.body)
	b := startedGift{session: path.Base(got.location)}
	require.NoError(s.t, s.DB.Owner.Get(&b.ref, `SELECT public_ref FROM donation JOIN checkout ON donation_id = id WHERE session_id = $1`, b.session))
	return b
}

// waitStatus waits until a gift has this status.
func (s *Stack) waitStatus(b startedGift, want string) {
	s.t.Helper()
	testkit.Eventually(s.t, waitTimeout, func() error {
		var status string
		if err := s.DB.Owner.Get(&status, `SELECT status FROM donation WHERE public_ref = $1`, b.ref); err != nil {
			return err
		}
		if status != want {
			return unexpected{"the gift's status", status, want}
		}
		return nil
	})
}

type unexpected struct{ what, have, want string }

func (u unexpected) Error() string { return u.what + " is " + u.have + ", not " + u.want }

func thanksPath(org string, b startedGift) string {
	return "/give/" + org + "/thanks?gift=" + url.QueryEscape(b.ref)
}
