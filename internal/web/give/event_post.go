package give

import (
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/securitylog"
	"konbit/internal/web"
)

// eventCookie holds the pass of a device in event mode.
const eventCookie = "event"

// nextDonorAfter is how long a shared tablet shows the page after payment before it shows the empty form.
const nextDonorAfter = 15 * time.Second

// eventPost opens event mode on this device. It returns fault.NotFound for a pass that is not known or has ended.
func (a *Area) eventPost(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	o, err := a.offer(r)
	if err != nil {
		return err
	}
	token := strings.TrimSpace(r.PostForm.Get("pass"))
	pass, err := guard.FindPass(r.Context(), a.DB, o.Organisation.ID, token)
	if fault.Is(err, fault.NotFound) {
		securitylog.Record(r.Context(), securitylog.EventPassWrong)
	}
	if err != nil {
		return err
	}
	if err := guard.RecordDevice(r.Context(), a.DB, pass.ID); err != nil {
		return err
	}
	securitylog.Record(r.Context(), securitylog.EventModeOpened)
	a.SetCookie(w, eventCookie, token, guard.MaxPassLifetime)
	http.Redirect(w, r, formPath(o.Organisation.Slug, o.lang), http.StatusSeeOther)
	return nil
}

// maybeShared reports whether this may be a tablet that donors share. Whether its pass is valid, eventPass finds out.
func (a *Area) maybeShared(r *http.Request) bool { return a.Cookie(r, eventCookie) != "" }

// eventPass returns the id of this device's valid pass; uuid.Nil if it has none.
func (a *Area) eventPass(r *http.Request, o offer) (uuid.UUID, error) {
	token := a.Cookie(r, eventCookie)
	if token == "" {
		return uuid.Nil, nil
	}
	pass, err := guard.FindPass(r.Context(), a.DB, o.Organisation.ID, token)
	if fault.Is(err, fault.NotFound) {
		return uuid.Nil, nil
	}
	return pass.ID, err
}
