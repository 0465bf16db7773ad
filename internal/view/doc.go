// Package view renders what people read, in the reader's language: it owns the layout and components of pages, the
// composition of emails, the documents (PDF), the static files and their addresses, and the versions of the words of
// receipts and statements. It owns no table and decides nothing. An area's pages have their structs in the area
// (web/give, web/portal); they call Write.
//
//	mistake                                            is reported by
//	a template that cannot be parsed                   New, at start-up
//	a key of one language that another one lacks       LoadWords, at start-up
//	a key that is used and in no file                  TestEveryPhraseUsedExists; the page shows the key itself
//
//	pages      Write, Page: AREA/NAME.html inside layout/layout.html, with the components of components.go and form.go
//	emails     …Words → subject, plain text, HTML
//	documents  ReceiptWords, StatementWords → PDF (paper.go, with platform/pdf and platform/typeset)
//
// What a test checks of every page:
//
//   - It obeys a Content-Security-Policy of default-src 'none' with style, script and images from 'self': nothing is
//     inline.
//     An organisation's colour is a stylesheet of its own under /static/ and is checked for contrast (CheckAccent).
//   - It works without JavaScript.
//   - The donation form with all it loads is below 30 kB.
//   - It is written whole or not at all.
//
// The words of receipts and statements are versioned. A receipt keeps the version it was issued with, so
// letters/receipt/vN and the keys receipt.vN.* never change once released; changed words are a new version.
//
// The package never reads a request, a clock, a table, or a file outside the templates, except
// the fonts of the machine (typeset.System).
package view
