package giftpage

import (
	"net/url"

	"konbit/internal/view"
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

// KnownConfirmation returns a confirmation if it is one of ours, else "": an address cannot make the page say anything
// else.
func KnownConfirmation(kind string) string {
	switch kind {
	case "pause", "skip", "resume", "cancel", "change", "soon":
		return kind
	}
	return ""
}
