package web

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"konbit/internal/platform/fault"
	"konbit/internal/view"
)

// Limits of request bodies, in bytes.
const maxForm = 64 << 10

// stopRoute is pressed by mail providers for their readers (RFC 8058).
const stopRoute = "/letters/{token}"

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
		r.Post("/give/{org}", s.ownDeadline(s.givePost))
		r.Get("/give/{org}/thanks", s.page(s.thanksGet))
		r.Get("/give/{org}/event", s.page(s.eventGet))
		r.Post("/give/{org}/event", s.page(s.eventPost))
		r.Get("/plans/card/{token}", s.page(s.paymentMethodGet))
		r.Post("/plans/card/{token}", s.page(s.paymentMethodPost))
		r.Get("/plans/{ref}/{key}", s.page(s.planGet))
		r.Post("/plans/{ref}/{key}", s.page(s.planPost))
		r.Get(stopRoute, s.page(s.emailChoiceGet))
		r.Post(stopRoute, s.page(s.emailStopPost))
		r.Post(stopRoute+"/again", s.page(s.emailResumePost))
		r.Get(signInPath, s.page(s.signInGet))
		r.Post(signInPath, s.page(s.signInPost))
		r.Get(codePath, s.page(s.codeGet))
		r.Post(codePath, s.page(s.codePost))
		r.Get(linkPath, s.page(s.linkGet))
		r.Post(linkPath, s.page(s.linkPost))
		r.Post("/sign-out", s.requireSession(s.signOutPost))
		r.Get(portalPath, s.requireSession(s.portalGet))
		r.Get("/portal/gifts", s.requireSession(s.giftsGet))
		r.Get("/portal/gifts/{ref}/receipt", s.requireOwner(s.receiptGet))
		r.Get("/portal/gifts/{ref}/receipt.pdf", s.requireOwner(s.receiptPDFGet))
		r.Get("/portal/plans", s.requireSession(s.plansGet))
		r.Get("/portal/plans/{ref}", s.requireOwner(s.ownPlanGet))
		r.Post("/portal/plans/{ref}", s.requireOwner(s.ownPlanPost))
		r.Get(recordsPath, s.requireSession(s.recordsGet))
		r.Get(recordsPath+"/data.json", s.requireSession(s.dataJSONGet))
		r.Get(recordsPath+"/data.csv", s.requireSession(s.dataCSVGet))
		r.Post(recordsPath+"/erasure", s.requireSession(s.erasePost))
		r.Get("/portal/statements/{ref}", s.requireOwner(s.statementGet))
		r.Get("/portal/statements/{ref}/pdf", s.requireOwner(s.statementPDFGet))
		r.Get("/portal/details", s.requireSession(s.detailsGet))
		r.Post("/portal/details", s.requireSession(s.detailsPost))
		r.Post("/portal/addresses", s.requireSession(s.addressPost))
		r.Post("/portal/addresses/prove", s.requireSession(s.linkAddressPost))
		r.Post("/portal/addresses/part", s.requireSession(s.unlinkPost))
		r.Post("/portal/sessions/end", s.requireSession(s.signOutEverywherePost))
		if s.Demo {
			r.Get("/_styleguide", s.page(s.styleguideGet))
		}
	})
	return r
}

func errNotFound() error { return fault.New(fault.NotFound, "problem.404.text", nil) }
