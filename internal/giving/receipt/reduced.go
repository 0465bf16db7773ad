package receipt

import (
	"github.com/google/uuid"

	"konbit/internal/platform/money"
)

// Reduced returns what a receipt says if only remaining is left of the gift in each fund. paid is what the donor
// paid in all; remaining and paid are in minor units. day is when the rest went back.
func (f Facts) Reduced(remaining map[uuid.UUID]int64, paid int64, day string) Facts {
	currency := f.Amount.Currency
	f.Amount = money.New(0, currency)
	var lines []Line
	for _, line := range f.Lines {
		line.Amount = money.New(remaining[line.FundID], currency)
		if line.Amount.Minor > 0 {
			lines = append(lines, line)
			f.Amount.Minor += line.Amount.Minor
		}
	}
	f.Lines = lines
	if f.Instalment != nil { // the next charge was announced when the gift was new
		in := *f.Instalment
		in.NextOn, f.Instalment = "", &in
	}
	if f.Returned = nil; f.Amount.Minor == paid {
		return f
	}
	f.Returned = &Returned{Charged: money.New(paid, currency), Amount: money.New(paid-f.Amount.Minor, currency), On: day}
	return f
}
