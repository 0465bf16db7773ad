package web

import (
	"net/http"
	"slices"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donor"
	"konbit/internal/people/session"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/platform/securitylog"
)

// DonorVisit is a request of a signed-in donor.
type DonorVisit struct {
	session.Session
	Addresses []string      // that the person proved
	Donors    []donor.Donor // the person as donor of each legal entity, by every address they proved
	Catalog   *fund.Catalog
	Language  phrase.Language
}

// LimitSubject returns what the limits of a signed-in donor count: the person.
func (v DonorVisit) LimitSubject() string { return "person " + v.PersonID.String() }

// At returns the person as donor of one legal entity: one donor for each address that was used there.
func (v DonorVisit) At(entity uuid.UUID) []donor.Donor {
	return slices.DeleteFunc(slices.Clone(v.Donors), func(d donor.Donor) bool { return d.EntityID != entity })
}

// EmailOf returns the address of one of the person's donors; empty if there is none with that id.
func (v DonorVisit) EmailOf(id uuid.UUID) string {
	for _, d := range v.Donors {
		if d.ID == id {
			return d.Email
		}
	}
	return ""
}

// DonorSession returns the permission of signed-in donors. signIn answers everybody else.
func (k *Kernel) DonorSession(signIn Handler) Permission[DonorVisit] {
	return Permission[DonorVisit]{
		Name:    "donor's session",
		Refusal: securitylog.SessionMissing,
		Check:   k.donorVisit,
		Refuse: func(w http.ResponseWriter, r *http.Request, err error) error {
			if fault.Is(err, fault.NotFound) {
				return signIn(w, r)
			}
			return err
		},
	}
}

// donorVisit returns the signed-in donor; fault.NotFound if there is no session. A request that may change something
// must carry the token of a form that was shown to the same session (ASVS 5.0.0 V3.5.1). The browser's headers do not
// replace the token.
func (k *Kernel) donorVisit(w http.ResponseWriter, r *http.Request) (DonorVisit, error) {
	secret := k.Cookie(r, SessionCookie)
	if secret == "" {
		return DonorVisit{}, NotFound()
	}
	current, err := k.Access.Sessions().Find(r.Context(), secret)
	if fault.Is(err, fault.NotFound) {
		securitylog.Record(r.Context(), securitylog.SessionUnknown)
	}
	if err != nil {
		return DonorVisit{}, err
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if err := r.ParseForm(); err != nil {
			return DonorVisit{}, Malformed(err)
		}
		if !k.Access.Sessions().IsFormToken(current, r.PostForm.Get("session")) {
			securitylog.Record(r.Context(), securitylog.FormTokenWrong)
			return DonorVisit{}, fault.New(fault.Forbidden, "problem.403.text", nil)
		}
	}
	v := DonorVisit{Session: current}
	mailboxes, err := k.Access.Mailboxes(r.Context(), current.PersonID)
	if err != nil {
		return v, err
	}
	for _, m := range mailboxes {
		v.Addresses = append(v.Addresses, m.Email)
	}
	if v.Donors, err = donor.ByEmails(r.Context(), k.DB, v.Addresses); err != nil {
		return v, err
	}
	preferred := ""
	if len(v.Donors) > 0 {
		preferred = v.Donors[0].Language
	}
	v.Language = k.VisitorLanguage(w, r, preferred)
	v.Catalog, err = k.Catalog.Current(r.Context())
	return v, err
}
