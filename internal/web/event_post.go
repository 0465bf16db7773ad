package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
)

// backAfter is how long a shared tablet shows the thanks before it is the next donor's.
const nextDonorAfter = 15 * time.Second

// eventPost opens event mode on this device. A pass that is over, or never was, leads nowhere.
func (s *Server) eventPost(w http.ResponseWriter, r *http.Request) error {
	offer, lang, _, err := s.offer(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return malformed(err)
	}
	token := strings.TrimSpace(r.PostForm.Get("pass"))
	pass, err := guard.FindPass(r.Context(), s.DB, offer.Organisation.ID, token)
	if err != nil {
		return err
	}
	if err := guard.RecordDevice(r.Context(), s.DB, pass.ID); err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{
		Name: s.eventCookie(), Value: token, Path: "/", HttpOnly: true, MaxAge: int(guard.MaxPassLifetime / time.Second),
		Secure: s.BaseURL.Scheme == "https", SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, givePath(offer.Organisation.Slug, lang), http.StatusSeeOther)
	return nil
}

func (s *Server) eventCookie() string {
	if s.BaseURL.Scheme == "https" {
		return "__Host-konbit-event"
	}
	return "konbit-event"
}

// shared tells whether this may be a tablet at an event; eventPass knows.
func (s *Server) onSharedDevice(r *http.Request) bool {
	_, err := r.Cookie(s.eventCookie())
	return err == nil
}

// eventPass is the pass this device gives by, while it lasts; zero: none.
func (s *Server) eventPass(r *http.Request, offer donation.Offer) (uuid.UUID, error) {
	cookie, err := r.Cookie(s.eventCookie())
	if err != nil {
		return uuid.Nil, nil
	}
	pass, err := guard.FindPass(r.Context(), s.DB, offer.Organisation.ID, cookie.Value)
	if fault.Is(err, fault.NotFound) {
		return uuid.Nil, nil
	}
	return pass.ID, err
}
