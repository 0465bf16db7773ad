package pdf

import (
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"

	"konbit/internal/platform/deflate"
)

// Bytes returns the document. Nothing can be drawn afterwards.
func (d *Document) Bytes() ([]byte, error) {
	d.leaveMarked()
	if d.open != d.root {
		d.fail(errors.New("an element is still open"))
	}
	if d.err != nil {
		return nil, d.err
	}
	f := &file{places: make([]place, 1)}
	f.Grow(16 << 10) // most documents
	f.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	catalog, info, metadata, pages, tree, parents := f.next(), f.next(), f.next(), f.next(), f.next(), f.next()
	for _, p := range d.pages {
		p.n = f.next()
	}
	for _, u := range d.fonts {
		u.object = f.next()
	}
	d.root.number(f.next)

	f.object(catalog, fmt.Sprintf("<</Type/Catalog/Pages %d 0 R/Lang(%s)/MarkInfo<</Marked true>>/StructTreeRoot %d 0 R/Metadata %d 0 R"+
		"/ViewerPreferences<</DisplayDocTitle true>>>>", pages, d.info.Language, tree, metadata))
	f.object(info, fmt.Sprintf("<</Title%s/Author%s/Subject%s/CreationDate(%s)/ModDate(%[4]s)>>", textString(d.info.Title), textString(d.info.Author),
		textString(d.info.Subject), d.info.Created.UTC().Format("D:20060102150405Z")))
	f.stream(metadata, "/Type/Metadata/Subtype/XML", deflate.Compress([]byte(d.metadata())))
	d.writePages(f, pages)
	for _, u := range d.fonts {
		u.write(f)
	}
	d.writeStructure(f, tree, parents)
	return f.finish(catalog, info, d.identity()), nil
}

// identity returns a hash of what distinguishes the document from others: its description and what its pages show.
func (d *Document) identity() []byte {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %s\n", d.info.Title, d.info.Author, d.info.Subject, d.info.Language, d.info.Created)
	for _, p := range d.pages {
		_, _ = h.Write(p.content.Bytes()) // a hash takes everything
	}
	for _, u := range d.fonts {
		fmt.Fprintf(h, "%s %v\n", u.font.Name, u.glyphs)
	}
	return h.Sum(nil)[:16]
}

func (d *Document) writePages(f *file, pages int) {
	f.begin(pages)
	f.write("<</Type/Pages/Kids[")
	for _, p := range d.pages {
		f.printf("%d 0 R ", p.n)
	}
	f.printf("]/Count %d/MediaBox[0 0 %s %s]/Resources<</Font<<", len(d.pages), appendNumber(nil, d.info.Width, 2), appendNumber(nil, d.info.Height, 2))
	for _, u := range d.fonts {
		f.printf("/F%d %d 0 R", u.n, u.object)
	}
	f.write(">>>>>>")
	f.end()
	for i, p := range d.pages {
		content := f.next()
		f.object(p.n, fmt.Sprintf("<</Type/Page/Parent %d 0 R/Contents %d 0 R/StructParents %d/Tabs/S>>", pages, content, i))
		f.stream(content, "", deflate.Compress(p.content.Bytes()))
	}
}

// writeStructure writes the elements in reading order, and for each page the elements of its marked content.
func (d *Document) writeStructure(f *file, tree, parents int) {
	f.object(tree, fmt.Sprintf("<</Type/StructTreeRoot/K %d 0 R/ParentTree %d 0 R/ParentTreeNextKey %d>>", d.root.n, parents, len(d.pages)))
	f.begin(parents)
	f.write("<</Nums[")
	for i, p := range d.pages {
		f.printf("%d[", i)
		for _, e := range p.marked {
			f.printf("%d 0 R ", e.n)
		}
		f.write("]")
	}
	f.write("]>>")
	f.end()
	d.root.write(f, tree)
}

// metadata returns the document's description (XMP, ISO 16684-1) and the standard that it follows.
func (d *Document) metadata() string {
	text := func(s string) string {
		var b strings.Builder
		_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
		return b.String()
	}
	created := d.info.Created.UTC().Format(time.RFC3339)
	return "<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""` +
		` xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">` +
		`<dc:title><rdf:Alt><rdf:li xml:lang="x-default">` + text(d.info.Title) + `</rdf:li></rdf:Alt></dc:title>` +
		`<dc:creator><rdf:Seq><rdf:li>` + text(d.info.Author) + `</rdf:li></rdf:Seq></dc:creator>` +
		`<dc:description><rdf:Alt><rdf:li xml:lang="x-default">` + text(d.info.Subject) + `</rdf:li></rdf:Alt></dc:description>` +
		`<dc:language><rdf:Bag><rdf:li>` + d.info.Language + `</rdf:li></rdf:Bag></dc:language>` +
		`<xmp:CreateDate>` + created + `</xmp:CreateDate><xmp:ModifyDate>` + created + `</xmp:ModifyDate>` +
		`<pdfuaid:part>1</pdfuaid:part></rdf:Description></rdf:RDF></x:xmpmeta>` + "\n" + `<?xpacket end="r"?>`
}
