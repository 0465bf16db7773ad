package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/uuid"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/securitylog"
)

type referenceKey struct{}

// reference returns the id of a request that the log and the page of a failure show.
func reference(ctx context.Context) string {
	ref, _ := ctx.Value(referenceKey{}).(string)
	return ref
}

// observe gives each request a reference and logs the pattern of its route. It never logs the address: addresses hold
// references to gifts, and query strings hold what people typed.
func (k *Kernel) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		ref := uuid.NewString()[:13]
		ctx := context.WithValue(r.Context(), referenceKey{}, ref)
		ctx = k.Security.With(ctx, ref, guard.NetworkKey(ClientAddress(r)))
		seen := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		cut := true
		defer func() {
			status := cmp.Or(seen.Status(), http.StatusOK)
			if cut {
				status = StatusCut
			}
			k.observed(r.WithContext(ctx), seen, status, time.Since(began))
		}()
		next.ServeHTTP(seen, r.WithContext(ctx))
		cut = false
	})
}

// StatusCut is the status in the log and in metrics of a response that was cut before its end. Its status line may have
// another status.
const StatusCut = 599

// observed logs and counts a response.
func (k *Kernel) observed(r *http.Request, seen middleware.WrapResponseWriter, status int, took time.Duration) {
	route := ""
	if matched := chi.RouteContext(r.Context()); matched != nil {
		route = matched.RoutePattern()
	}
	if refused := securitylog.OfStatus(status); refused != "" {
		securitylog.RecordRefusal(r.Context(), refused)
	}
	if k.Observe != nil {
		k.Observe(r.Method, route, status, took)
	}
	if quietRoutes[route] {
		return
	}
	k.Log.InfoContext(r.Context(), "request", "reference", reference(r.Context()), "method", r.Method, "route", route,
		"status", status, "bytes", seen.BytesWritten(), "ms", took.Milliseconds())
}

var quietRoutes = map[string]bool{"/healthz": true, "/readyz": true, "/static/*": true}

// recoverer shows the page of an unexpected failure after a panic. The log gets the panic's type and stack, not its
// message, which may hold what people typed. http.ErrAbortHandler is passed on to the server, which cuts the connection.
func (k *Kernel) recoverer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			broken := recover()
			if broken == http.ErrAbortHandler { //nolint:errorlint // not an error but the value of a panic
				panic(broken)
			}
			if broken != nil {
				k.Log.ErrorContext(r.Context(), "panic", "reference", reference(r.Context()), "panic",
					fmt.Sprintf("%T", broken), "stack", string(debug.Stack()))
				k.problem(w, r, fmt.Errorf("panic: %T", broken))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// secure sets the headers of every response (OWASP ASVS 5.0.0 V3.4).
func (k *Kernel) secure(next http.Handler) http.Handler {
	policy := "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; " +
		"form-action 'self' " + strings.Join(k.Pages, " ") + "; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
	secure := k.BaseURL.Scheme == "https"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		// Not no-referrer: with it, browsers send "Origin: null" with our own forms, and for old browsers without
		// Sec-Fetch-Site such a form could not be distinguished from another site's.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set(robotsHeader, "noindex") // Route.Indexed removes it
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		if secure {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses forms that other sites post (Sec-Fetch-Site, else Origin), except for routes with FromAnySite.
// Scripts and old browsers that send neither header are let through: where a cookie gives a right, the form must also
// carry the session's token (see donorVisit).
func (k *Kernel) sameOrigin(routes []Route) func(http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	for _, route := range routes {
		if route.FromAnySite != "" {
			protection.AddInsecureBypassPattern(route.Method + " " + route.Pattern)
		}
	}
	protection.SetDenyHandler(k.wrap(Page, func(_ http.ResponseWriter, r *http.Request) error {
		securitylog.Record(r.Context(), securitylog.OriginRefused)
		return fault.New(fault.Forbidden, "problem.403.text", nil)
	}))
	return protection.Handler
}

// clientAddress finds the client's address: the peer of the connection or, if the peer is one of our own proxies, the
// last address in X-Forwarded-For that is not one of them. No other header is used.
func (k *Kernel) clientAddress() func(http.Handler) http.Handler {
	if len(k.TrustedProxies) == 0 {
		return middleware.ClientIPFromRemoteAddr
	}
	trusted := make([]string, len(k.TrustedProxies))
	for i, p := range k.TrustedProxies {
		trusted[i] = p.String()
	}
	return middleware.ClientIPFromXFF(trusted...)
}

// ClientAddress returns the address that clientAddress found.
func ClientAddress(r *http.Request) netip.Addr { return middleware.GetClientIPAddr(r.Context()) }
