package auditlog_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// rows returns the rows of a page's table.
func rows(page string) []string {
	body := regexp.MustCompile(`(?s)<tbody>(.*?)</tbody>`).FindStringSubmatch(page)
	if body == nil {
		return nil
	}
	return regexp.MustCompile(`(?s)<tr.*?</tr>`).FindAllString(body[1], -1)
}

// TestAuditLogIsSearched: admins and auditors find acts by person, act, object and day, page by page, newest first; rows lead
// to their object; nobody sees another scope's acts.
func TestAuditLogIsSearched(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	member := func(name string, role staff.RoleName, entity, organisation string) *visitor.Member {
		p := office.Add(t, h.DB.Owner, name, office.Role{Role: string(role), Entity: entity, Organisation: organisation})
		m := &visitor.Member{Visitor: visitor.New(t, h), ID: p.ID}
		m.Cookies["konbit-staff"] = p.Cookie
		return m
	}
	boss, vera := member("Boss", staff.Admin, "tsne", ""), member("Vera", staff.Auditor, "tsne", "")
	small, other := member("Small", staff.Admin, "tsne", "csio"), member("Other", staff.Auditor, "aina", "")
	visitor.Invited(t, h, "new@example.org", staff.Entry, visitor.ScopeOf(t, h, "tsne", ""))
	gift := h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	record := func(by *visitor.Member, scope staff.Scope, act, kind, object string, after any) {
		t.Helper()
		s, err := h.Staff.Open(t.Context(), by.Cookies["konbit-staff"])
		require.NoError(t, err)
		require.NoError(t, staff.InTx(t.Context(), h.DB.Server, s, func(tx *sqlx.Tx) error {
			return audit.RecordTx(t.Context(), tx, audit.Act{
				Name: act, EntityID: uuid.NullUUID{UUID: scope.EntityID, Valid: true}, OrganisationID: scope.OrganisationID, ObjectKind: kind, ObjectID: object, After: after, Reason: "why <b>",
			})
		}))
	}
	tsne, csio, aina := visitor.ScopeOf(t, h, "tsne", ""), visitor.ScopeOf(t, h, "tsne", "csio"), visitor.ScopeOf(t, h, "aina", "")
	record(boss, tsne, "refund.ordered", "refund_order", "order-1", map[string]any{"donation": gift.ID, "amount": 12345678901234567, "state": "ordered"})
	record(boss, csio, "new.act", "donation", gift.ID.String(), nil)
	record(other, aina, "refund.ordered", "refund_order", "order-2", nil)

	list := func(m *visitor.Member, query string) []string {
		t.Helper()
		got := m.Ask("GET", "/office/tsne/audit?"+query, nil)
		require.Equal(t, 200, got.StatusCode, query)
		return rows(got.Page)
	}
	all := list(vera, "")
	require.Greater(t, len(all), 5, "invitations and roles too")
	require.Contains(t, all[0], "new.act", "an act without words is shown by its name")
	require.Contains(t, all[0], `href="/office/tsne/gifts/`+gift.PublicRef+`"`)
	require.Contains(t, all[1], "Refund ordered")
	require.Contains(t, all[1], `href="/office/tsne/gifts/`+gift.PublicRef+`"`, "a refund leads to its gift")
	require.Contains(t, all[1], "amount: $123,456,789,012,345.67; gift: "+gift.ID.String()[:8]+"…")
	require.Contains(t, all[1], "why &lt;b&gt;")
	require.Contains(t, all[1], "Boss")
	text := strings.Join(all, "")
	require.NotContains(t, text, "order-2")
	require.Contains(t, text, "The operator", "how they were invited")
	require.Contains(t, text, `href="/office/tsne/people#person-`+vera.ID.String())
	require.Contains(t, text, "Invited", "by the operator, of the whole installation")
	ofAdmin := list(boss, "")
	require.Len(t, ofAdmin, len(all))
	require.NotContains(t, strings.Join(ofAdmin, ""), gift.PublicRef, "an admin reads no gifts")

	require.Contains(t, all[0], "A gift, Center to Support", "a project's act names the project")
	require.NotContains(t, all[1], "Center to Support", "an act of the entity")
	require.NotContains(t, strings.Join(list(small, "org=csio"), ""), ", Center to Support", "its own people know it")
	require.Len(t, list(vera, "act=refund.ordered"), 1)
	require.Len(t, list(vera, "act=refund"), 1)
	require.Len(t, list(vera, "act=nothing"), len(all), "no act of the form")
	require.Len(t, list(vera, "object=order-1"), 1)
	require.Empty(t, list(vera, "object=order-2"), "another entity's")
	require.Len(t, list(vera, "object=order-"), 1, "the beginning of an id")
	require.Len(t, list(vera, "object=refund"), 1, "a kind in words")
	require.Len(t, list(vera, "object=reembolso&lang=es"), 1)
	require.Contains(t, strings.Join(list(vera, "object="+gift.ID.String()[:8]+"%E2%80%A6"), ""), gift.PublicRef, "as a row shows it")
	require.NotEmpty(t, list(vera, "object=Vera"), "a person's name")
	require.Empty(t, list(vera, "person=x"))
	require.Empty(t, list(vera, "person="+other.ID.String()))
	for _, row := range list(vera, "person=operator") {
		require.Contains(t, row, "The operator")
	}
	require.Contains(t, strings.Join(list(vera, "person="+boss.ID.String()), ""), "order-1")
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	today := h.Server.Shown(time.Now()).In(zone).Format(time.DateOnly)
	require.Len(t, list(vera, "from="+today+"&to="+today), len(all))
	require.Empty(t, list(vera, "from=2020-01-01&to=2020-01-02"))

	for n := range 60 {
		record(boss, tsne, "refund.ordered", "refund_order", "many", map[string]int{"n": n})
	}
	page := vera.Ask("GET", "/office/tsne/audit?object=many", nil).Page
	require.Len(t, rows(page), 50)
	next := regexp.MustCompile(`href="([^"]+)" rel="next"`).FindStringSubmatch(page)
	require.NotNil(t, next)
	page = vera.Ask("GET", strings.ReplaceAll(next[1], "&amp;", "&"), nil).Page
	require.Len(t, rows(page), 10)
	require.Contains(t, rows(page)[0], "n: 9<")
	require.NotContains(t, page, `rel="next"`)

	// Pages have words and the beginnings of ids, files have all.
	request := uuid.New()
	record(boss, tsne, "approval.requested", "approval_request", request.String(), map[string]any{"kind": "roles", "subject": boss.ID, "hash": strings.Repeat("ab", 32)})
	record(boss, tsne, "staff.role_requested", "staff", boss.ID.String(), map[string]any{"detail": "end entry"})
	record(boss, tsne, "refund.ordered", "refund_order", uuid.NewString(), map[string]any{"amount": 7500, "currency": "USD", "parts": map[string]int{"x": 1}, "reason": "requested"})
	record(boss, tsne, "donor.corrected", "donor", uuid.NewString(), map[string]any{"changed": []string{"name", "phone"}})
	record(boss, tsne, "gifts.exported", "gift_export", uuid.NewString(), map[string]any{"rows": 1240, "whole": true, "sha256": "x"})
	record(boss, tsne, "suspense.resolved", "suspense_resolution", uuid.NewString(), map[string]any{"amount": 1240})
	latest := list(vera, "")[:3]
	require.Contains(t, latest[0], "An amount in suspense")
	require.Contains(t, latest[0], "amount: $12.40<")
	require.Contains(t, latest[1], "An export of gifts")
	require.Contains(t, latest[1], "rows: 1240; whole: yes<")
	require.Contains(t, latest[2], "changed: name, phone<")
	require.Contains(t, list(vera, "lang=es")[2], "cambió: nombre, teléfono<")
	words := list(vera, "")[3:6]
	require.Contains(t, words[0], "amount: $75; why: The donor asked for it<")
	require.Contains(t, words[1], "End the role Data entry<")
	require.Contains(t, words[2], "what: Change of a role; about: "+boss.ID.String()[:8]+"…<")
	require.Contains(t, words[2], `title="`+request.String()+`">`+request.String()[:8]+"…<")
	require.NotContains(t, strings.Join(words, ""), "abab")
	file := vera.Ask("GET", "/office/tsne/audit?object="+request.String()+"&format=csv", nil).Page
	for _, whole := range []string{request.String(), strings.Repeat("ab", 32), "kind: roles"} {
		require.Contains(t, file, whole)
	}

	csv := vera.Ask("GET", "/office/tsne/audit?act=refund.ordered&object=order-1", nil, "Accept: text/csv")
	require.Contains(t, csv.Header.Get("Content-Type"), "text/csv")
	require.Contains(t, csv.Page, "refund.ordered")
	require.Contains(t, csv.Page, "refund_order order-1")
	require.NotContains(t, csv.Page, "many")

	got := small.Ask("GET", "/office/tsne/audit?org=csio", nil)
	require.Equal(t, 200, got.StatusCode)
	require.Contains(t, got.Page, "new.act")
	require.NotContains(t, got.Page, "order-1", "of the whole entity")
	require.Equal(t, "/office/tsne/audit?org=csio", small.Ask("GET", "/office/tsne/audit", nil).Header.Get("Location"))
	require.Contains(t, vera.Ask("GET", "/office/tsne/audit?lang=es&act=refund.ordered", nil).Page, "Reembolso ordenado")
	for _, role := range []staff.RoleName{staff.Entry, staff.Finance} {
		require.Equal(t, 404, member(string(role), role, "tsne", "").Ask("GET", "/office/tsne/audit", nil).StatusCode, role)
	}
	require.Equal(t, 0, h.Count(`SELECT count(*) FROM audit_entry WHERE act LIKE 'audit.%'`), "reading is no act")
}
