package web

import (
	"net/http"

	"konbit/internal/platform/securitylog"
)

// Permission says who may use a route, and enforces it. Check returns T, what the handler needs of the person or of the
// object that the request may use, or an error if the request is refused. A handler takes a T, so that it cannot be
// called without the check. Staff roles and partners are further values of this type.
type Permission[T any] struct {
	// Name is shown in the table of routes and in the golden file of the matrix test.
	Name string
	// Check returns fault.NotFound for a person or an object it does not know.
	Check func(w http.ResponseWriter, r *http.Request) (T, error)
	// Find, if not nil, adds the object that the request names to what Check found. It is called after the request was
	// counted for the route's limit, because to find an object may be most of the work.
	Find func(r *http.Request, checked T) (T, error)
	// Refuse answers a request that Check refused with err. If nil, the error's page is shown.
	Refuse func(w http.ResponseWriter, r *http.Request, err error) error
	// Refusal is what the security log gets of a refused request. Empty: securitylog.AccessRefused.
	Refusal securitylog.Event
}

// Anyone is what a public route's handler knows of the person: nothing.
type Anyone struct{}

// Public is the permission of routes that anyone may use. No cookie gives a right to more.
var Public = Permission[Anyone]{
	Name:  "public",
	Check: func(http.ResponseWriter, *http.Request) (Anyone, error) { return Anyone{}, nil },
}

// Link returns the permission of a person who has the signed link of an email. find returns the object that the link
// opens; it returns fault.NotFound for a link that is not ours or no longer valid. The path contains the link's secret,
// so that the page's own links and forms name only the origin as their Referer.
func Link[T any](object string, find func(r *http.Request) (T, error)) Permission[T] {
	return Permission[T]{
		Name:    "link: " + object,
		Refusal: securitylog.LinkRefused,
		Check: func(w http.ResponseWriter, r *http.Request) (T, error) {
			w.Header().Set("Referrer-Policy", "strict-origin")
			return find(r)
		},
	}
}

// Owned is a request of a signed-in donor for an object that belongs to this donor.
type Owned[T any] struct {
	DonorVisit
	Object T
}

// Owner returns the permission of the donor who owns the object named in the path. find returns the object; it returns
// fault.NotFound if there is none or if it belongs to another donor. Everyone but the owner gets 404 and not 401 or
// 403, so that a response does not reveal whether the object exists.
func Owner[T any](k *Kernel, object string, find func(r *http.Request, v DonorVisit) (T, error)) Permission[Owned[T]] {
	return Permission[Owned[T]]{
		Name:    "owner: " + object,
		Refusal: securitylog.ObjectRefused,
		Check: func(w http.ResponseWriter, r *http.Request) (Owned[T], error) {
			v, err := k.donorVisit(w, r)
			return Owned[T]{DonorVisit: v}, err
		},
		Find: func(r *http.Request, o Owned[T]) (_ Owned[T], err error) {
			o.Object, err = find(r, o.DonorVisit)
			return o, err
		},
	}
}
