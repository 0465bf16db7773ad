package phrase_test

import (
	"fmt"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/templates"
)

// TestShippedCatalogueIsComplete: Load accepts the shipped catalogue, so no language has a gap.
func TestShippedCatalogueIsComplete(t *testing.T) {
	c, err := view.LoadWords(templates.FS)
	require.NoError(t, err)
	assert.Equal(t, phrase.Known(), c.Languages(), "every known language has a catalogue")
}

func TestLoadReportsEveryProblem(t *testing.T) {
	_, err := phrase.Load(catalogue(map[string]string{
		"en": "a: x\nb: '{who} gave'\nc#one: one\nc#other: '{n}'\nd: x\n",
		"es": "b: '{quien} dio'\nc#other: '{n}'\nd: x\ne: x\n",
		"ht": "a: x\nb: '{who}'\nc#one: x\nc#other: x\nd: x\n",
	}), "locales")
	require.Error(t, err)
	for _, problem := range []string{
		"es: a is missing",
		"es: e is not in English",
		"es: b: placeholders [quien], in English [who]",
		`es: c: form "one" is missing`,
		`ht: c: form "one" is not one of Kreyòl`,
		"ht: c: placeholders [], in English [n]",
	} {
		assert.ErrorContains(t, err, problem)
	}
	assert.NotContains(t, err.Error(), "d is")
}

func TestLoadRefuses(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"no English":       {"es": "a: x\n"},
		"unknown language": {"en": "a: x\n", "xx": "a: x\n"},
		"a key twice":      {"en": "a: x\na: y\n"},
		"an empty phrase":  {"en": "a: ''\n"},
		"a stray brace":    {"en": "a: '{Who} gave'\n"},
		"English half":     {"en": "a#one: x\n"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := phrase.Load(catalogue(files), "locales")
			assert.Error(t, err)
		})
	}
}

// TestLoadReadsEveryArea: the words of several folders are one catalogue, and a key in two of them is an error.
func TestLoadReadsEveryArea(t *testing.T) {
	fsys := fstest.MapFS{"give/en.yaml": {Data: []byte("a: x\n")}, "portal/en.yaml": {Data: []byte("b: y\n")}}
	c, err := phrase.Load(fsys, "give", "portal")
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, c.Keys())
	fsys["portal/en.yaml"] = &fstest.MapFile{Data: []byte("a: y\n")}
	_, err = phrase.Load(fsys, "give", "portal")
	assert.ErrorContains(t, err, "portal/en.yaml: a stands in another file too")
}

// TestWithAddsWordsInFewerLanguages: the added folder needs exactly its own languages and is shown in English in
// others.
func TestWithAddsWordsInFewerLanguages(t *testing.T) {
	donors, err := phrase.Load(catalogue(map[string]string{"en": "a: x\n", "es": "a: y\n", "ht": "a: z\n"}), "locales")
	require.NoError(t, err)
	fsys := fstest.MapFS{
		"office/en.yaml": {Data: []byte("b: one\nn#one: one\nn#other: '{n} more'\n")},
		"office/es.yaml": {Data: []byte("b: uno\nn#one: uno\nn#other: '{n} más'\n")},
	}
	words, err := donors.With(fsys, []phrase.Language{"en", "es"}, "office")
	require.NoError(t, err)
	assert.Equal(t, []phrase.Language{"en", "es", "ht"}, words.Languages())
	assert.Equal(t, "uno, 2 más", words.T("es", "b")+", "+words.N("es", "n", 2))
	assert.Equal(t, "one, 2 more, z", words.T("ht", "b")+", "+words.N("ht", "n", 2)+", "+words.T("ht", "a"))
	assert.Equal(t, "b", donors.T("en", "b"), "the first catalogue stays as it is")

	_, err = donors.With(fsys, []phrase.Language{"en"}, "office")
	assert.ErrorContains(t, err, "needs them in [en]")
	_, err = donors.With(fsys, []phrase.Language{"en", "es", "ht"}, "office")
	assert.ErrorContains(t, err, "needs them in [en es ht]")
	fsys["office/pt.yaml"] = &fstest.MapFile{Data: []byte("b: um\nn#one: um\nn#other: '{n} mais'\n")}
	_, err = donors.With(fsys, []phrase.Language{"en", "es", "pt"}, "office")
	assert.ErrorContains(t, err, "pt, which the other folders lack")
}

func TestPhrases(t *testing.T) {
	c, err := phrase.Load(catalogue(map[string]string{
		"en": "gift: '{who} gave {amount}.'\nthing#one: one thing\nthing#other: '{n} things'\n",
		"pt": "gift: '{amount} de {who}.'\nthing#one: '{n} coisa'\nthing#other: '{n} coisas'\n",
		"ht": "gift: '{who} bay {amount}.'\nthing#other: '{n} bagay'\n",
	}), "locales")
	require.NoError(t, err)

	assert.Equal(t, "Ana gave $20.", c.T("en", "gift", "who", "Ana", "amount", "$20"))
	assert.Equal(t, "$20 de Ana.", c.T("pt", "gift", "who", "Ana", "amount", "$20"))
	assert.Equal(t, "Ana gave $20.", c.T("es", "gift", "who", "Ana", "amount", "$20"), "falls back to English")
	assert.Equal(t, "Ana gave {amount}.", c.T("en", "gift", "who", "Ana"))
	assert.Equal(t, "{amount} gave $1.", c.T("en", "gift", "who", "{amount}", "amount", "$1"), "placeholders in a value are not replaced")
	assert.Equal(t, "no.such", c.T("en", "no.such"))

	assert.Equal(t, "one thing", c.N("en", "thing", 1))
	assert.Equal(t, "0 things", c.N("en", "thing", 0))
	assert.Equal(t, "0 coisa", c.N("pt", "thing", 0))
	assert.Equal(t, "2 coisas", c.N("pt", "thing", 2))
	assert.Equal(t, "1 bagay", c.N("ht", "thing", 1))
	assert.Equal(t, "2 things", c.N("es", "thing", 2))
	assert.Equal(t, "no.such", c.N("en", "no.such", 2))

	assert.True(t, c.Has("gift"))
	assert.False(t, c.Has("thing"))
	assert.Equal(t, []string{"gift", "thing#one", "thing#other"}, c.Keys())
	assert.Equal(t, []phrase.Language{"en", "pt", "ht"}, c.Languages())
}

func TestMatch(t *testing.T) {
	both := []phrase.Language{"en", "es"}
	for _, test := range []struct {
		offered       []phrase.Language
		asked, header string
		want          phrase.Language
	}{
		{both, "", "", "en"},
		{both, "es", "en", "es"},
		{both, "ht", "es-MX,es;q=0.9", "es"},
		{both, "../etc", "*", "en"},
		{both, "", "fr, es;q=0.5", "es"},
		{both, "", ";;;===", "en"},
		{[]phrase.Language{"es", "en"}, "", "de", "es"},
		{[]phrase.Language{"en", "pt", "ht"}, "", "pt-BR", "pt"},
		{[]phrase.Language{"en", "pt", "ht"}, "", "ht-HT", "ht"},
		{nil, "es", "es", "en"},
	} {
		t.Run(fmt.Sprintf("%v of %v, header %s", test.asked, test.offered, test.header), func(t *testing.T) {
			assert.Equal(t, test.want, phrase.Match(test.offered, test.asked, test.header), "%+v", test)
		})
	}
}

func TestText(t *testing.T) {
	name := phrase.Text{"es": "Haití", "ht": "Ayiti"}
	assert.Equal(t, "Ayiti", name.In("ht"))
	assert.Equal(t, "Haití", name.In("pt"))
	assert.Equal(t, "", phrase.Text(nil).In("en"))
}

func TestDate(t *testing.T) {
	boston, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	evening := time.Date(2026, time.November, 22, 2, 30, 0, 0, time.UTC).In(boston)
	for lang, want := range map[phrase.Language]string{
		"en": "November 21, 2026",
		"es": "21 de noviembre de 2026",
		"pt": "21 de novembro de 2026",
		"ht": "21 novanm 2026",
		"xx": "November 21, 2026",
	} {
		t.Run(string(lang), func(t *testing.T) {
			assert.Equal(t, want, phrase.Date(lang, evening))
		})
	}
	for lang, want := range map[phrase.Language]string{"en": "January 1, 2027", "es": "1 de enero de 2027", "pt": "1º de janeiro de 2027", "ht": "1ye janvye 2027"} {
		t.Run(string(lang), func(t *testing.T) {
			assert.Equal(t, want, phrase.Date(lang, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)))
		})
	}
	for lang, want := range map[phrase.Language]string{"en": "Nov 21, 2026", "es": "21 nov 2026", "pt": "21 nov 2026", "ht": "21 nov 2026"} {
		assert.Equal(t, want, phrase.ShortDate(lang, evening))
	}
	assert.Equal(t, "1 me 2027", phrase.ShortDate("ht", time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC)))
	assert.Equal(t, phrase.Calendar{
		Pattern: "{day} {month} {year}", First: "1ye", Months: "janvye,fevriye,mas,avril,me,jen,jiyè,out,septanm,oktòb,novanm,desanm",
	}, phrase.HaitianCreole.Calendar())
}

func TestKnown(t *testing.T) {
	for _, lang := range phrase.Known() {
		assert.True(t, lang.Known())
		assert.NotEmpty(t, lang.Name())
	}
	assert.False(t, phrase.Language("xx").Known())
}

func catalogue(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for lang, text := range files {
		fsys["locales/"+lang+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}
