package gifts_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestUnknownFilters: a value of the address that is no filter is named, and the list is shown without it.
func TestUnknownFilters(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	gift := h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	m := visitor.NewMember(t, h, "clara@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	for _, wrong := range []string{"state=foo", "source=foo", "every=foo", "year=1", "fund=foo", "bogus=1"} {
		page := m.Ask("GET", "/office/tsne/gifts?"+wrong, nil)
		require.Equal(t, 200, page.StatusCode)
		require.Contains(t, page.Page, "asks for “"+wrong+"”", wrong)
		require.Contains(t, page.Page, gift.PublicRef, wrong)
	}
	for wrong, says := range map[string]string{"month=2026-13": "no month", "month=foo": "no month", "from=2026-02-31": "no day", "to=foo": "no day",
		"least=abc": "Type an amount above zero", "least=20.005": "Type an amount above zero", "most=-5": "Type an amount above zero",
		"to=2026-03-01&from=2026-03-02": "before the first one", "most=5&least=6": "less than the least"} {
		page := m.Ask("GET", "/office/tsne/gifts?"+wrong, nil).Page
		pair, _, _ := strings.Cut(wrong, "&")
		name, value, _ := strings.Cut(pair, "=")
		require.Contains(t, page, `id="`+name+`-error"`, wrong)
		require.Contains(t, page, says, wrong)
		require.Contains(t, page, `value="`+value+`"`, "what was typed stays: %s", wrong)
		require.Regexp(t, `<details class="fold more" open><summary>Another month`, page, wrong)
		require.NotContains(t, page, "No such filter", wrong)
	}
	require.Contains(t, m.Ask("GET", "/office/tsne/gifts/export?least=foo", nil).Page, "asks for “least=foo”")
	long := strings.Repeat("a", 3000)
	for _, list := range []string{"gifts", "donors"} {
		for _, name := range []string{"q", "bogus", "state"} {
			page := m.Ask("GET", "/office/tsne/"+list+"?"+name+"="+long, nil)
			require.Equal(t, 200, page.StatusCode)
			require.LessOrEqual(t, strings.Count(page.Page, long), 2, "the links to the two languages: %s %s", list, name)
			require.Equal(t, name == "q", strings.Contains(page.Page, "Search for at most 200 characters"), "%s %s", list, name)
			require.Equal(t, name != "q", strings.Contains(page.Page, "ana@example.org") || strings.Contains(page.Page, gift.PublicRef), "%s %s", list, name)
		}
	}
	require.Contains(t, m.Ask("GET", "/office/tsne/gifts?lang=es&state=foo", nil).Page, "pide «state=foo»")
	require.Contains(t, m.Ask("GET", "/office/tsne/gifts/export?state=foo", nil).Page, "asks for “state=foo”")
	hostile := m.Ask("GET", "/office/tsne/gifts?state="+url.QueryEscape("<script>"+strings.Repeat("x", 100)), nil).Page
	require.NotContains(t, hostile, "<script>x")
	require.NotContains(t, hostile, strings.Repeat("x", 50)+"”")
	for path, wrong := range map[string]string{
		"refunds": "state=foo", "refunds?x=": "origin=foo", "disputes": "state=foo", "tasks": "state=foo", "tasks?x=": "about=foo", "donors": "bogus=1", "refunds?y=": "bogus=1", "disputes?y=": "bogus=1", "tasks?y=": "bogus=1", "approvals?y=": "bogus=1", "entries?y=": "bogus=1", "approvals": "list=foo",
		"entries": "of=foo", "entries?of=gifts": "day=2026-02-31", "entries?x=": "month=foo", "": "month=foo",
	} {
		sign := "?"
		if strings.Contains(path, "?") {
			sign = "&"
		}
		page := m.Ask("GET", strings.TrimSuffix("/office/tsne/"+path, "/")+sign+wrong, nil)
		require.Equal(t, 200, page.StatusCode, path)
		require.Contains(t, page.Page, "asks for “"+wrong+"”", path)
	}
	auditor := visitor.NewMember(t, h, "vera@staff.example", staff.Auditor, visitor.ScopeOf(t, h, "tsne", ""))
	for _, wrong := range []string{"act=foo", "from=foo", "to=2026-02-31"} {
		require.Contains(t, auditor.Ask("GET", "/office/tsne/audit?"+wrong, nil).Page, "asks for “"+wrong+"”")
	}
	for _, right := range []string{"gifts?state=settled&source=form&every=once&month=2026-03&least=1&most=2,000", "gifts", "tasks?state=closed&about=emails", "disputes?state=all",
		"approvals?list=mine", "refunds?state=waiting", "entries?of=fees"} {
		require.NotContains(t, m.Ask("GET", "/office/tsne/"+right, nil).Page, "asks for “", right)
	}
}

// TestDaysAndAmounts: the list has the gifts of any month, from a day until another, and of amounts between two.
func TestDaysAndAmounts(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	small, large := visitor.FormOf("ana@example.org", "Ana"), visitor.FormOf("ben@example.org", "Ben")
	small.Amount, small.AmountOther = "other", "20"
	large.Amount, large.AmountOther = "other", "1250.50"
	twenty, more := h.SettledGift(small).PublicRef, h.SettledGift(large).PublicRef
	h.Exec(`ALTER TABLE donation DISABLE TRIGGER USER; UPDATE donation SET charged_at = '2025-03-31 23:30:00-04' WHERE public_ref = '` + more + `'; ALTER TABLE donation ENABLE TRIGGER USER`)
	m := visitor.NewMember(t, h, "clara@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	for query, want := range map[string][]bool{ // whether it has the small and the large one
		"": {true, true}, "least=20": {true, true}, "least=20.01": {false, true}, "most=20": {true, false}, "least=1,250.50&most=1,250.50": {false, true},
		"least=1000&most=1200": {false, false}, "month=2025-03": {false, true}, "month=2025-04": {false, false}, "from=2025-03-31&to=2025-03-31": {false, true},
		"to=2025-03-30": {false, false}, "from=2025-04-01": {true, false}, "month=2025-03&from=2025-04-01": {true, false}, "fund=general&least=21": {false, true},
	} {
		page := m.Ask("GET", "/office/tsne/gifts?"+query, nil)
		require.Equal(t, 200, page.StatusCode, query)
		require.Equal(t, want, []bool{strings.Contains(page.Page, twenty), strings.Contains(page.Page, more)}, query)
	}
	page := m.Ask("GET", "/office/tsne/gifts?from=2025-04-01&least=10", nil).Page
	require.Contains(t, page, "1 gift from April 1, 2025 on of $10.00 or more, $20.00")
	require.Contains(t, m.Ask("GET", "/office/tsne/gifts?from=2025-03-01&to=2025-04-30&least=20&most=2000", nil).Page,
		"1 gift from March 1, 2025 to April 30, 2025 between $20.00 and $2,000.00, $1,250.50")
	require.Contains(t, m.Ask("GET", "/office/tsne/gifts?lang=es&from=2025-03-01&to=2025-04-30&least=20&most=2000", nil).Page,
		"del 1 de marzo de 2025 al 30 de abril de 2025 de entre")
	require.Contains(t, page, `name="from" type="date" value="2025-04-01"`)
}
