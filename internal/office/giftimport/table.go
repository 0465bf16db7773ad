package giftimport

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bankfile/field"
	"konbit/internal/office/bankfile/layout"
	"konbit/internal/platform/clean"
	"konbit/internal/platform/fault"
)

// Table is a file as it was read: a heading and rows.
type Table struct {
	Heading []string `json:"heading"`
	Rows    []Row    `json:"rows"`
	Format  string   `json:"format"`  // CSV or XLSX
	Charset string   `json:"charset"` // of a CSV file
}

// Row is a row with anything in it.
type Row struct {
	Line  int      `json:"line"` // of the file
	Cells []string `json:"cells"`
}

// Cell returns a cell by its number, from 0; "" if the row has none.
func (r Row) Cell(n int) string {
	if n < 0 || n >= len(r.Cells) {
		return ""
	}
	return r.Cells[n]
}

// Limits of a file.
const (
	MaxBytes   = 10 << 20
	MaxRows    = 20_000
	maxColumns = 200
	maxCell    = 2_000     // bytes
	maxEntries = 1_000     // of an XLSX archive
	maxPacked  = 100 << 20 // bytes unpacked
)

// Why a file is not read.
var (
	ErrEmpty   = fault.New(fault.Invalid, "office.import.error.empty", nil)
	ErrFormat  = fault.New(fault.Invalid, "office.import.error.format", nil)
	ErrTooMany = fault.New(fault.Invalid, "office.import.error.too_many", fault.Args{"most": MaxRows})
	ErrLarge   = fault.New(fault.Invalid, "office.import.error.large", nil)
	ErrHeading = fault.New(fault.Invalid, "office.import.error.heading", nil)
)

// ReadTable reads a CSV or XLSX file. The bytes decide which it is. The first row with two cells or more is the heading.
func ReadTable(raw []byte) (t Table, err error) {
	var rows []layout.Row
	switch {
	case len(raw) > MaxBytes:
		return t, ErrLarge
	case bytes.HasPrefix(raw, []byte("PK\x03\x04")):
		t.Format = "XLSX"
		rows, err = readXLSX(raw)
	case bytes.HasPrefix(raw, []byte("%PDF")), bytes.HasPrefix(raw, []byte("\xd0\xcf\x11\xe0")):
		return t, ErrFormat
	default:
		t.Format = "CSV"
		rows, t.Charset, err = readCSV(raw)
	}
	if err != nil {
		return t, err
	}
	for _, r := range rows {
		if r.Empty() {
			continue
		}
		for i, cell := range r.Cells {
			r.Cells[i] = clean.Line(cell)
		}
		switch {
		case t.Heading == nil && len(r.Cells) < 2:
		case t.Heading == nil && len(r.Cells) > maxColumns:
			return t, ErrHeading
		case t.Heading == nil:
			t.Heading = r.Cells
		default:
			t.Rows = append(t.Rows, Row{r.Line, r.Cells})
		}
		if len(t.Rows) > MaxRows {
			return t, ErrTooMany
		}
	}
	if t.Heading == nil || len(t.Rows) == 0 {
		return t, ErrEmpty
	}
	return t, nil
}

func readCSV(raw []byte) ([]layout.Row, string, error) {
	text, charset := field.Decode(raw)
	source := layout.Open(text, MaxRows, maxCell)
	best, most := source.Named, 0
	for _, delimiter := range layout.Delimiters {
		rows, err := source.Rows(delimiter, layout.SampleRows)
		if err != nil || source.Named != "" {
			continue
		}
		cells := 0
		for _, r := range rows {
			cells += len(r.Cells) - 1
		}
		if cells > most {
			best, most = delimiter, cells
		}
	}
	if best == "" {
		return nil, charset, ErrFormat
	}
	rows, err := source.Rows(best, 0)
	var bad *field.Error
	if errors.As(err, &bad) {
		return nil, charset, fault.New(fault.Invalid, "office.import.error.line", fault.Args{"line": bad.Row})
	}
	return rows, charset, err
}

// readXLSX reads the first sheet. Days become YYYY-MM-DD, whatever their format says.
func readXLSX(raw []byte) (rows []layout.Row, err error) {
	archive, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil || len(archive.File) > maxEntries {
		return nil, ErrFormat
	}
	var packed uint64
	for _, f := range archive.File {
		if packed += f.UncompressedSize64; packed > maxPacked {
			return nil, ErrLarge
		}
	}
	file, err := excelize.OpenReader(bytes.NewReader(raw), excelize.Options{UnzipSizeLimit: maxPacked, UnzipXMLSizeLimit: maxPacked, RawCellValue: true})
	if err != nil {
		return nil, ErrFormat
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	sheets := file.GetSheetList()
	if len(sheets) == 0 {
		return nil, ErrEmpty
	}
	all, err := file.Rows(sheets[0])
	if err != nil {
		return nil, ErrFormat
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	for line := 1; all.Next(); line++ {
		cells, err := all.Columns()
		if err != nil {
			return nil, ErrFormat
		}
		for _, cell := range cells {
			if len(cell) > maxCell {
				return nil, fault.New(fault.Invalid, "office.import.error.line", fault.Args{"line": line})
			}
		}
		if len(rows) > MaxRows+100 {
			return nil, ErrTooMany
		}
		rows = append(rows, layout.Row{Cells: cells, Line: line})
	}
	return rows, nil
}

// serialDay returns the day that a number of a spreadsheet stands for: a day between 1955 and 2119.
func serialDay(text string) (d ledger.Date, ok bool) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 20_000 || n > 80_000 {
		return d, false
	}
	at, err := excelize.ExcelDateToTime(n, false)
	return ledger.DateOf(at, time.UTC), err == nil
}

// pack returns a table as it is stored.
func (t Table) pack() ([]byte, error) {
	var to bytes.Buffer
	w := gzip.NewWriter(&to)
	if err := json.NewEncoder(w).Encode(t); err != nil {
		return nil, err
	}
	err := w.Close()
	return to.Bytes(), err
}

func unpack(content []byte) (t Table, err error) {
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return t, err
	}
	err = json.NewDecoder(io.LimitReader(r, maxPacked)).Decode(&t)
	return t, err
}

// fingerprint names files with the same headings.
func (t Table) fingerprint() [sha256.Size]byte {
	names := make([]string, len(t.Heading))
	for i, name := range t.Heading {
		names[i] = plain(name)
	}
	return sha256.Sum256([]byte(strings.Join(names, "\n")))
}
