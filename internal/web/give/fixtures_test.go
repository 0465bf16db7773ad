package give_test

import (
	"konbit/internal/giving/contact"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/web/give"
	"konbit/internal/workshop/testkit/pages"
)

// Facts to show: see package pages.
var (
	newView      = pages.NewView
	catalogue    = pages.Words
	usd          = pages.USD
	tsne         = pages.Donee
	centro       = pages.Centro
	frame        = pages.Frame
	receiptWords = pages.ReceiptWords
	checkPage    = pages.Check
)

// writer writes a page.
type writer = pages.Writer

// givePage returns the form of an organisation with three funds.
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

// badPage returns a form that was posted with several bad fields.
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
		{Name: "last_name", Phrase: "give.error.characters"},
		{Name: "email", Phrase: "give.error.email.format"},
	}
	return p
}
