// Package pages holds what the tests of pages, emails and documents share: facts to show, and checks of every page.
package pages

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/templates"
)

// View and catalogue are immutable, so the tests of a package share them.
var (
	sharedWords = sync.OnceValues(func() (*phrase.Catalogue, error) { return view.LoadWords(templates.FS) })
	sharedView  = sync.OnceValues(func() (*view.View, error) {
		words, err := sharedWords()
		if err != nil {
			return nil, err
		}
		return view.New(templates.FS, words)
	})
)

// NewView returns a View of the program's templates and words.
func NewView(t testing.TB) *view.View {
	t.Helper()
	v, err := sharedView()
	require.NoError(t, err)
	return v
}

// Words returns the words that donors read.
func Words(t testing.TB) *phrase.Catalogue {
	t.Helper()
	words, err := sharedWords()
	require.NoError(t, err)
	return words
}

// USD returns an amount in minor units of US dollars.
func USD(minor int64) money.Amount { return money.New(minor, "USD") }

// Donee is a legal entity.
var Donee = view.Donee{Name: "TSNE MissionWorks", EIN: "12-3456789", Address: []string{"1 Example St", "Boston, MA 02111"}}

// Centro returns a sponsored organisation.
func Centro(lang phrase.Language) view.Organisation {
	name := phrase.Text{
		"en": "Center to Support Immigrant Organizing", "es": "Centro de Apoyo a la Organización de Inmigrantes",
		"pt": "Centro de Apoio à Organização de Imigrantes", "ht": "Sant pou Soutni Òganizasyon Imigran yo",
	}
	return view.Organisation{Name: name.In(lang), Donee: Donee, Sponsored: true}
}

// Frame returns the frame of a page.
func Frame(lang phrase.Language) view.Frame {
	return view.Frame{Language: lang, Accent: "#7a1f1f", Switch: []view.LanguageLink{
		{Language: "en", URL: "/give/csio?lang=en", Current: lang == "en"},
		{Language: "es", URL: "/give/csio?lang=es", Current: lang == "es"},
	}}
}

// ReceiptWords returns the facts of a receipt for two funds.
func ReceiptWords(lang phrase.Language) view.ReceiptWords {
	purposes := map[phrase.Language][]view.Purpose{
		"en": {
			{Fund: "Where it is needed most", Purpose: "the work of the Center to Support Immigrant Organizing", Amount: USD(1500)},
			{Fund: "Grassroots Leadership Network", Purpose: "the training of organizers who lead in their own neighborhoods", Amount: USD(550)},
		},
		"es": {
			{Fund: "Donde más se necesite", Purpose: "el trabajo del Centro de Apoyo a la Organización de Inmigrantes", Amount: USD(1500)},
			{Fund: "Red de Liderazgo de Base", Purpose: "la formación de quienes organizan en su propio vecindario", Amount: USD(550)},
		},
		"pt": {
			{Fund: "Onde for mais necessário", Purpose: "o trabalho do Centro de Apoio à Organização de Imigrantes", Amount: USD(1500)},
			{Fund: "Rede de Lideranças de Base", Purpose: "a formação de quem organiza o próprio bairro", Amount: USD(550)},
		},
		"ht": {
			{Fund: "Kote ki gen plis bezwen", Purpose: "travay Sant pou Soutni Òganizasyon Imigran yo", Amount: USD(1500)},
			{Fund: "Rezo Lidè nan Baz la", Purpose: "fòmasyon moun k ap òganize nan pwòp katye yo", Amount: USD(550)},
		},
	}
	return view.ReceiptWords{
		Version: 1, Language: lang, Number: "TSNE-2026-000123",
		Donee: Donee, Organisation: Centro(lang).Name, Sponsored: true, Accent: "#7a1f1f",
		Donor: "Marisol Peña Núñez", Greeting: "Marisol",
		Amount: USD(2050), Charged: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
		Purposes: purposes[lang],
	}
}
