package portal_test

import (
	"io"
	"strings"
	"time"

	"konbit/internal/giving/contact"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/portal"
	"konbit/internal/web/portal/accesspage"
	"konbit/internal/web/portal/giftpage"
)

var someDay = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func ownPage(lang phrase.Language, here string) portal.Page {
	return portal.Page{Frame: frame(lang), Section: here, Token: "token"}
}

func portalGifts(lang phrase.Language) (gifts []portal.GiftItem) {
	for _, state := range []string{"settled", "processing", "held", "failed", "part_returned", "returned"} {
		g := portal.GiftItem{
			Day: someDay, Organisation: centro(lang).Name, Funds: []string{"Red de Liderazgo"}, Amount: usd(2000), NetAmount: usd(1500), State: state, Every: "monthly",
		}
		if state == "settled" {
			g.Every, g.ReceiptURL, g.Number, g.Amount = "", "/portal/gifts/x/receipt", "TSNE-2026-000042", usd(123456789)
		}
		gifts = append(gifts, g)
	}
	return gifts
}

func portalPlans(lang phrase.Language) (plans []giftpage.PlanItem) {
	for _, status := range []string{"active", "paused", "finished", "cancelled", "failed"} {
		p := giftpage.PlanItem{URL: "/portal/plans/x", Organisation: centro(lang).Name, Status: status, Amount: usd(2000), Every: "quarterly", Remaining: -1}
		if status == "active" || status == "paused" {
			p.Next, p.Remaining, p.Failing = someDay, 11, status == "active"
		}
		plans = append(plans, p)
	}
	ending, asked := plans[0], plans[3]
	ending.Next, ending.Ends, asked.Ended = time.Time{}, someDay, "asked"
	return append(plans, ending, asked)
}

func emailChoicePage(lang phrase.Language) accesspage.EmailChoicePage {
	return accesspage.EmailChoicePage{Frame: frame(lang), Kind: "statements", Donee: tsne.Name, Action: "/letters/x?lang=en", Undo: "/letters/x/again?lang=en"}
}

// ownPages returns the pages of signed-in donors and of signing in.
func ownPages(v *view.View, lang phrase.Language) map[string]writer {
	home := portal.HomePage{
		Page: ownPage(lang, "home"), Name: "Ana", Year: 2026,
		Sums: []portal.Total{{Year: usd(24000), All: usd(1234500), Gifts: 42}, {Year: money.New(0, "EUR"), All: money.New(1000, "EUR"), Gifts: 1}},
		Funds: []portal.FundTotal{
			{Fund: "Donde más se necesite", Organisation: centro(lang).Name, Year: usd(20000), All: usd(1000000)},
			{Fund: "Red de Liderazgo", Organisation: centro(lang).Name, Year: usd(4000), All: usd(234500)},
		},
		Plans: portalPlans(lang)[:2], Gifts: portalGifts(lang),
	}
	void := receiptWords(lang)
	void.Voided = &view.Revised{Number: void.Number, Reason: "refund", On: someDay}
	details := portal.DetailsPage{
		Page: ownPage(lang, "details"), Entry: contact.Contact{FirstName: "Marisol", Details: contact.Details{
			Phone: "617 555 0100", AddressLine1: "12 Cypress St", City: "Boston", Region: "MA", PostalCode: "02130", Country: "US",
		}}, PreferredLanguage: lang, Languages: []phrase.Language{"en", "es"},
		EmailChoices: []portal.EmailPreference{{Name: "statements_tsne", Kind: "statements", Donee: tsne.Name}, {Name: "reminders_tsne", Kind: "reminders", Donee: tsne.Name},
			{Name: "news_tsne", Kind: "news", Donee: tsne.Name, Wanted: true}},
		Mailboxes: []portal.LinkedAddress{{Email: "ana@example.org", SignedInWith: true},
			{Email: strings.Repeat("muy-largo-", 8) + "@example.org"}},
		Devices: []portal.Device{{ID: "1", Opened: someDay, Seen: someDay, Here: true}, {ID: "2", Opened: someDay.AddDate(0, -2, 0), Seen: someDay.AddDate(0, 0, -3)}},
		Fresh:   true, Email: "ana@example.org",
	}
	joining, bad, stale := details, details, details
	stale.Fresh = false
	joining.PendingAddress, joining.Done = "ana@work.example", "joined"
	joining.Problems = []fault.Field{{Name: "code", Phrase: "sign_in.error.code_wrong"}}
	for _, name := range []string{"first_name", "last_name", "phone", "city", "country", "email"} {
		bad.Problems = append(bad.Problems, fault.Field{Name: name, Phrase: "give.error.check"})
	}
	email := []fault.Field{{Name: "email", Phrase: "sign_in.error.email"}}
	code := append(email, fault.Field{Name: "code", Phrase: "sign_in.error.code"})
	return map[string]writer{
		"sign in": func(w io.Writer) error {
			return accesspage.SignIn{Frame: frame(lang), SignedOut: true, CodeUsed: true}.Write(w, v)
		},
		"sign in again": func(w io.Writer) error {
			return accesspage.SignIn{Frame: frame(lang), SignInRequired: true, RateLimited: true, Problems: email, Email: "x"}.Write(w, v)
		},
		"sign in, many emails": func(w io.Writer) error {
			return accesspage.SignIn{Frame: frame(lang), RateLimited: true, Wait: 50 * time.Minute, Email: "ana@example.org"}.Write(w, v)
		},
		"step": func(w io.Writer) error {
			return accesspage.StepPage{
				Frame: frame(lang), Lead: "sign_in.step.lead", Button: "sign_in.button", Hint: "sign_in.step.have_one", Step: web.Step{
					Action: "/sign-in", Values: []view.FormValue{{Name: "email", Value: "ana@example.org"}}, Token: "token", Seed: "seed",
					Rounds: 16, Difficulty: 14, Wait: 20 * time.Second,
				},
			}.Write(w, v)
		},
		"step of a code": func(w io.Writer) error {
			return accesspage.StepPage{Frame: frame(lang), Lead: "plan_link.step.lead", Button: "plan_link.open", Step: web.Step{
				Action: "/plans/open?lang=en", Token: "token", Seed: "seed", Rounds: 128, Difficulty: 14, Wait: 4 * time.Minute,
			}}.Write(w, v)
		},
		"code": func(w io.Writer) error {
			return accesspage.SignInCode{Frame: frame(lang), Email: "ana@example.org"}.Write(w, v)
		},
		"code again": func(w io.Writer) error {
			return accesspage.SignInCode{Frame: frame(lang), RateLimited: true, Problems: code}.Write(w, v)
		},
		"link": func(w io.Writer) error {
			return accesspage.SignInLink{Frame: frame(lang), SameBrowser: true}.Write(w, v)
		},
		"link elsewhere": func(w io.Writer) error { return accesspage.SignInLink{Frame: frame(lang)}.Write(w, v) },
		"link failed": func(w io.Writer) error {
			return accesspage.SignInLink{Frame: frame(lang), SameBrowser: true, Failed: true}.Write(w, v)
		},
		"portal": func(w io.Writer) error { return home.Write(w, v) },
		"portal empty": func(w io.Writer) error {
			return portal.HomePage{Page: ownPage(lang, "home"), Year: 2026}.Write(w, v)
		},
		"portal gifts": func(w io.Writer) error {
			return portal.GiftsPage{
				Page: ownPage(lang, "gifts"), Years: []int{2026, 2025}, Year: 2026, Gifts: portalGifts(lang), Sums: home.Sums,
				Organisations: []portal.FilterOption{{Value: "csio", Label: centro(lang).Name, Chosen: true}, {Value: "gi", Label: "Grassroots International"}},
			}.Write(w, v)
		},
		"portal gifts empty": func(w io.Writer) error { return portal.GiftsPage{Page: ownPage(lang, "gifts")}.Write(w, v) },
		"portal plans": func(w io.Writer) error {
			return portal.PlansPage{Page: ownPage(lang, "plans"), Plans: portalPlans(lang)}.Write(w, v)
		},
		"portal plans empty": func(w io.Writer) error { return portal.PlansPage{Page: ownPage(lang, "plans")}.Write(w, v) },
		"portal receipt": func(w io.Writer) error {
			return portal.ReceiptPage{Page: ownPage(lang, "gifts"), Receipt: receiptWords("es"), PDF: "/portal/gifts/x/receipt.pdf"}.Write(w, v)
		},
		"portal receipt void": func(w io.Writer) error {
			return portal.ReceiptPage{Page: ownPage(lang, "gifts"), Receipt: void}.Write(w, v)
		},
		"email choice": func(w io.Writer) error { return emailChoicePage(lang).Write(w, v) },
		"email choice stopped": func(w io.Writer) error {
			p := emailChoicePage(lang)
			p.Stopped = true
			return p.Write(w, v)
		},
		"email choice news stopped": func(w io.Writer) error {
			p := emailChoicePage(lang)
			p.Kind, p.Stopped, p.Undo = "news", true, ""
			return p.Write(w, v)
		},
		"portal details":         func(w io.Writer) error { return details.Write(w, v) },
		"portal details joining": func(w io.Writer) error { return joining.Write(w, v) },
		"portal details bad":     func(w io.Writer) error { return bad.Write(w, v) },
		"portal details stale":   func(w io.Writer) error { return stale.Write(w, v) },
	}
}
