package field

import (
	"strings"

	"konbit/internal/platform/fault"
)

// textLength is the length of a line's text, in characters. Longer text is cut, always at the same place.
const textLength = 500

// OneLine returns a text without line breaks, control characters, and spaces around or beside spaces.
func OneLine(text string) string {
	plain := true
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == ' ' && (i == 0 || i == len(text)-1 || text[i+1] == ' ') {
			plain = false
			break
		}
	}
	if plain {
		return text
	}
	return strings.Join(strings.FieldsFunc(text, isBlank), " ")
}

func isBlank(r rune) bool {
	return r <= ' ' || r >= 0x7f && r <= 0xa0 || r == 0x2028 || r == 0x2029 || r == 0x202f || r == 0x3000 || r == 0xfeff
}

// Fits reports an error if a value is longer than most bytes.
func Fits(value string, most, row int) error {
	if len(value) > most {
		return Refuse(row, TextField, value, "bankfile.problem.field_too_long", fault.Args{"limit": most})
	}
	return nil
}

// Cut returns a text without what is beyond the length of a line's text.
func Cut(text string) string {
	if len(text) <= textLength {
		return text
	}
	if runes := []rune(text); len(runes) > textLength {
		return strings.TrimSpace(string(runes[:textLength]))
	}
	return text
}

// Joined returns the texts with a space between them, without those that another one repeats or begins.
func Joined(texts ...string) string {
	whole := ""
	for _, text := range texts {
		text = OneLine(text)
		switch {
		case text == "" || strings.Contains(whole, text):
		case strings.HasPrefix(text, whole):
			whole = text
		default:
			whole += " " + text
		}
	}
	return whole
}
