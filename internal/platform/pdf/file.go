package pdf

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"

	"konbit/internal/platform/deflate"
)

// file is the document while it is written. Objects that are no streams are gathered, and written as one compressed
// stream (ISO 32000-1, 7.5.7).
type file struct {
	bytes.Buffer
	places  []place // by object number
	objects bytes.Buffer
	index   []byte // numbers of the gathered objects, and where each begins
	within  int    // gathered objects
}

// place is the position of an object: its offset in the file or, if gathered, its index in the object stream.
type place struct {
	at       int
	gathered bool
}

func (f *file) next() int {
	f.places = append(f.places, place{})
	return len(f.places) - 1
}

// write and printf write the object that was begun.
func (f *file) write(s string)                    { f.objects.WriteString(s) }
func (f *file) printf(format string, args ...any) { fmt.Fprintf(&f.objects, format, args...) }

func (f *file) begin(n int) {
	f.index = append(strconv.AppendInt(f.index, int64(n), 10), ' ')
	f.index = append(strconv.AppendInt(f.index, int64(f.objects.Len()), 10), ' ')
	f.places[n] = place{f.within, true}
	f.within++
}

func (f *file) end() { f.write("\n") }

func (f *file) object(n int, content string) {
	f.begin(n)
	f.write(content)
	f.end()
}

// stream writes a stream that Compress of package deflate has compressed.
func (f *file) stream(n int, entries string, content []byte) {
	f.places[n] = place{at: f.Len()}
	fmt.Fprintf(f, "%d 0 obj\n<<%s/Filter/FlateDecode/Length %d>>\nstream\n", n, entries, len(content))
	f.Write(content)
	f.WriteString("\nendstream\nendobj\n")
}

// finish writes the gathered objects and the table of objects (7.5.8). id is the file's identifier.
func (f *file) finish(catalog, info int, id []byte) []byte {
	gathered, table := f.next(), f.next()
	f.stream(gathered, fmt.Sprintf("/Type/ObjStm/N %d/First %d", f.within, len(f.index)), deflate.Compress(append(f.index, f.objects.Bytes()...)))
	at := f.Len()
	f.places[table] = place{at: at}
	rows := make([]byte, 0, 6*len(f.places))
	for n, p := range f.places {
		switch {
		case n == 0:
			rows = append(rows, 0, 0, 0, 0, 0xFF, 0xFF)
		case p.gathered:
			rows = append(rows, 2, byte(gathered>>16), byte(gathered>>8), byte(gathered), byte(p.at>>8), byte(p.at))
		default:
			rows = append(rows, 1, byte(p.at>>16), byte(p.at>>8), byte(p.at), 0, 0)
		}
	}
	f.stream(table, fmt.Sprintf("/Type/XRef/Size %d/W[1 3 2]/Root %d 0 R/Info %d 0 R/ID[<%x><%x>]", len(f.places), catalog, info, id, id),
		deflate.Compress(rows))
	fmt.Fprintf(f, "startxref\n%d\n%%%%EOF\n", at)
	return f.Bytes()
}

// appendNumber writes a number with some decimals at most. Two of a point are a three-hundredth of a millimetre.
func appendNumber(to []byte, v float64, decimals int) []byte {
	unit := int64(math.Pow10(decimals))
	scaled := int64(math.Round(v * float64(unit)))
	if scaled%unit == 0 {
		return strconv.AppendInt(to, scaled/unit, 10)
	}
	if scaled < 0 {
		to, scaled = append(to, '-'), -scaled
	}
	to = append(strconv.AppendInt(to, scaled/unit, 10), '.')
	for rest, digit := scaled%unit, unit/10; rest > 0; digit /= 10 {
		to = append(to, byte('0'+rest/digit))
		rest %= digit
	}
	return to
}

// appendHex writes a number below 65,536 as four hexadecimal digits.
func appendHex(to []byte, v int) []byte {
	const digits = "0123456789ABCDEF"
	return append(to, digits[v>>12&15], digits[v>>8&15], digits[v>>4&15], digits[v&15])
}

// appendEscaped writes a byte of a string (ISO 32000-1, 7.3.4.2).
func appendEscaped(to []byte, b byte) []byte {
	switch b {
	case '(', ')', '\\':
		return append(to, '\\', b)
	case '\r':
		return append(to, '\\', 'r')
	default:
		return append(to, b)
	}
}

// textString returns text as a string of a PDF: as it is if it is ASCII, else in UTF-16.
func textString(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		b := []byte("(")
		for i := range len(text) {
			b = appendEscaped(b, text[i])
		}
		return string(append(b, ')'))
	}
	b := []byte("<FEFF")
	for _, unit := range utf16.Encode([]rune(text)) {
		b = appendHex(b, int(unit))
	}
	return string(append(b, '>'))
}
