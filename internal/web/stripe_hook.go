package web

import (
	"io"
	"net/http"

	"github.com/go-chi/chi/v5"

	"konbit/internal/platform/pg"
	"konbit/internal/processor/stripepay"
)

// stripeHook takes a webhook in and answers 200 after its commit; everything else happens later. When the database has no time for
// it, it is refused soon: Stripe tells it again.
func (s *Server) stripeHook(w http.ResponseWriter, r *http.Request) error {
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, stripepay.MaxPayload))
	if err != nil {
		return err
	}
	ctx, cancel := pg.WithRequestTimeout(r.Context())
	defer cancel()
	catalog, err := s.Catalog.Current(ctx)
	if err != nil {
		return err
	}
	entity, err := catalog.Entity(chi.URLParam(r, "entity"))
	if err != nil {
		return err
	}
	return s.Inbox.Receive(ctx, entity.ID, entity.Slug, payload, r.Header.Get("Stripe-Signature"))
}
