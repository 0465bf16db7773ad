package portal

import (
	"io"

	"konbit/internal/view"
)

// GiftsPage lists a donor's gifts, all or those of a year or an organisation.
type GiftsPage struct {
	Page
	Years         []int          // years with gifts, the newest first
	Year          int            // the chosen year; 0: all
	Organisations []FilterOption // organisations with gifts
	Gifts         []GiftItem
	Sums          []Total // totals of the gifts shown; only All is used
}

// FilterOption is a choice of a filter.
type FilterOption struct {
	Value, Label string
	Chosen       bool
}

// Write writes the page.
func (p GiftsPage) Write(w io.Writer, v *view.View) error {
	return v.Write(w, "portal/gifts", p.Language, p)
}

// ReceiptPage shows a receipt on the screen, also for printing.
type ReceiptPage struct {
	Page
	Receipt view.ReceiptWords
	PDF     string // address of the document; empty if the receipt is no longer valid
}

// Write writes the page. The receipt is in the language in which it was issued.
func (p ReceiptPage) Write(w io.Writer, v *view.View) error {
	text, err := v.ReceiptText(p.Receipt)
	if err != nil {
		return err
	}
	return v.Write(w, "portal/receipt", p.Language, struct {
		ReceiptPage
		Text view.ReceiptText
	}{p, text})
}
