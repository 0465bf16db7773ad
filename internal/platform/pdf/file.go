package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"math"
	"strconv"
	"sync"
	"unicode/utf16"
)

// file is the document's bytes and where each object begins.
type file struct {
	bytes.Buffer
	offsets []int // by object number; 0: no object
}

func (f *file) next() int {
	f.offsets = append(f.offsets, 0)
	return len(f.offsets) - 1
}

func (f *file) write(s string)                    { f.WriteString(s) }
func (f *file) printf(format string, args ...any) { fmt.Fprintf(f, format, args...) }

func (f *file) begin(n int) {
	f.offsets[n] = f.Len()
	f.write(strconv.Itoa(n) + " 0 obj\n")
}

func (f *file) end() { f.write("\nendobj\n") }

func (f *file) object(n int, content string) {
	f.begin(n)
	f.write(content)
	f.end()
}

// compressed writes a stream that was compressed before.
func (f *file) compressed(n int, entries string, content []byte) {
	f.begin(n)
	f.printf("<<%s/Filter/FlateDecode/Length %d>>\nstream\n", entries, len(content))
	f.Write(content)
	f.write("\nendstream")
	f.end()
}

// finish writes the table of objects. id is the file's identifier.
func (f *file) finish(catalog, info int, id []byte) []byte {
	at := f.Len()
	f.printf("xref\n0 %d\n0000000000 65535 f \n", len(f.offsets))
	row := []byte("0000000000 00000 n \n")
	for _, offset := range f.offsets[1:] {
		for i := 9; i >= 0; i-- {
			row[i] = byte('0' + offset%10)
			offset /= 10
		}
		f.Write(row)
	}
	f.printf("trailer\n<</Size %d/Root %d 0 R/Info %d 0 R/ID[<%x><%x>]>>\nstartxref\n%d\n%%%%EOF\n", len(f.offsets), catalog, info, id, id, at)
	return f.Bytes()
}

// compressors are reused, because to make one takes longer than to compress a page.
var compressors = sync.Pool{New: func() any {
	w, _ := zlib.NewWriterLevel(io.Discard, zlib.BestSpeed) // fails for an unknown level only
	return w
}}

// compressWell compresses what is kept, as far as it goes.
func compressWell(content []byte) []byte {
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, zlib.BestCompression)
	_, _ = w.Write(content)
	_ = w.Close()
	return b.Bytes()
}

func compress(content []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(content)/3 + 512)
	w := compressors.Get().(*zlib.Writer)
	w.Reset(&b)
	_, _ = w.Write(content) // a buffer takes everything
	_ = w.Close()
	compressors.Put(w)
	return b.Bytes()
}

// appendNumber writes a number with at most four decimals.
func appendNumber(to []byte, v float64) []byte {
	scaled := int64(math.Round(v * 10000))
	if scaled%10000 == 0 {
		return strconv.AppendInt(to, scaled/10000, 10)
	}
	if scaled < 0 {
		to, scaled = append(to, '-'), -scaled
	}
	to = append(strconv.AppendInt(to, scaled/10000, 10), '.')
	for rest, digit := scaled%10000, int64(1000); rest > 0; digit /= 10 {
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

// textString returns text as a string of a PDF, in UTF-16.
func textString(text string) string {
	b := []byte("<FEFF")
	for _, unit := range utf16.Encode([]rune(text)) {
		b = appendHex(b, int(unit))
	}
	return string(append(b, '>'))
}
