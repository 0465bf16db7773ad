package refund_test

import (
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/refund"
	"konbit/internal/people/approval"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
)

// ask asks a second person for what a request says.
func (d *desk) ask(who *office.Person, r refund.Request) (a approval.Request, err error) {
	d.t.Helper()
	p := d.preview(r)
	err = who.InTx(d.t, d.DB.Server, func(tx *sqlx.Tx) (err error) {
		a, err = refund.AskTx(d.t.Context(), tx, p, d.gift.OrganisationID)
		return err
	})
	return a, err
}

func (d *desk) asked(a approval.Request) (r refund.Request, err error) {
	d.t.Helper()
	err = d.staff.InTx(d.t, d.DB.Server, func(tx *sqlx.Tx) error {
		stored, err := approval.ByID(d.t.Context(), tx, a.ID)
		if err == nil {
			r, err = refund.AskedTx(d.t.Context(), tx, stored)
		}
		return err
	})
	return r, err
}

// TestAskedIsWhatIsExecuted: a request is read back as it was asked, its form is one request, and what is approved is ordered.
func TestAskedIsWhatIsExecuted(t *testing.T) {
	d := newDesk(t, program.Options{})
	d.Exec(`UPDATE legal_entity SET two_persons_refund = 1000`)
	r := d.request(map[string]int64{"general": 2000, "building": 5})
	r.Note = "part 1\nñ «note x»\nform y"
	a, err := d.ask(d.staff, r)
	require.NoError(t, err)
	require.NotContains(t, a.Body, "ñ", "what is approved has the note's hash: it may name the donor")
	again, err := d.ask(d.staff, r)
	require.NoError(t, err)
	require.Equal(t, a, again)
	other := r
	other.Note = "another"
	_, err = d.ask(d.staff, other)
	require.ErrorIs(t, err, refund.ErrOtherForm)
	require.Equal(t, 1, d.Count(`SELECT count(*) FROM approval_request`))

	got, err := d.asked(a)
	require.NoError(t, err)
	require.Equal(t, a.Subject, got.ID.String())
	require.ElementsMatch(t, r.Parts, got.Parts)
	require.Equal(t, []any{r.EntityID, r.DonationID, r.Reason, r.Note, r.Submission, r.RequestedBy}, []any{got.EntityID, got.DonationID, got.Reason, got.Note, got.Submission, got.RequestedBy})
	ben := d.person()
	require.NoError(t, ben.InTx(t, d.DB.Server, func(tx *sqlx.Tx) error {
		if err := approval.ApproveTx(t.Context(), tx, a.ID, a.Hash(), ben.Code(t), ""); err != nil {
			return err
		}
		_, err := d.Refunds.OrderTx(t.Context(), tx, got)
		return err
	}))
	require.Equal(t, []string{r.Note}, d.Lines(`SELECT note FROM refund_order`))
}

// TestNotesOfRequestsAreErased: an erasure empties the note of a request. Then it can no longer be executed, and what was
// approved stays as it is.
func TestNotesOfRequestsAreErased(t *testing.T) {
	d := newDesk(t, program.Options{})
	d.Exec(`UPDATE legal_entity SET two_persons_refund = 1000`)
	r := d.request(map[string]int64{"general": 2000})
	a, err := d.ask(d.staff, r)
	require.NoError(t, err)
	d.Exec(`UPDATE donor SET email = 'forgotten-' || id || '@invalid' WHERE id = $1`, d.gift.DonorID)
	require.Equal(t, []string{""}, d.Lines(`SELECT note FROM refund_request`))
	_, err = d.asked(a)
	require.ErrorIs(t, err, refund.ErrChanged)
	require.Equal(t, []string{a.Body}, d.Lines(`SELECT body FROM approval_request`))
	for _, try := range []string{
		`UPDATE refund_request SET note = 'x'`, `DELETE FROM refund_request`,
		`INSERT INTO refund_request SELECT request_id, entity_id, donation_id, 'x' FROM refund_request`,
	} {
		_, err := d.DB.Server.Exec(try)
		require.Error(t, err, try)
	}
}

// TestBodiesThatAreNone: a text that is no body of a refund is an error, and not another refund.
func TestBodiesThatAreNone(t *testing.T) {
	for _, body := range []string{"", "refund", "refund\nentity x", "amount 5 USD\npart x 5", "role grant a b c d"} {
		_, _, _, err := refund.ReadBody(body)
		require.Error(t, err, body)
	}
}
