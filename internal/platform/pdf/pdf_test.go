package pdf_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pdf"
	"konbit/internal/platform/typeset"
	"konbit/internal/workshop/testkit"
)

func newDocument(t *testing.T) (*pdf.Document, typeset.Line) {
	t.Helper()
	lines, err := typeset.System().Lines("Ana", typeset.Style{}, 40)
	require.NoError(t, err)
	d := pdf.New(pdf.Info{Title: `<Ana> & (co) \`, Language: "en", Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Width: 612, Height: 792})
	d.AddPage()
	return d, lines[0]
}

// TestOnlyTaggedContent: untagged content that is not decoration, and an element that is not closed, are errors.
func TestOnlyTaggedContent(t *testing.T) {
	t.Parallel()
	black := pdf.Colour{}
	for name, draw := range map[string]func(*pdf.Document, typeset.Line){
		"text outside an element":  func(d *pdf.Document, l typeset.Line) { d.Text(10, 10, 10, black, l) },
		"shape outside Decorate":   func(d *pdf.Document, _ typeset.Line) { d.Rectangle(1, 1, 1, 1, black) },
		"polygon outside Decorate": func(d *pdf.Document, _ typeset.Line) { d.Polygons(black, 1, 0, 1, 1, 2, 2, 1, 2) },
		"element not closed":       func(d *pdf.Document, _ typeset.Line) { d.Open(pdf.Paragraph) },
		"nothing to close":         func(d *pdf.Document, _ typeset.Line) { d.Close() },
	} {
		d, line := newDocument(t)
		draw(d, line)
		_, err := d.Bytes()
		assert.Error(t, err, name)
	}
}

// TestSameCallsSameBytes, and titles are escaped.
func TestSameCallsSameBytes(t *testing.T) {
	t.Parallel()
	write := func() string {
		d, line := newDocument(t)
		d.Open(pdf.Title)
		d.Text(10, 10, 10, pdf.Colour{1, 2, 3}, line)
		d.AddPage()
		d.Text(10, 20, 10, pdf.Colour{1, 2, 3}, line)
		d.Close()
		d.Decorate(func() { d.Rectangle(1, 1, 5, 5, pdf.Colour{}) })
		b, err := d.Bytes()
		require.NoError(t, err)
		return string(b)
	}
	first := write()
	assert.Equal(t, first, write())
	assert.Contains(t, testkit.PDFText([]byte(first)), "&lt;Ana&gt; &amp; (co) \\")
	assert.Contains(t, testkit.PDFText([]byte(first)), "/K[0 <</Type/MCR/Pg", "one element on two pages")
	assert.Contains(t, testkit.PDFText([]byte(first)), "/CreationDate(D:20260102030405Z)")
}
