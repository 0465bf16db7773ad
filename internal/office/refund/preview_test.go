package refund_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/refund"
	"konbit/internal/people/approval"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/office"
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
	o, err := d.try(d.staff, r)
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
	_, err := d.try(d.staff, d.request(nil))
	require.ErrorIs(t, err, refund.ErrSecondPerson)
	for range 3 {
		r := d.request(map[string]int64{"general": 1000, "network": 1000})
		require.False(t, d.preview(r).NeedsSecondPerson())
		_, err := d.try(d.staff, r)
		require.NoError(t, err)
		d.staff = d.person() // the gift's sum counts whoever orders
	}
	fourth := d.request(map[string]int64{"general": 1})
	require.True(t, d.preview(fourth).NeedsSecondPerson())
	_, err = d.try(d.staff, fourth)
	require.ErrorIs(t, err, refund.ErrSecondPerson)

	d.gift = d.give("50", "30", "10")
	d.order(map[string]int64{"general": 5000})
	d.gift = d.give("50", "30", "10")
	_, err = d.try(d.staff, d.request(map[string]int64{"general": 1001}))
	require.ErrorIs(t, err, refund.ErrSecondPerson)
	d.order(map[string]int64{"general": 1000})
	d.Exec(`UPDATE legal_entity SET two_persons_refund = 0`)
	d.staff = d.person()
	_, err = d.try(d.staff, d.request(map[string]int64{"general": 1}))
	require.ErrorIs(t, err, refund.ErrSecondPerson, "without a setting every refund needs two")
}

// TestARequestIsNoWayAroundTheLimit: an order that names a request does not count for one person's limit, so it is refused unless
// the request was approved, also below the limit and written by SQL.
func TestARequestIsNoWayAroundTheLimit(t *testing.T) {
	d := newDesk(t, program.Options{})
	d.Exec(`UPDATE legal_entity SET two_persons_refund = 1000`)
	r := d.request(map[string]int64{"general": 900})
	r.ID = program.NewID()
	asked := approval.Request{
		ID: program.NewID(), EntityID: r.EntityID, Kind: approval.Refund, Subject: r.ID.String(), Body: d.preview(r).Body, RequestedBy: d.staff.ID,
	}
	require.NoError(t, d.staff.InTx(t, d.DB.Server, func(tx *sqlx.Tx) error { return approval.RequestTx(t.Context(), tx, asked, nil) }))
	for range 2 {
		named := r
		named.Approval = &refund.Approval{RequestID: asked.ID, Hash: asked.Hash()}
		_, err := d.try(d.staff, named)
		require.ErrorIs(t, err, refund.ErrSecondPerson, "nobody approved it")
	}
	o := d.order(map[string]int64{"general": 900})
	for _, db := range []*sqlx.DB{d.DB.Server, d.DB.Owner} { // an order gets no request afterwards
		_, err := db.Exec(`UPDATE refund_order SET request_id = $2, request_hash = approval_hash(r) FROM approval_request r WHERE refund_order.id = $1 AND r.id = $2`,
			o.ID, asked.ID)
		require.Error(t, err)
	}
	_, err := d.try(d.staff, d.request(map[string]int64{"general": 101}))
	require.ErrorIs(t, err, refund.ErrSecondPerson)
}

// TestSecondPerson: above the limit, the session of whoever approves executes exactly what was approved, once.
func TestSecondPerson(t *testing.T) {
	d := newDesk(t, program.Options{})
	d.Exec(`UPDATE legal_entity SET two_persons_refund = 1000`)
	ana, ben := d.staff, d.person()
	r := d.request(map[string]int64{"general": 2000})
	r.ID = program.NewID()
	asked := approval.Request{
		ID: program.NewID(), EntityID: r.EntityID, Kind: approval.Refund, Subject: r.ID.String(), Body: d.preview(r).Body, RequestedBy: ana.ID,
	}
	require.NoError(t, ana.InTx(t, d.DB.Server, func(tx *sqlx.Tx) error { return approval.RequestTx(t.Context(), tx, asked, nil) }))
	r.Approval = &refund.Approval{RequestID: asked.ID, Hash: asked.Hash()}
	_, err := d.try(ana, r)
	require.ErrorIs(t, err, refund.ErrSecondPerson, "nobody approved it")

	require.NoError(t, ben.InTx(t, d.DB.Server, func(tx *sqlx.Tx) error {
		return approval.ApproveTx(t.Context(), tx, asked.ID, asked.Hash(), ben.Code(t), "")
	}))
	for name, change := range map[string]func(*refund.Request){
		"another amount": func(r *refund.Request) { r.Parts = []refund.Part{{FundID: d.fund("general"), Amount: 2001}} },
		"another fund":   func(r *refund.Request) { r.Parts = []refund.Part{{FundID: d.fund("network"), Amount: 2000}} },
		"another reason": func(r *refund.Request) { r.Reason = refund.Mistake },
		"another order":  func(r *refund.Request) { r.ID = program.NewID() },
		"another hash":   func(r *refund.Request) { r.Approval = &refund.Approval{RequestID: asked.ID, Hash: [32]byte{1}} },
		"no request":     func(r *refund.Request) { r.Approval = nil },
	} {
		other := r
		change(&other)
		_, err := d.try(ben, other)
		require.Error(t, err, name)
	}
	require.Zero(t, d.Count(`SELECT count(*) FROM refund_order`))
	_, err = d.try(d.personWith("entry"), r)
	require.ErrorIs(t, err, refund.ErrPerson)
	_, err = d.try(nil, r)
	require.ErrorIs(t, err, refund.ErrPerson)

	o, err := d.try(ben, r)
	require.NoError(t, err)
	require.Equal(t, ana.ID, o.RequestedBy)
	require.Equal(t, 1, d.Count(`SELECT count(*) FROM approval_request WHERE executed_at IS NOT NULL`))
	require.Equal(t, []string{"refund.ordered"}, d.Lines(`SELECT act FROM audit_entry WHERE object_kind = 'refund_order' AND object_id = $1 AND staff_id = $2`, o.ID.String(), ben.ID))
	d.execute(o)
	d.settle()
	require.Equal(t, []string{"general 2000 65 140"}, d.returned())
	again := r
	again.ID, again.Submission = program.NewID(), program.NewID()
	_, err = d.try(ben, again)
	require.Error(t, err, "a request is executed once")
}

// TestSessionOfAnOrder: below the limit, the person of the session orders, with a factor of the last five minutes;
// a passkey signs exactly the order.
func TestSessionOfAnOrder(t *testing.T) {
	d := newDesk(t, program.Options{})
	r := d.request(map[string]int64{"general": 100})
	_, err := d.try(d.person(), r)
	require.ErrorIs(t, err, refund.ErrPerson, "another person's session")
	_, err = d.try(nil, r)
	require.ErrorIs(t, err, refund.ErrPerson)
	for _, role := range []string{"entry", "admin", "auditor"} {
		who := d.personWith(role)
		r := d.request(map[string]int64{"general": 100})
		r.RequestedBy = who.ID
		_, err := d.try(who, r)
		require.ErrorIs(t, err, refund.ErrPerson, role)
	}
	d.staff.AgeFactor(t, 6*time.Minute)
	_, err = d.try(d.staff, r)
	require.ErrorIs(t, err, refund.ErrPerson, "a code of six minutes ago")

	d.Exec(`UPDATE legal_entity SET money_factor = 'passkey'`)
	signed := sha256.Sum256([]byte(d.preview(r).Body))
	d.staff.SignByPasskey(t, signed[:])
	other := r
	other.Parts = []refund.Part{{FundID: d.fund("general"), Amount: 101}}
	_, err = d.try(d.staff, other)
	require.ErrorIs(t, err, refund.ErrPerson, "it signed another amount")
	_, err = d.try(d.staff, r)
	require.NoError(t, err)
	other = r
	other.Submission = program.NewID()
	_, err = d.try(d.staff, other)
	require.ErrorIs(t, err, refund.ErrPerson, "it signed one form")
}

func (d *desk) personWith(role string) *office.Person {
	d.t.Helper()
	return office.Add(d.t, d.DB.Owner, role, office.Role{Role: role, Entity: "tsne"})
}
