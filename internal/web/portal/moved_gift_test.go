package portal_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/owner"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/mail"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/fault"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/visitor"
)

const rightAddress = "right@example.org"

// correct corrects the address of a giver's monthly gift.
func (s sender) correct(g giver, to string) {
	s.t.Helper()
	resender := mail.Resender{Receipts: s.Receipts, Queue: s.Queue}
	require.NoError(s.t, resender.Redirect(s.t.Context(), s.receiptOf(g.plan.ID), to, "a test"))
}

// monthly begins a monthly gift of an address.
func (s sender) monthly(address, name string) plan.Plan {
	s.t.Helper()
	f := visitor.FormOf(address, name)
	f.Language, f.Fund, f.Frequency = "en", "where-needed-most", "monthly"
	begun, err := s.SubmitFor(allLanguages, f)
	require.NoError(s.t, err)
	s.Pay(begun.Donation)
	s.DeliverNew()
	s.DrainAll()
	s.RunPlanJobs()
	p, err := recurring.ByID(s.t.Context(), s.DB.Server, begun.Donation.ID)
	require.NoError(s.t, err)
	return p
}

// TestStrangerSeesNothingOfAMovedGift: the reader of the mistyped address finds neither the gift nor the donor's name: on
// no page, in no file, in no statement. The donor finds all of it.
func TestStrangerSeesNothingOfAMovedGift(t *testing.T) {
	s := newSender(t)
	g := s.newGiver("en")
	catalog, err := s.Catalog.Current(t.Context())
	require.NoError(t, err)
	entity, err := catalog.EntityByID(g.plan.EntityID)
	require.NoError(t, err)
	year := time.Now().In(entity.Location()).Year()
	_, err = s.Statements.Issue(t.Context(), entity, year, nil)
	require.NoError(t, err)
	number := s.receiptOf(g.plan.ID).Reference()
	stranger := s.signIn(g)
	pages := func(v *visitor.Visitor) (all string) {
		s.Exec(`DELETE FROM guard_count`)
		for _, path := range []string{"", "/gifts", "/plans", "/details", "/records", "/records/data.json", "/records/data.csv", "/records/gifts.csv"} {
			got := v.Ask("GET", "/portal"+path, nil)
			require.Equal(t, http.StatusOK, got.StatusCode, path)
			all += got.Page
		}
		return all
	}
	before := pages(stranger)
	require.Contains(t, before, number)
	require.Contains(t, before, "Ana")
	kept := fmt.Sprintf("/portal/statements/%d-%s", year, g.plan.DonorID) // in the browser's history
	require.Equal(t, http.StatusOK, stranger.Ask("GET", kept, nil).StatusCode)

	s.correct(g, rightAddress)
	after := pages(stranger)
	for _, path := range []string{kept, kept + "/pdf"} {
		require.Equal(t, http.StatusNotFound, stranger.Ask("GET", path, nil).StatusCode, path)
	}
	for _, secret := range []string{number, "Ana", g.plan.PublicRef, rightAddress} {
		require.NotContains(t, after, secret)
	}
	require.Empty(t, s.Lines(`SELECT p.person::text FROM statement_person p JOIN statement s ON s.id = p.statement_id WHERE s.donor_id = $1`, g.plan.DonorID))

	_, err = s.Statements.Correct(t.Context(), entity, year, time.Time{})
	require.NoError(t, err)
	right := g
	right.address = rightAddress
	require.Contains(t, pages(s.signIn(right)), number)
	require.Equal(t, []string{"1 " + rightAddress}, s.Lines(`SELECT s.n || ' ' || (p.person->>'email') FROM statement s JOIN statement_person p ON p.statement_id = s.id
		JOIN donor d ON d.id = s.donor_id WHERE d.email = $1`, rightAddress))

	// The gift comes back, and so does the statement of the donor before.
	s.correct(g, g.address)
	_, err = s.Statements.Correct(t.Context(), entity, year, time.Time{})
	require.NoError(t, err)
	require.Equal(t, []string{"2 " + g.address}, s.Lines(`SELECT s.n || ' ' || (p.person->>'email') FROM statement s JOIN statement_person p ON p.statement_id = s.id WHERE s.donor_id = $1`, g.plan.DonorID))
}

// TestNewCardPaysForItsDonorOnly: the stranger has a monthly gift of their own, charged to the same customer. A new card of
// one does not pay for the other's gift.
func TestNewCardPaysForItsDonorOnly(t *testing.T) {
	s := newSender(t)
	ana, bob := s.monthly("bob@example.org", "Ana"), s.monthly("bob@example.org", "Bob")
	require.Equal(t, ana.DonorID, bob.DonorID)
	s.Exec(`UPDATE plan SET customer_id = $1 WHERE id = $2`, *ana.CustomerID, bob.ID) // as after a new card for both
	s.correct(giver{plan: ana}, rightAddress)
	ana, err := recurring.ByID(t.Context(), s.DB.Server, ana.ID)
	require.NoError(t, err)
	require.NotEqual(t, ana.DonorID, bob.DonorID)
	third := s.monthly("bob@example.org", "Bob")

	_, plans, err := s.Plans.UpdatePaymentMethod(t.Context(), bob.DonorID, "en", s.URL)
	require.NoError(t, err)
	require.Equal(t, 2, plans)
	customer := s.Lines(`SELECT detail->>'customer' FROM plan_event WHERE kind = 'new card asked for'`)[0]
	_, err = s.Fake.ReplaceCard(customer, stripefake.GoodCard)
	require.NoError(t, err)
	s.DeliverNew()
	s.DrainAll()
	require.ElementsMatch(t, []string{bob.ID.String(), third.ID.String()}, s.Lines(`SELECT DISTINCT plan_id::text FROM plan_request`))
}

// TestErasureOfMovedGift: the donor asks for erasure by the right address. The running gift that was begun with a mistyped
// one holds it up. After it, nobody gets the gift, not the reader of an earlier correction, and the mistyped address is
// erased.
func TestErasureOfMovedGift(t *testing.T) {
	s := newSender(t)
	g := s.newGiver("en")
	s.correct(g, "earlier@example.org")
	s.monthly("earlier@example.org", "Bob")
	s.correct(g, rightAddress)
	right := g
	right.address = rightAddress
	v := s.signIn(right)
	require.Equal(t, http.StatusOK, v.Ask("GET", "/portal/plans/"+g.plan.PublicRef, nil).StatusCode)
	now, err := recurring.ByID(t.Context(), s.DB.Server, g.plan.ID)
	require.NoError(t, err)
	request := privacy.ErasureRequest{Donors: []uuid.UUID{now.DonorID}, Addresses: []string{rightAddress}, Language: "en", RequestedBy: "donor"}
	_, err = s.Privacy.Request(t.Context(), request)
	require.True(t, fault.Is(err, fault.Conflict), "the gift is active: %v", err)

	s.cancel(g)
	e, err := s.Privacy.Request(t.Context(), request)
	require.NoError(t, err)
	s.AgeErasures()
	require.NoError(t, s.OwnersPrivacy().Erase(t.Context(), e.ID))
	to, err := owner.Addressee(t.Context(), s.DB.Server, g.plan.ID)
	require.NoError(t, err)
	require.Nil(t, to)
	reader := g
	reader.address = "earlier@example.org"
	require.NotContains(t, s.signIn(reader).Ask("GET", "/portal/plans", nil).Page, g.plan.PublicRef)
	require.Zero(t, s.Count(`SELECT count(*) FROM donor WHERE email = $1`, g.address), "nobody uses the mistyped address")
	require.Zero(t, s.Count(`SELECT count(*) FROM letter_delivery WHERE recipient = $1`, rightAddress))
	s.RequireNoFindings()
}
