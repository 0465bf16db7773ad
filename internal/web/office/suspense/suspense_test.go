package suspense_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestAmountBecomesAGift: the first person chooses a fund and names the donor, the second one sees both and approves; then it is
// a gift with a receipt. A form with a mistake changes nothing.
func TestAmountBecomesAGift(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.Exec(`UPDATE legal_entity SET money_factor = 'totp'`)
	_, err := h.Fake.AdjustBalance("tsne", "network_cost_of_the_future", "usd", 1240)
	require.NoError(t, err)
	h.DeliverNew()
	h.DrainAll()
	_, err = h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	ana := visitor.NewMember(t, h, "ana@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	ben := visitor.NewMember(t, h, "ben@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	path := "/office/tsne/suspense/" + h.Lines(`SELECT subject FROM suspense_row`)[0]
	page := ana.Ask("GET", path, nil)
	require.Equal(t, 200, page.StatusCode)
	fund := h.Offer("csio").Funds[0]
	require.Contains(t, page.Page, `value="gift `+fund.Code+`"`)
	require.Contains(t, page.Page, `<select id="account" name="account"><option value="">Choose…</option>`, "nothing is chosen before")
	require.NotContains(t, page.Page, " selected")
	nothing := url.Values{"submission": {visitor.HiddenFields(page.Page).Get("submission")}, "account": {""}, "reason": {"a gift by phone"}, "code": {ana.Code()}}
	refused := ana.PostOffice(path, nothing)
	require.Equal(t, 422, refused.StatusCode)
	require.Contains(t, refused.Page, "Choose an account of the list")
	form := url.Values{"submission": {visitor.HiddenFields(page.Page).Get("submission")}, "account": {"gift " + fund.Code}, "reason": {"a gift by phone"},
		"last_name": {"Lima"}, "email": {"rosa@example.org"}}
	form.Set("code", ana.Code())
	unnamed := ana.PostOffice(path, form)
	require.Equal(t, 422, unnamed.StatusCode, "nobody is named")
	require.Contains(t, unnamed.Page, "Write the name.", "words for staff")
	require.NotContains(t, unnamed.Page, "your first name")
	require.Contains(t, ana.PostOffice(path+"?lang=es", form).Page, "Escriba el nombre.")
	require.Zero(t, h.Count(`SELECT count(*) FROM donation`))
	form.Set("first_name", "Rosa")
	form.Set("code", ana.Code())
	asked := ana.PostOffice(path, form)
	require.Equal(t, 303, asked.StatusCode, asked.Page)
	request := asked.Header.Get("Location")
	form.Set("code", ana.Code())
	require.Equal(t, request, ana.PostOffice(path, form).Header.Get("Location"), "the same form is the same request")
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM donation WHERE status = 'started'`))
	require.Contains(t, ben.Ask("GET", "/office/tsne/suspense", nil).Page, "Waits for a second person")
	tasks := h.Lines(`SELECT id::text FROM finance_task WHERE kind = 'unknown_balance_transaction' AND closed_at IS NULL`)
	require.Len(t, tasks, 1)
	about := ben.Ask("GET", "/office/tsne/tasks/"+tasks[0], nil).Page
	require.Contains(t, about, `href="`+path+`"`, "the task leads to the amount itself")
	require.NotContains(t, about, "by a journal entry")
	shown := ben.Ask("GET", request, nil)
	require.Contains(t, shown.Page, "Rosa Lima")
	require.Contains(t, shown.Page, "rosa@example.org", "where the receipt goes")
	require.Contains(t, shown.Page, "Language of the receipt")
	approve := url.Values{"do": {"approve"}, "hash": {visitor.HiddenFields(shown.Page).Get("hash")}, "code": {ben.Code()}}
	require.Equal(t, 303, ben.PostOffice(request, approve).StatusCode)
	require.Equal(t, []string{"settled 1240"}, h.Lines(`SELECT status || ' ' || amount FROM donation`))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM receipt`))
	done := ana.Ask("GET", path, nil)
	require.Equal(t, 200, done.StatusCode)
	require.Regexp(t, `Booked to a gift with receipt on [A-Z][a-z]+ \d+, \d{4}: a gift by phone`, done.Page)
	require.Regexp(t, `\d+ de [a-z]+ de \d{4}`, ana.Ask("GET", path+"?lang=es", nil).Page)
	h.RequireNoFindings()
}
