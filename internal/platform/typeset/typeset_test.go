package typeset

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// anyText are characters of many scripts, marks, controls, emoji, and some that no font has.
func anyText() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		letters := rapid.OneOf(
			rapid.SampledFrom([]rune(" -'aÉñßạ́Жλ王한かمحمּדשאበខ្មែรสमक्र्তশ்ཨကြ😀👩🏽\u200d\u200c\u200e\u202e\ufeff\u00ad\ufe0f\u2060\t\u0000\ufffd\u0301🇭")),
			rapid.RuneFrom(nil, unicode.Latin, unicode.Arabic, unicode.Han, unicode.Devanagari, unicode.Mn, unicode.Cf),
			rapid.Rune(),
		)
		return string(rapid.SliceOfN(letters, 0, 25).Draw(t, "letters"))
	})
}

func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) {
			return -1
		}
		return r
	}, text)
}

// TestAnyTextIsSet: any text that a person typed is set, or the error names its script. No text is lost, each glyph
// stands for text, and no line is wider than its limit.
func TestAnyTextIsSet(t *testing.T) {
	t.Parallel()
	fonts := System()
	rapid.Check(t, func(t *rapid.T) {
		text, width := anyText().Draw(t, "text"), rapid.Float64Range(2, 40).Draw(t, "width")
		lines, err := fonts.Lines(text, Style{Language: "en"}, width)
		if err != nil {
			var missing *MissingError
			require.ErrorAs(t, err, &missing)
			return
		}
		printed, err := fonts.printable(text, false)
		require.NoError(t, err)
		var all strings.Builder
		for _, line := range lines {
			all.WriteString(line.Text)
			if !strings.ContainsFunc(line.Text, func(r rune) bool { return !standsAlone(r) }) {
				assert.Less(t, line.Width, width+1.5, "%q", line.Text) // a space at the end does not count
			}
			for _, run := range line.Runs {
				for _, g := range run.Glyphs {
					assert.NotZero(t, g.ID)
				}
			}
		}
		assert.Equal(t, norm.NFC.String(visible(printed)), norm.NFC.String(visible(all.String())))
	})
}

// TestSimpleTextNeedsNoShaping: the words of our languages and most names take the short way.
func TestSimpleTextNeedsNoShaping(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"Marisol Peña Núñez", "Kote ki gen plis bezwen – $20.50 − “òêç”", "Nguyễn Thị Ánh", "Елена", "12\u00a0345,00\u00a0€"} {
		_, ok := builtIn()[0].simple(text)
		assert.True(t, ok, text)
	}
	for _, text := range []string{"محمد", "王", "a\u0301", "प्रिया", "דוד", "a\u200db", "a\tb"} {
		_, ok := builtIn()[0].simple(text)
		assert.False(t, ok, text)
	}
}

// TestLinesBreakAtSpaces, after hyphens in a longer word, and else anywhere.
func TestLinesBreakAtSpaces(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"one two three":      {"one two ", "three"},
		"AB-2026-000001":     {"AB-2026-", "000001"},
		"WWWWWWWWWW":         {"WWWW", "WWWW", "WW"},
		"one\ntwo":           {"one", "two"},
		"":                   {""},
		"one  two     three": {"one  two     ", "three"},
		"aaa 12\u00a0345":    {"aaa ", "12\u00a0345"},
	} {
		lines, err := System().Lines(text, Style{}, 4.3)
		require.NoError(t, err)
		var got []string
		for _, line := range lines {
			got = append(got, line.Text)
		}
		assert.Equal(t, want, got)
	}
}
