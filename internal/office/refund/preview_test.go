package refund_test

import (
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/refund"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/program"
)

func (d *desk) preview(r refund.Request) (p refund.Preview) {
	d.t.Helper()
	require.NoError(d.t, pg.InTx(d.t.Context(), d.DB.Server, func(tx *sqlx.Tx) (err error) {
		p, err = d.Refunds.PreviewTx(d.t.Context(), tx, r)
		return err
	}))
	return p
}

// TestPreviewIsWhatHappens: the effect that is shown before is the one in the books.
func TestPreviewIsWhatHappens(t *testing.T) {
	d := newDesk(t, program.Options{})
	d.execute(d.order(map[string]int64{"general": 333}))
	d.settle()
	parts := map[string]int64{"general": 1777, "network": 3000}
	p := d.preview(d.request(parts))
	require.Equal(t, "47.77 USD", p.Amount.String())
	require.False(t, p.NeedsSecondPerson())
	require.Equal(t, []string{"receipt_replaced"}, p.Emails())
	require.EqualValues(t, 9000-333-4777, p.Receipt.Left)
	var fees, sponsorFees int64
	for _, f := range p.Parts {
		require.Equal(t, parts[f.Fund.Slug], f.Refunded)
		fees, sponsorFees = fees+f.Fee, sponsorFees+f.SponsorFee
	}
	r := d.request(parts)
	r.Note = " ña «1»\n2 "
	body := d.preview(r).Body
	o, err := d.Refunds.Order(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, []string{body}, d.Lines(`SELECT refund_order_body($1)`, o.ID), "what is shown is what is approved")
	d.execute(o)
	d.settle()
	require.Equal(t, int(fees), d.Count(`SELECT sum(fee) FROM payment_change_share WHERE object_id = $1`, *d.now(o).RefundID))
	require.Equal(t, int(sponsorFees), d.Count(`SELECT sum(sponsor_fee) FROM payment_change_share WHERE object_id = $1`, *d.now(o).RefundID))
	require.Equal(t, []string{"receipt_voided"}, d.preview(d.request(nil)).Emails())
	d.Fake.Advance(366 * 24 * time.Hour)
	require.Equal(t, []string{"receipt_voided", "refund_later"}, d.preview(d.request(nil)).Emails())
}

// TestLimitOfOnePerson: above the limit of a gift, or of a staff member in a day, nothing is ordered by one person, and
// four refunds of $20 are one of $80.
func TestLimitOfOnePerson(t *testing.T) {
	d := newDesk(t, program.Options{})
	d.Exec(`UPDATE legal_entity SET two_persons_refund = 6000`)
	require.True(t, d.preview(d.request(nil)).NeedsSecondPerson())
	_, err := d.Refunds.Order(t.Context(), d.request(nil))
	require.ErrorIs(t, err, refund.ErrSecondPerson)
	for range 3 {
		r := d.request(map[string]int64{"general": 1000, "network": 1000})
		require.False(t, d.preview(r).NeedsSecondPerson())
		_, err := d.Refunds.Order(t.Context(), r)
		require.NoError(t, err)
		d.staff = program.NewID() // the gift's sum counts whoever orders
	}
	fourth := d.request(map[string]int64{"general": 1})
	require.True(t, d.preview(fourth).NeedsSecondPerson())
	_, err = d.Refunds.Order(t.Context(), fourth)
	require.ErrorIs(t, err, refund.ErrSecondPerson)

	d.gift = d.give("50", "30", "10")
	d.order(map[string]int64{"general": 5000})
	d.gift = d.give("50", "30", "10")
	_, err = d.Refunds.Order(t.Context(), d.request(map[string]int64{"general": 1001}))
	require.ErrorIs(t, err, refund.ErrSecondPerson)
	d.order(map[string]int64{"general": 1000})
	d.Exec(`UPDATE legal_entity SET two_persons_refund = 0`)
	d.staff = program.NewID()
	_, err = d.Refunds.Order(t.Context(), d.request(map[string]int64{"general": 1}))
	require.ErrorIs(t, err, refund.ErrSecondPerson, "without a setting every refund needs two")

	approved := d.request(map[string]int64{"general": 1})
	approved.Approval = &refund.Approval{RequestID: program.NewID(), Hash: [32]byte{1}}
	_, err = d.Refunds.Order(t.Context(), approved)
	require.ErrorIs(t, err, refund.ErrSecondPerson, "a row about a request that nobody approved")
}
