// Package pdf writes documents: tagged PDF 1.7 (ISO 32000-1) with embedded fonts, made to conform to PDF/UA-1
// (ISO 14289-1) so that a screen reader reads them in order.
//
//	New → AddPage → Open … Text … Close → Bytes
//
// Everything drawn is either inside an element of the structure (Open) or decoration (Decorate); Bytes reports an error
// otherwise. Lengths are points, 1/72 inch; y grows downwards from the top of the page. The same calls give the same
// bytes.
//
// A document is small, and most of it is the same in all documents of a language: the common characters of each typeface
// are one font, compressed once in a process. The other glyphs that a document needs are another font. Objects that are no
// streams are one compressed stream.
//
// What it does for a reader: title and language, which the viewer shows and speaks; headings, paragraphs and tables with
// their header cells; text that is copied or read aloud is the text that was set, in reading order, also of scripts whose
// glyphs are not in that order (ActualText).
//
// What it does not: links, forms, pictures, bookmarks, and the language of a single name, which nobody knows.
package pdf
