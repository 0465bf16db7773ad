package view_test

import "konbit/internal/workshop/testkit/pages"

// Facts to show: see package pages.
var (
	newView      = pages.NewView
	catalogue    = pages.Words
	usd          = pages.USD
	tsne         = pages.Donee
	centro       = pages.Centro
	frame        = pages.Frame
	receiptWords = pages.ReceiptWords
	checkPage    = pages.Check
)

// writer writes a page.
type writer = pages.Writer
