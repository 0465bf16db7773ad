package paper

import (
	"fmt"
	"strings"
	"time"

	"konbit/internal/giving/receipt"
	"konbit/internal/office/statement"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// StatementFile returns the file name of a statement's document: "TSNE-2026-statement.pdf", or "TSNE-2026-so-far.pdf" for
// one that was not issued.
func StatementFile(s statement.Statement) string {
	if s.N == 0 {
		return fmt.Sprintf("%s-%d-so-far.pdf", strings.ToUpper(s.Facts.EntitySlug), s.Year)
	}
	return fmt.Sprintf("%s-%d-statement.pdf", strings.ToUpper(s.Facts.EntitySlug), s.Year)
}

// StatementWords returns a statement's facts for the view; it reports an error if a date in them cannot be read. The
// donor's pages use it too.
func StatementWords(s statement.Statement) (view.StatementWords, error) {
	f, days := s.Facts, dates{of: s.ID}
	zone, err := time.LoadLocation(f.Timezone)
	if err != nil {
		return view.StatementWords{}, fmt.Errorf("statement %s: %w", s.ID, err)
	}
	w := view.StatementWords{
		Version: s.WordsVersion, Language: phrase.Language(s.Language), Year: s.Year,
		Donee: view.Donee{Name: f.LegalName, EIN: f.EIN, Address: f.Address}, Given: f.Given, Returned: f.Returned, Total: f.Total,
		Sponsored: f.Sponsored, Issued: s.IssuedAt.In(zone), Provisional: s.N == 0,
	}
	if !s.PreviousIssuedAt.IsZero() {
		w.Corrects = s.PreviousIssuedAt.In(zone)
	}
	if p := s.Person; p != nil {
		w.Donor, w.Greeting, w.DonorAddress = p.Name(), p.FirstName, p.Address
		for i, n := range p.Names {
			name := view.StatementName{Name: n.Name, Greeting: n.Greeting, Address: n.Address}
			if name.Given, name.Returned, name.Total, err = f.Sums(i); err != nil {
				return w, err
			}
			w.Names = append(w.Names, name)
		}
	}
	for _, g := range f.Gifts {
		line := view.StatementGift{
			Charged: days.read(g.ChargedOn), Receipt: g.Receipt, Void: g.Void, Organisation: g.Organisation, Amount: g.Amount, N: g.N, Of: g.Of, Name: g.Name,
			Described: g.Described,
		}
		if in := g.InReturn; in != nil {
			line.InReturn = &view.InReturn{What: in.What, Value: in.Value, Paid: in.Paid}
		}
		for _, part := range g.Funds {
			line.Funds = append(line.Funds, view.Purpose{Fund: part.Fund, Amount: part.Amount})
		}
		for _, back := range g.Returned {
			line.Returned = append(line.Returned, view.StatementReturn{On: days.read(back.On), Amount: back.Amount, Dispute: back.Reason == receipt.Dispute})
		}
		w.Gifts = append(w.Gifts, line)
	}
	return w, days.err
}
