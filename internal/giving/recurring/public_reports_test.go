package recurring_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/receipt"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// Symptoms that users of other billing systems reported. The address of a report stands with its test.

// planInArrears returns a plan of which the second payment failed for want of money. Stripe tries it again for three
// weeks.
func planInArrears(t *testing.T, h *program.Program, times string) plan.Plan {
	t.Helper()
	p := startPlan(t, h, monthly(times))
	require.NoError(t, h.Fake.FailCard(*p.SubscriptionID, "insufficient_funds", 1))
	p = advanceToNextCharge(t, h, p)
	require.NotNil(t, p.FailingInvoice)
	return p
}

// TestPausedGiftIsChargedForAnUnpaidInvoice: a donor who is short of money pauses, and three days later the invoice that
// had failed is charged all the same (https://github.com/Subscribie/subscribie/issues/734,
// https://github.com/Bike4Mind/bike4mind/pull/2922). The draft of the hour after a renewal is not charged either:
// "nothing is charged until then". A donor who leaves the next charge out does not mean that draft.
func TestPausedGiftIsChargedForAnUnpaidInvoice(t *testing.T) {
	by := func(p plan.Plan) recurring.DonorRequest {
		return recurring.DonorRequest{PlanID: p.ID, SubmissionID: "a", Channel: planlink.ByLink}
	}
	asks := map[string]func(h *program.Program, p plan.Plan) error{
		"pause": func(h *program.Program, p plan.Plan) error {
			_, err := h.Plans.Pause(t.Context(), by(p), 3)
			return err
		},
		"skip": func(h *program.Program, p plan.Plan) error { _, err := h.Plans.Skip(t.Context(), by(p)); return err },
	}
	states := map[string]func(t *testing.T, h *program.Program) plan.Plan{
		"open": func(t *testing.T, h *program.Program) plan.Plan { return planInArrears(t, h, "3") },
		"draft": func(t *testing.T, h *program.Program) plan.Plan {
			p := startPlan(t, h, monthly("3"))
			h.Fake.Advance(p.NextAt.Sub(h.Fake.Now()) + 10*time.Minute)
			deliverAll(t, h)
			return reload(t, h, p)
		},
	}
	for state, begin := range states {
		for name, ask := range asks {
			if state+name == "draftskip" {
				continue
			}
			t.Run(state+" "+name, func(t *testing.T) {
				h := program.New(t, program.Options{})
				p := begin(t, h)
				require.NoError(t, ask(h, p))
				deliverAll(t, h)
				p = reload(t, h, p)
				require.Equal(t, plan.Paused, p.Status)
				require.Nil(t, p.FailingSince, "nothing is owed for it")
				next := *p.NextAt
				for end := next.Add(-time.Hour); h.Fake.Now().Before(end); deliverAll(t, h) {
					h.Fake.Advance(min(end.Sub(h.Fake.Now()), 20*24*time.Hour))
				}
				require.Equal(t, 1, h.Count(`SELECT count(*) FROM payment`), "nothing is charged before %s", next)
				for n := 2; n <= 3; n++ {
					p = advanceToNextCharge(t, h, reload(t, h, p))
					require.Equal(t, n, p.Paid)
				}
				require.Equal(t, plan.Finished, p.Status, "three payments are three payments")
				require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
			})
		}
	}
}

// TestUnpaidSubscriptionLooksActive: by the account's settings a subscription is "unpaid" after the last retry instead of
// canceled. It then makes drafts that nobody collects, also after a new card, while the donor reads that the gift goes on
// (https://github.com/twentyhq/twenty/pull/18770, https://github.com/TryGhost/Members/pull/211).
func TestUnpaidSubscriptionLooksActive(t *testing.T) {
	h := program.New(t, program.Options{Fake: stripefake.Options{AfterRetries: "unpaid"}})
	p := startPlan(t, h, monthly(""))
	require.NoError(t, h.Fake.FailCard(*p.SubscriptionID, "insufficient_funds", 0))
	h.Fake.Advance(p.NextAt.Sub(h.Fake.Now()) + 25*24*time.Hour)
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Equal(t, []any{plan.Failed, plan.Unpaid}, []any{p.Status, because(p)})
	require.Equal(t, "canceled", status(t, h, p))
	require.Equal(t, "given up", emailsOf(h, p)[len(emailsOf(h, p))-1])
	_, err := h.Fake.ReplaceCard(*p.CustomerID, stripefake.GoodCard)
	require.NoError(t, err)
	h.Fake.Advance(65 * 24 * time.Hour)
	deliverAll(t, h)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM payment`))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
}

// TestInvoicePaidByCheckWaitsForItsCharge: a donor whose card failed sends a check, and staff mark the invoice as paid
// outside Stripe. Its event waited for ever for a charge, and the plan never ended
// (https://github.com/stripe-ruby-mock/stripe-ruby-mock/pull/824). The donor pays no more often than they planned.
func TestInvoicePaidByCheckWaitsForItsCharge(t *testing.T) {
	h := program.New(t, program.Options{})
	p := planInArrears(t, h, "3")
	require.NoError(t, h.Fake.MarkInvoicePaid(*p.FailingInvoice))
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Nil(t, p.FailingSince)
	require.Equal(t, 1, p.Paid, "a check is a gift of its own")
	require.Zero(t, h.Count(`SELECT count(*) FROM stripe_event WHERE state <> 'done'`))
	p = advanceToNextCharge(t, h, p)
	require.Equal(t, []any{plan.Finished, plan.Completed}, []any{p.Status, because(p)})
	h.Fake.Advance(100 * 24 * time.Hour)
	deliverAll(t, h)
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM payment`))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
}

// TestEndAfterAnInvoiceWithoutCharge: the subscription is deleted at Stripe while its latest invoice is one that no charge
// paid: it was paid outside Stripe, or it is the invoice over nothing that a change of dates makes. The plan stayed active.
func TestEndAfterAnInvoiceWithoutCharge(t *testing.T) {
	for name, begin := range map[string]func(t *testing.T, h *program.Program) plan.Plan{
		"paid outside Stripe": func(t *testing.T, h *program.Program) plan.Plan {
			p := planInArrears(t, h, "")
			require.NoError(t, h.Fake.MarkInvoicePaid(*p.FailingInvoice))
			return p
		},
		"a change of dates": func(t *testing.T, h *program.Program) plan.Plan {
			p := startPlan(t, h, monthly(""))
			to, err := monthly("").CheckTerms(h.Offer("csio"))
			require.NoError(t, err)
			next := p.NextAt.AddDate(0, 0, 5)
			_, err = h.Plans.Change(t.Context(), recurring.DonorRequest{PlanID: p.ID, SubmissionID: "a", Channel: planlink.BySession}, to, &next)
			require.NoError(t, err)
			return p
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := program.New(t, program.Options{})
			p := begin(t, h)
			deliverAll(t, h)
			require.NoError(t, h.Fake.CancelSubscription(*p.SubscriptionID))
			deliverAll(t, h)
			p = reload(t, h, p)
			require.Equal(t, []any{plan.Cancelled, plan.AtStripe}, []any{p.Status, because(p)})
		})
	}
}

// TestPaidByLinkShowsTheOldCard: Link has no card and no last four digits. The page and the emails went on naming the card
// that the donor had replaced, and announced its end (https://github.com/laravel/cashier-stripe/issues/1371,
// https://github.com/getlago/lago-api/pull/5397).
func TestPaidByLinkShowsTheOldCard(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly(""))
	require.Equal(t, []any{"visa", "4242"}, []any{*p.CardBrand, *p.CardLast4})
	_, err := h.Fake.ReplaceLink(*p.CustomerID)
	require.NoError(t, err)
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Equal(t, []any{"link", (*string)(nil), (*time.Time)(nil)}, []any{*p.CardBrand, p.CardLast4, p.CardExpires})
	require.Equal(t, []string{"link|"}, h.Lines(`SELECT concat_ws('|', detail->>'brand', coalesce(detail->>'last4', '')) FROM plan_event WHERE kind = 'card mended'`))
	h.Fake.Advance(40 * 24 * time.Hour)
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Equal(t, 2, p.Paid)
	require.Equal(t, "link", *p.CardBrand)
}

// TestCorrectedNameIsOnTheNextReceipt: finance corrects a mistyped name on a receipt, and the next month the typing error
// is back (https://github.com/hackclub/hcb/issues/15115).
func TestCorrectedNameIsOnTheNextReceipt(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly(""))
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		r := uuid.MustParse(h.Lines(`SELECT id::text FROM receipt`)[0])
		_, err := h.ReceiptIssuer.CorrectTx(t.Context(), tx, r, receipt.Correction{LastName: "Pérez Ruiz"}, "a test", h.Fake.Now())
		return err
	}))
	p = advanceToNextCharge(t, h, p)
	p = advanceToNextCharge(t, h, p)
	require.Equal(t, 3, p.Paid)
	require.Equal(t, []string{"Pérez Ruiz", "Pérez Ruiz"}, h.Lines(`SELECT r.facts->>'last_name' FROM instalment i JOIN receipt r USING (donation_id) WHERE i.n > 1`))
}
