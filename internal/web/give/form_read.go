package give

import (
	"net/http"
	"strings"

	"konbit/internal/giving/contact"
	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/email"
	"konbit/internal/platform/phrase"
	"konbit/internal/web"
)

// readForm returns the fields of the donation form as they were typed.
func (a *Area) readForm(r *http.Request, lang phrase.Language) donation.Form {
	value := r.PostForm.Get
	form := donation.Form{
		Language: lang, Amount: value("amount"), AmountOther: value("amount_other"), Frequency: value("frequency"),
		Occurrences: value("occurrences"), Fund: value("fund"), CoverFees: web.IsChecked(value("cover_fees")),
		Contact: donation.Contact{Contact: contact.FromForm(value), Note: value("note")},
		Dedication: dedication.Dedication{
			Kind: dedication.Kind(value("dedication")), Name: value("dedication_name"),
			CardName: value("card_name"), CardEmail: value("card_email"), CardMessage: value("card_message"),
		},
		Anonymous: web.IsChecked(value("anonymous")), News: web.IsChecked(value("news")), EmailsAsked: r.PostForm["emails_asked"],
	}
	var err error
	if form.FormID, _, err = a.Guard.ParseFormToken(value("form")); err != nil {
		form.FormID = a.NewID() // posted by a script that did not request the form
	}
	for name, values := range r.PostForm {
		if slug, ok := strings.CutPrefix(name, "split["); ok && strings.HasSuffix(slug, "]") {
			if form.Split == nil {
				form.Split = map[string]string{}
			}
			form.Split[strings.TrimSuffix(slug, "]")] = values[0]
		}
	}
	return form
}

// entryOf returns the entry that shows a form as it was typed.
func entryOf(f donation.Form) Entry {
	entry := Entry{
		Amount: f.Amount, AmountOther: f.AmountOther, Fund: f.Fund, Frequency: f.Frequency, Occurrences: f.Occurrences,
		Split: f.Split, CoverFees: f.CoverFees, Anonymous: f.Anonymous, News: f.News,
	}
	entry.EmailsAsked = emailsAsked(f)
	entry.setContact(f.Contact)
	entry.setDedication(f.Dedication)
	return entry
}

// emailsAsked returns the addresses of a form about whose domain the page asks. The next submit says that the donor has
// seen the question.
func emailsAsked(f donation.Form) (asked []string) {
	for _, typed := range []string{f.Contact.Email, f.Dedication.CardEmail} {
		if address := email.Clean(typed); email.Suggest(address) != "" {
			asked = append(asked, address)
		}
	}
	return asked
}
