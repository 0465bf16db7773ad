package typeset

import (
	"strings"
	"unicode"

	"github.com/go-text/typesetting/harfbuzz"
	"golang.org/x/text/unicode/norm"
)

// standsAlone reports whether a character is written from left to right as one glyph that does not depend on its
// neighbours.
func standsAlone(r rune) bool {
	return r >= ' ' && r != unicode.ReplacementChar && !harfbuzz.IsDefaultIgnorable(r) && !unicode.In(r, unicode.Mn, unicode.Mc, unicode.Me, unicode.Cf) &&
		unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Common)
}

// isNeeded reports whether a text says less without a character: letters, digits, punctuation and signs of currencies are
// needed; emoji, other signs, and what Unicode has not assigned are not.
func isNeeded(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.Sc)
}

// isAccent reports whether a character is an accent of no script of its own. The vowel signs of many scripts are marks too,
// and a name is another one without them.
func isAccent(r rune) bool { return unicode.IsMark(r) && scriptOf(r) == "Inherited" }

// isSkinTone reports whether a character only colours the emoji before it; in one colour it would be a sign of its own.
func isSkinTone(r rune) bool { return r >= 0x1F3FB && r <= 0x1F3FF }

// region returns the region of a text in Chinese characters, which have other shapes in each.
func region(text string) string {
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			return "JP"
		case unicode.Is(unicode.Hangul, r):
			return "KR"
		case unicode.Is(unicode.Bopomofo, r):
			return "TC"
		}
	}
	return "SC"
}

// printable returns the text as the fonts can set it, composed (NFC) and without control characters. It reports a
// *MissingError if no font has one of the characters.
func (f *Fonts) printable(text string, bold bool) (string, error) {
	in := region(text)
	var b strings.Builder
	for _, r := range norm.NFC.String(text) {
		switch {
		case shapes(r):
			b.WriteRune(r)
		case unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp):
			b.WriteByte(' ')
		case isSkinTone(r) || r == unicode.ReplacementChar || harfbuzz.IsDefaultIgnorable(r) || unicode.Is(unicode.Cf, r):
			// It changes nothing that could be seen here.
		case f.find(r, "", in, bold) != nil:
			b.WriteRune(r)
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case isAccent(r):
			// No font has it: the letter stays.
		default:
			if simpler, ok := f.withoutAccents(r, in, bold); ok {
				b.WriteRune(simpler)
			} else if isNeeded(r) {
				return "", &MissingError{Script: scriptOf(r)}
			}
		}
	}
	if printed := strings.TrimSpace(b.String()); printed == "" && strings.TrimSpace(text) != "" {
		return "", &MissingError{Script: "Common"}
	}
	return b.String(), nil
}

// shapes reports whether an invisible character chooses the shape of its neighbours: the two joiners and the selectors of
// variants. Marks of direction do not count: the direction is that of the letters.
func shapes(r rune) bool {
	return r == 0x200C || r == 0x200D || unicode.Is(unicode.Variation_Selector, r)
}

// withoutAccents removes accents from a letter, the last first, until a font has it.
func (f *Fonts) withoutAccents(r rune, region string, bold bool) (rune, bool) {
	parts := []rune(norm.NFD.String(string(r)))
	for len(parts) > 1 && isAccent(parts[len(parts)-1]) {
		parts = parts[:len(parts)-1]
		if whole := []rune(norm.NFC.String(string(parts))); len(whole) == 1 && f.find(whole[0], "", region, bold) != nil {
			return whole[0], true
		}
	}
	return 0, false
}
