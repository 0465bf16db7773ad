package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/uuid"

	"konbit/internal/platform/fault"
)

type referenceKey struct{}

// reference names a request in the log and on the page of a failure.
func reference(ctx context.Context) string {
	ref, _ := ctx.Value(referenceKey{}).(string)
	return ref
}

// observe gives each request a reference and logs it by its route, never by its address: addresses hold
// references to gifts, and query strings what people typed.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		ref := uuid.NewString()[:13]
		ctx := context.WithValue(r.Context(), referenceKey{}, ref)
		seen := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(seen, r.WithContext(ctx))
		route, status, took := "", cmp.Or(seen.Status(), http.StatusOK), time.Since(began)
		if matched := chi.RouteContext(ctx); matched != nil {
			route = matched.RoutePattern()
		}
		if s.Observe != nil {
			s.Observe(r.Method, route, status, took)
		}
		if quietRoutes[route] {
			return
		}
		s.Log.InfoContext(ctx, "request", "reference", ref, "method", r.Method, "route", route,
			"status", status, "bytes", seen.BytesWritten(), "ms", took.Milliseconds())
	})
}

var quietRoutes = map[string]bool{"/healthz": true, "/readyz": true, "/static/*": true}

// recoverer turns a panic into the page of an unexpected failure.
func (s *Server) recoverer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if broken := recover(); broken != nil && broken != http.ErrAbortHandler {
				s.Log.ErrorContext(r.Context(), "panic", "reference", reference(r.Context()), "panic", fmt.Sprintf("%T", broken), "stack", string(debug.Stack()))
				s.problem(w, r, fmt.Errorf("panic: %T", broken))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// secure sets the headers every answer has (OWASP ASVS 5.0.0 V3.4).
func (s *Server) secure(next http.Handler) http.Handler {
	policy := "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; " +
		"form-action 'self' " + strings.Join(s.Pages, " ") + "; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
	secure := s.BaseURL.Scheme == "https"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		// Not no-referrer: under it browsers send "Origin: null" with our own forms, which old ones without
		// Sec-Fetch-Site could then not be told from another site's.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		if secure {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses forms posted from other sites, by what the browser says of where they come from. Scripts and
// old browsers that say nothing are let by: where a cookie of ours gives rights, forms bring its session's token as well (visit).
func (s *Server) sameOrigin() func(http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	// One press in a mail program, which may well be another site's page: no cookie counts there, and the address is the right to it.
	guard.AddInsecureBypassPattern("POST " + stopRoute)
	guard.SetDenyHandler(s.page(func(http.ResponseWriter, *http.Request) error {
		return fault.New(fault.Forbidden, "problem.403.text", nil)
	}))
	return guard.Handler
}
