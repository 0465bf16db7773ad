package e2e

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/stripefake"
)

// A giftCase is a gift and everything that must be true at its end.
type giftCase struct {
	path   string
	gift   gift
	stripe stripefake.Options
	button string
	due    string   // on the payment page
	thanks string   // heading
	lead   []string // on the thanks page

	date    func(time.Time) string // the charge's date as the reader writes it
	subject string
	from    string
	entity  string   // slug
	receipt []string // in the text, in the HTML and in the document
	never   []string // nowhere in the email

	books []balance
}

var months = strings.Fields("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre")

var giftCases = map[string]giftCase{
	"CSIO in English": {
		path: "/give/csio?lang=en", gift: rosa(), button: "Give $25.50", due: "$25.50",
		thanks: "Thank you", lead: []string{"$25.50", "Center to Support Immigrant Organizing", "TSNE MissionWorks"},
		date:    func(at time.Time) string { return at.Format("January 2, 2006") },
		subject: "Your receipt for $25.50 to Center to Support Immigrant Organizing",
		from:    `"TSNE MissionWorks" <gifts@tsne.example>`, entity: "tsne",
		receipt: []string{
			"Dear Rosa,", "Rosa Núñez-O’Hara", "$25.50", "TSNE MissionWorks", "12-3456789", "Center to Support Immigrant Organizing",
			"Where it is needed most: to support the work of the Center to Support Immigrant Organizing",
			"No goods or services were provided in exchange for this contribution.",
			"Center to Support Immigrant Organizing is a fiscally sponsored project of TSNE MissionWorks. TSNE MissionWorks has exclusive legal control over this contribution",
		},
		never: []string{"rosa@donor.example", "12 Elm Street", "617 555"},
		// The processor's fee is 2.9 % and 30 cents: 104 cents; the sponsor's is 7 % of 25.50, rounded: 179.
		books: []balance{
			{"tsne", "general", "1010", "USD", 2550 - 104 - 179},
			{"tsne", "general", "3900", "USD", 179},
			{"tsne", "general", "4100", "USD", -2550},
			{"tsne", "general", "4900", "USD", 283},
			{"tsne", "general", "4910", "USD", -283},
			{"tsne", "general", "5100", "USD", 104},
			{"tsne", "operations", "1010", "USD", 179},
			{"tsne", "operations", "3900", "USD", -179},
		},
	},
	"CSIO in Spanish": {
		path: "/give/csio?lang=es", gift: gift{
			Amount: "20", Fund: "immigrant-movement-building", First: "José", Last: "Peña", Email: "jose@donor.example", News: true,
		},
		button: "Donar $20", due: "20,00\u00a0USD",
		thanks: "¡Gracias!", lead: []string{"$20", "Centro de Apoyo a la Organización de Inmigrantes", "la construcción del movimiento inmigrante"},
		date: func(at time.Time) string {
			return fmt.Sprintf("%d de %s de %d", at.Day(), months[at.Month()-1], at.Year())
		},
		subject: "Su recibo por $20.00: Centro de Apoyo a la Organización de Inmigrantes",
		from:    `"TSNE MissionWorks" <gifts@tsne.example>`, entity: "tsne",
		receipt: []string{
			"Hola, José:", "José Peña", "$20.00", "TSNE MissionWorks", "12-3456789", "Centro de Apoyo a la Organización de Inmigrantes",
			"Construcción del Movimiento Inmigrante: para apoyar la construcción del movimiento inmigrante del Centro de Apoyo",
			"No se entregaron bienes ni servicios a cambio de esta contribución.",
			"Centro de Apoyo a la Organización de Inmigrantes es un proyecto bajo el patrocinio fiscal de TSNE MissionWorks. TSNE MissionWorks tiene el control legal exclusivo",
		},
		never: []string{"jose@donor.example", "Receipt", "Dear"},
		// 2.9 % and 30 cents: 88; 7 %: 140.
		books: []balance{
			{"tsne", "immigrant-movement-building", "1010", "USD", 2000 - 88 - 140},
			{"tsne", "immigrant-movement-building", "3900", "USD", 140},
			{"tsne", "immigrant-movement-building", "4100", "USD", -2000},
			{"tsne", "immigrant-movement-building", "4900", "USD", 228},
			{"tsne", "immigrant-movement-building", "4910", "USD", -228},
			{"tsne", "immigrant-movement-building", "5100", "USD", 88},
			{"tsne", "operations", "1010", "USD", 140},
			{"tsne", "operations", "3900", "USD", -140},
		},
	},
	// The fee is taken from the balance transaction, not from an estimate: here 2.2 % and 30 cents of 1,234.56, which
	// is 2746 cents. The entity receives the gift in its own name, so there is no sponsor's fee, and the fund is not
	// restricted.
	"Grassroots International": {
		path: "/give/grassroots-international?lang=en", gift: gift{Other: "1,234.56", Fund: "where-needed-most", First: "Amina", Last: "Lindqvist", Email: "amina@donor.example"},
		stripe: stripefake.Options{Fee: stripefake.Fee{BasisPoints: 220, Fixed: 30}},
		button: "Give $1,234.56", due: "$1,234.56",
		thanks: "Thank you", lead: []string{"$1,234.56", "Grassroots International"},
		date:    func(at time.Time) string { return at.Format("January 2, 2006") },
		subject: "Your receipt for $1,234.56 to Grassroots International",
		from:    `"Grassroots International" <gifts@grassroots-international.example>`, entity: "grassroots-international",
		receipt: []string{
			"Dear Amina,", "Amina Lindqvist", "$1,234.56", "98-7654321", "Where it is needed most",
			"No goods or services were provided in exchange for this contribution.",
			"Grassroots International has exclusive legal control over this contribution",
		},
		never: []string{"fiscally sponsored", "TSNE"},
		books: []balance{
			{"grassroots-international", "where-needed-most", "1010", "USD", 123456 - 2746},
			{"grassroots-international", "where-needed-most", "4000", "USD", -123456},
			{"grassroots-international", "where-needed-most", "5100", "USD", 2746},
		},
	},
	// For a foreign recipient the text says "our grants": a gift earmarked for a foreign body is not deductible.
	"a partner abroad, in Spanish": {
		path: "/give/grassroots-international?lang=es", gift: gift{Amount: "10", Fund: "haiti-dessalines-brigade", First: "Ana", Last: "Díaz", Email: "ana@donor.example"},
		button: "Donar $10", due: "10,00\u00a0USD",
		thanks: "¡Gracias!", lead: []string{"$10", "nuestras subvenciones a la Brigada Dessalines en Haití"},
		date: func(at time.Time) string {
			return fmt.Sprintf("%d de %s de %d", at.Day(), months[at.Month()-1], at.Year())
		},
		subject: "Su recibo por $10.00: Grassroots International",
		from:    `"Grassroots International" <gifts@grassroots-international.example>`, entity: "grassroots-international",
		receipt: []string{
			"Hola, Ana:", "Ana Díaz", "$10.00", "Haití: Brigada Dessalines: para apoyar nuestras subvenciones a la Brigada Dessalines en Haití",
			"Grassroots International tiene el control legal exclusivo de esta contribución",
		},
		never: []string{"patrocinio"},
		books: []balance{
			{"grassroots-international", "haiti-dessalines-brigade", "1010", "USD", 1000 - 59},
			{"grassroots-international", "haiti-dessalines-brigade", "4100", "USD", -1000},
			{"grassroots-international", "haiti-dessalines-brigade", "4900", "USD", 59},
			{"grassroots-international", "haiti-dessalines-brigade", "4910", "USD", -59},
			{"grassroots-international", "haiti-dessalines-brigade", "5100", "USD", 59},
		},
	},
}

// TestGift follows gifts from the form to the receipt and checks the exact amount in every place.
func TestGift(t *testing.T) {
	for name, story := range giftCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story.run(t)
		})
	}
}

func (y giftCase) run(t *testing.T) {
	s := Start(t, Options{Stripe: y.stripe, Stopped: true})
	zone := otherDayZone(time.Now())
	s.setTimeZone(zone)
	s.Restart()

	v := visit(t, s, desktop())
	v.open(y.path)
	v.fill(y.gift)
	require.Equal(t, y.button, eval[string](v, `document.getElementById("submit").innerText`))
	v.submit()
	require.Contains(t, v.body(), y.due, "the payment page asks for the same")
	v.pay(goodCard)
	v.waitFor(y.thanks)
	for _, words := range y.lead {
		require.Contains(t, v.body(), words)
	}
	require.NotContains(t, v.body(), y.gift.First, "the page after payment shows nothing of the person")

	charged := s.charged(zone)
	y.checkEmail(t, s, charged)
	s.requireOneGift()
	s.waitBalances(y.books...)
	require.Equal(t, y.books, s.hledgerBooks(), "hledger reckons the same from the exported journal")
	require.Contains(t, s.Konbit("export", "journal", "--format", "hledger"), "\n"+charged.Format(time.DateOnly)+" * payment\n", "booked on the day of the charge")
	s.beancheck()
	for _, personal := range []string{y.gift.First, y.gift.Last, y.gift.Email, y.gift.Phone, y.gift.Street, y.gift.Note, "gift=", "cs_test_"} {
		if personal != "" {
			require.NotContains(t, s.Logs(), personal, "the log knows nobody")
		}
	}

	v.do(chromedp.Navigate(s.MailURL()), chromedp.Click(`a[href^="/messages/"]`, chromedp.ByQuery), chromedp.WaitVisible("iframe", chromedp.ByQuery))
	require.Contains(t, v.body(), y.subject, "the inbox shows the email")
	v.screenshot("mail-" + strings.ReplaceAll(t.Name(), "/", "-"))
}

// otherDayZone returns a time zone with another date than UTC at the current hour.
func otherDayZone(now time.Time) string {
	if now.UTC().Hour() >= 10 {
		return "Pacific/Kiritimati" // 14 hours ahead
	}
	return "Pacific/Pago_Pago" // 11 hours behind
}

// setTimeZone moves the legal entities to another time zone.
func (s *Stack) setTimeZone(zone string) {
	s.t.Helper()
	declared, err := os.ReadFile(filepath.Join(source(s.t), "cmd", "demo", "demo.yaml"))
	require.NoError(s.t, err)
	moved := filepath.Join(s.t.TempDir(), "moved.yaml")
	require.NoError(s.t, os.WriteFile(moved, []byte(strings.ReplaceAll(string(declared), "America/New_York", zone)), 0o600))
	s.Konbit("apply", moved)
}

// charged returns the time of the only charge in a time zone.
func (s *Stack) charged(zone string) time.Time {
	s.t.Helper()
	where, err := time.LoadLocation(zone)
	require.NoError(s.t, err)
	charges := objects[struct{ Created int64 }](s, s.Stripe().State().Charges)
	require.Len(s.t, charges, 1)
	return time.Unix(charges[0].Created, 0).In(where)
}

func (y giftCase) checkEmail(t *testing.T, s *Stack, charged time.Time) {
	message := s.waitForEmails(1)[0]
	require.Equal(t, y.gift.Email, message.To)
	require.Equal(t, y.subject, message.Subject)
	email, err := message.Email()
	require.NoError(t, err)
	require.Equal(t, "<receipts."+y.entity+"."+y.entity+".example>", email.Header.Get("List-Id"))
	require.Equal(t, y.from, email.Header.Get("From"))
	require.Regexp(t, `^receipt\.[0-9a-f-]{36}@`+y.entity+`\.example$`, message.MessageID)

	prefix := strings.ToUpper(y.entity)
	if y.entity == "grassroots-international" {
		prefix = "GI" // receipt_prefix of demo.yaml
	}
	number := fmt.Sprintf("%s-%d-000001", prefix, charged.Year())
	require.Len(t, email.Attachments, 1)
	document := email.Attachments[0]
	require.Equal(t, "application/pdf", document.Type)
	require.Equal(t, number+".pdf", document.Name)
	for part, text := range map[string]string{
		"text": collapseSpace(email.Text), "HTML": collapseSpace(html.UnescapeString(email.HTML)), "document": pdfText(t, document.Body),
	} {
		for _, words := range append([]string{number, y.date(charged)}, y.receipt...) {
			require.Contains(t, text, words, part)
		}
		for _, words := range y.never {
			require.NotContains(t, text, words, part)
		}
	}
}
