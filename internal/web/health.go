package web

import (
	"context"
	"net/http"
	"time"
)

// healthz answers that the process is alive.
func (k *Kernel) healthz(w http.ResponseWriter, _ *http.Request, _ Anyone) error {
	plain(w, http.StatusOK, "alive\n")
	return nil
}

// readyz answers whether the program can serve requests: the database responds and has every migration.
func (k *Kernel) readyz(w http.ResponseWriter, r *http.Request, _ Anyone) error {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := k.Ready(ctx); err != nil {
		k.Log.WarnContext(ctx, "not ready", "error", err)
		w.Header().Set("Retry-After", retryAfter)
		plain(w, http.StatusServiceUnavailable, "not ready\n")
		return nil
	}
	plain(w, http.StatusOK, "ready\n")
	return nil
}

// static serves the static files.
func (k *Kernel) static(w http.ResponseWriter, r *http.Request, _ Anyone) error {
	k.View.Static().ServeHTTP(w, r)
	return nil
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // it is no failure if the client has gone
}
