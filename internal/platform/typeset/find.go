package typeset

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/go-text/typesetting/language"
)

// Folders are where fonts are looked for; folders in them count too. The last one is that of
// macOS.
var Folders = []string{"/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts"}

// Fonts are the fonts that documents can use. It is safe for concurrent use.
type Fonts struct {
	files   map[string]string // by name: "NotoSansThai-Bold" → path
	opened  sync.Map          // by path and region → *openedFile
	shapers sync.Pool
}

// System returns the fonts of the program and of this machine. The folders are read once.
var System = sync.OnceValue(func() *Fonts { return In(Folders...) })

// In returns the fonts of the program and of folders. A folder that cannot be read has none.
func In(folders ...string) *Fonts {
	f := &Fonts{files: map[string]string{}}
	f.shapers.New = func() any { return newShaper(f) }
	for _, folder := range folders {
		_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return nil //nolint:nilerr // what cannot be read is not there
			}
			name, ext, _ := strings.Cut(entry.Name(), ".")
			if slices.Contains([]string{"ttf", "otf", "ttc"}, ext) && f.files[name] == "" {
				f.files[name] = path
			}
			return nil
		})
	}
	return f
}

// CJK is the collection with the characters of Chinese, Japanese and Korean; fallback is used without it.
const (
	cjk      = "NotoSansCJK"
	fallback = "DroidSansFallbackFull"
)

// ofSymbols are the fonts with the signs of no script, and with pictographs.
var ofSymbols = []string{"NotoSansSymbols", "NotoSansSymbols2", "NotoSansMath", "NotoMusic", cjk, "Symbola", "Symbola_hint", "DejaVuSans", fallback}

// families returns the names of the fonts that may have a character of a script, the best first.
func families(script string) []string {
	switch script {
	case "Common", "Inherited":
		return append([]string{"NotoSans"}, ofSymbols...)
	case "Han", "Hiragana", "Katakana", "Bopomofo", "Hangul":
		return []string{cjk, fallback}
	}
	name := strings.ReplaceAll(script, "_", "")
	if script == "Nko" {
		name = "NKo"
	}
	return []string{"NotoSans" + name, "NotoSerif" + name, "NotoSans", "DejaVuSans"}
}

// scriptNames are the names of scripts in Unicode by their tags.
var scriptNames = sync.OnceValue(func() map[language.Script]string {
	names := map[language.Script]string{}
	for name, table := range unicode.Scripts {
		var first rune
		if len(table.R16) > 0 {
			first = rune(table.R16[0].Lo)
		} else {
			first = rune(table.R32[0].Lo)
		}
		names[language.LookupScript(first)] = name
	}
	return names
})

// scriptOf returns the name of a character's script in Unicode: "Ethiopic"; "" if it is unassigned.
func scriptOf(r rune) string { return scriptNames()[language.LookupScript(r)] }

type openedFile struct {
	once sync.Once
	font *Font // nil: the file is no font
}

// file returns the font of a family in one weight, in the other one if the machine lacks it; nil if it has neither.
func (f *Fonts) file(family, region string, bold bool) *Font {
	weights := []string{"-Regular", "-Bold", ""}
	if bold {
		weights[0], weights[1] = weights[1], weights[0]
	}
	for _, weight := range weights {
		path, ok := f.files[family+weight]
		if !ok {
			continue
		}
		if !strings.HasSuffix(path, ".ttc") {
			region = ""
		}
		entry, _ := f.opened.LoadOrStore(path+" "+region, &openedFile{})
		read := entry.(*openedFile)
		read.once.Do(func() { read.font, _ = open(path, family+weight, region) })
		if read.font != nil {
			return read.font
		}
	}
	return nil
}

// find returns the best font with a character; nil if there is none. The character is in text of a script; region is the
// part of a collection to be preferred: "SC", "JP", "KR" or "TC".
func (f *Fonts) find(r rune, script, region string, bold bool) *Font {
	own := builtIn()[0]
	if bold {
		own = builtIn()[1]
	}
	if own.has(r) {
		return own
	}
	is := scriptOf(r)
	names := families(is)
	if (is == "Common" || is == "Inherited") && script != "" {
		names = append(families(script), names...)
	}
	for _, name := range names {
		if font := f.file(name, region, bold); font.has(r) {
			return font
		}
	}
	return nil
}
