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
		r.Post("/give/{org}", s.patient(s.givePost))
		r.Get("/give/{org}/thanks", s.page(s.thanksGet))
		r.Get("/give/{org}/event", s.page(s.eventGet))
		r.Post("/give/{org}/event", s.page(s.eventPost))
		r.Get("/plans/card/{token}", s.page(s.cardGet))
		r.Post("/plans/card/{token}", s.page(s.cardPost))
		r.Get("/plans/{ref}/{key}", s.page(s.planGet))
		r.Post("/plans/{ref}/{key}", s.page(s.planPost))
		r.Get(stopRoute, s.page(s.lettersGet))
		r.Post(stopRoute, s.page(s.lettersPost))
		r.Post(stopRoute+"/again", s.page(s.lettersAgainPost))
		r.Get(signInPath, s.page(s.signInGet))
		r.Post(signInPath, s.page(s.signInPost))
		r.Get(codePath, s.page(s.codeGet))
		r.Post(codePath, s.page(s.codePost))
		r.Get(linkPath, s.page(s.linkGet))
		r.Post(linkPath, s.page(s.linkPost))
		r.Post("/sign-out", s.signedIn(s.signOutPost))
		r.Get(portalPath, s.signedIn(s.portalGet))
		r.Get("/portal/gifts", s.signedIn(s.giftsGet))
		r.Get("/portal/gifts/{ref}/receipt", s.owned(s.receiptGet))
		r.Get("/portal/gifts/{ref}/receipt.pdf", s.owned(s.receiptPDFGet))
		r.Get("/portal/plans", s.signedIn(s.plansGet))
		r.Get("/portal/plans/{ref}", s.owned(s.ownPlanGet))
		r.Post("/portal/plans/{ref}", s.owned(s.ownPlanPost))
		r.Get(recordsPath, s.signedIn(s.recordsGet))
		r.Get(recordsPath+"/data.json", s.signedIn(s.dataJSONGet))
		r.Get(recordsPath+"/data.csv", s.signedIn(s.dataCSVGet))
		r.Post(recordsPath+"/erasure", s.signedIn(s.erasePost))
		r.Get("/portal/statements/{ref}", s.owned(s.statementGet))
		r.Get("/portal/statements/{ref}/pdf", s.owned(s.statementPDFGet))
		r.Get("/portal/details", s.signedIn(s.detailsGet))
		r.Post("/portal/details", s.signedIn(s.detailsPost))
		r.Post("/portal/addresses", s.signedIn(s.addressPost))
		r.Post("/portal/addresses/prove", s.signedIn(s.provePost))
		r.Post("/portal/addresses/part", s.signedIn(s.partPost))
		r.Post("/portal/sessions/end", s.signedIn(s.everywherePost))
		if s.Demo {
			r.Get("/_styleguide", s.page(s.styleguideGet))
		}
	})
	return r
}

func errNotFound() error { return fault.New(fault.NotFound, "problem.404.text", nil) }
