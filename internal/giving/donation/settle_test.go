package donation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/money"
	"konbit/internal/workshop/testkit/program"
)

func tasks(h *program.Program) []string {
	return h.Lines(`SELECT kind || ' ' || subject FROM finance_task ORDER BY opened_at, kind`)
}

func TestSettleIsIdempotent(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.StartedGift(program.ValidForm())
	c := program.ChargeOf(d, time.Now())
	outcomes, err := h.Settle(c, c)
	require.NoError(t, err)
	assert.Equal(t, []donation.Outcome{donation.Booked, donation.Repeated}, outcomes)
	outcomes, err = h.Settle(c)
	require.NoError(t, err)
	assert.Equal(t, []donation.Outcome{donation.Repeated}, outcomes)
	assert.Equal(t, program.SettledOnce, h.State(d))
	assert.Equal(t, []string{"started", "settled"}, h.Lines(`SELECT status FROM donation_step WHERE donation_id = $1 ORDER BY at`, d.ID))
}

// TestWhatDoesNotFitGoesToSuspense: money that came is booked, and a person is asked; no receipt says what is not sure.
func TestWhatDoesNotFitGoesToSuspense(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	other, err := h.CurrentCatalog().Entity("aina")
	require.NoError(t, err)
	for name, test := range map[string]struct {
		change func(*donation.IncomingPayment)
		task   string
		status donation.Status
		booked int64 // in suspense; 0: nothing can be booked in another currency
	}{
		"less than expected":     {func(c *donation.IncomingPayment) { c.Amount.Minor = 1999 }, "payment_differs_from_gift", donation.NeedsReview, 1999},
		"more than expected":     {func(c *donation.IncomingPayment) { c.Amount.Minor = 200000 }, "payment_differs_from_gift", donation.NeedsReview, 200000},
		"another currency":       {func(c *donation.IncomingPayment) { c.Amount = money.New(2000, "EUR") }, "payment_in_other_currency", donation.NeedsReview, 0},
		"no gift of ours":        {func(c *donation.IncomingPayment) { c.DonationID = uuid.Nil }, "payment_without_gift", donation.Started, 2000},
		"without payment intent": {func(c *donation.IncomingPayment) { c.DonationID, c.IntentRef = uuid.Nil, "" }, "payment_without_gift", donation.Started, 2000},
		"of another entity":      {func(c *donation.IncomingPayment) { c.EntityID = other.ID }, "payment_of_another_entity", donation.Started, 2000},
	} {
		t.Run(name, func(t *testing.T) {
			d := h.StartedGift(program.ValidForm())
			c := program.ChargeOf(d, time.Now())
			test.change(&c)
			for range 2 { // a repeat changes nothing
				_, err := h.Settle(c)
				require.NoError(t, err)
			}
			assert.Equal(t, test.status, h.Gift(d.ID).Status)
			subject := c.IntentRef
			if subject == "" {
				subject = c.ChargeRef
			}
			assert.Equal(t, 1, h.Count(`SELECT count(*) FROM finance_task WHERE kind = $1 AND subject = $2`, test.task, subject))
			assert.Equal(t, int(-test.booked), h.Count(`SELECT coalesce(sum(amount), 0) FROM posting p JOIN journal_entry e ON e.id = p.entry_id
			JOIN fund f ON f.id = p.fund_id WHERE e.source_id = $1 AND account_code = '1090' AND f.code = 'operations'`, subject))
			assert.Zero(t, h.Count(`SELECT count(*) FROM receipt WHERE donation_id = $1`, d.ID))
			assert.Equal(t, 1, h.Count(`SELECT count(*) FROM fee_due WHERE charge_id = $1`, c.ChargeRef))
		})
	}
}

func TestASecondPaymentIsNoSecondGift(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.SettledGift(program.ValidForm())
	second := program.ChargeOf(d, time.Now())
	outcomes, err := h.Settle(second)
	require.NoError(t, err)
	assert.Equal(t, []donation.Outcome{donation.Suspense}, outcomes)
	assert.Equal(t, []string{"gift_paid_twice " + second.IntentRef}, tasks(h))
	assert.Equal(t, 1, h.Count(`SELECT count(*) FROM receipt`))
}

func TestAReplacedGiftThatIsPaidAllTheSame(t *testing.T) {
	t.Parallel()
	for _, oldFirst := range []bool{true, false} {
		h := program.New(t, program.Options{})
		form := program.ValidForm()
		old := h.StartedGift(form)
		form.Amount = "30"
		now := h.StartedGift(form)
		charges := []donation.IncomingPayment{program.ChargeOf(now, time.Now()), program.ChargeOf(old, time.Now())}
		if oldFirst {
			charges[0], charges[1] = charges[1], charges[0]
		}
		for _, c := range charges {
			_, err := h.Settle(c)
			require.NoError(t, err)
		}
		assert.Equal(t, donation.Settled, h.Gift(now.ID).Status)
		assert.Equal(t, donation.Expired, h.Gift(old.ID).Status)
		assert.Equal(t, []string{"replaced_gift_paid pi_" + old.ID.String()}, tasks(h))
	}
}

func TestAnExpiredGiftThatIsPaidSettles(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.StartedGift(program.ValidForm())
	h.Exec(`UPDATE donation SET status = 'expired' WHERE id = $1`, d.ID)
	_, err := h.Settle(program.ChargeOf(d, time.Now()))
	require.NoError(t, err)
	assert.Equal(t, program.SettledOnce, h.State(d))
}

func TestAGiftThatIsNotHere(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.StartedGift(program.ValidForm())
	c := program.ChargeOf(d, time.Now())
	c.DonationID = uuid.New()
	outcomes, err := h.Settle(c)
	require.NoError(t, err)
	assert.Equal(t, []donation.Outcome{donation.MissingDonation}, outcomes)
	assert.Zero(t, h.Count(`SELECT count(*) FROM journal_entry`))
	assert.Empty(t, tasks(h))
}

func TestSplitGift(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	f := program.ValidForm()
	f.Split = map[string]string{"general": "10", "network": "7", "building": "3"}
	d := h.StartedGift(f)
	_, err := h.Settle(program.ChargeOf(d, time.Now()))
	require.NoError(t, err)
	assert.Equal(t, []string{
		"payment | building | 1010 | 300", "payment | building | 4100 | -300", "payment | general | 1010 | 1000", "payment | general | 4100 | -1000",
		"payment | network | 1010 | 700", "payment | network | 4000 | -700",
	}, h.Postings(d))
	assert.Equal(t, []string{"Where it is needed most 1000", "Leadership Network 700", "Movement Building 300"},
		h.Lines(`SELECT format('%s %s', l->>'fund', l->'amount'->>'minor') FROM receipt, jsonb_array_elements(facts->'lines') l`))
}

// TestYearsAreTheEntitys: the receipt's year and the entry's date are those of the charge where the entity is.
func TestYearsAreTheEntitys(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	for _, test := range []struct{ org, at, want string }{
		{"csio", "2026-12-31T23:59:59-05:00", "2026 2026-12-31"}, {"csio", "2027-01-01T00:00:00-05:00", "2027 2027-01-01"},
		{"csio", "2027-01-01T04:59:59Z", "2026 2026-12-31"}, {"csio", "2027-01-01T05:00:00Z", "2027 2027-01-01"},
		{"aina", "2026-12-31T23:59:59-10:00", "2026 2026-12-31"}, {"aina", "2027-01-01T00:00:00-10:00", "2027 2027-01-01"},
		{"aina", "2027-01-01T09:59:59Z", "2026 2026-12-31"}, {"aina", "2027-01-01T10:00:00Z", "2027 2027-01-01"},
		{"csio", "2027-03-14T06:59:59Z", "2027 2027-03-14"}, {"csio", "2027-11-07T05:30:00Z", "2027 2027-11-07"}, // days of 23 and 25 hours
		{"csio", "2027-07-01T03:59:59Z", "2027 2027-06-30"},
	} {
		t.Run(test.org+" "+test.at, func(t *testing.T) {
			f := program.ValidForm()
			f.Fund = ""
			d, err := h.SubmitFor(test.org, f)
			require.NoError(t, err)
			at, err := time.Parse(time.RFC3339, test.at)
			require.NoError(t, err)
			_, err = h.Settle(program.ChargeOf(d.Donation, at))
			require.NoError(t, err)
			assert.Equal(t, []string{test.want + " " + test.want[5:]}, h.Lines(`SELECT format('%s %s %s', r.year, r.facts->>'charged_on', e.fact_date)
			FROM receipt r JOIN journal_entry e ON e.dimensions->>'donation' = r.donation_id::text WHERE r.donation_id = $1`, d.ID), "%s %s", test.org, test.at)
		})
	}
}

func TestABatchOfAHundred(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	var gifts []donation.Donation
	var charges []donation.IncomingPayment
	for i := range 100 {
		f := program.ValidForm()
		f.Contact.Email = fmt.Sprintf("d%d@example.org", i%7) // donors with several gifts in the batch
		gifts = append(gifts, h.StartedGift(f))
		charges = append(charges, program.ChargeOf(gifts[i], time.Now().Add(-time.Duration(i)*time.Minute)))
	}
	outcomes, err := h.Settle(charges...)
	require.NoError(t, err)
	for i, d := range gifts {
		assert.Equal(t, donation.Booked, outcomes[i])
		assert.Equal(t, program.SettledOnce, h.State(d))
	}
	assert.Equal(t, 7, h.Count(`SELECT count(*) FROM donor d WHERE first_gift_at = (SELECT min(charged_at) FROM donation g WHERE g.donor_id = d.id)`),
		"a donor's first gift is the earliest of the batch")
}

func TestOnlyAPaidGiftChangesItsDonor(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	f := program.ValidForm()
	f.News = true
	h.SettledGift(f)
	g := program.ValidForm()
	g.Contact.FirstName, g.Language = "Anita", "es"
	d := h.StartedGift(g)
	assert.Equal(t, []string{"Ana en true"}, h.Lines(`SELECT format('%s %s %s', first_name, language, (news_consented_at IS NOT NULL)::text) FROM donor`))
	_, err := h.Settle(program.ChargeOf(d, time.Now().Add(time.Second)))
	require.NoError(t, err)
	assert.Equal(t, []string{"Anita es true"}, h.Lines(`SELECT format('%s %s %s', first_name, language, (news_consented_at IS NOT NULL)::text) FROM donor`),
		"a later gift without the tick withdraws nothing")
}
