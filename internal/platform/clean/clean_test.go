package clean_test

import (
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"konbit/internal/platform/clean"
)

// TestPasted lists what people paste, and what each function returns.
func TestPasted(t *testing.T) {
	for _, test := range []struct{ name, pasted, line, code string }{
		{"direction marks of a contact list", "\u202a+1 617 555 0142\u202c", "+1 617 555 0142", "+1 617 555 0142"},
		{"isolates of a web page", "\u2068Ana\u2069", "Ana", "Ana"},
		{"no-break spaces", "\u00a0+1\u00a0617\u202f555 0142", "+1 617 555 0142", "+1 617 555 0142"},
		{"hyphens that forbid a break", "617\u2011555\u20110142", "617-555-0142", "617-555-0142"},
		{"en dash", "617–555–0142", "617–555–0142", "617-555-0142"},
		{"minus", "617−555", "617−555", "617-555"},
		{"zero-width space", "ana\u200b@example.org", "ana@example.org", "ana@example.org"},
		{"byte order mark", "\ufeffAna", "Ana", "Ana"},
		{"soft hyphen", "Domin\u00adguez", "Dominguez", "Dominguez"},
		{"wide forms", "ana＠example．org", "ana＠example．org", "ana@example.org"},
		{"wide digits", "６１７", "６１７", "617"},
		{"Arabic digits", "٠١٢٣٤٥٦٧٨٩", "٠١٢٣٤٥٦٧٨٩", "0123456789"},
		{"Persian digits", "۰۱۹", "۰۱۹", "019"},
		{"Devanagari digits", "०१९", "०१९", "019"},
		{"Khmer digits", "០១៩", "០១៩", "019"},
		{"mathematical digits follow one another", "𝟎𝟗𝟘𝟡", "𝟎𝟗𝟘𝟡", "0909"},
		{"composed letter", "Pe\u0301rez", "P\u00e9rez", "P\u00e9rez"},
		{"several spaces", "  Ana   María ", "Ana María", "Ana María"},
		{"tab", "Ana\tMaría", "Ana María", "Ana María"},
		{"joiners that a language needs", "می\u200cخواهم", "می\u200cخواهم", "میخواهم"},
		{"family emoji", "👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧", "👨👩👧"},
		{"control characters stay, to be refused", "a\x00\nb", "a\x00\nb", "a\x00\nb"},
		{"invalid text stays, to be refused", "a\xff\u200b", "a\xff\u200b", "a\xff\u200b"},
		{"nothing", "\u00a0\u200b ", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.line, clean.Line(test.pasted))
			require.Equal(t, test.code, clean.Code(test.pasted))
		})
	}
}

func TestText(t *testing.T) {
	for pasted, want := range map[string]string{
		"One\r\nTwo\rThree\u2028Four": "One\nTwo\nThree\nFour",
		" \u202eOne \n\n  Two\u00a0 ": "One\n\n  Two",
		"a\tb":                        "a\tb",
		"a\x00b":                      "a\x00b",
	} {
		t.Run(want, func(t *testing.T) { require.Equal(t, want, clean.Text(pasted)) })
	}
}

// TestCleaningIsFinal requires for any text that cleaning what was cleaned changes nothing, and that no invisible mark
// and no foreign digit or dash is left.
func TestCleaningIsFinal(t *testing.T) {
	runes := rapid.SampledFrom([]rune("a1 \t-–\u2011\u202a\u202c\u200b\u00a0\u3000＠０٣।é\u0301\u200d\u2028\n\u00ad\ufeff½ﬁ"))
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.OneOf(runes, rapid.Rune())).Draw(t, "text"))
		line, whole, code := clean.Line(text), clean.Text(text), clean.Code(text)
		require.Equal(t, line, clean.Line(line))
		require.Equal(t, whole, clean.Text(whole))
		require.Equal(t, code, clean.Code(code))
		for _, r := range line + whole + code {
			require.False(t, clean.Invisible(r), "%U", r)
		}
		for _, r := range code {
			require.False(t, r > unicode.MaxASCII && (unicode.Is(unicode.Nd, r) || unicode.Is(unicode.Pd, r)), "%U", r)
		}
	})
}

// TestDigits requires the value of every decimal digit of Unicode, whose blocks of ten follow one another.
func TestDigits(t *testing.T) {
	check := func(first, last rune) {
		for r := first; r <= last; r++ {
			require.Equal(t, string('0'+(r-first)%10), clean.Code(string(r)), "%U", r)
		}
	}
	for _, span := range unicode.Nd.R16 {
		check(rune(span.Lo), rune(span.Hi))
	}
	for _, span := range unicode.Nd.R32 {
		check(rune(span.Lo), rune(span.Hi))
	}
}
