package paper

import (
	"konbit/internal/office/thanks"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// ThankYouWords returns a letter's facts for the view; it reports an error if a date in them cannot be read. The person is not
// erased.
func ThankYouWords(l thanks.Letter) (view.ThankYouWords, error) {
	f, days := l.Facts, dates{of: l.ID}
	w := view.ThankYouWords{
		Language: phrase.Language(l.Language), Kind: string(l.Words), Donee: view.Donee{Name: f.LegalName, EIN: f.EIN, Address: f.Address},
		Organisation: f.Organisation, Accent: f.Accent, Amount: f.Amount, Described: f.Described, Received: days.read(f.ReceivedOn),
	}
	if p := l.Person; p != nil {
		w.To, w.Greeting, w.Postal, w.Other = p.Name, p.Greeting, p.Address, p.Other
	}
	for _, part := range f.Funds {
		w.Purposes = append(w.Purposes, view.Purpose{Fund: part.Name, Purpose: part.Purpose, Amount: part.Amount})
	}
	return w, days.err
}
