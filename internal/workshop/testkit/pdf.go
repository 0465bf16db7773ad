package testkit

import (
	"regexp"
	"strings"

	"konbit/internal/platform/deflate"
)

var pdfStream = regexp.MustCompile(`(?s)>>\nstream\n(.*?)\nendstream`)

// PDFText returns a PDF whose streams are not compressed: its objects and what its pages show.
func PDFText(pdf []byte) string {
	var text strings.Builder
	at := 0
	for _, m := range pdfStream.FindAllSubmatchIndex(pdf, -1) {
		text.Write(pdf[at:m[2]])
		text.Write(deflate.Expand(pdf[m[2]:m[3]]))
		at = m[3]
	}
	text.Write(pdf[at:])
	return text.String()
}
