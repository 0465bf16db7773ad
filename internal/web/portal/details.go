package portal

import (
	"errors"
	"io"
	"net/http"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/contact"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/web"
)

// detailsGet shows the visitor's name, address, language, emails and linked addresses.
func (a *Area) detailsGet(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	page, err := a.detailsPage(r, v)
	if err != nil {
		return err
	}
	return a.writeDetails(w, http.StatusOK, page)
}

func (a *Area) writeDetails(w http.ResponseWriter, status int, page DetailsPage) error {
	return web.WritePage(w, status, func(b io.Writer) error { return page.Write(b, a.View) })
}

func (a *Area) detailsPage(r *http.Request, v web.DonorVisit) (DetailsPage, error) {
	page := DetailsPage{Page: a.page(r, v, "details"), Languages: a.Languages, PreferredLanguage: v.Language, Fresh: v.Fresh, Email: v.Email}
	if len(v.Donors) > 0 {
		d := v.Donors[0]
		page.Entry = contact.Contact{FirstName: d.FirstName, LastName: d.LastName, Details: d.Details}
		page.PreferredLanguage = phrase.Match(a.Languages, d.Language, "")
	}
	var err error
	if page.EmailChoices, err = a.emailPreferences(r, v); err != nil {
		return page, err
	}
	if page.Devices, err = a.devices(r, v); err != nil {
		return page, err
	}
	mailboxes, err := a.Access.Mailboxes(r.Context(), v.PersonID)
	for _, m := range mailboxes {
		page.Mailboxes = append(page.Mailboxes, LinkedAddress{Email: m.Email, SignedInWith: m.Email == v.Email, Chosen: m.Chosen, Closed: m.Closed})
	}
	return page, err
}

// emailPreferences lists the kinds of email that the visitor may choose, for each legal entity they gave to.
func (a *Area) emailPreferences(r *http.Request, v web.DonorVisit) ([]EmailPreference, error) {
	var choices []EmailPreference
	for _, e := range v.Catalog.Entities() {
		donors := v.At(e.ID)
		if len(donors) == 0 {
			continue
		}
		wanted, err := donor.EmailPreferences(r.Context(), a.DB, donors[0].ID)
		if err != nil {
			return nil, err
		}
		for _, kind := range donor.EmailKinds {
			choices = append(choices, EmailPreference{Name: emailField(kind, e.Slug), Kind: kind, Donee: e.LegalName, Wanted: wanted[kind]})
		}
	}
	return choices, nil
}

// emailField returns the name of the form field for a kind of email and an entity.
func emailField(kind, entity string) string { return kind + "_" + entity }

// detailsPost stores the visitor's name, address, language and choice of emails.
func (a *Area) detailsPost(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	typed := r.PostForm.Get
	checked, err := donation.CheckDetails(contact.FromForm(typed))
	var problems []fault.Field
	var bad *fault.Error
	if errors.As(err, &bad) {
		problems = bad.Fields
	}
	if problems = append(problems, a.CheckCountry(checked.Country)...); len(problems) > 0 {
		page, err := a.detailsPage(r, v)
		if err != nil {
			return err
		}
		page.Entry, page.Problems = checked, problems
		return a.writeDetails(w, http.StatusUnprocessableEntity, page)
	}
	profile := donor.Profile{
		FirstName: checked.FirstName, LastName: checked.LastName, Details: checked.Details,
		Language: string(phrase.Match(a.Languages, typed("language"), string(v.Language))),
	}
	if err := a.saveDetails(r, v, profile); err != nil {
		return err
	}
	a.SetCookie(w, web.LanguageCookie, profile.Language, 0)
	http.Redirect(w, r, detailsPath+"?said=saved", http.StatusSeeOther)
	return nil
}

// saveDetails stores the profile and the choice of emails, in one transaction.
func (a *Area) saveDetails(r *http.Request, v web.DonorVisit, profile donor.Profile) error {
	now := a.Now()
	return pg.InTx(r.Context(), a.DB, func(tx *sqlx.Tx) error {
		if err := donor.UpdateProfileTx(r.Context(), tx, donor.IDs(v.Donors), profile, now); err != nil {
			return err
		}
		for _, e := range v.Catalog.Entities() {
			for _, d := range v.At(e.ID) {
				for _, kind := range donor.EmailKinds {
					wanted := web.IsChecked(r.PostForm.Get(emailField(kind, e.Slug)))
					if err := donor.SetEmailPreferenceTx(r.Context(), tx, d.ID, kind, wanted, "portal", now); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

// addressPost sends a code to another address that the visitor wants to link, whether gifts were made with it or not.
// A person can sign in by a linked address, so the session must be fresh.
func (a *Area) addressPost(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	if !v.Fresh {
		return a.askForFreshSession(w, r, v)
	}
	typed := r.PostForm.Get("email")
	page, err := a.detailsPage(r, v)
	if err != nil {
		return err
	}
	page.TypedAddress = typed
	if page.Problems = web.CheckNewEmail(typed, r.PostForm["emails_asked"]); len(page.Problems) > 0 {
		return a.writeDetails(w, http.StatusUnprocessableEntity, page)
	}
	address := web.StoredEmail(typed)
	_, wait, answered, err := a.requestEmail(w, r, donoraccess.EmailChallenge{
		Email: address, Language: string(v.Language), Person: v.PersonID,
	}, addressesPath)
	if err != nil || answered {
		return err
	}
	if wait > 0 {
		page.Problems = []fault.Field{{Name: "email", Phrase: "sign_in.held"}}
		return a.writeDetails(w, http.StatusTooManyRequests, page)
	}
	page.PendingAddress = address
	return a.writeDetails(w, http.StatusOK, page)
}

// linkAddressPost links the address whose code the visitor typed.
func (a *Area) linkAddressPost(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	address := web.StoredEmail(r.PostForm.Get("email"))
	attempt := donoraccess.CodeAttempt{Email: address, Code: r.PostForm.Get("code"), From: web.ClientAddress(r), Known: a.Cookie(r, knownCookie)}
	problem, status := "", http.StatusUnprocessableEntity
	switch err := a.Access.LinkAddress(r.Context(), v.Session, attempt); {
	case errors.Is(err, donoraccess.ErrTooMany):
		problem, status = "portal.code_held", http.StatusTooManyRequests
	case fault.Is(err, fault.NotFound):
		problem = "sign_in.error.code_wrong"
	case err != nil:
		return err
	default:
		a.markKnown(w, r, address)
		http.Redirect(w, r, detailsPath+"?said=joined#addresses", http.StatusSeeOther)
		return nil
	}
	page, err := a.detailsPage(r, v)
	if err != nil {
		return err
	}
	if page.PendingAddress = address; !email.IsValid(address) {
		return web.NotFound()
	}
	page.Problems = []fault.Field{{Name: "code", Phrase: problem}}
	return a.writeDetails(w, status, page)
}

// unlinkAddressPost removes one of the visitor's addresses. The session must be fresh.
func (a *Area) unlinkAddressPost(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	if !v.Fresh {
		return a.askForFreshSession(w, r, v)
	}
	if err := a.Access.UnlinkAddress(r.Context(), v.Session, web.StoredEmail(r.PostForm.Get("email"))); err != nil {
		return err
	}
	http.Redirect(w, r, detailsPath+"?said=parted#addresses", http.StatusSeeOther)
	return nil
}

// chooseAddressPost decides to which of the visitor's addresses emails go. The session must be fresh.
func (a *Area) chooseAddressPost(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	if !v.Fresh {
		return a.askForFreshSession(w, r, v)
	}
	if err := a.Access.ChooseAddress(r.Context(), v.Session, web.StoredEmail(r.PostForm.Get("email"))); err != nil {
		return err
	}
	http.Redirect(w, r, detailsPath+"?said=chosen#addresses", http.StatusSeeOther)
	return nil
}
