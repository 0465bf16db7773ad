package field

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
)

// Names of character sets, as Decode returns them.
const (
	UTF8  = "utf-8"
	UTF16 = "utf-16"
	Latin = "windows-1252" // ISO 8859-1 is read as this one: its other characters are controls, which no bank writes
)

var (
	// declared matches the character set in the head of XML, and in the head of OFX before 2.0.
	declared = regexp.MustCompile(`(?i)(?:encoding\s*=\s*["']|\bCHARSET:\s*)([a-z0-9_:.-]+)`)
	declares = 1024 // bytes of a file in which the declaration stands
)

// Decode returns the text of a file and the name of its character set. The bytes decide, because many files declare
// another set than they have:
//
//	byte order mark                             that one
//	every other byte zero, at the beginning     UTF-16
//	valid UTF-8, or nearly so                   UTF-8; a damaged character becomes U+FFFD
//	else                                        the declared set, if one is and it has one byte for a character; else Windows-1252
//
// The text has no byte order mark and no NUL; its lines end by \n.
func Decode(raw []byte) (text, charset string) {
	set, charset, skip := detect(raw)
	raw = raw[skip:]
	if set == nil {
		text = strings.ToValidUTF8(string(raw), "\ufffd")
	} else if decoded, err := set.NewDecoder().Bytes(raw); err == nil {
		text = strings.ToValidUTF8(string(decoded), "\ufffd")
	} else {
		text = strings.ToValidUTF8(string(raw), "\ufffd")
	}
	if strings.ContainsAny(text, "\r\x00\ufeff") {
		text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "", "\ufeff", "").Replace(text)
	}
	return text, charset
}

// detect returns the encoding of a file, nil for UTF-8, its name, and the length of its byte order mark.
func detect(raw []byte) (set encoding.Encoding, name string, skip int) {
	switch {
	case bytes.HasPrefix(raw, []byte{0xef, 0xbb, 0xbf}):
		return nil, UTF8, 3
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}):
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), UTF16, 2
	case bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), UTF16, 2
	}
	even, odd := zeros(raw[:min(len(raw), declares)])
	switch half := min(len(raw), declares) / 2; {
	case half > 1 && odd*3 > half*2 && even*3 < half:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), UTF16, 0
	case half > 1 && even*3 > half*2 && odd*3 < half:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), UTF16, 0
	case isUTF8(raw):
		return nil, UTF8, 0
	}
	if m := declared.FindSubmatch(raw[:min(len(raw), declares)]); m != nil {
		if set, name := oneByte(string(m[1])); set != nil {
			return set, name, 0
		}
	}
	return charmap.Windows1252, Latin, 0
}

// oneByte returns the declared character set if each of its characters has one byte.
func oneByte(name string) (encoding.Encoding, string) {
	switch name = strings.ToLower(name); {
	case name == "8859-1":
		name = "iso-8859-1"
	case strings.Trim(name, "0123456789") == "":
		name = "windows-" + name
	}
	set, err := htmlindex.Get(name)
	if err != nil {
		return nil, ""
	}
	if _, single := set.(*charmap.Charmap); !single {
		return nil, ""
	}
	name, err = htmlindex.Name(set)
	return set, map[bool]string{true: name, false: Latin}[err == nil]
}

// zeros counts the zero bytes at even and at odd places.
func zeros(raw []byte) (even, odd int) {
	for i, b := range raw {
		if b == 0 && i%2 == 0 {
			even++
		} else if b == 0 {
			odd++
		}
	}
	return even, odd
}

// isUTF8 reports whether the bytes are UTF-8 with fewer damaged characters than right ones of several bytes. In a
// set of one byte, a letter with an accent is hardly ever followed by what would make it right.
func isUTF8(raw []byte) bool {
	if utf8.Valid(raw) {
		return true
	}
	right, damaged := 0, 0
	for len(raw) > 0 {
		r, size := utf8.DecodeRune(raw)
		if r == utf8.RuneError && size == 1 {
			damaged++
		} else if size > 1 {
			right++
		}
		raw = raw[size:]
	}
	return right > damaged
}
