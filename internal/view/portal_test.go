package view_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

var someDay = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func portal(lang phrase.Language, here string) view.Portal {
	return view.Portal{Frame: frame(lang), Section: here, Token: "token"}
}

func portalGifts(lang phrase.Language) (gifts []view.PortalGift) {
	for _, state := range []string{"settled", "processing", "held", "failed", "part_returned", "returned"} {
		g := view.PortalGift{
			Day: someDay, Organisation: centro(lang).Name, Funds: []string{"Red de Liderazgo"}, Amount: usd(2000), NetAmount: usd(1500), State: state, Every: "monthly",
		}
		if state == "settled" {
			g.Every, g.ReceiptURL, g.Number, g.Amount = "", "/portal/gifts/x/receipt", "TSNE-2026-000042", usd(123456789)
		}
		gifts = append(gifts, g)
	}
	return gifts
}

func portalPlans(lang phrase.Language) (plans []view.PortalPlan) {
	for _, status := range []string{"active", "paused", "finished", "cancelled", "failed"} {
		p := view.PortalPlan{URL: "/portal/plans/x", Organisation: centro(lang).Name, Status: status, Amount: usd(2000), Every: "quarterly", Remaining: -1}
		if status == "active" || status == "paused" {
			p.Next, p.Remaining, p.Failing = someDay, 11, status == "active"
		}
		plans = append(plans, p)
	}
	return plans
}

func lettersPage(lang phrase.Language) view.EmailChoicePage {
	return view.EmailChoicePage{Frame: frame(lang), Kind: "statements", Donee: tsne.Name, Action: "/letters/x?lang=en", Undo: "/letters/x/again?lang=en"}
}

// ownPages are a donor's own, and the way to them.
func ownPages(v *view.View, lang phrase.Language) map[string]writer {
	home := view.PortalHomePage{
		Portal: portal(lang, "home"), Name: "Ana", Year: 2026,
		Sums: []view.GivenSum{{Year: usd(24000), All: usd(1234500), Gifts: 42}, {Year: money.New(0, "EUR"), All: money.New(1000, "EUR"), Gifts: 1}},
		Funds: []view.GivenFund{
			{Fund: "Donde más se necesite", Organisation: centro(lang).Name, Year: usd(20000), All: usd(1000000)},
			{Fund: "Red de Liderazgo", Organisation: centro(lang).Name, Year: usd(4000), All: usd(234500)},
		},
		Plans: portalPlans(lang)[:2], Gifts: portalGifts(lang),
	}
	void := receiptWords(lang)
	void.Voided = &view.Revised{Number: void.Number, Reason: "refund", On: someDay}
	details := view.PortalDetailsPage{
		Portal: portal(lang, "details"), Entry: badPage(lang).Entry, PreferredLanguage: lang, Languages: []phrase.Language{"en", "es"},
		EmailChoices: []view.EmailPreference{{Name: "statements_tsne", Kind: "statements", Donee: tsne.Name}, {Name: "reminders_tsne", Kind: "reminders", Donee: tsne.Name},
			{Name: "news_tsne", Kind: "news", Donee: tsne.Name, Wanted: true}},
		Mailboxes: []view.PortalMailbox{{Email: "ana@example.org", SignedInWith: true},
			{Email: strings.Repeat("muy-largo-", 8) + "@example.org"}},
	}
	joining, bad := details, details
	joining.PendingAddress, joining.Done = "ana@work.example", "joined"
	joining.Problems = []fault.Field{{Name: "code", Phrase: "sign_in.error.code_wrong"}}
	for _, name := range []string{"first_name", "last_name", "phone", "city", "country", "email"} {
		bad.Problems = append(bad.Problems, fault.Field{Name: name, Phrase: "give.error.check"})
	}
	email := []fault.Field{{Name: "email", Phrase: "sign_in.error.email"}}
	code := append(email, fault.Field{Name: "code", Phrase: "sign_in.error.code"})
	return map[string]writer{
		"sign in": func(w io.Writer) error { return v.SignIn(w, view.SignInPage{Frame: frame(lang), SignedOut: true}) },
		"sign in again": func(w io.Writer) error {
			return v.SignIn(w, view.SignInPage{Frame: frame(lang), SignInRequired: true, RateLimited: true, Problems: email, Email: "x"})
		},
		"code": func(w io.Writer) error {
			return v.SignInCode(w, view.SignInCodePage{Frame: frame(lang), Email: "ana@example.org"})
		},
		"code again": func(w io.Writer) error {
			return v.SignInCode(w, view.SignInCodePage{Frame: frame(lang), RateLimited: true, Problems: code})
		},
		"link": func(w io.Writer) error {
			return v.SignInLink(w, view.SignInLinkPage{Frame: frame(lang), SameBrowser: true})
		},
		"link elsewhere": func(w io.Writer) error { return v.SignInLink(w, view.SignInLinkPage{Frame: frame(lang)}) },
		"link failed": func(w io.Writer) error {
			return v.SignInLink(w, view.SignInLinkPage{Frame: frame(lang), SameBrowser: true, Failed: true})
		},
		"portal": func(w io.Writer) error { return v.PortalHome(w, home) },
		"portal empty": func(w io.Writer) error {
			return v.PortalHome(w, view.PortalHomePage{Portal: portal(lang, "home"), Year: 2026})
		},
		"portal gifts": func(w io.Writer) error {
			return v.PortalGifts(w, view.PortalGiftsPage{
				Portal: portal(lang, "gifts"), Years: []int{2026, 2025}, Year: 2026, Gifts: portalGifts(lang), Sums: home.Sums,
				Organisations: []view.FilterOption{{Value: "csio", Label: centro(lang).Name, Chosen: true}, {Value: "gi", Label: "Grassroots International"}},
			})
		},
		"portal gifts empty": func(w io.Writer) error { return v.PortalGifts(w, view.PortalGiftsPage{Portal: portal(lang, "gifts")}) },
		"portal plans": func(w io.Writer) error {
			return v.PortalPlans(w, view.PortalPlansPage{Portal: portal(lang, "plans"), Plans: portalPlans(lang)})
		},
		"portal plans empty": func(w io.Writer) error { return v.PortalPlans(w, view.PortalPlansPage{Portal: portal(lang, "plans")}) },
		"portal receipt": func(w io.Writer) error {
			return v.PortalReceipt(w, view.PortalReceiptPage{Portal: portal(lang, "gifts"), Receipt: receiptWords("es"), PDF: "/portal/gifts/x/receipt.pdf"})
		},
		"portal receipt void": func(w io.Writer) error {
			return v.PortalReceipt(w, view.PortalReceiptPage{Portal: portal(lang, "gifts"), Receipt: void})
		},
		"letters": func(w io.Writer) error { return v.EmailChoice(w, lettersPage(lang)) },
		"letters stopped": func(w io.Writer) error {
			p := lettersPage(lang)
			p.Kind, p.Stopped = "news", true
			return v.EmailChoice(w, p)
		},
		"portal details":         func(w io.Writer) error { return v.PortalDetails(w, details) },
		"portal details joining": func(w io.Writer) error { return v.PortalDetails(w, joining) },
		"portal details bad":     func(w io.Writer) error { return v.PortalDetails(w, bad) },
	}
}

func TestSignInLetter(t *testing.T) {
	v := newView(t)
	for _, lang := range catalogue(t).Languages() {
		for _, link := range []string{"https://give.example/sign-in/link?lang=es#s3cret", ""} {
			subject, text, html, err := v.SignInEmail(view.SignInEmailWords{Language: lang, Donee: tsne, Link: link, Code: "12345678"})
			require.NoError(t, err)
			assert.NotContains(t, subject, "1234", "nothing to be read on a locked screen")
			for _, body := range []string{text, html} {
				assert.Contains(t, body, "1234 5678")
				assert.Equal(t, link != "", strings.Contains(body, "s3cret"))
				assert.NotContains(t, body, "<img")
				assert.NotContains(t, body, "sign_in.")
				assert.LessOrEqual(t, strings.Count(body, "http"), 1, "no other link")
			}
		}
	}
}
