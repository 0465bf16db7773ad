package portal

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"konbit/internal/platform/securitylog"
	"konbit/internal/web"
)

// devices lists the visitor's open sessions, the newest first.
func (a *Area) devices(r *http.Request, v web.DonorVisit) (all []Device, err error) {
	open, err := a.Access.Sessions().ListOpen(r.Context(), v.PersonID)
	if err != nil {
		return nil, err
	}
	zone := time.UTC
	if len(v.Donors) > 0 {
		e, err := v.Catalog.EntityByID(v.Donors[0].EntityID)
		if err != nil {
			return nil, err
		}
		zone = e.Location()
	}
	for _, s := range open {
		all = append(all, Device{ID: s.ID.String(), Opened: a.Shown(s.OpenedAt).In(zone), Seen: a.Shown(s.SeenAt).In(zone), Here: s.ID == v.ID})
	}
	return all, nil
}

// endOneSessionPost ends one of the visitor's sessions. The session that asks must be fresh; it cannot end itself here,
// because signing out also deletes its cookie.
func (a *Area) endOneSessionPost(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	if !v.Fresh {
		return a.askForFreshSession(w, r, v)
	}
	id, err := uuid.Parse(r.PostForm.Get("device"))
	if err != nil || id == v.ID {
		return web.NotFound()
	}
	if err := a.Access.Sessions().EndOne(r.Context(), v.PersonID, id); err != nil {
		return err
	}
	securitylog.Record(r.Context(), securitylog.SignedOut)
	http.Redirect(w, r, detailsPath+"?said=ended#devices", http.StatusSeeOther)
	return nil
}

// askForFreshSession shows the details, which offer to sign in again in place of what needs a fresh session.
func (a *Area) askForFreshSession(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	page, err := a.detailsPage(r, v)
	if err != nil {
		return err
	}
	return a.writeDetails(w, http.StatusForbidden, page)
}
