package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/testkit"
)

func init() {
	register(Row{
		Name: "statements", No: "9", Short: 240, Long: 10_000, Prove: Statements,
		Promise: "a year's statements, the command and the mailing server killed half-way and started again: exactly one email for each " +
			"donor",
	})
}

const (
	statementYear = 2025
	giftsEach     = 12
	inFlight      = 8                      // emails a server may be sending when it is killed
	emailTime     = 300 * time.Millisecond // for each email, on a machine with other work
)

// Statements issues a year's statements of Count donors with twelve gifts each. The command is killed
// half-way and started again, and so is the server that sends the emails.
func Statements(t testing.TB, run Run) {
	s := e2e.Start(t, e2e.Options{})
	r := rand.New(rand.NewPCG(run.Seed, 0))
	slug := fillYear(t, s.DB.Owner, run.Count)
	count := func(query string) (n int) {
		require.NoError(t, s.DB.Owner.Get(&n, query))
		return n
	}
	issued := func() int { return count(`SELECT count(*) FROM statement`) }
	command := []string{"statements", "--year", fmt.Sprint(statementYear), "--entity", slug, "--json"}

	slowStatements(t, s.DB.Owner, true) // so that the command can be killed half-way
	until := 1 + r.IntN(run.Count/2)
	require.True(t, s.KonbitKilled(func() bool { return issued() >= until }, command...), "it was to be killed half-way")
	slowStatements(t, s.DB.Owner, false)
	half := issued()
	require.Greater(t, half, 0)
	require.Less(t, half, run.Count)

	sent := func() int { return count(`SELECT count(*) FROM letter_delivery WHERE accepted_at IS NOT NULL`) }
	testkit.Eventually(t, time.Minute, func() error {
		if n := sent(); n < 1 {
			return fmt.Errorf("none of %d emails was sent", half)
		}
		return nil
	})
	s.Kill()

	began := time.Now()
	require.False(t, s.KonbitKilled(func() bool { return false }, command...))
	rate := float64(run.Count-half) / time.Since(began).Seconds()
	require.Equal(t, run.Count, issued())
	var again []struct{ Donors, Gifts, Before, Issued, Revised int }
	require.NoError(t, json.Unmarshal([]byte(s.Konbit(command...)), &again))
	require.Len(t, again, 1)
	require.Equal(t, [5]int{run.Count, giftsEach * run.Count, run.Count, 0, 0},
		[5]int{again[0].Donors, again[0].Gifts, again[0].Before, again[0].Issued, again[0].Revised})

	s.AgeLeases() // the work in progress need not wait for the end of its lease
	first := sent()
	s.Restart()
	began = time.Now()
	testkit.Eventually(t, time.Minute+time.Duration(run.Count)*emailTime, func() error {
		if n := sent(); n < run.Count {
			return fmt.Errorf("%d of %d emails were sent", n, run.Count)
		}
		return nil
	})
	emails := float64(run.Count-first) / time.Since(began).Seconds()
	oneEmailEach(t, s, run.Count)
	run.Progress(run.Count)
	run.Record("statements a second", fmt.Sprintf("%.0f", rate))
	run.Record("emails a second", fmt.Sprintf("%.0f", emails))
}

// oneEmailEach requires one Message-ID for each donor. Only emails that a killed server was sending may have copies.
func oneEmailEach(t testing.TB, s *e2e.Stack, donors int) {
	ids, copies := map[string]string{}, 0
	for _, m := range s.Mail().Messages() {
		if kind, _, _ := strings.Cut(m.MessageID, "."); kind != "statement" {
			continue
		}
		if known, ok := ids[m.To]; ok {
			require.Equal(t, known, m.MessageID, "a second email to %s", m.To)
			copies++
		}
		ids[m.To] = m.MessageID
	}
	require.Len(t, ids, donors)
	require.LessOrEqual(t, copies, inFlight)
}

// slowStatements makes every few statements slow, or ends that.
func slowStatements(t testing.TB, db *sqlx.DB, on bool) {
	query := `DROP TRIGGER slow ON statement; DROP FUNCTION slow`
	if on {
		query = `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.25); RETURN NULL; END $$;
			CREATE TRIGGER slow AFTER INSERT ON statement FOR EACH STATEMENT EXECUTE FUNCTION slow()`
	}
	require.NoError(t, pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		_, err := tx.Exec(query)
		return err
	}))
}

// fillYear gives the first legal entity donors with one gift in each month, with all rows that statements
// read, and returns its slug.
func fillYear(t testing.TB, db *sqlx.DB, donors int) (slug string) {
	const people = `
		INSERT INTO donor (id, entity_id, email, first_name, last_name, language, first_gift_at, created_at)
		SELECT gen_random_uuid(), $1, format('donor%s@many.example', k), 'Donor', 'No. ' || k, (ARRAY['en', 'es'])[1 + k % 2], now(), now() FROM generate_series($2::integer, $3) k`
	const gifts = `
		INSERT INTO donation (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, currency, language, anonymous, news,
		       created_at, payment_intent_id, charge_id, charged_at, settled_at, source, tax_date)
		SELECT gen_random_uuid(), d.entity_id, o.id, d.id, md5(d.id::text || m), 'settled', 'once', 1000 + 100 * m, 'USD', d.language, false, false,
		       at, 'pi_' || md5(d.id::text || m), 'ch_' || md5(d.id::text || m), at, at, 'import', at::date
		  FROM donor d CROSS JOIN generate_series(1, 12) m CROSS JOIN LATERAL (SELECT make_timestamptz(2025, m, 15, 12, 0, 0, 'UTC') AS at) a
		  JOIN LATERAL (SELECT id FROM organisation WHERE entity_id = d.entity_id AND EXISTS (SELECT 1 FROM fund WHERE organisation_id = organisation.id) LIMIT 1) o ON true
		 WHERE NOT EXISTS (SELECT 1 FROM donation g WHERE g.donor_id = d.id)`
	const parts = `
		INSERT INTO designation (donation_id, n, entity_id, fund_id, amount)
		SELECT g.id, 1, g.entity_id, (SELECT id FROM fund WHERE organisation_id = g.organisation_id LIMIT 1), g.amount FROM donation g
		 WHERE NOT EXISTS (SELECT 1 FROM designation p WHERE p.donation_id = g.id)`
	const counter = `INSERT INTO receipt_counter (entity_id, year, last) SELECT $1, 2025, count(*) FROM donation
		ON CONFLICT (entity_id, year) DO UPDATE SET last = excluded.last`
	const receipts = `
		INSERT INTO receipt (id, entity_id, year, number, donation_id, language, words_version, facts, issued_at)
		SELECT gen_random_uuid(), g.entity_id, 2025, (SELECT coalesce(max(number), 0) FROM receipt) + row_number() OVER (ORDER BY g.charged_at, g.id), g.id, g.language, 1,
		       jsonb_build_object('entity_slug', e.slug, 'first_name', 'Donor', 'last_name', 'x', 'email', d.email,
		           'timezone', e.timezone, 'charged_on', g.charged_at::date,
		           'amount', jsonb_build_object('minor', g.amount, 'currency', g.currency)), g.settled_at
		  FROM donation g JOIN donor d ON d.id = g.donor_id JOIN legal_entity e ON e.id = g.entity_id
		 WHERE NOT EXISTS (SELECT 1 FROM receipt r WHERE r.donation_id = g.id)`
	var entity struct{ ID, Slug string }
	require.NoError(t, db.Get(&entity, `SELECT e.id, e.slug FROM legal_entity e JOIN organisation o ON o.entity_id = e.id JOIN fund f ON f.organisation_id = o.id ORDER BY e.slug LIMIT 1`))
	const step = 1000
	for from := 1; from <= donors; from += step {
		require.NoError(t, pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
			for _, do := range []struct {
				query string
				args  []any
			}{{people, []any{entity.ID, from, min(from+step-1, donors)}}, {gifts, nil}, {parts, nil}, {counter, []any{entity.ID}}, {receipts, nil}} {
				if _, err := tx.ExecContext(t.Context(), do.query, do.args...); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return entity.Slug
}
