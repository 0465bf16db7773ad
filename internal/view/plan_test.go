package view_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web/portal"
)

// planPages are the states of a plan's page.
func planPages(lang phrase.Language) map[string]portal.PlanPage {
	day := time.Date(2027, 10, 21, 12, 0, 0, 0, time.UTC)
	p := portal.PlanPage{
		Frame: frame(lang), Organisation: centro(lang), Action: "/plans/ref/key?lang=en", SubmissionID: "press", Status: "active",
		Amount: money.New(2089, "USD"), Covered: money.New(89, "USD"), Every: "monthly", Paid: 3, Of: 12, Next: day, Last: day.AddDate(0, 8, 0),
		Brand: "visa", Last4: "4242", CardURL: "/plans/card/x", Parts: []view.Purpose{{Fund: "A", Amount: money.New(1089, "USD")}, {Fund: "B", Amount: money.New(1000, "USD")}},
		Months: 12, Funds: []portal.FundChoice{{Slug: "a", Name: "A"}, {Slug: "b", Name: "B"}}, Frequencies: []string{"weekly", "monthly", "quarterly", "yearly"},
		CoverOffered: true, Entry: portal.PlanEntry{Amount: "20", Frequency: "monthly"},
	}
	pages := map[string]portal.PlanPage{"active": p}
	for _, status := range []string{"paused", "finished", "cancelled", "failed"} {
		other := p
		other.Status = status
		pages[status] = other
	}
	for _, said := range []string{"pause", "skip", "resume", "cancel", "change", "soon"} {
		other := p
		other.Done = said
		pages["said "+said] = other
	}
	for _, do := range []string{"pause", "skip", "resume", "change"} {
		other := p
		other.Confirm = &portal.PlanConfirm{PlanChange: portal.PlanChange{Kind: do, Amount: p.Amount, Every: "weekly", Next: day, Funds: []string{"A", "B", "C"}}, Do: do, SubmissionID: "x",
			Values: []view.FormValue{{Name: "months", Value: "3"}}}
		pages["confirm "+do] = other
	}
	failing := p
	failing.Of, failing.DeclineReason, failing.Conflict = 0, "funds", true
	for _, name := range []string{"amount_other", "frequency", "fund", "date", "months"} {
		failing.Problems = append(failing.Problems, fault.Field{Name: name, Phrase: "plan.error.date"})
	}
	pages["failing, with problems"] = failing
	return pages
}

// TestPlanLetters: each kind of letter is whole in each language, as text and as HTML.
func TestPlanLetters(t *testing.T) {
	v := newView(t)
	day := time.Date(2027, 10, 21, 12, 0, 0, 0, time.UTC)
	for _, lang := range catalogue(t).Languages() {
		for _, kind := range []string{"failing", "finished", "failed", "cancelled", "paused", "resumed", "skipped", "changed", "mended", "expiring", "upcoming"} {
			subject, text, html, err := v.PlanEmail(view.PlanEmailWords{
				Kind: kind, Language: lang, Donee: tsne, Organisation: "Centro", Greeting: "Ana", Amount: money.New(2000, "USD"), Every: "quarterly",
				N: 12, Given: money.New(24000, "USD"), Next: day, Until: day, Brand: "visa", Last4: "4242", DeclineReason: "funds", Funds: []string{"A", "B"},
				ManageURL: "https://konbit.example/plans/a/b", CardURL: "https://konbit.example/plans/card/c",
			})
			require.NoError(t, err)
			for _, said := range []string{subject, text, html} {
				require.NotEmpty(t, said)
				require.NotContains(t, said, "plan.", kind)
				require.NotContains(t, said, "{", kind)
			}
			require.Contains(t, text, "https://konbit.example/plans/card/c")
			require.Contains(t, html, "https://konbit.example/plans/a/b")
		}
	}
}

// TestInstalmentsReceipt says which of its plan's gifts it is, and with the first what all come to.
func TestInstalmentsReceipt(t *testing.T) {
	v := newView(t)
	r := receiptWords(phrase.English)
	day := time.Date(2027, 10, 21, 0, 0, 0, 0, time.UTC)
	r.Instalment = &view.Instalment{N: 1, Of: 12, Every: "monthly", Each: money.New(2000, "USD"), Sum: money.New(24000, "USD"), Last: day, Next: day, ManageURL: "https://konbit.example/plans/a/b"}
	_, text, html, err := v.ReceiptEmail(r)
	require.NoError(t, err)
	require.Contains(t, text, "1 of 12")
	require.Contains(t, html, "12 payments of $20, the last on October 21, 2027, $240 in all.")
	require.Contains(t, text, "https://konbit.example/plans/a/b")
	r.Instalment.N = 2
	_, text, _, err = v.ReceiptEmail(r)
	require.NoError(t, err)
	require.Contains(t, text, "The next charge of $20 is on October 21, 2027.")
}
