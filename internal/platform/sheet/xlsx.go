package sheet

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
	"unicode/utf8"
)

// What spreadsheets refuse beyond (Excel's limits).
const (
	mostRows  = 1_048_576
	mostRunes = 16_000 // of a cell: 32,767 units of UTF-16, of which a rune has at most two
)

// ErrRows is the error of a table with more rows than a file of XLSX can have.
var ErrRows = errors.New("sheet: more rows than XLSX has")

// xlsxWriter writes a workbook with one sheet. Text is written as inline strings (ECMA-376 part 1, 18.3.1.53), which no
// spreadsheet computes.
type xlsxWriter struct {
	archive *zip.Writer
	sheet   *bufio.Writer
	rows    int
	err     error // the first one
}

const xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

// The parts of the workbook besides its sheet. Style 1 is a day, style 2 a time.
var xlsxParts = []struct{ name, content string }{
	{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
		`<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>` +
		`<Override PartName="/xl/worksheets/sheet1.xml" ` +
		`ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`},
	{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" ` +
		`Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
	{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" ` +
		`xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">` +
		`<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`},
	{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" ` +
		`Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" ` +
		`Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`},
	{"xl/styles.xml", `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` +
		`<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/><numFmt numFmtId="165" formatCode="yyyy\-mm\-dd\ hh:mm"/></numFmts>` +
		`<fonts count="1"><font/></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>` +
		`<cellXfs count="3"><xf/><xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/></cellXfs></styleSheet>`},
}

func newXLSX(w io.Writer) *xlsxWriter {
	x := &xlsxWriter{archive: zip.NewWriter(w)}
	for _, part := range xlsxParts {
		x.open(part.name)
		x.say(part.content)
	}
	x.open("xl/worksheets/sheet1.xml")
	x.say(`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0">` +
		`<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>`)
	return x
}

// open ends the part before and begins another.
func (x *xlsxWriter) open(name string) {
	x.flush()
	if x.err != nil {
		return
	}
	part, err := x.archive.Create(name)
	x.sheet, x.err = bufio.NewWriter(part), err
	x.say(xmlHead)
}

func (x *xlsxWriter) say(text string) {
	if x.err == nil {
		_, x.err = x.sheet.WriteString(text)
	}
}

func (x *xlsxWriter) flush() {
	if x.sheet != nil && x.err == nil {
		x.err = x.sheet.Flush()
	}
}

// Row is part of Writer.
func (x *xlsxWriter) Row(cells ...Cell) error {
	if x.rows++; x.rows > mostRows && x.err == nil {
		x.err = ErrRows
	}
	x.say("<row>")
	for _, cell := range cells {
		switch {
		case cell.kind == ofNumber && cell.text != "":
			x.say("<c><v>" + cell.text + "</v></c>")
		case cell.kind == ofDay && !cell.at.IsZero():
			x.say(`<c s="1"><v>` + serial(cell.at, false) + "</v></c>")
		case cell.kind == ofMoment && !cell.at.IsZero():
			x.say(`<c s="2"><v>` + serial(cell.at, true) + "</v></c>")
		case cell.kind == ofText && cell.text != "":
			x.say(`<c t="inlineStr"><is><t xml:space="preserve">`)
			if x.err == nil {
				x.err = xml.EscapeText(x.sheet, []byte(short(cell.text)))
			}
			x.say("</t></is></c>")
		default:
			x.say("<c/>")
		}
	}
	x.say("</row>")
	return x.err
}

// Close is part of Writer.
func (x *xlsxWriter) Close() error {
	x.say("</sheetData></worksheet>")
	x.flush()
	if x.err == nil {
		x.err = x.archive.Close()
	}
	return x.err
}

// serial returns the number by which spreadsheets store a time: days since 30 December 1899, with the part of the day.
func serial(t time.Time, withTime bool) string {
	const secondsADay = 24 * 60 * 60
	_, offset := t.Zone()
	since := t.Unix() + int64(offset) - time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Unix()
	days := strconv.FormatInt(since/secondsADay, 10)
	if part := since % secondsADay; withTime && part > 0 {
		days += fmt.Sprintf(".%09d", part*1_000_000_000/secondsADay)
	}
	return days
}

// short returns text without what is beyond the length of a cell.
func short(text string) string {
	if utf8.RuneCountInString(text) > mostRunes {
		return string([]rune(text)[:mostRunes])
	}
	return text
}
