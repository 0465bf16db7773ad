package view_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/contact"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web/give"
	"konbit/templates"
)

func newView(t testing.TB) *view.View {
	t.Helper()
	v, err := view.New(templates.FS, catalogue(t))
	require.NoError(t, err)
	return v
}

func catalogue(t testing.TB) *phrase.Catalogue {
	t.Helper()
	words, err := phrase.Load(templates.FS, templates.DonorWords...)
	require.NoError(t, err)
	return words
}

func usd(minor int64) money.Amount { return money.New(minor, "USD") }

var tsne = view.Donee{Name: "TSNE MissionWorks", EIN: "12-3456789", Address: []string{"1 Example St", "Boston, MA 02111"}}

func centro(lang phrase.Language) view.Organisation {
	name := phrase.Text{
		"en": "Center to Support Immigrant Organizing", "es": "Centro de Apoyo a la Organización de Inmigrantes",
		"pt": "Centro de Apoio à Organização de Imigrantes", "ht": "Sant pou Soutni Òganizasyon Imigran yo",
	}
	return view.Organisation{Name: name.In(lang), Donee: tsne, Sponsored: true}
}

func givePage(lang phrase.Language) give.FormPage {
	funds := map[phrase.Language][]give.Fund{
		"en": {
			{Slug: "general", Name: "Where it is needed most", Purpose: "the work of the Center to Support Immigrant Organizing"},
			{Slug: "gln", Name: "Grassroots Leadership Network", Purpose: "the training of organizers who lead in their own neighborhoods"},
			{Slug: "haiti", Name: "Haiti: Dessalines Brigade", Purpose: "our grants to peasant movements in Haiti"},
		},
		"es": {
			{Slug: "general", Name: "Donde más se necesite", Purpose: "el trabajo del Centro de Apoyo a la Organización de Inmigrantes"},
			{Slug: "gln", Name: "Red de Liderazgo de Base", Purpose: "la formación de quienes organizan en su propio vecindario"},
			{Slug: "haiti", Name: "Haití: Brigada Dessalines", Purpose: "nuestras subvenciones a los movimientos campesinos de Haití"},
		},
		"pt": {
			{Slug: "general", Name: "Onde for mais necessário", Purpose: "o trabalho do Centro de Apoio à Organização de Imigrantes"},
			{Slug: "gln", Name: "Rede de Lideranças de Base", Purpose: "a formação de quem organiza o próprio bairro"},
			{Slug: "haiti", Name: "Haiti: Brigada Dessalines", Purpose: "os nossos repasses aos movimentos camponeses do Haiti"},
		},
		"ht": {
			{Slug: "general", Name: "Kote ki gen plis bezwen", Purpose: "travay Sant pou Soutni Òganizasyon Imigran yo"},
			{Slug: "gln", Name: "Rezo Lidè nan Baz la", Purpose: "fòmasyon moun k ap òganize nan pwòp katye yo"},
			{Slug: "haiti", Name: "Ayiti: Brigad Desalin", Purpose: "sibvansyon nou bay mouvman peyizan an Ayiti"},
		},
	}
	return give.FormPage{
		Frame:        frame(lang),
		Organisation: centro(lang),
		Action:       "/give/csio?lang=" + string(lang),
		FormID:       "0193-form",
		Presets:      []money.Amount{usd(1000), usd(2000), usd(3000)},
		Minimum:      usd(500),
		Maximum:      usd(2500000),
		Funds:        funds[lang],
		Frequencies:  []string{"once"},
		Cover: &give.Cover{BasisPoints: 290, Fixed: 30, Examples: []give.CoverExample{
			{Gift: usd(1000), Cover: usd(61)}, {Gift: usd(2000), Cover: usd(91)}, {Gift: usd(3000), Cover: usd(121)},
		}},
	}
}

func frame(lang phrase.Language) view.Frame {
	return view.Frame{Language: lang, Accent: "#7a1f1f", Switch: []view.LanguageLink{
		{Language: "en", URL: "/give/csio?lang=en", Current: lang == "en"},
		{Language: "es", URL: "/give/csio?lang=es", Current: lang == "es"},
	}}
}

// badPage is a form sent with everything that can be wrong.
func badPage(lang phrase.Language) give.FormPage {
	p := givePage(lang)
	p.Entry = give.Entry{
		Amount: "other", AmountOther: "3", Fund: "gln", Frequency: "once",
		Contact: contact.Contact{FirstName: "Marisol", Email: "marisol@", Details: contact.Details{
			Phone: "617 555 0100", AddressLine1: "12 Cypress St", City: "Boston", Region: "MA", PostalCode: "02130", Country: "US",
		}},
		Note: "Para la gente de East Boston", Anonymous: true,
	}
	p.Problems = []fault.Field{
		{Name: "amount_other", Phrase: "give.error.amount.minimum", Args: fault.Args{"minimum": usd(500)}},
		{Name: "last_name", Phrase: "give.error.last_name.required"},
		{Name: "email", Phrase: "give.error.email.format"},
	}
	return p
}

func receiptWords(lang phrase.Language) view.ReceiptWords {
	purposes := map[phrase.Language][]view.Purpose{
		"en": {
			{Fund: "Where it is needed most", Purpose: "the work of the Center to Support Immigrant Organizing", Amount: usd(1500)},
			{Fund: "Grassroots Leadership Network", Purpose: "the training of organizers who lead in their own neighborhoods", Amount: usd(550)},
		},
		"es": {
			{Fund: "Donde más se necesite", Purpose: "el trabajo del Centro de Apoyo a la Organización de Inmigrantes", Amount: usd(1500)},
			{Fund: "Red de Liderazgo de Base", Purpose: "la formación de quienes organizan en su propio vecindario", Amount: usd(550)},
		},
		"pt": {
			{Fund: "Onde for mais necessário", Purpose: "o trabalho do Centro de Apoio à Organização de Imigrantes", Amount: usd(1500)},
			{Fund: "Rede de Lideranças de Base", Purpose: "a formação de quem organiza o próprio bairro", Amount: usd(550)},
		},
		"ht": {
			{Fund: "Kote ki gen plis bezwen", Purpose: "travay Sant pou Soutni Òganizasyon Imigran yo", Amount: usd(1500)},
			{Fund: "Rezo Lidè nan Baz la", Purpose: "fòmasyon moun k ap òganize nan pwòp katye yo", Amount: usd(550)},
		},
	}
	return view.ReceiptWords{
		Version: 1, Language: lang, Number: "TSNE-2026-000123",
		Donee: tsne, Organisation: centro(lang).Name, Sponsored: true, Accent: "#7a1f1f",
		Donor: "Marisol Peña Núñez", Greeting: "Marisol",
		Amount: usd(2050), Charged: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
		Purposes: purposes[lang],
	}
}
