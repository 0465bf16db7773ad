package web

import (
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/people/donoraccess"
	"konbit/internal/people/session"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

const detailsPath = "/portal/details"

// detailsGet shows who somebody said they are.
func (s *Server) detailsGet(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	page, err := s.detailsPage(r, v)
	if err != nil {
		return err
	}
	return s.writeDetails(w, http.StatusOK, page)
}

func (s *Server) writeDetails(w http.ResponseWriter, status int, page view.PortalDetailsPage) error {
	return write(w, status, func(b io.Writer) error { return s.View.PortalDetails(b, page) })
}

func (s *Server) detailsPage(r *http.Request, v donorVisit) (view.PortalDetailsPage, error) {
	page := view.PortalDetailsPage{Portal: s.portal(r, v, "details"), Languages: s.Languages, PreferredLanguage: v.lang}
	if len(v.donors) > 0 {
		d := v.donors[0]
		page.Entry = view.Entry{
			FirstName: d.FirstName, LastName: d.LastName, Phone: d.Phone, AddressLine1: d.AddressLine1, AddressLine2: d.AddressLine2,
			City: d.City, Region: d.Region, PostalCode: d.PostalCode, Country: d.Country,
		}
		page.PreferredLanguage = phrase.Match(s.Languages, d.Language, "")
	}
	if err := s.emailPreferences(r, v, &page); err != nil {
		return page, err
	}
	mailboxes, err := s.Access.Mailboxes(r.Context(), v.PersonID)
	for _, m := range mailboxes {
		page.Mailboxes = append(page.Mailboxes, view.PortalMailbox{Email: m.Email, SignedInWith: m.Email == v.Email})
	}
	return page, err
}

// at lists who the visitor is to a legal entity.
func (v donorVisit) at(entity string) []donor.Donor {
	return slices.DeleteFunc(slices.Clone(v.donors), func(d donor.Donor) bool { return d.EntityID.String() != entity })
}

// lettersOf lists the letters that are the visitor's to have or not.
func (s *Server) emailPreferences(r *http.Request, v donorVisit, page *view.PortalDetailsPage) error {
	for _, e := range v.catalog.Entities() {
		mine := v.at(e.ID.String())
		if len(mine) == 0 {
			continue
		}
		wishes, err := donor.EmailPreferences(r.Context(), s.DB, mine[0].ID)
		if err != nil {
			return err
		}
		for _, kind := range donor.EmailKinds {
			page.EmailChoices = append(page.EmailChoices, view.EmailPreference{Name: emailField(kind, e.Slug), Kind: kind, Donee: e.LegalName, Wanted: wishes[kind]})
		}
	}
	return nil
}

func emailField(kind, entity string) string { return kind + "_" + entity }

// detailsPost keeps what somebody says of themselves, and which letters they wish for.
func (s *Server) detailsPost(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	typed := r.PostForm.Get
	contact, err := donation.CheckDetails(donation.Contact{
		FirstName: typed("first_name"), LastName: typed("last_name"), Phone: typed("phone"), AddressLine1: typed("address_line1"),
		AddressLine2: typed("address_line2"), City: typed("city"), Region: typed("region"), PostalCode: typed("postal_code"), Country: typed("country"),
	})
	problems := s.problemsOf(err, contact.Country)
	if len(problems) > 0 {
		page, err := s.detailsPage(r, v)
		if err != nil {
			return err
		}
		page.Entry, page.Problems = view.Entry{}, problems
		fillContact(&page.Entry, contact)
		return s.writeDetails(w, http.StatusUnprocessableEntity, page)
	}
	said := donor.Profile{
		FirstName: contact.FirstName, LastName: contact.LastName, Language: string(phrase.Match(s.Languages, typed("language"), string(v.lang))),
		Details: donor.Details{
			Phone: contact.Phone, AddressLine1: contact.AddressLine1, AddressLine2: contact.AddressLine2, City: contact.City,
			Region: contact.Region, PostalCode: contact.PostalCode, Country: contact.Country,
		},
	}
	if err := s.saveDetails(r, v, said); err != nil {
		return err
	}
	s.setCookie(w, languageCookie, said.Language, 0)
	http.Redirect(w, r, detailsPath+"?said=saved", http.StatusSeeOther)
	return nil
}

// problemsOf are the bad fields of a check, and a country given by a code that is none.
func (s *Server) problemsOf(err error, country string) (problems []problemField) {
	var bad *fault.Error
	if errors.As(err, &bad) {
		problems = bad.Fields
	}
	if len(country) == 2 && !s.View.IsCountry(country) {
		problems = append(problems, problemField{Name: "country", Phrase: "give.error.country.choice"})
	}
	return problems
}

// say keeps it all, or nothing.
func (s *Server) saveDetails(r *http.Request, v donorVisit, said donor.Profile) error {
	now := s.Now()
	return pg.InTx(r.Context(), s.DB, func(tx *sqlx.Tx) error {
		if err := donor.UpdateProfileTx(r.Context(), tx, donor.IDs(v.donors), said, now); err != nil {
			return err
		}
		for _, e := range v.catalog.Entities() {
			for _, d := range v.at(e.ID.String()) {
				for _, kind := range donor.EmailKinds {
					if err := donor.SetEmailPreferenceTx(r.Context(), tx, d.ID, kind, isChecked(r.PostForm.Get(emailField(kind, e.Slug))), "portal", now); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

// addressPost sends a code to another address of the visitor's. It says the same whether gifts are known there or not.
func (s *Server) addressPost(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	typed := r.PostForm.Get("email")
	page, err := s.detailsPage(r, v)
	if err != nil {
		return err
	}
	if page.Problems = badAddress(typed); len(page.Problems) > 0 {
		return s.writeDetails(w, http.StatusUnprocessableEntity, page)
	}
	address := addressOf(typed)
	err = s.Access.RequestChallenge(r.Context(), donoraccess.EmailChallenge{
		Email: address, From: middleware.GetClientIPAddr(r.Context()), Browser: session.NewSecret(), Language: string(v.lang), Person: v.PersonID,
	})
	if errors.Is(err, donoraccess.ErrTooMany) {
		page.Problems = []problemField{{Name: "email", Phrase: "sign_in.held"}}
		return s.writeDetails(w, http.StatusTooManyRequests, page)
	}
	if err != nil {
		return err
	}
	page.PendingAddress = address
	return s.writeDetails(w, http.StatusOK, page)
}

// provePost adds the address whose code was typed.
func (s *Server) linkAddressPost(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	address := addressOf(r.PostForm.Get("email"))
	err := s.Access.LinkAddress(r.Context(), v.Session, donoraccess.CodeAttempt{
		Email: address, Code: r.PostForm.Get("code"), From: middleware.GetClientIPAddr(r.Context()),
	})
	var problem string
	switch {
	case errors.Is(err, donoraccess.ErrTooMany):
		problem = "sign_in.held"
	case fault.Is(err, fault.NotFound):
		problem = "sign_in.error.code_wrong"
	case err != nil:
		return err
	default:
		http.Redirect(w, r, detailsPath+"?said=joined#addresses", http.StatusSeeOther)
		return nil
	}
	page, err := s.detailsPage(r, v)
	if err != nil {
		return err
	}
	if page.PendingAddress = address; !email.IsValid(address) {
		return errNotFound()
	}
	page.Problems = []problemField{{Name: "code", Phrase: problem}}
	return s.writeDetails(w, http.StatusUnprocessableEntity, page)
}

// partPost takes one of the visitor's addresses away.
func (s *Server) unlinkPost(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	if err := s.Access.UnlinkAddress(r.Context(), v.Session, addressOf(r.PostForm.Get("email"))); err != nil {
		return err
	}
	http.Redirect(w, r, detailsPath+"?said=parted#addresses", http.StatusSeeOther)
	return nil
}

// everywherePost ends all of the visitor's sessions.
func (s *Server) signOutEverywherePost(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	if _, err := s.Access.Sessions().EndOfPerson(r.Context(), v.PersonID); err != nil {
		return err
	}
	return s.signedOut(w, r)
}
