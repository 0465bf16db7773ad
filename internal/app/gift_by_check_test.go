package app_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/contact"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/payment"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/mail/paper"
	"konbit/internal/office/privacy"
	"konbit/internal/office/statement"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/offlinepay"
	"konbit/internal/workshop/testkit/program"
)

// giver is a donor without an e-mail address, with the name that papers print.
type giver struct {
	donor donor.Donor
	name  string
}

var (
	rosa = giver{donor.Donor{FirstName: "Rosa", LastName: "Lima"}, "Rosa Lima"}
	coop = giver{donor.Donor{Kind: donor.Organisation, OrganisationName: "Elm Street Co-op"}, "Elm Street Co-op"}
)

// TestGiftByCheckFromStoringToErasure follows the gifts of donors without an e-mail address, paid by check, in a
// program without a payment processor: stored, settled, booked, receipted, refunded, stated, copied and erased. Every
// checker finds nothing after each step, and no email is enqueued.
func TestGiftByCheckFromStoringToErasure(t *testing.T) {
	t.Parallel()
	for _, g := range []giver{rosa, coop} {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			h := program.New(t, program.Options{NoStripe: true})
			other := recordGift(t, h, giver{donor.Donor{FirstName: "Another", LastName: "Donor"}, ""})
			d := recordGift(t, h, g)
			require.NotEqual(t, other.DonorID, d.DonorID, "donors without an address are not the same donor")
			quiet(t, h)

			paid := donation.IncomingPayment{
				EntityID: d.EntityID, Method: payment.Check, DonationID: d.ID, Amount: d.Amount(), PaymentID: program.NewID(), Cause: "test",
				ReceivedAt: time.Date(2026, 1, 2, 17, 0, 0, 0, time.UTC), TaxDate: ledger.Date{Year: 2025, Month: 12, Day: 30},
			}
			outcomes, err := h.Settle(paid)
			require.NoError(t, err)
			require.Equal(t, []donation.Outcome{donation.Booked}, outcomes)
			require.Equal(t, donation.Settled, h.Gift(d.ID).Status)
			require.Contains(t, h.Postings(d), "payment | general | 1050 | 10000")
			quiet(t, h)
			requireReceipt(t, h, d.ID, g.name, 10_000)

			require.Equal(t, int64(10_000), stated(t, h, d, g.name).Facts.Total.Minor)
			refund(t, h, d, paid.PaymentID, 4_000)
			quiet(t, h)
			requireReceipt(t, h, d.ID, g.name, 6_000)
			require.Equal(t, int64(6_000), stated(t, h, d, g.name).Facts.Total.Minor)
			entity, err := h.CurrentCatalog().EntityByID(d.EntityID)
			require.NoError(t, err)
			tally, err := h.Statements.Issue(t.Context(), entity, 2025, nil)
			require.NoError(t, err)
			require.Equal(t, 1, tally.Issued)
			quiet(t, h)
			copied := dataCopy(t, h, d)
			require.Contains(t, copied, g.donor.FirstName+g.donor.OrganisationName)
			require.NotContains(t, copied, "Another")

			refund(t, h, d, paid.PaymentID, 6_000)
			quiet(t, h)
			_, err = h.Statements.Issue(t.Context(), entity, 2025, nil)
			require.NoError(t, err)
			require.Zero(t, stated(t, h, d, g.name).Facts.Total.Minor)
			require.Empty(t, h.Lines(`SELECT account_code FROM posting WHERE account_code IN ('1050', '2300') GROUP BY 1 HAVING sum(amount) NOT IN (10000, -10000)`))

			_, err = ledger.Seal(t.Context(), h.DB.Server)
			require.NoError(t, err)
			erase(t, h, d.DonorID)
			require.NotContains(t, dataCopy(t, h, d), g.donor.FirstName+g.donor.OrganisationName)
			require.Equal(t, 1, h.Count(`SELECT count(*) FROM donor WHERE first_name = 'Another'`), "the other donor is not erased")
			h.RequireNoFindings()
		})
	}
}

// TestGiftByCheckGetsAnAddress: the receipt of a gift by check has no address. The office learns it and corrects the
// receipt. The emails about a refund of a part and of the rest go to that address.
func TestGiftByCheckGetsAnAddress(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{NoStripe: true})
	d := recordGift(t, h, rosa)
	paid := donation.IncomingPayment{
		EntityID: d.EntityID, Method: payment.Check, DonationID: d.ID, Amount: d.Amount(), PaymentID: program.NewID(), Cause: "test",
		ReceivedAt: time.Date(2026, 1, 2, 17, 0, 0, 0, time.UTC), TaxDate: ledger.Date{Year: 2025, Month: 12, Day: 30},
	}
	_, err := h.Settle(paid)
	require.NoError(t, err)
	issued, err := receipt.ValidOf(t.Context(), h.DB.Server, d.ID)
	require.NoError(t, err)
	require.NoError(t, mail.Resender{Receipts: h.Receipts, Queue: h.Queue}.Redirect(t.Context(), *issued, "rosa@example.org", "staff"))
	refund(t, h, d, paid.PaymentID, 4_000)
	replaced, err := receipt.ValidOf(t.Context(), h.DB.Server, d.ID)
	require.NoError(t, err)
	require.Empty(t, replaced.Facts.Email)
	refund(t, h, d, paid.PaymentID, 6_000)
	require.Equal(t, []string{
		"receipt_letter " + issued.ID.String(), "notice_letter", "receipt_letter " + replaced.ID.String(), "notice_letter", "receipt_void_letter " + replaced.ID.String(),
	}, h.Lines(`SELECT concat_ws(' ', kind, args->>'receipt_id') FROM river_job ORDER BY id`), "the notices say that it was refunded in another year")
	require.NoError(t, h.Receipts.MailVoid(t.Context(), replaced.ID))
	require.Equal(t, "rosa@example.org", h.Mail.Messages()[0].To)
}

// recordGift stores a gift of $100 as an office does.
func recordGift(t *testing.T, h *program.Program, g giver) donation.Donation {
	t.Helper()
	offer, of := h.Offer("csio"), g.donor
	of.ID, of.Language, of.CreatedAt = program.NewID(), "en", time.Now()
	record := donation.Record{
		ID: program.NewID(), PublicRef: program.NewRef(), EntityID: offer.Entity.ID, OrganisationID: offer.Organisation.ID, Source: donation.FromOffice,
		Donor: of, Language: "en", At: time.Now(), Cause: "test",
		Contact: donation.Contact{Contact: contact.Contact{
			FirstName: of.FirstName, LastName: of.LastName, OrganisationName: of.OrganisationName,
			Details: contact.Details{AddressLine1: "9 Elm St", City: "Lynn", Region: "MA", PostalCode: "01901"},
		}},
		Parts: []donation.Designation{{FundID: offer.Funds[0].ID, Amount: money.New(10_000, "USD"), Covered: money.New(0, "USD")}},
	}
	var d donation.Donation
	inTx(t, h, func(ctx context.Context, tx *sqlx.Tx) (err error) {
		d, err = donation.RecordTx(ctx, tx, record)
		return err
	})
	return d
}

func inTx(t *testing.T, h *program.Program, do func(ctx context.Context, tx *sqlx.Tx) error) {
	t.Helper()
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error { return do(t.Context(), tx) }))
}

// quiet checks that no checker finds anything and that no job waits.
func quiet(t *testing.T, h *program.Program) {
	t.Helper()
	h.RequireNoFindings()
	require.Empty(t, h.Lines(`SELECT kind FROM river_job`))
	require.Empty(t, h.Lines(`SELECT kind FROM finance_task`))
}

// requireReceipt checks the only valid receipt of a gift, and that it can be printed.
func requireReceipt(t *testing.T, h *program.Program, gift uuid.UUID, name string, minor int64) {
	t.Helper()
	issued, err := receipt.ValidOf(t.Context(), h.DB.Server, gift)
	require.NoError(t, err)
	require.Equal(t, money.New(minor, "USD"), issued.Facts.Amount)
	require.Equal(t, "2025-12-30", issued.Facts.ChargedOn)
	words, err := paper.ReceiptWords(*issued)
	require.NoError(t, err)
	require.Equal(t, name, words.Donor)
	pdf, err := h.View.ReceiptPDF(words)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(pdf, []byte("%PDF")))
}

// stated returns the donor's statement of 2025, after checking its name and that it can be printed.
func stated(t *testing.T, h *program.Program, d donation.Donation, name string) statement.Statement {
	t.Helper()
	donors, err := donor.ByIDs(t.Context(), h.DB.Server, []uuid.UUID{d.DonorID})
	require.NoError(t, err)
	s, err := h.Statements.ForDonor(t.Context(), donors[0], 2025)
	require.NoError(t, err)
	require.Len(t, s.Facts.Gifts, 1)
	words, err := paper.StatementWords(s)
	require.NoError(t, err)
	require.Equal(t, name, words.Donor)
	require.NotEmpty(t, words.DonorAddress)
	pdf, err := h.View.StatementPDF(words)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(pdf, []byte("%PDF")))
	return s
}

// refund refunds a part of a check.
func refund(t *testing.T, h *program.Program, d donation.Donation, paid uuid.UUID, minor int64) {
	t.Helper()
	inTx(t, h, func(ctx context.Context, tx *sqlx.Tx) error {
		booked, err := offlinepay.Booker{Booker: h.Booker}.RefundOfflineTx(ctx, tx, h.CurrentCatalog(), offlinepay.OfflineRefund{
			EntityID: d.EntityID, OrderID: program.NewID(), PaymentID: paid, Amount: money.New(minor, "USD"), At: time.Now(),
		})
		require.True(t, booked)
		return err
	})
}

// dataCopy returns the copy of what is stored about a gift's donor.
func dataCopy(t *testing.T, h *program.Program, d donation.Donation) string {
	t.Helper()
	donors, err := donor.ByIDs(t.Context(), h.DB.Server, []uuid.UUID{d.DonorID})
	require.NoError(t, err)
	var text bytes.Buffer
	to := privacy.NewJSON(&text)
	_, err = privacy.Copy(t.Context(), h.DB.Server, h.CurrentCatalog(), donors, to)
	require.NoError(t, err)
	require.NoError(t, to.End())
	return text.String()
}

// erase erases a donor. The office gives the donor's id.
func erase(t *testing.T, h *program.Program, id uuid.UUID) {
	t.Helper()
	e, err := h.Privacy.Request(t.Context(), privacy.ErasureRequest{Donors: []uuid.UUID{id}, Language: "en", RequestedBy: "office"})
	require.NoError(t, err)
	h.AgeErasures()
	require.NoError(t, h.Privacy.Erase(t.Context(), e.ID))
	require.NotZero(t, h.Count(`SELECT count(*) FROM receipt_kept`), "the law requires a copy of the receipts")
}
