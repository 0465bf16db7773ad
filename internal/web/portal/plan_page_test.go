package portal_test

import (
	"bytes"
	"io"
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/plan"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web/portal"
	"konbit/internal/web/portal/accesspage"
	"konbit/internal/web/portal/giftpage"
	"konbit/internal/workshop/testkit/pages"
)

// planPages returns the states of a plan's page.
func planPages(lang phrase.Language) map[string]giftpage.PlanPage {
	day := time.Date(2027, 10, 21, 12, 0, 0, 0, time.UTC)
	p := giftpage.PlanPage{
		Frame: frame(lang), Organisation: centro(lang), Action: "/plans/ref?lang=en", SubmissionID: "press", Status: "active",
		Amount: money.New(2089, "USD"), Covered: money.New(89, "USD"), Every: "monthly", Paid: 3, Of: 12, Next: day, Last: day.AddDate(0, 8, 0),
		Brand: "visa", Last4: "4242", CardURL: "/plans/ref/card?lang=en", Parts: []view.Purpose{{Fund: "A", Amount: money.New(1089, "USD")}, {Fund: "B", Amount: money.New(1000, "USD")}},
		Pauses: []int{1, 2, 12}, Funds: []giftpage.FundChoice{{Slug: "a", Name: "A"}, {Slug: "b", Name: "B"}}, Frequencies: []string{"weekly", "monthly", "quarterly", "yearly"},
		CoverOffered: true, Entry: giftpage.PlanEntry{Amount: "20", Frequency: "monthly"},
	}
	pages := map[string]giftpage.PlanPage{"active": p}
	for _, status := range []string{"paused", "finished", "cancelled", "failed"} {
		other := p
		other.Status = status
		pages[status] = other
	}
	for _, because := range []string{"asked", "unpaid", "disputed", "at_stripe"} {
		other := p
		other.Status, other.Ended = "cancelled", because
		pages["ended "+because] = other
	}
	held, ending := p, p
	held.Status, held.Held, held.Next = "paused", true, time.Time{}
	ending.Ends, ending.Next = day, time.Time{}
	pages["held"], pages["ending"] = held, ending
	discounted := p
	discounted.Discounted = "$15"
	pages["discounted"] = discounted
	discounted.Confirm = &giftpage.PlanConfirm{PlanChange: giftpage.PlanChange{Kind: "change", Amount: p.Amount, Every: "weekly", Next: day, Funds: []string{"A"}}, Do: "change", SubmissionID: "x"}
	pages["discounted confirm"] = discounted
	for _, said := range []string{"pause", "skip", "resume", "cancel", "change", "soon"} {
		other := p
		other.Done = said
		pages["said "+said] = other
	}
	for _, do := range []string{"pause", "skip", "resume", "change"} {
		other := p
		other.Confirm = &giftpage.PlanConfirm{PlanChange: giftpage.PlanChange{Kind: do, Amount: p.Amount, Every: "weekly", Next: day, Funds: []string{"A", "B", "C"}}, Do: do, SubmissionID: "x",
			Values: []view.FormValue{{Name: "months", Value: "3"}}}
		pages["confirm "+do] = other
	}
	failing := p
	failing.Of, failing.DeclineReason, failing.Problem = 0, "funds", "plan.error.state"
	for _, name := range []string{"amount_other", "frequency", "fund", "date", "months"} {
		failing.Problems = append(failing.Problems, fault.Field{Name: name, Phrase: "plan.error.date"})
	}
	pages["failing, with problems"] = failing
	yearly := p
	yearly.Every, yearly.Pauses, yearly.Problems = "yearly", nil, []fault.Field{{Name: "months", Phrase: "plan.error.pause_empty"}}
	pages["yearly, with a pause in which nothing is due"] = yearly
	unchanged := p
	unchanged.Problem = "plan.error.unchanged"
	pages["unchanged"] = unchanged
	more := p
	more.NeedsSession, more.Proof = "plan.error.more", giftpage.PlanProof{Action: "/plans/ref/email?lang=en", Values: []view.FormValue{{Name: "amount", Value: "5000"}}}
	pages["needs a session"] = more
	return pages
}

// TestEveryPage renders every page of the area in every language and state and checks it: see pages.Check.
func TestEveryPage(t *testing.T) {
	v := newView(t)
	for _, lang := range catalogue(t).Languages() {
		for name, write := range everyPage(v, lang) {
			t.Run(string(lang)+"/"+name, func(t *testing.T) {
				var page bytes.Buffer
				require.NoError(t, write(&page))
				checkPage(t, page.String())
			})
		}
	}
}

// everyPage returns every page of the area, in every state.
func everyPage(v *view.View, lang phrase.Language) map[string]writer {
	all := ownPages(v, lang)
	maps.Copy(all, recordsPages(v, lang))
	for name, p := range planPages(lang) {
		all["plan "+name] = func(w io.Writer) error { return p.Write(w, v) }
	}
	uses := []plan.NewCardUse{plan.CardNext, plan.CardNow, plan.CardPaused, plan.CardHeld, plan.CardKept, plan.CardOver}
	var eachUse []giftpage.PlanSummary
	for _, use := range uses {
		eachUse = append(eachUse, giftpage.PlanSummary{Organisation: "Centro", Amount: money.New(2000, "USD"), Every: "monthly", Brand: "visa", Last4: "4242", NewCard: string(use)})
	}
	for _, done := range []bool{false, true} {
		all["card "+strconv.FormatBool(done)] = func(w io.Writer) error {
			return giftpage.PaymentMethodPage{Frame: frame(lang), Organisation: centro(lang), Action: "/plans/card/x?lang=en", Done: done, Confirm: !done,
				Plans: eachUse}.Write(w, v)
		}
	}
	all["card by a link"] = func(w io.Writer) error {
		return giftpage.PaymentMethodPage{Frame: frame(lang), Organisation: centro(lang), Action: "/plans/x/email?lang=en", NeedsSession: true,
			Plans: []giftpage.PlanSummary{{Organisation: "Centro", Amount: money.New(2000, "USD"), Every: "monthly", Brand: "visa", Last4: "4242"}}}.Write(w, v)
	}
	wrong := []fault.Field{{Name: "code", Phrase: "plan_link.error.wrong"}}
	for name, p := range map[string]accesspage.PlanLink{
		"open": {}, "wrong": {Problems: wrong}, "closed": {State: accesspage.LinkClosed}, "failed": {State: accesspage.LinkFailed},
		"ended": {State: accesspage.LinkEnded, Action: "/plans/fresh", Ended: "x"}, "sent": {State: accesspage.LinkSent}, "held": {State: accesspage.LinkHeld, Wait: 90 * time.Second},
		"held for hours": {State: accesspage.LinkHeld, Wait: 5 * time.Hour},
	} {
		p.Frame = frame(lang)
		all["plan link "+name] = func(w io.Writer) error { return p.Write(w, v) }
	}
	for _, held := range []string{"", "sign_in.held", "sign_in.code_held"} {
		all["plan code "+held] = func(w io.Writer) error {
			return accesspage.PlanProof{Frame: frame(lang), Action: "/plans/x/code?lang=en", Back: "/plans/x?lang=en", Held: held}.Write(w, v)
		}
	}
	return all
}

// recordsPages returns the states of the page of statements, data and erasure.
func recordsPages(v *view.View, lang phrase.Language) map[string]writer {
	p := portal.RecordsPage{Page: ownPage(lang, "records")}
	given, confirm, due, refused, obstacle := p, p, p, p, p
	given.Statements = []giftpage.StatementItem{{Year: 2026, Donee: "TSNE MissionWorks", URL: "/portal/statements/2026-x"}}
	confirm.Confirm, due.ErasureDue, refused.Problem = true, someDay, "privacy.error.plan"
	obstacle.Confirm, obstacle.Obstacle = true, "privacy.error.plan"
	obstacle.Plans = []giftpage.PlanItem{{URL: "/portal/plans/x", Organisation: "Centro", Status: "active", Every: "monthly", Amount: money.New(2000, "USD"), Next: someDay, Remaining: -1}}
	all := map[string]writer{}
	for name, each := range map[string]portal.RecordsPage{"empty": p, "given": given, "confirm": confirm, "due": due, "refused": refused, "obstacle": obstacle} {
		all["records "+name] = func(w io.Writer) error { return each.Write(w, v) }
	}
	return all
}

// TestPagesAreAccessible checks every page in a browser: see pages.OpenToEveryone.
func TestPagesAreAccessible(t *testing.T) {
	v := newView(t)
	pages.OpenToEveryone(t, v, everyPage(v, "es"))
}
