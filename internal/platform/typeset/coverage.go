package typeset

import (
	"fmt"
	"strings"
)

// MissingError says that no font has a character. It does not hold the character, which is part of a person's name: errors
// are kept with jobs and in logs.
type MissingError struct {
	Script string // of the character, as Unicode names it: "Ethiopic"
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("no font on this machine has a character of a text (script: %s); install the package %s and start the program again",
		strings.ReplaceAll(e.Script, "_", " "), e.Package())
}

// Package returns the package of Debian that has the script.
func (e *MissingError) Package() string { return packageOf(e.Script) }

func packageOf(script string) string {
	switch families(script)[0] {
	case cjk:
		return "fonts-noto-cjk"
	case "NotoSans":
		return "fonts-symbola"
	default:
		return "fonts-noto-core"
	}
}

// samples has a character of each script that the names of many people are written in.
var samples = []struct {
	script string
	letter rune
}{
	{"Arabic", 'م'}, {"Armenian", 'Ա'}, {"Bengali", 'ব'}, {"Burmese", 'မ'}, {"Chinese and Japanese", '王'}, {"Devanagari", 'प'}, {"Ethiopic", 'አ'},
	{"Georgian", 'გ'}, {"Gujarati", 'ગ'}, {"Gurmukhi", 'ਗ'}, {"Hebrew", 'ש'}, {"Kannada", 'ಕ'}, {"Khmer", 'ខ'}, {"Korean", '김'}, {"Lao", 'ລ'},
	{"Malayalam", 'മ'}, {"Sinhala", 'ස'}, {"Syriac", 'ܐ'}, {"Tamil", 'த'}, {"Telugu", 'త'}, {"Thai", 'ส'}, {"Tibetan", 'བ'},
}

// Lacking returns the scripts, of those in which the names of many people are written, for which no font was found, and
// the packages of Debian that have them. Emoji are not among them: without a font they are left out.
func (f *Fonts) Lacking() (scripts, packages []string) {
	seen := map[string]bool{}
	for _, s := range samples {
		if f.find(s.letter, "", "SC", false) != nil {
			continue
		}
		scripts = append(scripts, s.script)
		if name := packageOf(scriptOf(s.letter)); !seen[name] {
			seen[name] = true
			packages = append(packages, name)
		}
	}
	return scripts, packages
}
