package donation_test

import (
	"net/http"
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
	"konbit/internal/mail/paper"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/program"
)

// withoutStripe returns the program with a payment processor that must not be called.
func withoutStripe(t *testing.T) *program.Program {
	t.Helper()
	return program.New(t, program.Options{BeforeStripe: func(r *http.Request) { t.Errorf("Stripe was called: %s %s", r.Method, r.URL.Path) }})
}

// record writes a donation of $100 to two funds by a donor without an e-mail address.
func record(t *testing.T, h *program.Program, change func(r *donation.Record)) donation.Donation {
	t.Helper()
	offer := h.Offer("csio")
	r := donation.Record{
		ID: program.NewID(), PublicRef: program.NewRef(), EntityID: offer.Entity.ID, OrganisationID: offer.Organisation.ID, Source: donation.FromOffice,
		Donor: donor.Donor{ID: program.NewID(), FirstName: "Rosa", LastName: "Lima", Language: "en", CreatedAt: time.Now()},
		Contact: donation.Contact{Contact: contact.Contact{FirstName: "Rosa", LastName: "Lima", Details: contact.Details{
			AddressLine1: "9 Elm St", City: "Lynn", Region: "MA", PostalCode: "01901",
		}}},
		Parts: []donation.Designation{
			{FundID: offer.Funds[0].ID, Amount: money.New(7_500, "USD"), Covered: money.New(0, "USD")},
			{FundID: offer.Funds[1].ID, Amount: money.New(2_500, "USD"), Covered: money.New(0, "USD")},
		},
		Language: "en", At: time.Now(), Cause: "test",
	}
	change(&r)
	var d donation.Donation
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) (err error) {
		d, err = donation.RecordTx(t.Context(), tx, r)
		return err
	}))
	return d
}

// check is a check that fits a donation, received two days into a year and posted in the year before.
func check(d donation.Donation) donation.IncomingPayment {
	return donation.IncomingPayment{
		EntityID: d.EntityID, Method: payment.Check, DonationID: d.ID, Amount: d.Amount(), PaymentID: program.NewID(), Cause: "test",
		ReceivedAt: time.Date(2026, 1, 2, 17, 0, 0, 0, time.UTC), TaxDate: ledger.Date{Year: 2025, Month: 12, Day: 30},
	}
}

// TestGiftByCheckWithoutAnEmailAddress stores, settles, books, receipts and states a donation that no card paid.
func TestGiftByCheckWithoutAnEmailAddress(t *testing.T) {
	t.Parallel()
	h := withoutStripe(t)
	d := record(t, h, func(*donation.Record) {})
	paid := check(d)
	for _, want := range [][]donation.Outcome{{donation.Booked}, {donation.Repeated}} {
		outcomes, err := h.Settle(paid)
		require.NoError(t, err)
		require.Equal(t, want, outcomes)
	}

	d = h.Gift(d.ID)
	require.Equal(t, donation.Settled, d.Status)
	require.Equal(t, ledger.Date{Year: 2025, Month: 12, Day: 30}, *d.TaxDate)
	require.Equal(t, []string{
		"payment | general | 1050 | 7500", "payment | general | 4100 | -7500", "payment | network | 1050 | 2500", "payment | network | 4000 | -2500",
		"sponsor fee | general | 1050 | -525", "sponsor fee | general | 3900 | 525", "sponsor fee | general | 4900 | 525", "sponsor fee | general | 4910 | -525",
		"sponsor fee | network | 1050 | -175", "sponsor fee | network | 3900 | 175", "sponsor fee | operations | 1050 | 700", "sponsor fee | operations | 3900 | -700",
	}, h.Postings(d))
	require.Equal(t, []string{"check | 1050 | 10000 | settled"},
		h.Lines(`SELECT format('%s | %s | %s | %s', method, asset_account, amount, status) FROM payment WHERE id = $1 AND donation_id = $2 AND processor IS NULL`, paid.PaymentID, d.ID))
	require.Zero(t, h.Count(`SELECT count(*) FROM fee_due`), "no processing fee is due")
	require.Zero(t, h.Count(`SELECT count(*) FROM river_job`), "no email")

	issued, err := receipt.ValidOf(t.Context(), h.DB.Server, d.ID)
	require.NoError(t, err)
	require.Equal(t, 2025, issued.Year)
	require.Equal(t, "2025-12-30", issued.Facts.ChargedOn)
	require.Equal(t, "Rosa Lima", issued.Facts.DonorName())
	require.Equal(t, []string{"check", paid.PaymentID.String(), ""}, []string{issued.Facts.Method, issued.Facts.PaymentID.String(), issued.Facts.ChargeID})
	words, err := paper.ReceiptWords(*issued)
	require.NoError(t, err)
	require.Equal(t, "Rosa Lima", words.Donor, "the receipt can be printed")

	donors, err := donor.ByIDs(t.Context(), h.DB.Server, []uuid.UUID{d.DonorID})
	require.NoError(t, err)
	stated, err := h.Statements.ForDonor(t.Context(), donors[0], 2025)
	require.NoError(t, err)
	require.Equal(t, money.New(10_000, "USD"), stated.Facts.Total)
	entity, err := h.CurrentCatalog().EntityByID(d.EntityID)
	require.NoError(t, err)
	tally, err := h.Statements.Issue(t.Context(), entity, 2025, nil)
	require.NoError(t, err)
	require.Equal(t, 1, tally.Issued)
	require.Zero(t, h.Count(`SELECT count(*) FROM river_job`), "the statement is printed too")
	h.RequireNoFindings()
}

// TestOfflineMethods settles a donation by each method without a processor.
func TestOfflineMethods(t *testing.T) {
	t.Parallel()
	h := withoutStripe(t)
	for _, test := range []struct {
		method  payment.Method
		account ledger.Account
		want    []string // the payment's entry, and the accounts of the sponsor's fee
	}{
		{payment.Cash, "", []string{"payment | general | 1050 | 2000", "payment | general | 4100 | -2000", "1050 3900 4900 4910"}},
		{payment.BankTransfer, "", []string{"payment | general | 1100 | 2000", "payment | general | 4100 | -2000", "1100 3900 4900 4910"}},
		{payment.DonorAdvisedFund, ledger.Bank, []string{"payment | general | 1100 | 2000", "payment | general | 4100 | -2000", "1100 3900 4900 4910"}},
		{payment.Stock, "", []string{"payment | general | 1300 | 2000", "payment | general | 4100 | -2000", ""}},
		{payment.InKind, "", []string{"payment | general | 4210 | -2000", "payment | general | 4900 | 2000", "payment | general | 4910 | -2000", "payment | general | 5300 | 2000", ""}},
	} {
		t.Run(string(test.method), func(t *testing.T) {
			d := record(t, h, func(r *donation.Record) { r.Parts = r.Parts[:1]; r.Parts[0].Amount.Minor = 2_000 })
			paid := check(d)
			paid.Method, paid.Account = test.method, test.account
			outcomes, err := h.Settle(paid)
			require.NoError(t, err)
			require.Equal(t, []donation.Outcome{donation.Booked}, outcomes)
			got := h.Lines(`SELECT format('%s | %s | %s | %s', e.kind, f.code, p.account_code, p.amount)
				FROM journal_entry e JOIN posting p ON p.entry_id = e.id JOIN fund f ON f.id = p.fund_id
				WHERE e.dimensions->>'donation' = $1 AND e.kind = 'payment' ORDER BY 1`, d.ID.String())
			fee := h.Lines(`SELECT coalesce(string_agg(DISTINCT p.account_code, ' ' ORDER BY p.account_code), '') FROM journal_entry e JOIN posting p ON p.entry_id = e.id
				WHERE e.dimensions->>'donation' = $1 AND e.kind = 'sponsor fee'`, d.ID.String())
			require.Equal(t, test.want, append(got, fee...))
		})
	}
	h.RequireNoFindings()
}

// TestOfflinePaymentThatDoesNotFit goes to suspense like a charge, without a processing fee.
func TestOfflinePaymentThatDoesNotFit(t *testing.T) {
	t.Parallel()
	h := withoutStripe(t)
	d := record(t, h, func(*donation.Record) {})
	short, second := check(d), check(d)
	short.Amount.Minor--
	second.DonationID = uuid.Nil
	outcomes, err := h.Settle(short, second)
	require.NoError(t, err)
	require.Equal(t, []donation.Outcome{donation.Suspense, donation.Suspense}, outcomes)
	require.Equal(t, donation.NeedsReview, h.Gift(d.ID).Status)
	require.Equal(t, []string{"payment_differs_from_gift " + short.PaymentID.String(), "payment_without_gift " + second.PaymentID.String()}, tasks(h))
	require.Equal(t, []string{"1050 19999", "1090 -19999"}, h.Lines(`SELECT format('%s %s', account_code, sum(amount)) FROM posting GROUP BY account_code ORDER BY 1`))
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM payment WHERE status = 'suspense'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM fee_due`))
}

// TestOrganisationGives names the organisation on the receipt.
func TestOrganisationGives(t *testing.T) {
	t.Parallel()
	h := withoutStripe(t)
	d := record(t, h, func(r *donation.Record) {
		r.Donor = donor.Donor{ID: program.NewID(), Kind: donor.Organisation, OrganisationName: "Elm Street Co-op", Language: "en", CreatedAt: time.Now()}
		r.Contact = donation.Contact{Contact: contact.Contact{OrganisationName: "Elm Street Co-op"}}
	})
	_, err := h.Settle(check(d))
	require.NoError(t, err)
	issued, err := receipt.ValidOf(t.Context(), h.DB.Server, d.ID)
	require.NoError(t, err)
	require.Equal(t, "Elm Street Co-op", issued.Facts.DonorName())
	require.Equal(t, []string{"organisation Elm Street Co-op"}, h.Lines(`SELECT kind || ' ' || organisation_name FROM donor`))
}
