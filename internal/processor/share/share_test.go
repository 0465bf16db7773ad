package share_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/payment"
	"konbit/internal/platform/money"
	"konbit/internal/processor/share"
)

var (
	operations = fund.Fund{ID: uuid.UUID{1}, Code: "operations"}
	general    = fund.Fund{ID: uuid.UUID{2}, Code: "general"}
	water      = fund.Fund{ID: uuid.UUID{3}, Code: "water"}
)

// gift returns the parts of a gift of 7.00 and 3.00.
func gift() []share.Part { return []share.Part{{Fund: general, Gift: 700}, {Fund: water, Gift: 300}} }

func TestOfCharge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		paidBy org.FeePayer
		of     org.SponsorBase
		gift   []share.Part
		want   []share.Part
	}{
		"fee divided like the gift, sponsor's fee of gross": {org.PaidByFund, org.OfGross, gift(), []share.Part{
			{Fund: general, Gift: 700, Fee: 41, SponsorFee: 49}, {Fund: water, Gift: 300, Fee: 18, SponsorFee: 21}, {Fund: operations, SponsorFee: -70},
		}},
		"sponsor's fee of net": {org.PaidByFund, org.OfNet, gift(), []share.Part{
			{Fund: general, Gift: 700, Fee: 41, SponsorFee: 46}, {Fund: water, Gift: 300, Fee: 18, SponsorFee: 20}, {Fund: operations, SponsorFee: -66},
		}},
		"operations pays the fee": {org.PaidByOperations, org.OfGross, gift(), []share.Part{
			{Fund: general, Gift: 700, SponsorFee: 49}, {Fund: water, Gift: 300, SponsorFee: 21}, {Fund: operations, Fee: 59, SponsorFee: -70},
		}},
		"a charge in suspense": {org.PaidByFund, org.OfGross, nil, []share.Part{{Fund: operations, Fee: 59}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var e org.LegalEntity
			e.ProcessingFee.PaidBy, e.SponsorFee.Of, e.SponsorFee.BasisPoints = c.paidBy, c.of, 700
			parts, err := share.OfCharge(e, operations, money.New(59, "USD"), c.gift)
			require.NoError(t, err)
			require.Equal(t, c.want, parts)
		})
	}
}

func TestOfOfflineGift(t *testing.T) {
	t.Parallel()
	withFee := []share.Part{{Fund: general, Gift: 700, SponsorFee: 49}, {Fund: water, Gift: 300, SponsorFee: 21}, {Fund: operations, SponsorFee: -70}}
	for method, want := range map[payment.Method][]share.Part{
		payment.Check: withFee, payment.Cash: withFee, payment.BankTransfer: withFee, payment.DonorAdvisedFund: withFee,
		payment.Stock: gift(), payment.InKind: gift(),
	} {
		t.Run(string(method), func(t *testing.T) {
			t.Parallel()
			var e org.LegalEntity
			e.SponsorFee.BasisPoints = 700
			parts, err := share.OfOfflineGift(e, operations, method, "USD", gift())
			require.NoError(t, err)
			require.Equal(t, want, parts)
		})
	}
}

// TestRefundsInPartsGiveBackEveryCent: however a payment is refunded in parts, the funds have paid the whole gift and got
// back the whole fees in the end, and never more on the way.
func TestRefundsInPartsGiveBackEveryCent(t *testing.T) {
	t.Parallel()
	for name, refunds := range map[string][]int64{
		"at once": {1000}, "two halves": {500, 500}, "three uneven parts": {1, 333, 666}, "cent by cent at the end": {997, 1, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shares := []share.FundShare{
				{Fund: general, Gift: 700, Fee: 41, SponsorFee: 49, Remaining: 700}, {Fund: water, Gift: 300, Fee: 18, SponsorFee: 21, Remaining: 300},
			}
			for _, amount := range refunds {
				taken, err := share.TakeProportionally(shares, money.New(amount, "USD"))
				require.NoError(t, err)
				require.Equal(t, amount, share.TotalGift(taken))
				require.NoError(t, share.AddFeesGivenBack(taken, shares, "USD"))
				for _, p := range taken {
					h := &shares[0]
					if p.Fund.ID == water.ID {
						h = &shares[1]
					}
					h.Remaining, h.Refunded, h.FeeBack, h.SponsorFeeBack = h.Remaining-p.Gift, h.Refunded+p.Gift, h.FeeBack+p.Fee, h.SponsorFeeBack+p.SponsorFee
					require.False(t, p.Gift < 0 || p.Fee < 0 || p.SponsorFee < 0 || h.Remaining < 0 || h.FeeBack > h.Fee || h.SponsorFeeBack > h.SponsorFee, "%+v", p)
				}
			}
			require.Zero(t, share.TotalRemaining(shares))
			require.Equal(t, []int64{41, 49, 18, 21}, []int64{shares[0].FeeBack, shares[0].SponsorFeeBack, shares[1].FeeBack, shares[1].SponsorFeeBack})
		})
	}
}

// TestTake: what is owed to the donor goes first, then what the funds have of the gift; the rest is beyond both.
func TestTake(t *testing.T) {
	t.Parallel()
	shares := []share.FundShare{{Fund: general, Gift: 700, Remaining: 350, Owed: 70}, {Fund: water, Gift: 300, Remaining: 150, Owed: 30}}
	for amount, want := range map[int64][]share.Part{
		50:  {{Fund: general, Owed: 35}, {Fund: water, Owed: 15}},
		300: {{Fund: general, Gift: 140, Owed: 70}, {Fund: water, Gift: 60, Owed: 30}},
		600: {{Fund: general, Gift: 350, Owed: 70}, {Fund: water, Gift: 150, Owed: 30}},
		750: {{Fund: general, Gift: 350, Owed: 70}, {Fund: water, Gift: 150, Owed: 30}},
	} {
		parts, beyond, err := share.Take(shares, money.New(amount, "USD"))
		require.NoError(t, err)
		require.Equal(t, want, parts)
		require.Equal(t, max(amount-600, 0), beyond)
		require.Equal(t, amount, share.TotalGift(parts)+share.TotalOwed(parts)+beyond)
	}
	parts, beyond, err := share.Take([]share.FundShare{{Fund: general, Gift: 700}}, money.New(5, "USD"))
	require.NoError(t, err)
	require.Empty(t, parts)
	require.Equal(t, int64(5), beyond)
}
