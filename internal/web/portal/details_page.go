package portal

import (
	"io"
	"time"

	"konbit/internal/giving/contact"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web/portal/accesspage"
)

// DetailsPage is where donors change their name, address, language, emails and linked addresses.
type DetailsPage struct {
	Page
	Entry             contact.Contact // without the email
	PreferredLanguage phrase.Language
	Languages         []phrase.Language
	EmailChoices      []EmailPreference
	Mailboxes         []LinkedAddress
	TypedAddress      string // another address as it was typed; empty if nothing was
	PendingAddress    string // address that a code was sent to; empty if none is pending
	Devices           []Device
	Fresh             bool   // the session is new enough to change addresses and end other sessions
	Email             string // address that opened the session, to sign in again by it
	Problems          []fault.Field
}

// EmailPreference asks whether a legal entity may send a kind of email.
type EmailPreference struct {
	Name   string // of the form field
	Kind   string // as accesspage.EmailChoicePage.Kind
	Donee  string
	Wanted bool
}

// LinkedAddress is one of a donor's email addresses.
type LinkedAddress struct {
	Email        string
	SignedInWith bool // this session was opened with it, so it cannot be removed now
	Chosen       bool // emails go here
	Closed       bool // its reader lost it: nobody signs in by it
}

// Device is an open session of a donor. We know nothing about the device itself.
type Device struct {
	ID           string
	Opened, Seen time.Time // in the entity's time zone
	Here         bool      // the session of this request
}

// CanChoose reports whether there is more than one address that emails may go to.
func (p DetailsPage) CanChoose() bool {
	open := 0
	for _, m := range p.Mailboxes {
		if !m.Closed {
			open++
		}
	}
	return open > 1 || open < len(p.Mailboxes)
}

// Write writes the page.
func (p DetailsPage) Write(w io.Writer, v *view.View) error {
	f := accesspage.NewForm(v, p.Frame, p.Problems)
	data := struct {
		DetailsPage
		Errors  []view.FormError
		Names   []view.Field
		Address []view.Field
		Country view.CountryField
		Add     view.Field
		Code    view.Field
	}{
		DetailsPage: p, Errors: f.ErrorList(), Names: append(f.NameFields(p.Entry), f.PhoneField(p.Entry)), Address: f.AddressFields(p.Entry),
		Country: f.CountryField(p.Entry), Code: f.CodeField(f.Phrase("portal.join_hint")), Add: f.EmailField(p.TypedAddress, f.Phrase("portal.add_hint")),
	}
	data.Add.Autocomplete = "off"
	return v.Write(w, "portal/details", p.Language, data)
}
