package disputes_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/owner"
	"konbit/internal/people/staff"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// evidenceOf returns the text of the document about a dispute of a gift's payment, in one line.
func evidenceOf(t *testing.T, h *program.Program, gift uuid.UUID) string {
	t.Helper()
	ref, err := h.Fake.Dispute(*h.Gift(gift).PaymentIntentID, false)
	require.NoError(t, err)
	follow(t, h)
	m := visitor.NewMember(t, h, "fay@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	pdf := m.Ask("GET", "/office/tsne/disputes/"+ref+"/evidence", nil)
	require.Equal(t, 200, pdf.StatusCode, pdf.Page)
	toText := exec.CommandContext(t.Context(), "pdftotext", "-raw", "-", "-")
	toText.Stdin = strings.NewReader(pdf.Page)
	text, err := toText.Output()
	require.NoError(t, err, "pdftotext; install it with: make test-deps")
	return strings.Join(strings.Fields(string(text)), " ")
}

func day(at time.Time) string {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		panic(err)
	}
	return at.In(zone).Format("January 2, 2006")
}

// TestEvidenceOfRefundsAndOfAMovedGift: the document has the amount as given, each refund, what is left, and what was typed then.
func TestEvidenceOfRefundsAndOfAMovedGift(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	gift := h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	follow(t, h)
	for _, amount := range []int64{300, 250} {
		_, err := h.Fake.Refund(*h.Gift(gift.ID).PaymentIntentID, amount)
		require.NoError(t, err)
		follow(t, h)
	}
	failed, err := h.Fake.Refund(*h.Gift(gift.ID).PaymentIntentID, 100)
	require.NoError(t, err)
	follow(t, h)
	require.NoError(t, h.Fake.FailRefund(failed))
	follow(t, h)
	var receipt uuid.UUID
	require.NoError(t, h.DB.Owner.Get(&receipt, `SELECT id FROM receipt WHERE donation_id = $1`, gift.ID))
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		_, err := owner.MoveTx(t.Context(), tx, owner.Move{ReceiptID: receipt, To: "right@example.org", NewDonor: program.NewID(), By: "an operator", Why: "a test"})
		return err
	}))
	text := evidenceOf(t, h, gift.ID)
	today := day(time.Now())
	require.Contains(t, text, "Amount given $20 ")
	require.Contains(t, text, "Given back $3 on "+today)
	require.Contains(t, text, "Given back $2.50 on "+today)
	require.NotContains(t, text, failed)
	require.Contains(t, text, "Left of the amount given $14.50")
	require.Contains(t, text, "Email ana@example.org")
	require.Contains(t, text, "The email was corrected to right@example.org on "+today)
	require.Contains(t, text, "The donor sent the form "+today)
}

// TestEvidenceOfARenewal: the plan charged it by itself, at the time of the charge; the donor sent the form that began the plan.
func TestEvidenceOfARenewal(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.StartWorkers()
	first := visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	h.Exec(`UPDATE donor SET first_name = 'Later', said_at = now()`)
	h.Fake.Advance(32 * 24 * time.Hour)
	follow(t, h)
	var renewal uuid.UUID
	require.NoError(t, h.DB.Owner.Get(&renewal, `SELECT id FROM donation WHERE plan_id = $1 AND source = 'plan' AND status = 'settled'`, first.ID))
	charged := *h.Gift(renewal).ChargedAt
	require.NotEqual(t, day(time.Now()), day(charged))
	text := evidenceOf(t, h, renewal)
	require.Contains(t, text, "The plan charged its payment no. 2 by itself on "+day(charged))
	require.Contains(t, text, "the donor began the plan on "+day(time.Now()))
	require.Contains(t, text, "The payment succeeded "+day(charged))
	require.NotContains(t, text, "The donor sent the form")
	require.Contains(t, text, "What the donor typed on the form that began the plan First name Ana")
	require.Contains(t, text, "Email with the receipt, to ana@example.org")
}
