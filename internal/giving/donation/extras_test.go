package donation_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"konbit/internal/books/org"
	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/workshop/testkit/program"
)

func filled(change func(f *donation.Form)) donation.Form {
	f := program.ValidForm()
	change(&f)
	return f
}

// TestCoverIsSplitLikeTheGift covers the fee of any gift over any parts: every promise about the figures.
func TestCoverIsSplitLikeTheGift(t *testing.T) {
	h := program.New(t, program.Options{})
	offer := h.Offer("csio")
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Range(0, 1_000_000).Draw(t, "a")
		b := rapid.Int64Range(500, 1_000_000).Draw(t, "b")
		offer := offer
		offer.Entity.ProcessingFee = org.ProcessingFee{
			BasisPoints: rapid.Int64Range(0, 2_000).Draw(t, "points"), Fixed: rapid.Int64Range(0, 200).Draw(t, "fixed"),
		}
		offer.Organisation.Maximum = 3_000_000
		usd := func(minor int64) money.Amount { return money.New(minor, "USD") }
		f := program.ValidForm()
		f.Amount, f.AmountOther, f.CoverFees = "other", usd(a+b).Decimal(), true
		f.Split = map[string]string{"general": usd(a).Decimal(), "building": usd(b).Decimal()}
		r, err := f.Check(offer)
		require.NoError(t, err)
		require.Equal(t, a+b, r.Amount.Minor-r.Covered.Minor, "the gift is what was chosen")
		var total, covered int64
		for _, p := range r.Designations {
			total, covered = total+p.Amount.Minor, covered+p.Covered.Minor
			fair := r.Covered.Minor * p.Given().Minor / (a + b)
			require.InDelta(t, fair, p.Covered.Minor, 1, "a part of the cover is its part of the gift, to the minor unit")
		}
		require.Equal(t, r.Amount.Minor, total)
		require.Equal(t, r.Covered.Minor, covered)
		fee := total*offer.Entity.ProcessingFee.BasisPoints + offer.Entity.ProcessingFee.Fixed*10_000
		require.GreaterOrEqual(t, total*10_000-fee, (a+b)*10_000, "after the fee all of the gift is left")
		require.Less(t, (total-1)*10_000-fee+offer.Entity.ProcessingFee.BasisPoints, (a+b)*10_000, "and nothing beyond")
	})
}

func TestCoverGoesBeyondTheMaximumOfGiftsAlone(t *testing.T) {
	h := program.New(t, program.Options{})
	offer := h.Offer("csio")
	most := filled(func(f *donation.Form) { f.Amount, f.AmountOther, f.CoverFees = "other", "25000", true })
	r, err := most.Check(offer)
	require.NoError(t, err)
	require.Equal(t, int64(2_574_697), r.Amount.Minor)

	offer.Organisation.Maximum, most.AmountOther = org.MaxGift, "999,999.99"
	_, err = most.Check(offer)
	require.Equal(t, []string{"cover_fees give.error.cover_fees.maximum"}, refusals(err))

	offer.Entity.ProcessingFee = org.ProcessingFee{}
	r, err = most.Check(offer)
	require.NoError(t, err)
	require.True(t, r.Covered.IsZero(), "no fee is known, so nothing is added")
}

func refusals(err error) []string {
	var bad *fault.Error
	errors.As(err, &bad)
	var all []string
	for _, f := range bad.Fields {
		all = append(all, f.Name+" "+f.Phrase)
	}
	return all
}

func TestDedicationRules(t *testing.T) {
	h := program.New(t, program.Options{})
	offer := h.Offer("csio")
	card := func(change func(d *dedication.Dedication)) dedication.Dedication {
		d := dedication.Dedication{Kind: dedication.Memory, Name: "Nana", CardName: "Bea", CardEmail: "bea@example.org", CardMessage: "Hello.\r\nWe think of you."}
		change(&d)
		return d
	}
	for name, test := range map[string]struct {
		typed dedication.Dedication
		bad   []string
	}{
		"whole":                {card(func(*dedication.Dedication) {}), nil},
		"no card":              {dedication.Dedication{Kind: dedication.Honour, Name: "Nana"}, nil},
		"no message":           {card(func(d *dedication.Dedication) { d.CardMessage = "" }), nil},
		"abbreviations":        {card(func(d *dedication.Dedication) { d.CardMessage = "At 5 p.m. in the U.S. Yes... we will: 3.50 each" }), nil},
		"kind unknown":         {card(func(d *dedication.Dedication) { d.Kind = "spite" }), []string{"dedication give.error.dedication.choice"}},
		"kind forgotten":       {card(func(d *dedication.Dedication) { d.Kind = "none" }), []string{"dedication give.error.dedication.choice"}},
		"no name":              {card(func(d *dedication.Dedication) { d.Name = " " }), []string{"dedication_name give.error.dedication_name.required"}},
		"card without a name":  {card(func(d *dedication.Dedication) { d.CardName = "" }), []string{"card_name give.error.card_name.required"}},
		"card to nowhere":      {card(func(d *dedication.Dedication) { d.CardEmail = "" }), []string{"card_email give.error.card_email.required"}},
		"card to no address":   {card(func(d *dedication.Dedication) { d.CardEmail = `"a> X=y"@example.org` }), []string{"card_email give.error.email.format"}},
		"a scheme":             {card(func(d *dedication.Dedication) { d.CardMessage = "see ftp://x" }), []string{"card_message give.error.link"}},
		"a bare name":          {card(func(d *dedication.Dedication) { d.CardMessage = "see evil.example/now" }), []string{"card_message give.error.link"}},
		"a link for a name":    {card(func(d *dedication.Dedication) { d.CardName = "WWW.evil" }), []string{"card_name give.error.link"}},
		"an address":           {card(func(d *dedication.Dedication) { d.Name = "me@home" }), []string{"dedication_name give.error.link"}},
		"long":                 {card(func(d *dedication.Dedication) { d.CardMessage = string(make([]byte, 501)) }), []string{"card_message give.error.too_long"}},
		"a line break in name": {card(func(d *dedication.Dedication) { d.CardName = "Bea\r\nBcc: x" }), []string{"card_name give.error.characters"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := filled(func(f *donation.Form) { f.Dedication = test.typed }).Check(offer)
			if test.bad != nil {
				require.Equal(t, test.bad, refusals(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.typed.Name, r.Dedication.Name)
		})
	}
	_, err := filled(func(f *donation.Form) {
		f.Dedication, f.Contact.LastName = card(func(*dedication.Dedication) {}), "buy at evil.example"
	}).Check(offer)
	require.Equal(t, []string{"last_name give.error.link"}, refusals(err), "the giver's name stands on the card")
	r, err := filled(func(f *donation.Form) { f.Dedication.Kind = "none" }).Check(offer)
	require.NoError(t, err)
	require.Nil(t, r.Dedication)
}

// TestCardGoesWithASettledGiftAlone holds when a card is ordered, and that it goes with the contact.
func TestCardGoesWithASettledGiftAlone(t *testing.T) {
	h := program.New(t, program.Options{})
	dedicated := func() donation.Donation {
		return h.StartedGift(filled(func(f *donation.Form) {
			f.Dedication = dedication.Dedication{Kind: dedication.Honour, Name: "Nana", CardName: "Bea", CardEmail: "bea@example.org"}
		}))
	}
	jobs := func() int { return h.Count(`SELECT count(*) FROM river_job WHERE kind = 'card_letter'`) }

	settled := dedicated()
	charge := program.ChargeOf(settled, time.Now())
	for range 3 {
		_, err := h.Settle(charge)
		require.NoError(t, err)
	}
	require.Equal(t, 1, jobs(), "one card, however often the payment is reported")
	card, err := dedication.Of(t.Context(), h.DB.Server, settled.ID)
	require.NoError(t, err)
	require.Equal(t, "Nana", card.Name)

	suspended := dedicated()
	charge = program.ChargeOf(suspended, time.Now())
	charge.Amount.Minor++
	outcomes, err := h.Settle(charge)
	require.NoError(t, err)
	require.Equal(t, []donation.Outcome{donation.Suspense}, outcomes)
	require.Equal(t, 1, jobs(), "no card for a gift in suspense")

	h.Exec(`DELETE FROM donation_contact WHERE donation_id = $1`, settled.ID)
	require.Zero(t, h.Count(`SELECT count(*) FROM donation_dedication WHERE donation_id = $1`, settled.ID))
	card, err = dedication.Of(t.Context(), h.DB.Server, settled.ID)
	require.NoError(t, err)
	require.Nil(t, card)
}

// TestPartsOfTheCoverAreHeldByTheDatabase tries a gift whose parts do not say what was added.
func TestDatabaseChecksThePartsOfTheCover(t *testing.T) {
	h := program.New(t, program.Options{})
	f := filled(func(f *donation.Form) { f.CoverFees = true })
	request, err := f.Check(h.Offer("csio"))
	require.NoError(t, err)
	request.Designations[0].Covered.Minor--
	_, err = h.Starter.Start(t.Context(), h.Offer("csio"), request)
	require.ErrorContains(t, err, "designations of gift")
	f.FormID = uuid.New()
	require.Equal(t, int64(2091), h.StartedGift(f).AmountMinor)
}
