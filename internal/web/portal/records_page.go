package portal

import (
	"io"
	"time"

	"konbit/internal/view"
	"konbit/internal/web/portal/giftpage"
)

// RecordsPage lists a donor's annual statements, offers a copy of all data, and takes a request for erasure.
type RecordsPage struct {
	Page
	Statements []giftpage.StatementItem
	Confirm    bool                // explain what erasure means and ask for confirmation
	Problem    string              // phrase key of why a request was refused; empty if none was
	Obstacle   string              // phrase key of why erasure is not possible yet: with Confirm it is shown instead of the button
	Plans      []giftpage.PlanItem // with Confirm: the recurring gifts that go on
	ErasureDue time.Time           // when a requested erasure is done; zero if none was requested
}

// Write writes the page.
func (p RecordsPage) Write(w io.Writer, v *view.View) error {
	return v.Write(w, "portal/records", p.Language, p)
}
