package bankfile

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"konbit/internal/office/bankfile/field"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// Limits are the sizes up to which a file is read.
type Limits struct {
	Bytes int64 // of the file
	Lines int   // movements in the file
	Field int   // bytes of a field
}

// DefaultLimits returns the limits of an upload.
func DefaultLimits() Limits { return Limits{Bytes: 10 << 20, Lines: 250_000, Field: 10_000} }

// Options say how to read a file.
type Options struct {
	Limits   Limits         // zero: DefaultLimits
	Currency money.Currency // of a file that names none; "" for USD
	Layout   *Layout        // reads a CSV file by this layout; nil: by one that is known
	Layouts  []Layout       // remembered layouts of CSV files, which are recognised by their headings
}

// reading is what the readers of all formats share.
type reading struct {
	limits   Limits
	currency money.Currency // of files that name none
	options  Options
	lines    int // movements so far
}

// Read reads a whole file; name is the name under which it was uploaded. The errors are described at the package.
func Read(r io.Reader, name string, o Options) (File, error) {
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits()
	}
	if o.Currency == "" {
		o.Currency = "USD"
	}
	raw, err := io.ReadAll(io.LimitReader(r, o.Limits.Bytes+1))
	if err != nil {
		return File{}, fmt.Errorf("bankfile: read: %w", err)
	}
	if int64(len(raw)) > o.Limits.Bytes {
		return File{}, field.Refuse(0, field.StructureField, "", "bankfile.problem.too_large", fault.Args{"megabytes": o.Limits.Bytes >> 20})
	}
	if other := otherFormat(raw); other != "" {
		return File{}, field.Refuse(1, field.StructureField, "", "bankfile.problem.other_format", fault.Args{"format": other})
	}
	text, charset := field.Decode(raw)
	format, err := detect(text)
	if err != nil {
		return File{}, err
	}
	in := &reading{limits: o.Limits, currency: o.Currency, options: o}
	var f File
	switch format {
	case OFX:
		f, err = in.readOFX(text)
	case Camt:
		f, err = in.readCamt(text)
	case BAI2:
		f, err = in.readBAI2(text)
	default:
		f, err = in.readCSV(text, name)
	}
	if err != nil {
		return File{}, err
	}
	f.Format, f.Charset = format, charset
	f.judge()
	return f, nil
}

// otherFormat returns the name of a well-known format of which the file is, if bank statements do not come in it here.
func otherFormat(raw []byte) string {
	for _, known := range []struct{ begins, name string }{
		{"PK\x03\x04", "XLSX"}, {"\xd0\xcf\x11\xe0", "XLS"}, {"%PDF", "PDF"}, {"\x1f\x8b", "GZIP"}, {"\x89PNG", "PNG"}, {"\xff\xd8\xff", "JPEG"},
	} {
		if strings.HasPrefix(string(raw[:min(len(raw), 8)]), known.begins) {
			return known.name
		}
	}
	return ""
}

var (
	mt940  = regexp.MustCompile(`(?m)^:20:.*\n(?:.*\n){0,4}:25:|^\{1:F01`)
	webDoc = regexp.MustCompile(`(?i)^<(?:!doctype\s+html|html\b|head\b)`)
	bai2   = regexp.MustCompile(`^0?1\s*,[^\n]*\n\s*02\s*,`)
	camtOf = regexp.MustCompile(`camt\.0\d\d\.001\.\d\d|BkToCstmr(?:Stmt|AcctRpt|DbtCdtNtfctn)\b`)
	ofxOf  = regexp.MustCompile(`(?i)OFXHEADER|<OFX\s*>|<\?OFX\b`)
)

// detect returns the format of a text. What is no other format is CSV if it has rows at all.
func detect(text string) (Format, error) {
	begin := strings.TrimLeft(text, " \t\n")
	head := begin[:min(len(begin), 64<<10)]
	other := func(name string) error {
		return field.Refuse(1, field.StructureField, "", "bankfile.problem.other_format", fault.Args{"format": name})
	}
	switch {
	case begin == "":
		return "", field.Refuse(0, field.StructureField, "", "bankfile.problem.empty", nil)
	case webDoc.MatchString(head):
		return "", other("HTML")
	case strings.HasPrefix(head, "!Type:"), strings.HasPrefix(head, "!Account"), strings.HasPrefix(head, "!Option:"):
		return "", other("QIF")
	case mt940.MatchString(head):
		return "", other("MT940")
	case bai2.MatchString(head):
		return BAI2, nil
	case strings.HasPrefix(head, "<") && camtOf.MatchString(head):
		return Camt, nil
	case ofxOf.MatchString(head):
		return OFX, nil
	case strings.HasPrefix(head, "<"):
		return "", other("XML")
	case strings.HasPrefix(head, "{"), strings.HasPrefix(head, "[{"):
		return "", other("JSON")
	case strings.Count(head, "\ufffd")*20 > len(head), strings.ContainsFunc(head[:min(len(head), 256)], binary):
		return "", field.Refuse(0, field.StructureField, "", "bankfile.problem.unknown_format", nil)
	default:
		return CSV, nil
	}
}

// binary reports whether a rune stands in no text.
func binary(r rune) bool { return r < ' ' && r != '\n' && r != '\t' && r != '\f' && r != 0x1a }

// add adds a line to a statement. Its text is cleaned and cut here, for all formats.
func (in *reading) add(s *Statement, line Line) error {
	if in.lines++; in.lines > in.limits.Lines {
		return field.Refuse(line.Row, field.StructureField, "", "bankfile.problem.too_many", fault.Args{"limit": in.limits.Lines})
	}
	line.Text, line.Reference, line.BankID = field.Cut(field.OneLine(line.Text)), field.Cut(field.OneLine(line.Reference)), field.Cut(field.OneLine(line.BankID))
	s.Lines = append(s.Lines, line)
	return nil
}

// AsError returns the *Error in err, nil if it contains none.
func AsError(err error) *field.Error {
	var e *field.Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}
