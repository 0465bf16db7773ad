package recurring_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/plan"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// correctTo corrects the address of a plan.
func correctTo(t *testing.T, h *program.Program, p plan.Plan, to string) plan.Plan {
	t.Helper()
	latest, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{p.ID})
	require.NoError(t, err)
	require.NoError(t, mail.Resender{Receipts: h.Receipts, Queue: h.Queue}.Redirect(t.Context(), latest[p.ID], to, "staff"))
	return reload(t, h, p)
}

// giveCard gives a new card by Stripe's page, as the donor of a plan.
func giveCard(t *testing.T, h *program.Program, p plan.Plan) {
	t.Helper()
	_, _, err := h.Plans.UpdatePaymentMethod(t.Context(), p.DonorID, "en", h.URL)
	require.NoError(t, err)
	_, err = h.Fake.ReplaceCard(*p.CustomerID, stripefake.GoodCard)
	require.NoError(t, err)
	deliverAll(t, h)
}

// TestCardOfTheDonorBefore: who reads the mistyped address gave a new card. When the plan moves, its owner is asked
// for a card and finance has a task, until the owner gives one. A card given at the first payment is the owner's.
func TestCardOfTheDonorBefore(t *testing.T) {
	h := program.New(t, program.Options{})
	tasks := func() []string {
		return h.Lines(`SELECT kind || ' ' || subject || CASE WHEN closed_at IS NULL THEN ' open' ELSE ' closed' END FROM finance_task`)
	}
	asked := func() int {
		return h.Count(`SELECT count(*) FROM river_job j JOIN plan_event e ON e.id::text = j.args->>'event_id' WHERE j.kind = 'plan_letter' AND e.kind = 'card needed'`)
	}
	p := startPlan(t, h, monthly(""))
	p = correctTo(t, h, p, "first@example.org")
	require.Empty(t, tasks(), "nobody gave another card")
	require.Zero(t, asked())

	giveCard(t, h, p) // at the address that is wrong, too
	p = correctTo(t, h, p, "right@example.org")
	require.Equal(t, []string{"plan_card_of_another " + p.ID.String() + " open"}, tasks())
	require.Equal(t, 1, asked())
	plans := mail.Plans{Mailer: h.Receipts.Mailer, Catalog: h.Catalog, Links: h.Receipts.Plans}
	require.NoError(t, plans.Mail(t.Context(), uuid.MustParse(h.Lines(`SELECT id::text FROM plan_event WHERE kind = 'card needed'`)[0])))
	sent := h.Mail.Messages()[0]
	require.Equal(t, "right@example.org", sent.To)
	text, err := sent.Email()
	require.NoError(t, err)
	require.Contains(t, text.Text, "/plans/open?lang=en&to=card#")
	require.NotContains(t, text.Text, "4242", "nobody sees the card of another")

	giveCard(t, h, p)
	require.Equal(t, []string{"plan_card_of_another " + p.ID.String() + " closed"}, tasks())

	p = correctTo(t, h, p, "other@example.org") // and back to who gave the card
	require.Equal(t, []string{"plan_card_of_another " + p.ID.String() + " open"}, tasks())
	correctTo(t, h, p, "right@example.org")
	require.Equal(t, []string{"plan_card_of_another " + p.ID.String() + " closed"}, tasks())
	require.Equal(t, 2, asked())
}

// TestCustomerOfTwoDonors: two plans are charged to one customer, and one of them moves. Its owner is asked for a
// card, though no event says that a card was given.
func TestCustomerOfTwoDonors(t *testing.T) {
	h := program.New(t, program.Options{})
	one := startWithCustomer(t, h, "")
	two := startWithCustomer(t, h, *one.CustomerID)
	correctTo(t, h, two, "right@example.org")
	require.Equal(t, []string{two.ID.String()}, h.Lines(`SELECT subject FROM finance_task WHERE kind = 'plan_card_of_another'`))
	require.Equal(t, []string{two.ID.String()}, h.Lines(`SELECT plan_id::text FROM plan_event WHERE kind = 'card needed'`))
}
