package web

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"konbit/internal/fault"
	"konbit/internal/view"
)

// Limits of request bodies, in bytes.
const maxForm = 64 << 10

// Handler is the table of routes.
func (s *Server) Handler() http.Handler {
	r := chi.NewRouter()
	r.Use(s.observe, s.recoverer, s.secure, middleware.GetHead, middleware.StripSlashes)
	r.NotFound(s.page(func(http.ResponseWriter, *http.Request) error { return errNotFound() }))
	r.MethodNotAllowed(s.methodNotAllowed)

	r.Get("/healthz", s.healthz)
	r.Get("/readyz", s.readyz)
	r.Handle(view.StaticPath+"*", s.View.Static())
	r.Post("/hooks/stripe/{entity}", s.hook(s.stripeHook))

	r.Group(func(r chi.Router) {
		r.Use(s.sameOrigin(), s.clientAddress())
		r.Get("/", s.page(s.homeGet))
		r.Get("/give/{org}", s.page(s.giveGet))
		r.Post("/give/{org}", s.page(s.givePost))
		r.Get("/give/{org}/thanks", s.page(s.thanksGet))
		r.Get("/give/{org}/event", s.page(s.eventGet))
		r.Post("/give/{org}/event", s.page(s.eventPost))
		r.Get("/plans/card/{token}", s.page(s.cardGet))
		r.Post("/plans/card/{token}", s.page(s.cardPost))
		r.Get("/plans/{ref}/{key}", s.page(s.planGet))
		r.Post("/plans/{ref}/{key}", s.page(s.planPost))
		if s.Demo {
			r.Get("/_styleguide", s.page(s.styleguideGet))
		}
	})
	return r
}

func errNotFound() error { return fault.New(fault.NotFound, "problem.404.text", nil) }
