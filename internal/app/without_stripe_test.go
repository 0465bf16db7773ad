package app_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/payment"
	"konbit/internal/office/interchange"
	"konbit/internal/office/takeout"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestT36AWeekWithoutStripe: the processor has ended the account, and answers nothing. For a week the form says how to give by check
// or transfer, gifts by check are settled with their receipts, the office, donors' pages and recurring gifts are shown, the books
// hold, and all data can be taken out.
func TestT36AWeekWithoutStripe(t *testing.T) {
	t.Parallel()
	var gone atomic.Bool
	h := program.New(t, program.Options{UnlimitedSignIn: true, BeforeStripe: func(*http.Request) {
		if gone.Load() {
			panic(http.ErrAbortHandler)
		}
	}})
	two := visitor.NewTwoDonorsIn(t, h)
	h.DeliverNew()
	h.DrainAll()
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	h.RetryParked()
	h.Fake.Advance(72 * time.Hour)
	payouts, err := h.Fake.Payout("tsne")
	require.NoError(t, err)
	_, err = h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	staff := two.Max()
	h.Server.Catalog = fund.NewCatalogCache(h.DB.Server, 0, time.Now)
	h.Exec(`UPDATE legal_entity SET without_cards = true WHERE slug = 'tsne'`)
	gone.Store(true)

	gifts := h.Count(`SELECT count(*) FROM donation`)
	asker := visitor.New(t, h)
	for lang, words := range map[string]string{"en": "By check", "es": "Por cheque"} {
		page := asker.Ask("GET", "/give/csio?amount=20&lang="+lang, nil)
		require.Equal(t, 200, page.StatusCode)
		for _, want := range []string{words, "TSNE MissionWorks", "1 Example Street", "Boston, MA 02111", "gifts@tsne.example"} {
			require.Contains(t, page.Page, want)
		}
		require.NotContains(t, page.Page, "<form")
		require.NotContains(t, page.Page, "<script")
	}
	filled := visitor.FilledForm()
	filled.Set("form", "x")
	require.Equal(t, http.StatusConflict, asker.Ask("POST", "/give/csio", filled).StatusCode, "a form that was opened before")
	require.Equal(t, gifts, h.Count(`SELECT count(*) FROM donation`))

	for day := range 7 {
		h.Fake.Advance(24 * time.Hour)
		g := giver{donor.Donor{FirstName: "Rosa", LastName: "Lima"}, "Rosa Lima"}
		d := recordGift(t, h, g)
		outcomes, err := h.Settle(donation.IncomingPayment{
			EntityID: d.EntityID, Method: payment.Check, DonationID: d.ID, Amount: d.Amount(), PaymentID: program.NewID(), Cause: "test",
			ReceivedAt: time.Date(2026, 1, 2, 17, 0, 0, 0, time.UTC), TaxDate: ledger.Date{Year: 2025, Month: 12, Day: 30},
		})
		require.NoError(t, err)
		require.Equal(t, []donation.Outcome{donation.Booked}, outcomes, "day %d", day)
		requireReceipt(t, h, d.ID, g.name, 10_000)
		_, err = h.Collector.Sweep(t.Context())
		require.Error(t, err, "it reports that the processor is gone, and breaks nothing")
		_, err = h.Sweeper.Sweep(t.Context())
		require.Error(t, err)
		h.RunPlanJobs()

		for _, path := range []string{
			"/office/tsne", "/office/tsne/gifts", "/office/tsne/gifts/" + two.Objects["/portal/gifts/"], "/office/tsne/gifts/" + d.PublicRef,
			"/office/tsne/donors", "/office/tsne/donors/" + d.DonorID.String(), "/office/tsne/refunds", "/office/tsne/disputes", "/office/tsne/suspense",
			"/office/tsne/payouts", "/office/tsne/payouts/" + payouts[0], "/office/tsne/tasks", "/office/tsne/entries", "/office/tsne/audit",
		} {
			require.Equal(t, 200, staff.Ask("GET", path, nil).StatusCode, path)
		}
		for _, path := range []string{"/portal", "/portal/plans/" + two.Objects["/portal/plans/"], "/portal/details", "/portal/records"} {
			require.Equal(t, 200, two.Ana.Ask("GET", path, nil).StatusCode, path)
		}
	}
	report, err := ledger.Verify(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.True(t, report.OK(), "%v", report.Findings)
	for _, row := range h.CheckerRows() {
		require.NotContains(t, row.Checker, "receipt", "%+v", row)
	}
	var journal, archive bytes.Buffer
	require.NoError(t, interchange.ExportJournal(t.Context(), h.DB.Server, &journal, interchange.Hledger, h.Fake.Now()))
	require.Contains(t, journal.String(), "1050")
	to, end := takeout.Zip(&archive, time.Now())
	written, err := takeout.Write(t.Context(), h.DB.Server, uuid.MustParse(h.Lines(`SELECT id::text FROM legal_entity WHERE slug = 'tsne'`)[0]), to, nil)
	require.NoError(t, err)
	require.NoError(t, end())
	rows := map[string]int{}
	for _, w := range written {
		rows[w.Name] = w.Rows
	}
	require.Equal(t, []int{9, 10, 1}, []int{rows["donors.csv"], rows["gifts.csv"], rows["plans.csv"]})

	gone.Store(false)
	h.Exec(`UPDATE legal_entity SET without_cards = false WHERE slug = 'tsne'`)
	require.Contains(t, asker.Ask("GET", "/give/csio", nil).Page, "<form")
	_, err = h.Collector.Sweep(t.Context())
	require.NoError(t, err, "all is as before")
}

// TestFormWithoutAKey: without a key of the processor the form is closed too, in the words of the declarative file if it has some.
func TestFormWithoutAKey(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{NoStripe: true})
	h.Server.Catalog = fund.NewCatalogCache(h.DB.Server, 0, time.Now)
	asker := visitor.New(t, h)
	require.Contains(t, asker.Ask("GET", "/give/csio", nil).Page, "Make the check out to TSNE MissionWorks")
	h.Exec(`UPDATE legal_entity SET giving_by_mail = '{"en": "Zelle to <gifts@tsne.example>.\n\nChecks to P.O. Box 7.", "es": "Por Zelle."}' WHERE slug = 'tsne'`)
	page := asker.Ask("GET", "/give/csio?lang=en", nil).Page
	require.Contains(t, page, "<p>Zelle to &lt;gifts@tsne.example&gt;.</p>\n<p>Checks to P.O. Box 7.</p>")
	require.NotContains(t, page, "1 Example Street")
	require.Contains(t, asker.Ask("GET", "/give/csio?lang=es", nil).Page, "<p>Por Zelle.</p>")
	require.Contains(t, asker.Ask("GET", "/", nil).Page, "/give/csio", "the front page still leads there")
	form := url.Values{"amount": {"20"}}
	require.Equal(t, http.StatusConflict, asker.Ask("POST", "/give/csio", form).StatusCode)
	require.False(t, strings.Contains(h.Log.String(), "unexpected failure"))
}
