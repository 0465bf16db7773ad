package give

import (
	"io"
	"net/http"
	"strings"

	"konbit/internal/platform/email"
	"konbit/internal/view"
	"konbit/internal/web"
)

// ClosedPage stands in place of the form while no card can be charged. It says how to give by check or transfer.
type ClosedPage struct {
	view.Frame
	Organisation view.Organisation
	Words        []string // the entity's own, a paragraph each; empty: by check to its postal address
	Contact      string   // email address that tells the bank's details; empty: not shown
	Mailto       string   // its address as a link
}

// Write writes the page.
func (p ClosedPage) Write(w io.Writer, v *view.View) error {
	return v.Write(w, "give/closed", p.Language, p)
}

// closed reports whether no card can be charged for an offer: its entity takes none, or has no key of a payment processor.
func (a *Area) closed(o offer) bool {
	return o.Entity.WithoutCards || a.TakesCards != nil && !a.TakesCards(o.Entity)
}

func (a *Area) showClosed(w http.ResponseWriter, r *http.Request, status int, o offer) error {
	page := ClosedPage{Frame: a.frame(r, o), Organisation: o.organisation()}
	if from, err := email.Parse(o.Entity.MailFrom); err == nil { // setup has checked it
		page.Contact, page.Mailto = from.Address, "mailto:"+from.Address
	}
	for _, paragraph := range strings.Split(strings.ReplaceAll(o.Entity.GivingByMail.In(o.lang), "\r\n", "\n"), "\n\n") {
		if paragraph = strings.TrimSpace(paragraph); paragraph != "" {
			page.Words = append(page.Words, paragraph)
		}
	}
	return web.WritePage(w, status, func(b io.Writer) error { return page.Write(b, a.View) })
}
