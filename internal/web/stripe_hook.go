package web

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"konbit/internal/stripepay"
)

// stripeHook takes a webhook in and answers 200 after its commit; everything else happens later.
func (s *Server) stripeHook(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, stripepay.MaxPayload))
	if err != nil {
		return err
	}
	setup, err := s.Setup.Snapshot(ctx)
	if err != nil {
		return err
	}
	entity, err := setup.Entity(chi.URLParam(r, "entity"))
	if err != nil {
		return err
	}
	return s.Inbox.Take(ctx, entity.ID, entity.Slug, payload, r.Header.Get("Stripe-Signature"))
}
