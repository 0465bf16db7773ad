package giftpage

import (
	"net/url"
	"strconv"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
)

// TypedValues returns the values of fields that are not empty.
func TypedValues(typed url.Values, names ...string) (values []view.FormValue) {
	for _, name := range names {
		if value := typed.Get(name); value != "" {
			values = append(values, view.FormValue{Name: name, Value: value})
		}
	}
	return values
}

// TypedEntry returns a change of terms as it was typed.
func TypedEntry(typed url.Values) PlanEntry {
	return PlanEntry{
		Amount: typed.Get("amount"), Frequency: typed.Get("frequency"), Fund: typed.Get("fund"), Date: typed.Get("date"),
		CoverFees: web.IsChecked(typed.Get("cover_fees")),
	}
}

// Months returns the number of months typed; 0 if it is not a number.
func Months(typed url.Values) int {
	n, err := strconv.Atoi(typed.Get("months"))
	if err != nil {
		return 0
	}
	return n
}

// FundNames returns the names of the funds of parts, with their amounts if there are several.
func FundNames(lang phrase.Language, catalog *fund.Catalog, parts []donation.Designation) (names []string) {
	for _, part := range parts {
		f, err := catalog.Fund(part.FundID)
		switch {
		case err != nil:
		case len(parts) == 1:
			names = append(names, f.Name.In(lang))
		default:
			names = append(names, f.Name.In(lang)+" ("+part.Amount.Format(string(lang))+")")
		}
	}
	return names
}

// Confirmation returns a confirmation if it is one of ours and the plan's state agrees with it, else "": an address cannot
// make the page say anything else, and the address of an earlier page says nothing that is no longer true.
func Confirmation(kind string, p PlanPage) string {
	agrees := false
	switch kind {
	case "pause", "skip":
		agrees = p.Status == "paused" && !p.Held
	case "resume", "change":
		agrees = p.Status == "active"
	case "cancel":
		agrees = p.Status == "cancelled" && p.Ended == "asked"
	case "soon":
		agrees = p.Status == "active" || p.Status == "paused"
	}
	if !agrees {
		return ""
	}
	return kind
}
