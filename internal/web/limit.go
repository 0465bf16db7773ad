package web

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"konbit/internal/platform/guard"
	"konbit/internal/platform/securitylog"
)

// Limit says how often one person may use routes, together with all other routes of the same limit.
//
// What is counted is what the permission found, by its method LimitSubject: a signed-in person, or the object that a
// link opens. For other permissions it is the client's address. So a stranger who has a link uses up what the link may do,
// and not what the donor may do after signing in.
type Limit struct {
	guard.Limit
	Name   string // in the security log and the documentation
	Words  string // phrase of what was done too often, for the person
	SignIn string // of limits by link: where the person may sign in and continue at once; otherwise empty
	// Part divides what is counted, so that one part does not use up another; nil: it is not divided.
	Part func(r *http.Request) string
}

// Limited returns the route with a limit.
func (r Route) Limited(l Limit) Route {
	r.Limit = &l
	return r
}

// LimitedInside returns the route without a limit here, because its handler calls what limits it. by names that limit.
func (r Route) LimitedInside(by string) Route {
	r.LimitedBy = by
	return r
}

// Unlimited returns the route without a limit, and says why it needs none.
func (r Route) Unlimited(why string) Route {
	r.NoLimit = why
	return r
}

// errLimited is the error of a request that exceeds its route's limit.
type errLimited struct {
	*Limit
	retry time.Duration // after which one more request is within the limit
}

func (errLimited) Error() string { return "web: a limit was reached" }

// checkLimit counts a request for its route's limit. allowed is what the permission found.
func (k *Kernel) checkLimit(r *http.Request, l *Limit, allowed any) error {
	if l == nil {
		return nil
	}
	subject := "address " + guard.AddressKey(ClientAddress(r))
	if found, ok := allowed.(interface{ LimitSubject() string }); ok {
		subject = found.LimitSubject()
	}
	if l.Part != nil {
		subject += " " + l.Part(r)
	}
	quota := guard.Quota{Kind: "act " + l.Name, Subject: subject, Limit: l.Limit}
	counts := k.Guard
	if isOffice(r.URL.Path) {
		counts = k.Staff.Guard
	}
	within, err := counts.Allow(r.Context(), quota)
	if err != nil || within {
		return err
	}
	securitylog.Limit(r.Context(), l.Name)
	retry, err := counts.Wait(r.Context(), quota)
	if err != nil {
		return err
	}
	return errLimited{l, max(retry, time.Second)}
}

// setRetryAfter sets the header of a response to a request that exceeds a limit.
func setRetryAfter(w http.ResponseWriter, err error) {
	var limited errLimited
	if errors.As(err, &limited) {
		w.Header().Set("Retry-After", strconv.Itoa(int(limited.retry.Seconds())))
	}
}
