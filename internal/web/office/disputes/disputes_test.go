package disputes_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

func follow(t *testing.T, h *program.Program) {
	t.Helper()
	h.DeliverNew()
	h.DrainAll()
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	h.RetryParked()
}

// TestDisputeFromOpeningToWonAfterLost: an open dispute of a one-time gift makes a task with its deadline; it is listed, its
// page says where the money is, and the task closes when it is lost; the bank may still give the money back.
func TestDisputeFromOpeningToWonAfterLost(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	gift := h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	follow(t, h)
	ref, err := h.Fake.Dispute(h.IntentOf(gift), false)
	require.NoError(t, err)
	follow(t, h)
	require.Equal(t, []string{"payment_disputed " + ref}, h.Lines(`SELECT kind || ' ' || subject FROM finance_task WHERE closed_at IS NULL AND detail ? 'answer by'`))
	m := visitor.NewMember(t, h, "fay@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	today := m.Ask("GET", "/office/tsne", nil)
	require.Contains(t, today.Page, "1 dispute to answer")
	require.Contains(t, today.Page, "Answer by")
	require.Contains(t, m.Ask("GET", "/office/tsne/disputes?state=withheld", nil).Page, ref)
	require.Equal(t, h.Count(`SELECT sum(amount) FROM dispute WHERE withdrawn_at IS NOT NULL AND won_at IS NULL AND lost_at IS NULL`),
		h.Count(`SELECT sum(amount) FROM posting WHERE account_code = '1020'`), "the number of Today is the sum of this list")
	page := m.Ask("GET", "/office/tsne/disputes/"+ref, nil)
	require.Equal(t, 200, page.StatusCode)
	require.Contains(t, page.Page, "Withheld by the bank")
	require.Contains(t, page.Page, "https://dashboard.stripe.com/test/disputes/"+ref)

	pdf := m.Ask("GET", "/office/tsne/disputes/"+ref+"/evidence", nil)
	require.Equal(t, 200, pdf.StatusCode)
	require.True(t, strings.HasPrefix(pdf.Page, "%PDF-"), pdf.Page[:20])
	require.Equal(t, []string{"dispute.evidence_read " + gift.ID.String()}, h.Lines(`SELECT act || ' ' || object_id FROM audit_entry WHERE act LIKE 'dispute%'`))

	for _, scope := range []struct{ entity, org, query string }{{"aina", "", ""}} {
		other := visitor.NewMember(t, h, "ole@example.org", staff.Finance, visitor.ScopeOf(t, h, scope.entity, scope.org))
		for _, path := range []string{"/disputes/" + ref, "/disputes/" + ref + "/evidence"} {
			require.Equal(t, 404, other.Ask("GET", "/office/"+scope.entity+path+scope.query, nil).StatusCode, path)
		}
		require.NotContains(t, other.Ask("GET", "/office/"+scope.entity+"/disputes", nil).Page, ref)
	}
	require.NoError(t, h.Fake.CloseDispute(ref, "lost"))
	follow(t, h)
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task WHERE kind = 'payment_disputed' AND closed_at IS NULL`))
	require.Contains(t, m.Ask("GET", "/office/tsne/disputes?state=lost", nil).Page, ref)
	require.Contains(t, m.Ask("GET", "/office/tsne/disputes/"+ref, nil).Page, "Taken for good")
}

// TestInquiryIsListed: the bank asks and takes nothing; the task closes when it ends.
func TestInquiryIsListed(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	gift := h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	follow(t, h)
	ref, err := h.Fake.Dispute(h.IntentOf(gift), true)
	require.NoError(t, err)
	follow(t, h)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM finance_task WHERE kind = 'payment_disputed' AND closed_at IS NULL`))
	m := visitor.NewMember(t, h, "fay@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", "csio"))
	require.Contains(t, m.Ask("GET", "/office/tsne/disputes/"+ref+"?org=csio", nil).Page, "has taken nothing yet")
	require.NoError(t, h.Fake.CloseDispute(ref, "closed"))
	follow(t, h)
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task WHERE closed_at IS NULL`))
	require.Equal(t, []string{"closed"}, h.Lines(`SELECT state FROM dispute_row`))
}

// TestDisputeIsListedWithoutItsEvents: the import of the balance is enough.
func TestDisputeIsListedWithoutItsEvents(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	gift := h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	follow(t, h)
	_, err := h.Fake.Dispute(h.IntentOf(gift), false)
	require.NoError(t, err)
	_, err = h.Collector.Sweep(t.Context()) // no event arrived
	require.NoError(t, err)
	require.Equal(t, []string{"open true true"}, h.Lines(`SELECT state || ' ' || (due_at IS NOT NULL) || ' ' || (withdrawn_at IS NOT NULL) FROM dispute_row`))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM finance_task WHERE kind = 'payment_disputed' AND closed_at IS NULL`))
}
