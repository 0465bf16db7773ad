package week_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/bankfake"
	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

// A week is what two members of the staff do from Monday to Friday.
type week struct {
	t           *testing.T
	s           *e2e.Stack
	june, clara *person // who types; who posts and matches
	checks      []check
	work        map[string]count // by kind of checks
	mails       int              // that have come
	friday      time.Time        // before the week
}

// The days of the week, counted from the Friday before it.
const (
	monday    = 3
	tuesday   = 4
	wednesday = 5
	thursday  = 6
	friday    = 7
)

// firstFriday returns the first Friday of the next month, in the morning of Boston: the business clock moves only forward, and the week is
// in one month.
func firstFriday(now time.Time) time.Time {
	first := time.Date(now.Year(), now.Month()+1, 1, 14, 0, 0, 0, time.UTC)
	return first.AddDate(0, 0, int(time.Friday-first.Weekday()+7)%7)
}

// day returns a day of the week, counted from the Friday before it, as 2026-10-05.
func (w *week) day(n int) string { return w.friday.AddDate(0, 0, n).Format(time.DateOnly) }

// month returns the month as 2026-10.
func (w *week) month() string { return w.friday.Format("2006-01") }

// TestWeek: on Monday sixty checks lie on a desk; on Friday the bank's file is dropped on a page, and every line of it is explained, down to
// gift and fund. Two people do it by keys alone. The bank's file is read in six formats, each into a copy of the same database: the proof is the
// same, and hledger agrees with it. The test logs how many keys and seconds a check takes.
func TestWeek(t *testing.T) {
	s := e2e.Start(t, e2e.Options{Stripe: stripefake.Options{Seed: 16}, Settings: map[string]string{"REQUEST_TIMEOUT": "10s"}})
	w := &week{t: t, s: s, checks: desk(), work: map[string]count{}, friday: firstFriday(time.Now())}
	w.to(0)
	w.know(w.checks)
	w.june, w.clara = newPerson(t, s), newPerson(t, s)
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"sign in", func() { w.june.signIn("June", "entry"); w.clara.signIn("Clara", "finance") }},
		{"cards", func() { w.cards(3); w.to(monday); w.payout(); w.cards(2) }},
		{"typing", w.typing}, {"posting", w.posting}, {"deposit", w.deposit},
		{"transfers", func() { w.to(tuesday); w.transfers() }},
		{"bank", func() { w.to(wednesday); w.payout(); w.to(friday); w.atBank() }},
		{"matching", func() { w.formats(bankfake.Formats()) }},
	} {
		at := time.Now()
		step.do()
		t.Logf("%s: %s", step.name, time.Since(at).Round(100*time.Millisecond))
	}
	for _, kind := range slices.Sorted(maps.Keys(w.work)) {
		t.Logf("%s: %s", kind, w.work[kind])
	}
	// Limits of keys, not of time: a person who types 200 keys a minute has a known donor in six seconds.
	require.Less(t, w.work[knownDonor].each(), 22.0)
	require.Less(t, w.work[newDonor].each(), 50.0)
	require.Less(t, w.work[splitGift].each(), 30.0)
	require.Zero(t, w.work[knownDonor].checks-40+1+1, "one was typed with a wrong amount")
}

// to moves the clock of the stand-in, by which the program works, to a day, later in the day than on the day before: what comes
// two days later has come then.
func (w *week) to(day int) {
	w.t.Helper()
	w.s.Stripe().Advance(w.friday.AddDate(0, 0, day).Add(time.Duration(day) * time.Hour).Sub(w.s.Stripe().Now()))
	w.s.WaitProcessed(2 * patience)
}

// cards gives some times by card, on the form of the organisation.
func (w *week) cards(n int) {
	w.t.Helper()
	for i := range n {
		p := newPerson(w.t, w.s)
		p.open("/give/csio?lang=en")
		p.to("$10")
		p.press(" ")
		p.to("Where it is needed most")
		p.press(" ")
		p.to("#first_name")
		p.press("Card", kb.Tab, "Giver")
		p.to("#email")
		p.press(fmt.Sprintf("card%d.%d@donor.example", n, i))
		p.leads(kb.Enter)
		testkit.Eventually(w.t, patience, func() error {
			if at := eval[string](p, `location.href`); !strings.HasPrefix(at, w.s.StripeURL()) {
				return fmt.Errorf("the page is %s", p.where())
			}
			return nil
		})
		p.loaded()
		p.to("#card_number")
		p.press("4242424242424242", kb.Tab, "1249", kb.Tab, "123", kb.Tab, "Card Giver")
		p.leads(kb.Enter)
		w.mails++
	}
	w.s.WaitProcessed(2 * patience)
}

// payout lets the processor pay out what it has.
func (w *week) payout() {
	w.t.Helper()
	refs, err := w.s.Stripe().Payout("tsne")
	require.NoError(w.t, err)
	require.Len(w.t, refs, 1)
	w.s.WaitProcessed(2 * patience)
}

// letters waits until so many more emails have come.
func (w *week) letters(more int) {
	w.t.Helper()
	w.mails += more
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*patience)
	defer cancel()
	_, err := w.s.Mail().WaitFor(ctx, w.mails)
	require.NoError(w.t, err)
}

// Kinds of checks.
const knownDonor, newDonor, splitGift = "known donor", "new donor", "split over two funds"

// typing: June types sixty checks. One has a wrong amount, which the total shows; one is typed twice, which the page says.
func (w *week) typing() {
	p, wrong, twice := w.june, 56, 58
	begin(p, len(w.checks), decimal(sumOf(w.checks)), "")
	p.hears("textbox", "^Donor")
	for i, c := range w.checks {
		switch {
		case c.isNew:
			w.counted(newDonor, func() { w.new(c) })
		case c.split:
			w.counted(splitGift, func() { w.split(c) })
		case i == wrong:
			w.known(c, "52")
		case i == twice:
			w.known(c, c.amount())
			w.known(c, c.amount())
			p.sees("Row 60 has the number and the amount of row 59")
			p.announced("status", "Row 60 has the number and the amount of row 59")
		default:
			w.counted(knownDonor, func() { w.known(c, c.amount()) })
		}
		if i == 1 {
			w.looks()
		}
	}
	p.sees("61 rows", "-1 rows, ")
	p.picture("batch-typed")
	p.press(kb.Escape, "k", "k")
	p.leads(kb.Enter)
	p.sees("Correct row 60")
	p.axe("a row that is corrected")
	p.picture("batch-row")
	p.to("Remove this row")
	p.leads(kb.Enter)
	p.sees("60 rows", "0 rows, −$27.00")
	p.press(kb.Escape, "k", "k", "k", "k")
	p.leads(kb.Enter)
	p.sees("Correct row 57")
	p.leads(kb.Tab, w.checks[wrong].amount(), kb.Enter)
	p.sees("None: it agrees", "Count and total agree")
	p.picture("batch-agrees")
}

// looks at a row while it is typed, as a screen reader has it: a name that several donors have, one that nobody has, a wrong amount.
func (w *week) looks() {
	p := w.june
	p.leads("centre", kb.Tab, "ten", kb.Enter)
	p.picture("batch-many")
	p.announced("alert", "More than nine donors match")
	p.axe("a row with errors")
	p.open(p.path())
	p.leads("ben", kb.Enter)
	p.hears("group", "^Who gives")
	p.hears("button", "^1 [A-Z]")
	p.picture("batch-choice")
	p.axe("a choice of donors")
	p.leads("1")
	p.on("amount")
	p.announced("status", "Donor: ")
	p.leads("ten", kb.Enter)
	p.on("amount")
	p.announced("alert", "Type an amount such as 25 or 1,250.50.")
	p.hears("textbox", "^Amount")
	p.picture("batch-wrong")
	p.open(p.path())
}

// posting: Clara posts the batch. Receipts go by email; for whom has none there is one document for envelopes.
func (w *week) posting() {
	p := w.clara
	p.to("Batches")
	p.leads(kb.Enter)
	p.axe("the list of batches")
	p.press("j")
	p.leads(kb.Enter)
	p.to("Post the batch")
	p.press(kb.Enter)
	p.to("#post-button")
	p.axe("a batch to post")
	p.leads(kb.Enter)
	p.sees("Posted: 60 gifts")
	byMail := 0
	for _, c := range w.checks {
		if c.email != "" {
			byMail++
		}
	}
	w.letters(byMail)
	p.to(fmt.Sprintf("Print %d papers", len(w.checks)-byMail))
	p.press(kb.Enter)
	file := p.file("batch-1-papers.pdf")
	require.Equal(w.t, len(w.checks)-byMail, strings.Count(runTool(w.t, file, "pdftotext", "-", "-"), "\f"), "one page each")
	papers := pdfText(w.t, file)
	require.Equal(w.t, len(w.checks)-byMail, strings.Count(papers, "No goods or services were provided"))
	for _, c := range w.checks {
		require.Equal(w.t, c.email == "", strings.Contains(papers, c.first+" "+c.last), "%+v", c)
	}
	p.picture("batch-posted")
	w.s.WaitProcessed(2 * patience)
}

// deposit: what was posted goes to the bank, with a slip.
func (w *week) deposit() {
	p := w.clara
	p.to("Deposits")
	p.leads(kb.Enter)
	p.axe("the list of deposits")
	p.to("#submit")
	p.leads(kb.Enter)
	p.sees("60 ")
	p.axe("a deposit")
	p.picture("deposit-open")
	p.to("Close the deposit")
	p.press(kb.Enter)
	p.to("#submit")
	p.leads(kb.Enter)
	p.picture("deposit-closed")
	p.to("Slip as PDF")
	p.press(kb.Enter)
	slip := pdfText(w.t, p.file("deposit-tsne-1.pdf"))
	for _, c := range w.checks {
		require.Contains(w.t, slip, c.number+" "+c.first+" "+c.last)
	}
	require.Contains(w.t, slip, dollars(sumOf(w.checks)))
}
