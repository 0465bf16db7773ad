package web

import (
	"cmp"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/securitylog"
	"konbit/internal/view"
)

// Route is one row of the table of routes. Get, Post and Any are the only way to make one, so that each has a
// permission.
type Route struct {
	Method, Pattern string // Method is "*" if any method is served
	Permission      string // name of the permission
	Wrap            Wrap
	IsIndexed       bool   // search engines may list its page
	FromAnySite     string // why a form of another site may be posted here; empty: it may not
	// Of these, a route that may change something or that makes a document has exactly one.
	Limit     *Limit
	LimitedBy string // what limits it inside its handler
	NoLimit   string // why it needs no limit
	handler   func(k *Kernel, route Route) http.HandlerFunc
}

// Wrap is how a handler is called and how its errors are answered.
type Wrap int

// The wraps.
//
//	wrap         time for the request        errors become      form of another site   for
//	Page         pg.RequestTimeout           a page             refused                handlers that use the database only
//	Stream       streamTimeout               a page, or a cut   refused                long answers, sent while read
//	OwnDeadline  the handler's own           a page             refused                handlers that also call Stripe, or make slow hashes
//	Upload       uploadTimeout               a page             refused                forms with files (upload.go)
//	Machine      the handler's own           a bare status      not checked            webhooks
//	Raw          none                        a page             not checked            health, static files
const (
	Page Wrap = iota + 1
	Stream
	OwnDeadline
	Upload
	Machine
	Raw
)

// Get returns a route for GET and HEAD.
func Get[T any](pattern string, wrap Wrap, p Permission[T], h func(http.ResponseWriter, *http.Request, T) error) Route {
	return newRoute(http.MethodGet, pattern, wrap, p, h)
}

// Post returns a route for POST.
func Post[T any](pattern string, wrap Wrap, p Permission[T], h func(http.ResponseWriter, *http.Request, T) error) Route {
	return newRoute(http.MethodPost, pattern, wrap, p, h)
}

// Any returns a route for every method.
func Any[T any](pattern string, wrap Wrap, p Permission[T], h func(http.ResponseWriter, *http.Request, T) error) Route {
	return newRoute("*", pattern, wrap, p, h)
}

// AllowFromAnySite returns the route without the check of where a form comes from. The reason is required.
func (r Route) AllowFromAnySite(reason string) Route {
	r.FromAnySite = reason
	return r
}

// Indexed returns the route of a page that search engines may list. All others tell them not to. An address with a gift's
// reference is not listed.
func (r Route) Indexed() Route {
	r.IsIndexed = true
	return r
}

func newRoute[T any](method, pattern string, wrap Wrap, p Permission[T], h func(http.ResponseWriter, *http.Request, T) error) Route {
	if p.Name == "" || p.Check == nil {
		panic("web: " + method + " " + pattern + " has no permission")
	}
	return Route{Method: method, Pattern: pattern, Permission: p.Name, Wrap: wrap, handler: func(k *Kernel, route Route) http.HandlerFunc {
		return k.wrap(wrap, func(w http.ResponseWriter, r *http.Request) error {
			if route.IsIndexed && !r.URL.Query().Has("again") {
				w.Header().Del(robotsHeader)
			}
			allowed, err := check(w, r, wrap, p)
			if err == nil {
				if err = k.checkLimit(r, route.Limit, allowed); err != nil {
					return err
				}
				allowed, err = find(r, wrap, p, allowed)
			}
			if err == nil {
				return h(w, r, allowed)
			}
			if isRefusal(err) {
				securitylog.RecordRefusal(r.Context(), cmp.Or(p.Refusal, securitylog.AccessRefused))
			}
			if p.Refuse != nil {
				return p.Refuse(w, r, err)
			}
			return err
		})
	}}
}

// isRefusal reports whether a permission's error says that the request has no right, and not that something failed.
func isRefusal(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.NotFound || kind == fault.Forbidden || kind == fault.Invalid
}

// check calls a permission's Check. Of a stream and an upload, only what follows may take longer than a page.
func check[T any](w http.ResponseWriter, r *http.Request, wrap Wrap, p Permission[T]) (T, error) {
	if wrap != Stream && wrap != Upload {
		return p.Check(w, r)
	}
	ctx, cancel := pg.WithRequestTimeout(r.Context())
	defer cancel()
	return p.Check(w, r.WithContext(ctx))
}

// find calls a permission's Find, with the time of a page.
func find[T any](r *http.Request, wrap Wrap, p Permission[T], checked T) (T, error) {
	if p.Find == nil {
		return checked, nil
	}
	if wrap != Stream && wrap != Upload {
		return p.Find(r, checked)
	}
	ctx, cancel := pg.WithRequestTimeout(r.Context())
	defer cancel()
	return p.Find(r.WithContext(ctx), checked)
}

// Routes returns the routes of the kernel and of all areas.
func (k *Kernel) Routes() []Route {
	routes := []Route{
		Get("/healthz", Raw, Public, k.healthz),
		Get("/readyz", Raw, Public, k.readyz),
		Get(securityTextPath, Page, Public, k.securityText),
		Get(robotsPath, Raw, Public, k.robots),
		Any(view.StaticPath+"*", Raw, Public, k.static),
	}
	if k.Demo {
		routes = append(routes, Get("/_styleguide", Page, Public, k.styleguide))
	}
	for _, area := range k.Areas {
		routes = append(routes, area.Routes()...)
	}
	return routes
}

// Handler returns the handler of all routes. It panics if a route was made without a permission.
func (k *Kernel) Handler() http.Handler {
	routes := k.Routes()
	r := chi.NewRouter()
	r.Use(k.clientAddress(), k.observe, k.recoverer, k.secure, k.hosts, middleware.GetHead, middleware.StripSlashes)
	r.NotFound(k.wrap(Page, func(http.ResponseWriter, *http.Request) error { return NotFound() }))
	r.MethodNotAllowed(k.methodNotAllowed)
	browsers := r.With(k.sameOrigin(routes))
	for _, route := range routes {
		if route.handler == nil {
			panic("web: " + route.Method + " " + route.Pattern + " has no permission")
		}
		to := chi.Router(r)
		if route.Wrap != Machine && route.Wrap != Raw {
			to = browsers
		}
		if route.Method == "*" {
			to.Handle(route.Pattern, route.handler(k, route))
		} else {
			to.Method(route.Method, route.Pattern, route.handler(k, route))
		}
	}
	return r
}
