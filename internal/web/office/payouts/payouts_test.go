package payouts_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

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

func table(t *testing.T, page string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(page, "\ufeff"))).ReadAll()
	require.NoError(t, err)
	return rows
}

func member(t *testing.T, h *program.Program, role staff.RoleName, entity, organisation string) *visitor.Member {
	return visitor.NewMember(t, h, string(role)+entity+organisation+"@example.org", role, visitor.ScopeOf(t, h, entity, organisation))
}

// TestPayoutPages: a payout is listed and shown with its gift, refund, dispute and fee, down to the funds, with the remainder as a
// line of its own; one that a person made says that nothing is named; one that came back says so.
func TestPayoutPages(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	split := visitor.FormOf("ana@example.org", "Ana")
	split.Fund, split.Split = "", map[string]string{"general": "12", "network": "8"}
	gift := h.SettledGift(split)
	for i := range 3 {
		h.SettledGift(visitor.FormOf(fmt.Sprintf("ben%d@example.org", i), "Ben"))
	}
	disputed := h.SettledGift(visitor.FormOf("eva@example.org", "Eva"))
	follow(t, h)
	_, err := h.Fake.Refund(h.IntentOf(gift), 500)
	require.NoError(t, err)
	dispute, err := h.Fake.Dispute(h.IntentOf(disputed), false)
	require.NoError(t, err)
	_, err = h.Fake.AdjustBalance("tsne", "stripe_fee", "usd", -125)
	require.NoError(t, err)
	follow(t, h)
	h.Fake.Advance(72 * time.Hour)
	refs, err := h.Fake.Payout("tsne")
	require.NoError(t, err)
	follow(t, h)
	ref := refs[0]

	m := member(t, h, staff.Finance, "tsne", "")
	list := m.Ask("GET", "/office/tsne/payouts", nil)
	require.Equal(t, 200, list.StatusCode)
	require.Contains(t, list.Page, `href="/office/tsne/payouts/`+ref+`"`)
	require.Contains(t, list.Page, "1 payout, $")
	require.Contains(t, m.Ask("GET", "/office/tsne", nil).Page, `href="/office/tsne/payouts"`, "in the navigation")
	rows := table(t, m.Ask("GET", "/office/tsne/payouts?format=csv", nil).Page)
	require.Equal(t, []string{"arrival_on", "amount", "status", "kind", "descriptor", "created_at", "payout", "currency"}, rows[0])
	require.Len(t, rows, 2)
	require.Equal(t, []string{"paid", "automatic"}, rows[1][2:4])
	require.NotContains(t, m.Ask("GET", "/office/tsne/payouts?state=returned", nil).Page, ref)
	require.Contains(t, m.Ask("GET", "/office/tsne/payouts?state=paid&kind=automatic&month="+rows[1][0][:7], nil).Page, ref)
	require.NotContains(t, m.Ask("GET", "/office/tsne/payouts?month=2001-01", nil).Page, ref)

	page := m.Ask("GET", "/office/tsne/payouts/"+ref, nil)
	require.Equal(t, 200, page.StatusCode)
	for _, want := range []string{
		"names each transaction in it", "/office/tsne/gifts/" + gift.PublicRef, "/office/tsne/disputes/" + dispute, "Stripe&#39;s own fee", "Refund", "Gift",
		`<td data-label="Net" class="number">$0.00</td></tr></tfoot>`, `id="notes"`,
	} {
		require.Contains(t, page.Page, want)
	}
	require.NotContains(t, page.Page, "something else than the books moved")
	lines := table(t, m.Ask("GET", "/office/tsne/payouts/"+ref+"?format=csv&rows=200", nil).Page)
	at := map[string]int{}
	for i, name := range lines[0] {
		at[name] = i
	}
	var net, inFunds string
	sum := map[string]int{}
	for _, line := range lines[1:] {
		for _, name := range []string{"net", "in_fund"} {
			cents := strings.ReplaceAll(line[at[name]], ".", "")
			n := 0
			_, _ = fmt.Sscanf(cents, "%d", &n)
			if strings.HasPrefix(cents, "-0") {
				n = -max(n, -n)
			}
			sum[name] += n
		}
	}
	net, inFunds = fmt.Sprint(sum["net"]), fmt.Sprint(sum["in_fund"])
	want := h.Lines(`SELECT amount::text FROM payout WHERE payout_ref = $1`, ref)[0]
	require.Equal(t, []string{want, want}, []string{net, inFunds}, "the columns add up to the payout")

	note := m.PostOffice("/office/tsne/notes", url.Values{"on": {"payout"}, "id": {h.Lines(`SELECT id::text FROM payout WHERE payout_ref = $1`, ref)[0]},
		"submission": {program.NewID().String()}, "text": {"The bank called about it"}})
	require.Equal(t, "/office/tsne/payouts/"+ref+"#notes", note.Header.Get("Location"))
	require.Contains(t, m.Ask("GET", "/office/tsne/payouts/"+ref, nil).Page, "The bank called about it")
	require.Contains(t, m.Ask("GET", "/office/tsne/gifts/"+gift.PublicRef, nil).Page, `href="/office/tsne/payouts/`+ref+`"`)
	require.Contains(t, m.Ask("GET", "/office/tsne/gifts?q="+ref, nil).Page, `href="/office/tsne/payouts/`+ref+`"`)

	require.NoError(t, h.Fake.FailPayout(ref))
	h.SettledGift(visitor.FormOf("fay@example.org", "Fay"))
	follow(t, h)
	manual, err := h.Fake.ManualPayout("tsne", 1000, false)
	require.NoError(t, err)
	follow(t, h)
	failed := m.Ask("GET", "/office/tsne/payouts/"+ref, nil).Page
	require.Contains(t, failed, "The bank sent it back")
	require.Contains(t, failed, "Booked back")
	task := h.Lines(`SELECT id::text FROM finance_task WHERE kind = 'payout_failed'`)[0]
	require.Contains(t, m.Ask("GET", "/office/tsne/tasks/"+task, nil).Page, `href="/office/tsne/payouts/`+ref+`"`)
	require.Contains(t, m.Ask("GET", "/office/tsne/payouts?state=returned", nil).Page, ref)
	byHand := m.Ask("GET", "/office/tsne/payouts/"+manual, nil).Page
	require.Contains(t, byHand, "Stripe does not name the transactions of manual and instant payouts")
	require.Contains(t, byHand, "in proportion to what each had in Stripe clearing")
	require.Contains(t, byHand, "Divided over the funds")
	require.Contains(t, byHand, "BY HAND")

	project := member(t, h, staff.Finance, "tsne", "csio")
	require.NotContains(t, project.Ask("GET", "/office/tsne/payouts?org=csio", nil).Page, ref)
	require.NotContains(t, project.Ask("GET", "/office/tsne?org=csio", nil).Page, "/payouts")
	require.Equal(t, 404, project.Ask("GET", "/office/tsne/payouts/"+ref+"?org=csio", nil).StatusCode)
}

// TestCompareByUpload: Stripe's report is compared, and nothing of it is stored but its hash; what is no report is refused with its
// cause; a file beyond 10 MB is 413.
func TestCompareByUpload(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	h.SettledGift(visitor.FormOf("ben@example.org", "Ben"))
	follow(t, h)
	h.Fake.Advance(72 * time.Hour)
	refs, err := h.Fake.Payout("tsne")
	require.NoError(t, err)
	follow(t, h)
	report, err := h.Fake.PayoutReport(refs[0], "")
	require.NoError(t, err)

	m := member(t, h, staff.Auditor, "tsne", "")
	token := m.TokenOn("/office/account")
	send := func(v *visitor.Visitor, content []byte) visitor.Response {
		return v.Upload("/office/tsne/payouts", url.Values{"session": {token}}, "file", "report.csv", content)
	}
	before := visitor.TableHashes(t, h)
	got := send(m.Visitor, report)
	require.Equal(t, 200, got.StatusCode, got.Page)
	require.Contains(t, got.Page, "The report agrees with these books. Rows: 2; payouts: 1.")
	after := visitor.TableHashes(t, h)
	for _, changes := range []string{"audit_entry", "audit_unsealed", "staff_session", "guard_count"} {
		delete(before, changes)
		delete(after, changes)
	}
	require.Equal(t, before, after, "nothing of the file is stored")
	require.Equal(t, []string{"2 0 64"}, h.Lines(`SELECT concat_ws(' ', after->>'rows', after->>'differences', length(after->>'sha256')) FROM audit_entry WHERE act = 'payout.compared'`))

	got = send(m.Visitor, regexp.MustCompile(`,charge,`).ReplaceAll(report, []byte(",refund,")))
	require.Contains(t, got.Page, "2 differences. Rows compared: 2; payouts: 1.")
	require.Contains(t, got.Page, "Other category")
	require.Equal(t, "es", regexp.MustCompile(`<html lang="(\w+)"`).FindStringSubmatch(
		m.Upload("/office/tsne/payouts?lang=es", url.Values{"session": {token}}, "file", "r.csv", report).Page)[1])

	for name, content := range map[string]string{
		"lacks automatic_payout_id": "a,b\n1,2\n", "The file is empty": "", "The heading lacks": "%PDF-1.7\n\x00\x01",
	} {
		got := send(m.Visitor, []byte(content))
		require.Equal(t, http.StatusUnprocessableEntity, got.StatusCode, name)
		require.Contains(t, got.Page, name)
	}
	got = m.PostOffice("/office/tsne/payouts", url.Values{})
	require.Equal(t, http.StatusUnprocessableEntity, got.StatusCode, "without a file")
	require.Contains(t, got.Page, "Choose the file of the report.")

	line := bytes.SplitAfter(report, []byte("\n"))
	large := bytes.NewBuffer(bytes.Clone(line[0]))
	for n := 0; large.Len() < 10<<20-300; n++ {
		large.Write(bytes.Replace(line[1], []byte("txn_"), fmt.Appendf(nil, "txn_%d", n), 1))
	}
	began := time.Now()
	got = send(m.Visitor, large.Bytes())
	took := time.Since(began)
	require.Equal(t, 200, got.StatusCode)
	require.Contains(t, got.Page, "The first 500 of")
	t.Logf("a report of %d bytes is read and compared in %s", large.Len(), took)
	for _, size := range []int{10<<20 + 1, 11 << 20} {
		large.Write(bytes.Repeat([]byte("x"), size-large.Len()))
		require.Equal(t, http.StatusRequestEntityTooLarge, send(m.Visitor, large.Bytes()).StatusCode)
	}

	require.Equal(t, http.StatusUnauthorized, send(visitor.New(t, h), report).StatusCode)
	require.Equal(t, http.StatusForbidden, m.Upload("/office/tsne/payouts", url.Values{"session": {"x"}}, "file", "r.csv", report).StatusCode)
	require.Equal(t, http.StatusNotFound, m.Upload("/office/aina/payouts", url.Values{"session": {token}}, "file", "r.csv", report).StatusCode)
	project := member(t, h, staff.Finance, "tsne", "csio")
	require.Equal(t, http.StatusNotFound, project.Upload("/office/tsne/payouts?org=csio", url.Values{"session": {project.TokenOn("/office/account")}}, "file", "r.csv", report).StatusCode)
}
