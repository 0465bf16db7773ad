package paper

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"konbit/internal/giving/receipt"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// ReceiptWords returns a receipt's facts for the view; it reports an error if a date in them cannot be read. The
// donor's pages use it too.
func ReceiptWords(issued receipt.Receipt) (view.ReceiptWords, error) {
	f := issued.Facts
	days := dates{of: issued.ID}
	w := view.ReceiptWords{
		Version: issued.WordsVersion, Language: phrase.Language(issued.Language), Number: issued.Reference(),
		Donee:        view.Donee{Name: f.LegalName, EIN: f.EIN, Address: f.Address},
		Organisation: f.Organisation, Sponsored: f.Sponsored, Accent: f.Accent,
		Donor: DonorName(f), Greeting: cmp.Or(f.FirstName, f.DonorOrganisation), Amount: f.Amount, Charged: days.read(f.ChargedOn),
	}
	for _, line := range f.Lines {
		w.Purposes = append(w.Purposes, view.Purpose{Fund: line.Fund, Purpose: line.Purpose, Amount: line.Amount})
	}
	w.Covered, w.Described = f.Covered, f.Described
	if in := f.InReturn; in != nil {
		w.InReturn = &view.InReturn{What: in.What, Value: in.Value, Paid: in.Paid}
	}
	w.Instalment = instalmentWords(f.Instalment, &days)
	if f.Dedicated != nil {
		w.Dedication, w.Dedicatee = f.Dedicated.Kind, f.Dedicated.Name
	}
	if f.Returned != nil {
		w.Returned = &view.Returned{Charged: f.Returned.Charged, Amount: f.Returned.Amount, On: days.read(f.Returned.On)}
	}
	if f.Replaces != nil {
		w.Replaces = &view.Revised{Number: f.Replaces.Number, Reason: string(f.Replaces.Reason), On: days.read(f.Replaces.On)}
	}
	if issued.Voided != nil {
		w.Voided = &view.Revised{Number: issued.Reference(), Reason: string(issued.Voided.Reason), On: days.read(issued.Voided.On)}
	}
	return w, days.err
}

// DonorName returns the name on a receipt: the organisation's if an organisation gave, the person's otherwise.
func DonorName(f receipt.Facts) string {
	return cmp.Or(f.DonorOrganisation, strings.TrimSpace(f.FirstName+" "+f.LastName))
}

// instalmentWords returns which payment of its plan a donation is; nil for a one-time donation.
func instalmentWords(in *receipt.Instalment, days *dates) *view.Instalment {
	if in == nil {
		return nil
	}
	w := &view.Instalment{N: in.N, Of: in.Of, Every: in.Frequency, Each: in.Each, Sum: in.Sum}
	if in.LastOn != "" {
		w.Last = days.read(in.LastOn)
	}
	if in.NextOn != "" {
		w.Next = days.read(in.NextOn)
	}
	return w
}

// dates parses the dates in frozen facts and keeps the first error.
type dates struct {
	of  uuid.UUID // the receipt or statement, for the error
	err error
}

func (d *dates) read(text string) time.Time {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("facts of %s: %w", d.of, err)
	}
	return day
}
