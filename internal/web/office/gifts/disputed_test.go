package gifts_test

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

// TestDisputedGift: the list and the page say that a gift is disputed and how it ended; the shares tell refunds from the dispute; no
// refund is offered meanwhile, and the page of the refund says why.
func TestDisputedGift(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	gift := h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	follow(t, h)
	refund, err := h.Fake.Refund(h.IntentOf(gift), 500)
	require.NoError(t, err)
	follow(t, h)
	m := visitor.NewMember(t, h, "fay@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	path := "/office/tsne/gifts/" + h.Gift(gift.ID).PublicRef
	page := m.Ask("GET", path, nil).Page
	require.Contains(t, page, `/refund">`)
	require.Contains(t, page, "Refunded")
	require.NotContains(t, page, "In dispute or lost")
	require.Contains(t, page, "Send the receipt again", "a receipt over the rest replaced the first one")
	require.Contains(t, page, `<li class="done">In the books<span class="unseen"> (done)</span></li>`)
	_, names := rows(m.Ask("GET", "/office/tsne/gifts?q="+refund, nil).Page)
	require.Equal(t, []string{"Ana Pérez"}, names, "found by its refund")
	_, names = rows(m.Ask("GET", "/office/tsne/gifts?q=re_none", nil).Page)
	require.Empty(t, names)
	shown := func(state, word string) {
		t.Helper()
		list := m.Ask("GET", "/office/tsne/gifts", nil).Page
		require.Contains(t, list, word+"</span>")
		require.Equal(t, state, file(t, m.Ask("GET", "/office/tsne/gifts?format=csv", nil).Page)[1][16])
		require.Contains(t, m.Ask("GET", path, nil).Page, word)
	}

	ref, err := h.Fake.Dispute(h.IntentOf(gift), false)
	require.NoError(t, err)
	follow(t, h)
	shown("open", "Disputed")
	page = m.Ask("GET", path, nil).Page
	require.NotContains(t, page, `/refund">`)
	require.Contains(t, page, "Stripe refunds nothing of it")
	require.Contains(t, page, "In dispute or lost")
	require.Contains(t, page, "−$15.00")
	require.Contains(t, page, "−$5.00")
	require.Contains(t, m.Ask("GET", path+"/refund", nil).Page, "Stripe refunds nothing of it")

	require.NoError(t, h.Fake.CloseDispute(ref, "lost"))
	follow(t, h)
	shown("lost", "Dispute lost")
	page = m.Ask("GET", path, nil).Page
	require.NotContains(t, page, `/refund">`)
	require.NotContains(t, page, "Send the receipt again")
	require.Contains(t, page, "is void, so it is not sent again")
}

// TestWonDispute: a gift whose dispute is won is paid again, and can be refunded.
func TestWonDispute(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	gift := h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	follow(t, h)
	ref, err := h.Fake.Dispute(h.IntentOf(gift), false)
	require.NoError(t, err)
	follow(t, h)
	require.NoError(t, h.Fake.CloseDispute(ref, "won"))
	follow(t, h)
	m := visitor.NewMember(t, h, "fay@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	page := m.Ask("GET", "/office/tsne/gifts/"+h.Gift(gift.ID).PublicRef, nil).Page
	require.Contains(t, page, "Paid</span> · Dispute won")
	require.Contains(t, page, `/refund">`)
	require.Contains(t, page, "Send the receipt again")
}

// TestProjectCannotRefund: the finance of a project is told whose money it is, and is not led to a form that they may not use.
func TestProjectCannotRefund(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	gift := h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	follow(t, h)
	m := visitor.NewMember(t, h, "marta@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", "csio"))
	page := m.Ask("GET", "/office/tsne/gifts/"+h.Gift(gift.ID).PublicRef+"?org=csio", nil).Page
	require.False(t, strings.Contains(page, "/refund?"), page)
	require.Contains(t, page, "its finance orders refunds of your gifts")
	require.Contains(t, page, "Send the receipt again")
}
