package e2e

import (
	"html"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

// The gift of this file: $20 for three funds, with the fee covered. The entity estimates 2.9 % and 30 cents, so 91
// cents are added: 20.91 minus 2.9 % minus 30 cents is 20 dollars. By the largest-remainder method the funds get 46, 25
// and 20 of the 91 cents.
var sharedBooks = []balance{
	{"tsne", "general", "1010", "USD", 1046 - 46 - 73},
	{"tsne", "general", "3900", "USD", 73},
	{"tsne", "general", "4100", "USD", -1046},
	{"tsne", "general", "4900", "USD", 46 + 73},
	{"tsne", "general", "4910", "USD", -46 - 73},
	{"tsne", "general", "5100", "USD", 46},
	{"tsne", "grassroots-leadership-network", "1010", "USD", 575 - 25 - 40},
	{"tsne", "grassroots-leadership-network", "3900", "USD", 40},
	{"tsne", "grassroots-leadership-network", "4100", "USD", -575},
	{"tsne", "grassroots-leadership-network", "4900", "USD", 25 + 40},
	{"tsne", "grassroots-leadership-network", "4910", "USD", -25 - 40},
	{"tsne", "grassroots-leadership-network", "5100", "USD", 25},
	{"tsne", "immigrant-movement-building", "1010", "USD", 470 - 20 - 33},
	{"tsne", "immigrant-movement-building", "3900", "USD", 33},
	{"tsne", "immigrant-movement-building", "4100", "USD", -470},
	{"tsne", "immigrant-movement-building", "4900", "USD", 20 + 33},
	{"tsne", "immigrant-movement-building", "4910", "USD", -20 - 33},
	{"tsne", "immigrant-movement-building", "5100", "USD", 20},
	{"tsne", "operations", "1010", "USD", 73 + 40 + 33},
	{"tsne", "operations", "3900", "USD", -73 - 40 - 33},
}

// ana gives in Spanish, in memory of a person, and has a card sent.
func ana() gift { return gift{Amount: "20", First: "Ana", Last: "Díaz", Email: "ana@donor.example"} }

// TestSharedGift gives to three funds with the fee covered, with amounts typed and with amounts that the script fills
// in.
func TestSharedGift(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s, phone())
	v.open("/give/csio?lang=es&fund=immigrant-movement-building")
	v.fill(ana())
	v.openDetails("split", "dedicate")
	left := func(want string) {
		t.Helper()
		require.Equal(t, want, eval[string](v, `document.getElementById("split-left").innerText`))
	}
	v.do(chromedp.SendKeys("#split-0", "10", chromedp.ByID))
	left("Quedan $10 por repartir")
	require.False(t, eval[bool](v, `[...document.querySelectorAll("[name=fund]")].some(fund => fund.checked)`), "a share takes the choice back")
	v.do(chromedp.SendKeys("#split-1", "5,50", chromedp.ByID), chromedp.SendKeys("#split-2", "5", chromedp.ByID))
	left("$0.50 más que su donación")
	v.do(chromedp.SendKeys("#split-2", kb.Backspace+"4.50", chromedp.ByID))
	left("Toda su donación está repartida.")

	require.Equal(t, "Donar $20", eval[string](v, `document.getElementById("submit").innerText`))
	require.False(t, eval[bool](v, `document.getElementById("cover_fees").checked`), "never ticked before the donor does")
	require.Equal(t, "Agregar $0.91, para que mis $20 lleguen completos", eval[string](v, `document.querySelector('[for="cover_fees"]').innerText`))
	v.click(`//label[@for="cover_fees"]`)
	require.Equal(t, "Donar $20.91", eval[string](v, `document.getElementById("submit").innerText`))
	require.Contains(t, eval[string](v, `document.getElementById("charge").innerText`), "$20.91")
	require.Empty(t, testkit.Axe(t, v.ctx))
	v.requireFitsPhone("the form unfolded")
	v.dedicate()
	v.submit()
	v.paySharedGift(s)
}

// TestSharedGiftNoScript gives the same without JavaScript and corrects mistakes on the way.
func TestSharedGiftNoScript(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s, emulation.SetScriptExecutionDisabled(true))
	v.open("/give/csio?lang=es")
	v.fill(ana())
	require.Contains(t, v.body(), "Cubrirla agrega $0.61 a $10, $0.91 a $20, $1.21 a $30.")
	v.openDetails("split", "dedicate")
	v.do(chromedp.SendKeys("#split-0", "10", chromedp.ByID), chromedp.SendKeys("#split-1", "5,50", chromedp.ByID))
	v.click(`//label[@for="cover_fees"]`)
	v.dedicate()
	v.do(chromedp.SendKeys("#card_message", " www.example.org", chromedp.ByID))
	v.navigate(func() { v.click("#submit") })
	v.do(chromedp.WaitVisible("#errors", chromedp.ByID))
	require.Contains(t, v.body(), "Las partes suman $15.50, pero su donación es de $20")
	require.Contains(t, v.body(), "La tarjeta no puede llevar enlaces")
	require.Equal(t, []string{"#split-0", "#card_message"},
		eval[[]string](v, `[...document.querySelectorAll("#errors a")].map(link => link.getAttribute("href")).sort().reverse()`))
	v.do( // the part with the mistake is open, and it shows the correct values again
		chromedp.SendKeys("#split-2", "4.50", chromedp.ByID),
		chromedp.Clear("#card_message", chromedp.ByID), chromedp.SendKeys("#card_message", "Siempre con nosotros.", chromedp.ByID),
	)
	v.submit()
	v.paySharedGift(s)
}

// TestSharedGiftComesBack shows the form of an unpaid gift with the values that were filled in.
func TestSharedGiftComesBack(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s, desktop())
	v.open("/give/csio?lang=es")
	v.fill(ana())
	v.openDetails("split", "dedicate")
	v.share()
	v.click(`//label[@for="cover_fees"]`)
	v.dedicate()
	v.submit()
	v.navigate(func() { v.click(".leave a") })
	v.do(chromedp.WaitVisible("#split-2", chromedp.ByID))
	require.Equal(t, []string{"20", "10", "5.50", "4.50", "memory", "Abuela Carmen", "Tía Rosa", "rosa@card.example", "Siempre con nosotros."},
		eval[[]string](v, `(() => { const f = document.getElementById("give").elements; return [f.amount, f["split-0"], f["split-1"], f["split-2"],
			f.dedication, f.dedication_name, f.card_name, f.card_email, f.card_message].map(field => field.value) })()`))
	require.True(t, eval[bool](v, `document.getElementById("cover_fees").checked`))
	v.submit()
	v.paySharedGift(s)
}

// openDetails opens parts of the form by their summaries.
func (v *visitor) openDetails(ids ...string) {
	v.t.Helper()
	for _, id := range ids {
		v.click(`//details[@id="` + id + `"]/summary`)
	}
}

func (v *visitor) share() {
	v.t.Helper()
	v.do(chromedp.SendKeys("#split-0", "10", chromedp.ByID), chromedp.SendKeys("#split-1", "5.50", chromedp.ByID), chromedp.SendKeys("#split-2", "4.50", chromedp.ByID))
}

func (v *visitor) dedicate() {
	v.t.Helper()
	v.click(label("dedication", "memory"))
	v.do(
		chromedp.SendKeys("#dedication_name", "Abuela Carmen", chromedp.ByID), chromedp.SendKeys("#card_name", "Tía Rosa", chromedp.ByID),
		chromedp.SendKeys("#card_email", "rosa@card.example", chromedp.ByID), chromedp.SendKeys("#card_message", "Siempre con nosotros.", chromedp.ByID),
	)
}

// paySharedGift pays the gift for several funds and checks it to the end.
func (v *visitor) paySharedGift(s *Stack) {
	t := v.t
	t.Helper()
	require.Equal(t, [][]string{
		{"Donde más se necesite", "10,00\u00a0USD"}, {"Red de Liderazgo de Base", "5,50\u00a0USD"}, {"Construcción del Movimiento Inmigrante", "4,50\u00a0USD"},
		{"Por la comisión de procesamiento", "0,91\u00a0USD"},
	}, v.lines())
	v.pay(goodCard)
	v.waitFor("¡Gracias!")
	for _, words := range []string{"$20.91", "Donde más se necesite\n$10\n", "Red de Liderazgo de Base\n$5.50", "Construcción del Movimiento Inmigrante\n$4.50", "Comisión de procesamiento, que usted cubre\n$0.91"} {
		require.Contains(t, v.body(), words)
	}
	require.NotContains(t, v.body(), "Carmen", "the page after payment shows nothing of people")

	for _, message := range s.waitForEmails(2) {
		switch message.To {
		case "ana@donor.example":
			requireSharedReceipt(t, message)
		case "rosa@card.example":
			requireCard(t, message)
		default:
			t.Fatalf("an email to %s", message.To)
		}
	}
	s.waitBalances(sharedBooks...)
	require.Equal(t, sharedBooks, s.hledgerBooks(), "hledger reckons the same from the exported journal")
	s.beancheck()
	require.Equal(t, 1, s.count(`SELECT count(*) FROM journal_entry WHERE kind = 'payment'`), "one gift is one entry")
}

// lines returns the rows of the payment page.
func (v *visitor) lines() [][]string {
	v.t.Helper()
	return eval[[][]string](v, `[...document.querySelectorAll("tbody tr")].map(row => [...row.cells].map(cell => cell.innerText))`)
}

func requireSharedReceipt(t *testing.T, message mailcatch.Message) {
	t.Helper()
	email, err := message.Email()
	require.NoError(t, err)
	require.Len(t, email.Attachments, 1)
	for where, text := range map[string]string{
		"text": collapseSpace(email.Text), "HTML": collapseSpace(html.UnescapeString(email.HTML)), "document": pdfText(t, email.Attachments[0].Body),
	} {
		for _, words := range []string{"$20.91", "$10.46", "$5.75", "$4.70", "$0.91, parte de su donación", "En memoria de", "Abuela Carmen"} {
			require.Contains(t, text, words, where)
		}
		require.NotContains(t, text, "Siempre con nosotros", "what the card says is not the tax authority's business")
	}
}

func requireCard(t *testing.T, message mailcatch.Message) {
	t.Helper()
	require.Equal(t, "Una donación en memoria de Abuela Carmen", message.Subject)
	require.Regexp(t, `^card\.[0-9a-f-]{36}@tsne\.example$`, message.MessageID)
	email, err := message.Email()
	require.NoError(t, err)
	require.Equal(t, "<cards.tsne.tsne.example>", email.Header.Get("List-Id"))
	require.Empty(t, email.Attachments)
	for where, text := range map[string]string{"text": collapseSpace(email.Text), "HTML": collapseSpace(html.UnescapeString(email.HTML))} {
		for _, words := range []string{"Hola, Tía Rosa:", "Ana Díaz hizo una donación", "en memoria de Abuela Carmen", "Siempre con nosotros."} {
			require.Contains(t, text, words, where)
		}
		require.NotRegexp(t, `\$|20[.,]91|ana@donor`, text, "neither how much nor the giver's address")
	}
}

// TestCardWithoutName: the card does not name a donor who wants to stay anonymous.
func TestCardWithoutName(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	form := form("Rosa")
	for name, value := range map[string]string{
		"dedication": "honour", "dedication_name": "Nana", "card_name": "Bea", "card_email": "bea@card.example", "anonymous": "yes",
	} {
		form.Set(name, value)
	}
	require.NoError(t, s.Stripe().Pay(s.begin("csio", form).session, stripefake.GoodCard))
	for _, message := range s.waitForEmails(2) {
		if message.To == "bea@card.example" {
			email, err := message.Email()
			require.NoError(t, err)
			require.Contains(t, email.Text, "would rather not be named")
			require.NotContains(t, email.Text+email.HTML, "Rosa")
		}
	}
}
