package web

import (
	"slices"
	"strings"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/clean"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// IsChecked reports whether the value of a check box, as browsers and scripts send it, means yes.
func IsChecked(value string) bool {
	switch strings.ToLower(value) {
	case "", "0", "false", "off", "no":
		return false
	}
	return true
}

// StoredEmail returns a typed email address in the form in which it is stored.
func StoredEmail(typed string) string { return email.Normalize(email.Clean(typed)) }

// CheckEmail returns what is wrong with a typed email address; nil if it is correct.
func CheckEmail(typed string) []fault.Field {
	switch typed = StoredEmail(typed); {
	case typed == "":
		return []fault.Field{{Name: "email", Phrase: "sign_in.error.email"}}
	case !email.IsValid(typed):
		return []fault.Field{{Name: "email", Phrase: "give.error.email.format"}}
	}
	return nil
}

// CheckNewEmail is CheckEmail for an address of which nothing is known. It asks once about one whose domain is a letter away
// from a common one: asked are the addresses about which the page has asked.
func CheckNewEmail(typed string, asked []string) []fault.Field {
	if problem := CheckEmail(typed); problem != nil {
		return problem
	}
	address := StoredEmail(typed)
	suggestion := email.Suggest(address)
	if suggestion == "" || slices.ContainsFunc(asked, func(a string) bool { return StoredEmail(a) == address }) {
		return nil
	}
	return []fault.Field{{Name: "email", Phrase: "give.error.email.typo", Args: fault.Args{"typed": address, "suggestion": suggestion}}}
}

// CheckCountry returns what is wrong with a country that is given by its code; nil if it is correct. A text longer than
// a code is shown as it was typed.
func (k *Kernel) CheckCountry(country string) []fault.Field {
	code := clean.Code(country)
	if len(code) != 2 || k.View.IsCountry(code) {
		return nil
	}
	return []fault.Field{{Name: "country", Phrase: "give.error.country.choice"}}
}

// OrganisationIn returns what a page in lang shows of an organisation and its legal entity.
func OrganisationIn(lang phrase.Language, e org.LegalEntity, o org.Organisation) view.Organisation {
	return view.Organisation{
		Name: o.Name.In(lang), Sponsored: o.Sponsored,
		Donee: view.Donee{Name: e.LegalName, EIN: e.EIN, Address: donation.Postal(e.Address)},
	}
}
