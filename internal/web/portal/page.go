package portal

import (
	"konbit/internal/view"
)

// Page is what every page of a signed-in donor has in common.
type Page struct {
	view.Frame
	Section string // which page it is, for the navigation: home, gifts, plans, records, details
	Token   string // the page's forms post it back: it proves that the form was shown to the same session
	Done    string // what was just done, as a phrase key after portal.said.; may be empty
}
