// Package clean cleans what people type or paste into a field, before a rule judges it. Text that is copied from
// a web page, a message or a spreadsheet brings characters that nobody sees or that look like others; a field that
// refuses them asks for a mistake that cannot be found.
//
//	Line   a name, a street, a city: one line
//	Text   a note or a message: several lines
//	Code   a phone number, an amount, an email address, a postal code: letters, digits and signs of ASCII
//
// All three drop the marks that Invisible names, write every kind of space as a plain space, and trim. They keep
// control characters, which each rule then refuses.
package clean

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Line returns one line of text in the composed form of Unicode (NFC, UAX #15), with plain spaces and a plain hyphen
// for those that only forbid a line break.
func Line(text string) string {
	return oneSpace(norm.NFC.String(mapRunes(text, plainLine)))
}

// Text is Line for each line of a text. Lines end by \n.
func Text(text string) string {
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n").Replace(text), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(norm.NFC.String(mapRunes(line, plainText)), " \t")
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// Code returns a text in which wide and other compatible forms of a character are the character itself (NFKC, UAX
// #15), decimal digits of every script are those of ASCII, and every dash is a hyphen.
func Code(text string) string {
	return oneSpace(mapRunes(norm.NFKC.String(mapRunes(text, plainCode)), plainCode))
}

// Invisible reports whether a rune shows nothing of its own and no language needs it between two letters: marks that
// set the direction of writing (UAX #9), zero-width spaces and joiners of words, and soft hyphens. The joiners U+200C
// and U+200D are not among them, because Persian, Hindi and Khmer are written with them.
func Invisible(r rune) bool {
	switch {
	case r == '\u00ad', r == '\u061c', r == '\u180e', r == '\u200b', r == '\u200e', r == '\u200f', r == '\ufeff':
		return true
	default:
		return r >= '\u202a' && r <= '\u202e' || r >= '\u2060' && r <= '\u206f' || r >= '\ufff9' && r <= '\ufffb'
	}
}

const drop = -1 // what strings.Map omits

// mapRunes is strings.Map that leaves invalid UTF-8 as it is, so that the rule sees it.
func mapRunes(text string, f func(rune) rune) string {
	if !isValid(text) {
		return text
	}
	return strings.Map(f, text)
}

func isValid(text string) bool { return strings.ToValidUTF8(text, "") == text }

// oneSpace returns a text with one space for several, and none around it.
func oneSpace(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' })
	return strings.TrimSpace(strings.Join(words, " "))
}

// plainLine maps a rune of one line of text.
func plainLine(r rune) rune {
	if r == '\t' {
		return ' '
	}
	return plainText(r)
}

// plainText maps a rune of a text.
func plainText(r rune) rune {
	switch {
	case Invisible(r):
		return drop
	case unicode.Is(unicode.Zs, r):
		return ' '
	case r == '\u2010', r == '\u2011':
		return '-'
	default:
		return r
	}
}

// plainCode maps a rune of a code.
func plainCode(r rune) rune {
	switch {
	case r == '\u200c', r == '\u200d', Invisible(r):
		return drop
	case r == '\t', unicode.Is(unicode.Z, r):
		return ' '
	case unicode.Is(unicode.Pd, r), r == '\u2212':
		return '-'
	case unicode.Is(unicode.Nd, r):
		return '0' + decimal(r)
	default:
		return r
	}
}

// decimal returns the value of a decimal digit. The ten digits of a script follow one another in Unicode, 0 first, and
// such blocks may follow one another too. So the value is the number of digits directly before it, modulo ten.
func decimal(r rune) rune {
	if r <= unicode.MaxASCII {
		return r - '0'
	}
	n := rune(0)
	for unicode.Is(unicode.Nd, r-n-1) {
		n++
	}
	return n % 10
}
