// Package templates holds what Konbit shows people: pages, letters, their words
// in each language, and the static files. It is data; the view room renders it.
package templates

import "embed"

// FS holds static/, locales/, pages/, letters/ and office/ (words for the office, in English and Spanish).
//
//go:embed static locales pages letters office
var FS embed.FS
