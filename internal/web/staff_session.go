package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/platform/securitylog"
	"konbit/internal/view"
)

// StaffCookie holds the session of staff. Browsers send it from our own pages only (SameSite=Strict).
const StaffCookie = "staff"

// StaffVisit is a request of a signed-in member of the staff.
type StaffVisit struct {
	staff.Session
	Catalog  *fund.Catalog
	Language phrase.Language // English or Spanish

	// Scope is where the request works, Entity and Organisation what it is; empty on pages of no scope. Organisation is nil
	// if the scope is the whole entity.
	Scope        staff.Scope
	Entity       org.LegalEntity
	Organisation *org.Organisation
}

// Path returns the address of a page of the visit's scope, such as people.
func (v StaffVisit) Path(page string) string {
	path := "/office/" + v.Entity.Slug
	if page != "" {
		path += "/" + page
	}
	if v.Organisation != nil {
		path += "?org=" + v.Organisation.Slug
	}
	return path
}

// StaffSession returns the permission of signed-in staff, whatever their roles. signIn answers everybody else.
func (k *Kernel) StaffSession(signIn Handler) Permission[StaffVisit] {
	return Permission[StaffVisit]{
		Name: "staff: any role", Refusal: securitylog.SessionMissing,
		Check:  func(_ http.ResponseWriter, r *http.Request) (StaffVisit, error) { return k.staffVisit(r, false) },
		Refuse: k.refuseStaff(signIn),
	}
}

// StaffSetup returns the permission of who opened the link of an invitation and has no factor yet, and of signed-in staff.
func (k *Kernel) StaffSetup(signIn Handler) Permission[StaffVisit] {
	return Permission[StaffVisit]{
		Name: "staff: setup", Refusal: securitylog.SessionMissing,
		Check:  func(_ http.ResponseWriter, r *http.Request) (StaffVisit, error) { return k.staffVisit(r, true) },
		Refuse: k.refuseStaff(signIn),
	}
}

// StaffIn returns the permission of staff who hold one of the roles in the scope that the address names: {entity}, and ?org=
// for one organisation. Everybody else who is signed in gets 404, as for an entity that does not exist. Who reads a page of the
// entity, and works for only one of its organisations, is led to the same page of that organisation.
func (k *Kernel) StaffIn(signIn Handler, roles ...staff.RoleName) Permission[StaffVisit] {
	names := make([]string, len(roles))
	for i, role := range roles {
		names[i] = string(role)
	}
	p := k.StaffSession(signIn)
	p.Name = "staff: " + strings.Join(names, ", ")
	p.Find = func(r *http.Request, v StaffVisit) (StaffVisit, error) {
		if err := v.enter(chi.URLParam(r, "entity"), r.URL.Query().Get("org")); err != nil {
			return v, err
		}
		if !v.Has(v.Scope, roles...) {
			if only, ok := v.onlyOrganisation(roles...); ok && v.Organisation == nil && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
				return v, &elsewhere{to: inOrganisation(r.URL, only)}
			}
			securitylog.Record(r.Context(), securitylog.RoleRefused)
			return v, NotFound()
		}
		return v, nil
	}
	return p
}

// elsewhere is the error of an address whose page the person reads at another address.
type elsewhere struct{ to string }

func (e *elsewhere) Error() string { return "web: the page is at another address for this person" }

// onlyOrganisation returns the only organisation of the visit's entity in which its person works, if they hold one of the
// roles there.
func (v StaffVisit) onlyOrganisation(roles ...staff.RoleName) (only org.Organisation, ok bool) {
	ids := map[uuid.UUID]bool{}
	for _, role := range v.Roles {
		if role.EntityID == v.Entity.ID {
			ids[role.OrganisationID.UUID] = true // uuid.Nil of the whole entity, which is another scope
		}
	}
	if len(ids) != 1 {
		return only, false
	}
	for id := range ids {
		o, err := v.Catalog.OrganisationByID(id)
		if err != nil {
			return only, false
		}
		only = o
	}
	in := staff.Scope{EntityID: v.Entity.ID, OrganisationID: uuid.NullUUID{UUID: only.ID, Valid: true}}
	return only, v.Has(in, roles...)
}

// inOrganisation returns an address with the organisation in its query.
func inOrganisation(u *url.URL, o org.Organisation) string {
	q := u.Query()
	q.Set("org", o.Slug)
	to := url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: q.Encode()}
	return to.String()
}

// enter sets the scope of a visit by its names in the address; fault.NotFound if there is no such scope.
func (v *StaffVisit) enter(entity, organisation string) (err error) {
	if v.Entity, err = v.Catalog.Register.Entity(entity); err != nil {
		return NotFound()
	}
	v.Scope = staff.Scope{EntityID: v.Entity.ID}
	if organisation == "" {
		return nil
	}
	o, err := v.Catalog.Register.Organisation(organisation)
	if err != nil || o.EntityID != v.Entity.ID {
		return NotFound()
	}
	v.Organisation, v.Scope.OrganisationID = &o, uuid.NullUUID{UUID: o.ID, Valid: true}
	return nil
}

// staffVisit returns the signed-in member of the staff; fault.NotFound if there is no session, or none of the stage. A
// request that may change something must carry the token of a form that was shown to the same session.
func (k *Kernel) staffVisit(r *http.Request, enrolling bool) (v StaffVisit, err error) {
	secret := k.Cookie(r, StaffCookie)
	if secret == "" {
		return v, NotFound()
	}
	v.Session, err = k.Staff.OpenAny(r.Context(), secret)
	if fault.Is(err, fault.NotFound) {
		securitylog.Record(r.Context(), securitylog.SessionUnknown)
	}
	if err != nil {
		return v, err
	}
	if !v.IsFull() && (!enrolling || v.Invitation == nil) {
		return v, NotFound()
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if err := r.ParseForm(); err != nil {
			return v, Malformed(err)
		}
		if !k.Staff.IsFormToken(v.Session, r.PostForm.Get("session")) {
			securitylog.Record(r.Context(), securitylog.FormTokenWrong)
			return v, fault.New(fault.Forbidden, "office.problem.other_session", nil)
		}
	}
	v.Language = k.StaffLanguage(r, v.Session.Language)
	v.Catalog, err = k.StaffCatalog.Current(r.Context())
	return v, err
}

// StaffLanguage returns the language of a staff page: the one in the address, or the person's, or the browser's best match.
func (k *Kernel) StaffLanguage(r *http.Request, preferred string) phrase.Language {
	return phrase.Match(view.StaffLanguages, cmp.Or(known(r.URL.Query().Get("lang")), preferred), r.Header.Get("Accept-Language"))
}

// known returns a language of staff pages; empty if it is none.
func known(lang string) string {
	if slices.Contains(view.StaffLanguages, phrase.Language(lang)) {
		return lang
	}
	return ""
}

// refuseStaff answers a request without a session. Browsers do not send the cookie with a link of an email, or of another
// site: the page then loads itself once more, from here, with the cookie.
func (k *Kernel) refuseStaff(signIn Handler) func(http.ResponseWriter, *http.Request, error) error {
	return func(w http.ResponseWriter, r *http.Request, err error) error {
		var at *elsewhere
		switch {
		case errors.As(err, &at):
			http.Redirect(w, r, at.to, http.StatusSeeOther)
			return nil
		case !fault.Is(err, fault.NotFound):
			return err
		case k.hasStaffSession(r):
			return err // the object is not there, or not for this person
		case r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Site") == "cross-site":
			w.Header().Set("Refresh", "0")
			w.WriteHeader(http.StatusUnauthorized)
			return nil
		}
		return signIn(w, r)
	}
}

// hasStaffSession reports whether a request has an open session of stage full.
func (k *Kernel) hasStaffSession(r *http.Request) bool {
	secret := k.Cookie(r, StaffCookie)
	if secret == "" {
		return false
	}
	_, err := k.Staff.Open(r.Context(), secret)
	return err == nil
}

// StaffClient returns where a request of staff comes from.
func StaffClient(r *http.Request) staff.Client {
	return staff.Client{Address: ClientAddress(r), Device: deviceOf(r.UserAgent())}
}

// deviceOf returns the browser and the operating system that a User-Agent names, for the list of one's own sessions.
func deviceOf(agent string) string {
	find := func(all [][2]string) string {
		for _, of := range all {
			if strings.Contains(agent, of[0]) {
				return of[1]
			}
		}
		return ""
	}
	browser := find([][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"},
		{"Chrome/", "Chrome"}, {"CriOS/", "Chrome"}, {"Safari/", "Safari"}})
	system := find([][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"},
		{"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}})
	return strings.TrimPrefix(strings.TrimSuffix(browser+", "+system, ", "), ", ")
}
