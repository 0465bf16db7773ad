// Package view turns facts into what people read: pages, letters and documents,
// in the reader's language.
//
// It owns the templates and their look, the static files and their addresses,
// and the versions of a receipt's words. It owns no table and takes no
// decision: each template has one struct, which the caller fills with facts,
// and one method that writes it. New parses everything, so that a
// template or a phrase that is missing is known at start-up.
//
//	page    GivePage, ThanksPage, HomePage, ProblemPage, StyleguidePage
//	         SignIn…Page, and the Portal…Pages that are a donor's own
//	letter  ReceiptWords → subject, plain text, HTML
//	         CardWords → the same, of a dedication
//	         SignInWords → the same, of the way in
//	document ReceiptWords → PDF
//
// Promises its pages keep, each held by a test:
//
//   - They obey a policy of default-src 'none' with style, script and images
//     from 'self': nothing inline. An organisation's colour comes as a sheet of
//     its own under /static/, and is checked for contrast (CheckAccent).
//   - They work without JavaScript; the two small scripts only make them nicer.
//   - The donation form with all it loads stays below 30 kB.
//   - A page is written whole or not at all.
//
// A receipt's words are versioned. A receipt that was issued keeps the version
// it was issued with, so letters/receipt/vN and the keys receipt.vN.* never
// change once shipped; other words are a new N.
//
// It never reads a request, a clock, a file outside the templates, or a table.
package view
