package today_test

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// gifts makes two gifts to funds of csio and one to the other organisation, and reads Stripe's balance.
func gifts(t *testing.T) *program.Program {
	t.Helper()
	h := program.New(t, program.Options{})
	for _, email := range []string{"ana@example.org", "bea@example.org"} {
		h.SettledGift(visitor.FormOf(email, "Ana"))
	}
	h.DrainAll()
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	_, err = ledger.Seal(t.Context(), h.DB.Server)
	require.NoError(t, err)
	h.SettledGift(visitor.FormOf("cid@example.org", "Cid")) // not sealed: the page is exact at any time
	return h
}

var (
	amount = regexp.MustCompile(`[−-]?\$[0-9,]+\.?[0-9]*`)
	cells  = regexp.MustCompile(`(?s)<td[^>]*class="number"[^>]*>(.*?)</td>`)
	tags   = regexp.MustCompile(`<[^>]+>`)
	linked = regexp.MustCompile(`(?s)<td[^>]*class="number"[^>]*><a href="([^"]+)">(.*?)</a></td>`)
)

// cents reads an amount of a page.
func cents(t *testing.T, text string) (minor int) {
	t.Helper()
	text = amount.FindString(html.UnescapeString(tags.ReplaceAllString(text, "")))
	require.NotEmpty(t, text)
	sign := 1
	for _, r := range strings.TrimSpace(text) {
		switch {
		case r == '−' || r == '-':
			sign = -1
		case r >= '0' && r <= '9':
			minor = 10*minor + int(r-'0')
		}
	}
	if !strings.Contains(text, ".") {
		minor *= 100
	}
	return sign * minor
}

var says = regexp.MustCompile(`(?s)<p class="says"[^>]*>(.*?)</p>`)

// sumOfRows adds up the amounts of a list's rows.
func sumOfRows(t *testing.T, page string) (sum int) {
	t.Helper()
	if !strings.Contains(page, "<tbody>") {
		return 0
	}
	for _, cell := range cells.FindAllStringSubmatch(page[strings.Index(page, "</thead>")+1:], -1) {
		sum += cents(t, cell[1])
	}
	return sum
}

// TestNumbersAreTheSumsOfTheirRows: each number of the pictures leads to a list whose rows add up to it, and to what the list says
// above them, for each role that reads money and each scope.
func TestNumbersAreTheSumsOfTheirRows(t *testing.T) {
	t.Parallel()
	h := gifts(t)
	given := map[string]int{
		"":          h.Count(`SELECT sum(amount) FROM donation d JOIN legal_entity e ON e.id = d.entity_id AND e.slug = 'tsne' WHERE status = 'settled'`),
		"?org=csio": h.Count(`SELECT sum(amount) FROM donation d JOIN organisation o ON o.id = d.organisation_id AND o.slug = 'csio' WHERE status = 'settled'`),
	}
	require.Positive(t, given["?org=csio"])
	for i, c := range []struct {
		role       staff.RoleName
		of, narrow string // the scope of the role; of the visit
	}{
		{staff.Finance, "", ""}, {staff.Finance, "", "?org=csio"}, {staff.Finance, "csio", "?org=csio"},
		{staff.Auditor, "", ""}, {staff.Auditor, "csio", "?org=csio"},
	} {
		t.Run(fmt.Sprintf("%s of tsne %s, %s", c.role, c.of, c.narrow), func(t *testing.T) {
			m := visitor.NewMember(t, h, fmt.Sprintf("fay%d@example.org", i), c.role, visitor.ScopeOf(t, h, "tsne", c.of))
			page := m.Ask("GET", "/office/tsne"+c.narrow, nil)
			require.Equal(t, 200, page.StatusCode, page.Page)
			found := linked.FindAllStringSubmatch(page.Page, -1)
			require.Greater(t, len(found), 8, page.Page)
			seen := map[string]bool{}
			for _, f := range found {
				address := html.UnescapeString(f[1])
				if seen[address] {
					continue
				}
				seen[address] = true
				list := m.Ask("GET", address, nil)
				require.Equal(t, 200, list.StatusCode, address)
				assert.Equal(t, cents(t, f[2]), sumOfRows(t, list.Page), "%s: the rows add up to the number", address)
			}
			require.Greater(t, len(seen), 7)
			and := map[bool]string{true: "&", false: "?"}[c.narrow != ""]
			last := time.Now().UTC().AddDate(0, -1, 5-time.Now().UTC().Day()).Format("2006-01")
			for _, of := range []string{"gifts", "fees", "dispute_fees", "stripe", "transit", "withheld", "checks", "bank", "gifts&fund=general", "fees&fund=general", "gifts&month=" + last} {
				address := "/office/tsne/entries" + c.narrow + and + "of=" + of
				list := m.Ask("GET", address, nil)
				require.Equal(t, 200, list.StatusCode, address)
				above := says.FindStringSubmatch(list.Page)
				require.NotNil(t, above, address)
				assert.Equal(t, cents(t, above[1]), sumOfRows(t, list.Page), "%s: the rows add up to what is said above them", address)
				if of == "gifts" || of == "stripe" {
					assert.NotZero(t, sumOfRows(t, list.Page), address)
				}
				if of == "gifts" {
					assert.Equal(t, given[c.narrow], cents(t, above[1]))
				}
			}
		})
	}
	m := visitor.NewMember(t, h, "zoe@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	file := m.Ask("GET", "/office/tsne/entries?of=gifts&format=csv", nil)
	require.Equal(t, 200, file.StatusCode)
	require.Equal(t, 4, strings.Count(strings.TrimSpace(file.Page), "\n")+1, file.Page)
}

// TestTodayIsClear: without anything to do the page says so; a project sees its own numbers. An admin and who enters data see no
// money: the page says what their work is, and whom to ask for more.
func TestTodayIsClear(t *testing.T) {
	t.Parallel()
	h := gifts(t)
	m := visitor.NewMember(t, h, "fay@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	page := m.Ask("GET", "/office/tsne", nil)
	require.Contains(t, page.Page, "All is done")
	require.NotContains(t, page.Page, "style=")
	require.Equal(t, 4, strings.Count(page.Page, `role="img"`))
	require.Contains(t, m.Ask("GET", "/office/tsne?lang=es", nil).Page, "Todo está hecho")
	project := visitor.NewMember(t, h, "pia@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", "csio"))
	require.Equal(t, 200, project.Ask("GET", "/office/tsne?org=csio", nil).StatusCode)
	require.Equal(t, "/office/tsne?org=csio", project.Ask("GET", "/office/tsne", nil).Header.Get("Location"))
	require.Equal(t, "/office/tsne/entries?org=csio", project.Ask("GET", "/office/tsne/entries", nil).Header.Get("Location"))
	require.Equal(t, 404, project.Ask("GET", "/office/tsne/entries?org=csio&fund=operations", nil).StatusCode)
	admin := visitor.NewMember(t, h, "ada@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	entry := visitor.NewMember(t, h, "eve@example.org", staff.Entry, visitor.ScopeOf(t, h, "tsne", ""))
	bea := visitor.NewMember(t, h, "bea@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	lone := visitor.NewMember(t, h, "lone@example.org", staff.Entry, visitor.ScopeOf(t, h, "tsne", "csio"))
	for _, c := range []struct {
		who            *visitor.Member
		scope          string
		says, silentOn []string
	}{
		{admin, "", []string{"No request waits for you", "You decide who works here", `href="/office/tsne/people"`, `href="/office/tsne/approvals"`, `href="/office/tsne/audit"`,
			"Ask another admin: Bea."}, []string{"All is done", `href="/office/tsne/tasks"`}},
		{entry, "", []string{"Data entry is for gifts that arrive as a check", "Admins here: Ada, Bea."}, []string{"All is done", "No request waits", "/office/tsne/people", "/office/tsne/approvals"}},
		{lone, "?org=csio", []string{"The admins of TSNE MissionWorks give it to you"}, []string{"Ada", "Bea"}},
	} {
		page := c.who.Ask("GET", "/office/tsne"+c.scope, nil)
		require.Equal(t, 200, page.StatusCode, c.who.Email)
		for _, text := range c.says {
			require.Contains(t, page.Page, text, c.who.Email)
		}
		for _, text := range append(c.silentOn, `role="img"`, "/office/tsne/gifts", "/office/tsne/donors", "$") {
			require.NotContains(t, page.Page, text, c.who.Email)
		}
		for _, closed := range []string{"gifts", "donors", "refunds", "disputes", "suspense", "tasks", "entries", "gifts/export"} {
			require.Equal(t, 404, c.who.Ask("GET", "/office/tsne/"+closed+c.scope, nil).StatusCode, "%s as %s", closed, c.who.Email)
		}
	}
	require.Equal(t, 404, entry.Ask("GET", "/office/tsne/approvals", nil).StatusCode)
	require.Equal(t, 200, bea.Ask("GET", "/office/tsne/approvals", nil).StatusCode)
	other := visitor.NewMember(t, h, "ole@example.org", staff.Finance, visitor.ScopeOf(t, h, "aina", ""))
	page = other.Ask("GET", "/office/aina", nil)
	require.NotContains(t, page.Page, "$20")
	require.Equal(t, 404, other.Ask("GET", "/office/tsne", nil).StatusCode)
}

// TestTaskIsClosedByAPerson: with a reason, which is in the audit log; one of another entity is not found.
func TestTaskIsClosedByAPerson(t *testing.T) {
	t.Parallel()
	h := gifts(t)
	h.Exec(`INSERT INTO finance_task (id, entity_id, kind, subject, detail, opened_at)
		SELECT gen_random_uuid(), id, 'refund_failed', 're_1', '{"of": "re_1", "amount": "500"}', now() - interval '1 hour' FROM legal_entity WHERE slug = 'tsne'`)
	h.Exec(`INSERT INTO finance_task (id, entity_id, kind, subject, opened_at) SELECT gen_random_uuid(), id, 'checker_found', 'check_x', now() FROM legal_entity WHERE slug = 'tsne'`)
	id := h.Lines(`SELECT id::text FROM finance_task WHERE kind = 'refund_failed'`)[0]
	m := visitor.NewMember(t, h, "fay@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	require.Contains(t, m.Ask("GET", "/office/tsne", nil).Page, "Refund failed")
	list := m.Ask("GET", "/office/tsne/tasks", nil)
	require.Contains(t, list.Page, "2 tasks are open")
	h.Exec(`INSERT INTO finance_task (id, entity_id, kind, subject, opened_at) SELECT gen_random_uuid(), id, 'of_another_version', 'x', now() FROM legal_entity WHERE slug = 'tsne'`)
	today := m.Ask("GET", "/office/tsne", nil).Page
	for group, says := range map[string]string{"tasks": "2 tasks", "checkers": "1 check that"} { // the list has as many as Today says
		require.Contains(t, today, `tasks?about=`+group+`">`+says)
		require.Contains(t, m.Ask("GET", "/office/tsne/tasks?about="+group, nil).Page, says[:1]+" task")
	}
	h.Exec(`UPDATE finance_task SET closed_at = greatest(now(), opened_at) WHERE kind = 'of_another_version'`)
	require.Contains(t, m.Ask("GET", "/office/tsne/tasks?about=checkers", nil).Page, "1 task is open")
	h.Exec(`UPDATE finance_task SET detail = detail || jsonb_build_object('asked by', 'staff ' || $2::text) WHERE id = $1`, id, m.ID)
	page := m.Ask("GET", "/office/tsne/tasks/"+id, nil)
	require.Equal(t, 200, page.StatusCode)
	require.Contains(t, page.Page, "<dd>$5.00</dd>")
	require.Contains(t, page.Page, "<dd>Fay</dd>")
	require.NotContains(t, page.Page, "staff "+m.ID.String())
	require.Contains(t, page.Page, "owed to the donor")
	require.Equal(t, 422, m.PostOffice("/office/tsne/tasks/"+id, url.Values{"reason": {" "}}).StatusCode)
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task WHERE id = $1 AND closed_at IS NOT NULL`, id))
	for range 2 { // sent twice
		got := m.PostOffice("/office/tsne/tasks/"+id, url.Values{"reason": {"Repaid by check 12"}})
		require.Equal(t, 303, got.StatusCode, got.Page)
	}
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM finance_task WHERE id = $1 AND closed_at IS NOT NULL AND closed_by = $2`, id, m.ID))
	require.Equal(t, []string{"task.closed Repaid by check 12"}, h.Lines(`SELECT act || ' ' || reason FROM audit_entry WHERE object_id = $1`, id))
	require.Contains(t, m.Ask("GET", "/office/tsne/tasks/"+id, nil).Page, "Closed by Fay")
	require.Contains(t, m.Ask("GET", "/office/tsne/tasks?state=closed", nil).Page, "Refund failed")
	other := visitor.NewMember(t, h, "ole@example.org", staff.Finance, visitor.ScopeOf(t, h, "aina", ""))
	require.Equal(t, 404, other.Ask("GET", "/office/aina/tasks/"+id, nil).StatusCode)
	require.Equal(t, 404, other.PostOffice("/office/aina/tasks/"+id, url.Values{"reason": {"x"}}).StatusCode)
	auditor := visitor.NewMember(t, h, "aud@example.org", staff.Auditor, visitor.ScopeOf(t, h, "tsne", ""))
	require.NotContains(t, auditor.Ask("GET", "/office/tsne/tasks/"+id, nil).Page, `name="reason"`)
	require.Equal(t, 404, auditor.PostOffice("/office/tsne/tasks/"+id, url.Values{"reason": {"x"}}).StatusCode)
}

// TestTodaySaysWhatWaits: parked events and a balance that cannot be read.
func TestTodaySaysWhatWaits(t *testing.T) {
	t.Parallel()
	h := gifts(t)
	h.Exec(`UPDATE balance_lookup SET failing_since = now() - interval '2 hours', failure = 'x'`)
	h.Exec(`UPDATE stripe_event SET state = 'parked', reason = 'x', done_at = NULL, received_at = now() - interval '20 minutes' WHERE id = (SELECT min(id) FROM stripe_event)`)
	m := visitor.NewMember(t, h, "fay@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	page := m.Ask("GET", "/office/tsne", nil)
	require.Contains(t, page.Page, "balance cannot be read since")
	require.Contains(t, page.Page, "1 message waits for more than ten minutes")
	require.NotContains(t, page.Page, "All is done")
	began := time.Now()
	m.Ask("GET", "/office/tsne", nil)
	t.Logf("Today took %s", time.Since(began))
}
