package chaos

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/testkit"
)

// drained waits until all work is done and, on this release's schema, every checker finds nothing. The checkers of the
// previous release are part of its `konbit ledger verify`.
func (u *upgrade) drained() {
	u.t.Helper()
	u.WaitProcessed(2 * time.Minute)
	if u.migrated() {
		u.RequireChecksClean()
	}
}

// plansRead waits until every plan is the same as at Stripe.
func (u *upgrade) plansRead() {
	u.t.Helper()
	testkit.Eventually(u.t, time.Minute, func() error {
		if waiting := u.lines(`SELECT id::text FROM plan WHERE look_due IS NOT NULL`); len(waiting) > 0 {
			return fmt.Errorf("plans %q wait", waiting)
		}
		return nil
	})
}

// payoutsRead restarts the server of this release and waits until it has read every payout from Stripe. A server sweeps
// a second after its start and then every quarter of an hour.
func (u *upgrade) payoutsRead() {
	u.t.Helper()
	u.new.Kill()
	u.AgeLeases()
	u.new.Restart()
	testkit.Eventually(u.t, 2*time.Minute, func() error {
		if unread := u.lines(`SELECT payout_ref FROM payout WHERE read_at IS NULL OR status IN ('pending', 'in_transit')`); len(unread) > 0 {
			return fmt.Errorf("payouts %q are not read; leases %q; failures %q", unread,
				u.lines(`SELECT entity_id || ' ' || leased_until || ' ' || coalesce(failure, '') FROM balance_lookup`),
				regexp.MustCompile(`(?m)^.*a periodic task failed.*$`).FindAllString(u.new.Log(), -1))
		}
		return nil
	})
	u.drained()
}

// checkBooks checks the books against the stand-in's facts, and lets both releases verify them.
func (u *upgrade) checkBooks() {
	u.t.Helper()
	for _, entity := range e2e.Entities {
		u.booksAgree(entity)
	}
	var wrong []string
	for what, query := range u.rules() {
		var found []string
		require.NoError(u.t, u.DB.Owner.Select(&found, query), what)
		for _, one := range found {
			wrong = append(wrong, what+": "+one)
		}
	}
	require.Empty(u.t, wrong)
	if u.migrated() {
		u.konbit("", "ledger", "verify")
	}
	u.konbit(u.run.Previous, "ledger", "verify")
}

// migrated reports whether the database has this release's schema.
func (u *upgrade) migrated() (migrated bool) {
	u.t.Helper()
	require.NoError(u.t, u.DB.Owner.Get(&migrated, `SELECT max(version_id) > $1 FROM goose_db_version WHERE is_applied`, u.schema))
	return migrated
}

// rules returns queries that find what must not be when all work is done.
func (u *upgrade) rules() map[string]string {
	rules := map[string]string{
		"a settled gift without exactly one payment entry": `SELECT d.id::text FROM donation d WHERE d.status = 'settled' AND 1 <>
			(SELECT count(*) FROM journal_entry e WHERE e.kind = 'payment' AND e.dimensions->>'donation' = d.id::text)`,
		"a settled gift without a receipt, or with two valid ones": `SELECT d.id::text FROM donation d WHERE d.status = 'settled' AND
			(NOT EXISTS (SELECT FROM receipt r WHERE r.donation_id = d.id) OR 1 < (SELECT count(*) FROM receipt r
			WHERE r.donation_id = d.id AND NOT EXISTS (SELECT FROM receipt_void v WHERE v.receipt_id = r.id)))`,
		"a receipt of a gift that is not settled": `SELECT r.id::text FROM receipt r JOIN donation d ON d.id = r.donation_id WHERE d.status <> 'settled'`,
		"a fact booked twice":                     `SELECT source_id FROM journal_entry GROUP BY entity_id, source, source_id, kind HAVING count(*) > 1`,
		"a form with two gifts that are not over": `SELECT c.form_id::text FROM checkout c JOIN donation d ON d.id = c.donation_id WHERE d.status <> 'expired' GROUP BY 1 HAVING count(*) > 1`,
		"an event set aside":                      `SELECT id || ' ' || type || ': ' || reason FROM stripe_event WHERE state = 'set_aside'`,
		"a plan whose instalments are not its payments": `SELECT p.id::text FROM plan p WHERE p.paid <>
			(SELECT count(*) FROM instalment i JOIN donation d ON d.id = i.donation_id WHERE i.plan_id = p.id AND d.status = 'settled')`,
		"a receipt without an email": `SELECT r.id::text FROM receipt r WHERE NOT EXISTS (SELECT FROM letter l WHERE l.subject_id = r.id)
			AND NOT EXISTS (SELECT FROM receipt_void v WHERE v.receipt_id = r.id)`,
		"an email that was not accepted": `SELECT id::text FROM letter_delivery WHERE accepted_at IS NULL`,
	}
	if u.migrated() {
		rules["a settled gift without exactly one settled payment"] = `SELECT d.id::text FROM donation d WHERE d.status = 'settled' AND 1 <>
			(SELECT count(*) FROM payment p WHERE p.donation_id = d.id AND p.status = 'settled' AND p.amount = d.amount AND p.currency = d.currency
				AND p.charge_ref = d.charge_id AND p.intent_ref = d.payment_intent_id AND p.received_at = d.charged_at)`
		rules["an instalment whose donation does not name its plan"] = `SELECT d.id::text FROM donation d JOIN instalment i ON i.donation_id = d.id
			WHERE d.plan_id IS DISTINCT FROM i.plan_id OR (d.source = 'form') <> (d.id = i.plan_id)`
		rules["a settled payment whose shares are not its amount"] = `SELECT p.id::text FROM payment p WHERE p.status = 'settled' AND p.amount <>
			(SELECT coalesce(sum(gift), 0) FROM payment_share s WHERE s.payment_id = p.id)`
		rules["a change whose shares are not its amount"] = `SELECT c.object_id || ' ' || c.kind FROM payment_change c WHERE c.amount <>
			(SELECT coalesce(sum(amount), 0) FROM payment_change_share s WHERE (s.object_id, s.kind, s.entity_id) = (c.object_id, c.kind, c.entity_id))`
	}
	return rules
}

// booksAgree checks the facts of an entity: each charge is one payment of its amount, each balance transaction is
// stored, and the clearing accounts are what Stripe holds and what it paid out.
func (u *upgrade) booksAgree(entity string) {
	u.t.Helper()
	f := u.facts[entity]
	f.catchUp()
	sum := func(account string) (minor int64) {
		require.NoError(u.t, u.DB.Owner.Get(&minor, `SELECT coalesce(sum(p.amount), 0) FROM posting p JOIN legal_entity e ON e.id = p.entity_id
			WHERE e.slug = $1 AND p.account_code = $2`, entity, account))
		return minor
	}
	var paidOut int64
	want, charged := []string{}, []string{}
	for _, m := range f.transactions {
		want = append(want, fmt.Sprintf("%s %d", m.ID, m.Net))
		if strings.HasPrefix(m.Type, "payout") {
			paidOut -= m.Net
		}
	}
	require.Equal(u.t, f.balance("usd"), sum("1010"), "clearing of %s is what Stripe holds", entity)
	require.Equal(u.t, paidOut, sum("1015"), "payouts of %s", entity)
	slices.Sort(want)
	require.Equal(u.t, want, u.lines(`SELECT b.id || ' ' || b.net FROM balance_transaction b JOIN legal_entity e ON e.id = b.entity_id WHERE e.slug = $1`, entity))

	for _, c := range f.charges {
		if at := slices.IndexFunc(f.transactions, func(m balanceTransaction) bool { return m.Source == c.ID }); c.Paid && at >= 0 {
			charged = append(charged, fmt.Sprintf("%s %d", c.ID, c.Amount))
		}
	}
	slices.Sort(charged)
	require.Equal(u.t, charged, u.lines(`SELECT (j.dimensions->>'charge') || ' ' || sum(p.amount) FROM journal_entry j JOIN posting p ON p.entry_id = j.id
		JOIN legal_entity e ON e.id = j.entity_id WHERE e.slug = $1 AND j.kind = 'payment' AND p.account_code = '1010' GROUP BY j.id`, entity))
	if !u.migrated() {
		return
	}
	require.Equal(u.t, charged, u.lines(`SELECT charge_ref || ' ' || amount FROM payment p JOIN legal_entity e ON e.id = p.entity_id WHERE e.slug = $1`, entity))
	payouts := []string{}
	for _, raw := range u.Stripe().Objects(entity, "payout", 0) {
		var p struct {
			ID, Status string
			Amount     int64
		}
		require.NoError(u.t, json.Unmarshal(raw, &p))
		payouts = append(payouts, fmt.Sprintf("%s %d %t", p.ID, p.Amount, p.Status == "failed"))
	}
	slices.Sort(payouts)
	require.Equal(u.t, payouts, u.lines(`SELECT payout_ref || ' ' || amount || ' ' || (status = 'failed') FROM payout p JOIN legal_entity e ON e.id = p.entity_id WHERE e.slug = $1`, entity))
}

// lines returns the rows of a query of one text column, sorted.
func (u *upgrade) lines(query string, args ...any) []string {
	u.t.Helper()
	lines := []string{}
	require.NoError(u.t, u.DB.Owner.Select(&lines, query, args...))
	slices.Sort(lines)
	return lines
}

// temporary are tables of leases, counters, observations, jobs and unused keys: servers and migrations change them while
// nothing happens.
var temporary = regexp.MustCompile(`^(river_.*|goose_db_version|guard_.*|check_run|balance_observation|balance_lookup|session|sign_in|` +
	`ledger_snapshot|ledger_head|receipt_pad|` +
	`installation|plan_link|erasure_trace|erasure_trace_run)$`)

// allColumns returns the columns of all tables, as "table column".
func (u *upgrade) allColumns() map[string]bool {
	u.t.Helper()
	columns := map[string]bool{}
	for _, c := range u.lines(`SELECT table_name || ' ' || column_name FROM information_schema.columns WHERE table_schema = 'public'`) {
		columns[c] = true
	}
	return columns
}

// newColumns returns the columns of a table that the previous schema lacks, and whether it lacks the table.
func (u *upgrade) newColumns(table string) (columns []string, isNew bool) {
	columns, isNew = []string{}, true
	for c := range u.allColumns() {
		if of, column, _ := strings.Cut(c, " "); of != table {
			continue
		} else if u.columns[c] {
			isNew = false
		} else {
			columns = append(columns, column)
		}
	}
	return columns, isNew
}

// notStored says what the previous schema does not store, or stores in its own way, of a table's row:
//
//	payment in suspense       its time is that of its task
//	donation                  the columns of the form and the payment page, which table checkout has (migration 00104)
//	donor                     when the database stored it
//	all tables                when a row was read from Stripe
var notStored = map[string]string{
	"payment":  `CASE WHEN x.status = 'suspense' THEN '{received_at}' END`,
	"donor":    `'{recorded_at}'`,
	"donation": `'{form_id,form_hash,checkout_try,checkout_expires_at,checkout_session_id,checkout_url}'`,
}

// rows returns the rows of all other tables as text, without tables and columns that the previous schema lacks: their
// values go, and what needs one says so (a donor whose link ended is sent a fresh one). Ids that a migration draws are
// replaced by Stripe's ids.
func (u *upgrade) rows() []string {
	u.t.Helper()
	var names []string
	for _, id := range u.lines(`SELECT id || ' payment ' || charge_ref FROM payment UNION ALL SELECT id || ' payout ' || payout_ref FROM payout`) {
		drawn, name, _ := strings.Cut(id, " ")
		names = append(names, drawn, name)
	}
	var all []string
	for _, table := range u.lines(`SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`) {
		columns, isNew := u.newColumns(table)
		if isNew || temporary.MatchString(table) {
			continue
		}
		all = append(all, u.lines(fmt.Sprintf(`SELECT '%[1]s ' || (to_jsonb(x) - 'read_at' - $1::text[] - coalesce((%[2]s)::text[], '{}'))::text FROM %[1]q x`,
			table, cmp.Or(notStored[table], "NULL")), pq.StringArray(columns))...)
	}
	text := strings.Split(strings.NewReplacer(names...).Replace(strings.Join(all, "\n")), "\n")
	slices.Sort(text)
	return text
}

// requireSameRows checks that two results of rows are equal, and shows at most a few rows that differ.
func (u *upgrade) requireSameRows(before, after []string) {
	u.t.Helper()
	without := func(all, others []string) (rest []string) {
		for _, row := range all {
			if _, found := slices.BinarySearch(others, row); !found && len(rest) < 10 {
				rest = append(rest, row)
			}
		}
		return rest
	}
	lost, added := without(before, after), without(after, before)
	require.True(u.t, len(lost) == 0 && len(added) == 0, "rows that Down and Up changed:\n%s\nto:\n%s", strings.Join(lost, "\n"), strings.Join(added, "\n"))
	require.Len(u.t, after, len(before))
}
