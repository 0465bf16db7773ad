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
		Promise: "a year's statements, the command and the mailing server killed half-way and started again: each donor exactly one letter",
	})
}

const (
	statementYear = 2025
	giftsEach     = 12
	inFlight      = 8                      // letters a server may be sending when it is killed
	emailTime     = 300 * time.Millisecond // allowed for each on a machine that has other work
)

// Statements issues a year's statements of Number donors with twelve gifts each. The command is killed in the middle and started
// again, and so is the server that mails.
func Statements(t testing.TB, run Run) {
	s := e2e.Start(t, e2e.Options{})
	r := rand.New(rand.NewPCG(run.Seed, 0))
	slug := fillYear(t, s.DB.Owner, run.Number)
	count := func(query string) (n int) {
		require.NoError(t, s.DB.Owner.Get(&n, query))
		return n
	}
	issued := func() int { return count(`SELECT count(*) FROM statement`) }
	command := []string{"statements", "--year", fmt.Sprint(statementYear), "--entity", slug, "--json"}

	slow(t, s.DB.Owner, true) // so that there is a middle
	until := 1 + r.IntN(run.Number/2)
	require.True(t, s.KonbitKilled(func() bool { return issued() >= until }, command...), "it was to be killed half-way")
	slow(t, s.DB.Owner, false)
	half := issued()
	require.Greater(t, half, 0)
	require.Less(t, half, run.Number)

	sent := func() int { return count(`SELECT count(*) FROM letter_delivery WHERE accepted_at IS NOT NULL`) }
	testkit.Eventually(t, time.Minute, func() error {
		if n := sent(); n < 1 {
			return fmt.Errorf("no letter has gone out of %d", half)
		}
		return nil
	})
	s.Kill()

	began := time.Now()
	require.False(t, s.KonbitKilled(func() bool { return false }, command...))
	rate := float64(run.Number-half) / time.Since(began).Seconds()
	require.Equal(t, run.Number, issued())
	var again []struct{ Donors, Gifts, Before, Issued, Revised int }
	require.NoError(t, json.Unmarshal([]byte(s.Konbit(command...)), &again))
	require.Len(t, again, 1)
	require.Equal(t, [5]int{run.Number, giftsEach * run.Number, run.Number, 0, 0}, [5]int{again[0].Donors, again[0].Gifts, again[0].Before, again[0].Issued, again[0].Revised})

	s.AgeLeases() // what was under way need not wait for its time to end
	first := sent()
	s.Restart()
	began = time.Now()
	testkit.Eventually(t, time.Minute+time.Duration(run.Number)*emailTime, func() error {
		if n := sent(); n < run.Number {
			return fmt.Errorf("%d letters of %d have gone out", n, run.Number)
		}
		return nil
	})
	letters := float64(run.Number-first) / time.Since(began).Seconds()
	oneEmailEach(t, s, run.Number)
	run.Reached(run.Number)
	run.Found("statements a second", fmt.Sprintf("%.0f", rate))
	run.Found("letters a second", fmt.Sprintf("%.0f", letters))
}

// oneEmailEach requires one Message-ID for each donor. Only emails that a killed server was sending may have copies.
func oneEmailEach(t testing.TB, s *e2e.Stack, donors int) {
	ids, copies := map[string]string{}, 0
	for _, m := range s.Mail().Messages() {
		if kind, _, _ := strings.Cut(m.MessageID, "."); kind != "statement" {
			continue
		}
		if known, ok := ids[m.To]; ok {
			require.Equal(t, known, m.MessageID, "a second letter to %s", m.To)
			copies++
		}
		ids[m.To] = m.MessageID
	}
	require.Len(t, ids, donors)
	require.LessOrEqual(t, copies, inFlight)
}

// slow makes every few statements take a while, or no longer.
func slow(t testing.TB, db *sqlx.DB, on bool) {
	query := `DROP TRIGGER slow ON statement; DROP FUNCTION slow`
	if on {
		query = `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.25); RETURN NULL; END $$;
			CREATE TRIGGER slow AFTER INSERT ON statement FOR EACH STATEMENT EXECUTE FUNCTION slow()`
	}
	_, err := db.Exec(query)
	require.NoError(t, err)
}

// fillYear gives the first legal entity donors with a gift in each month, with all that statements read of them, and answers its slug.
func fillYear(t testing.TB, db *sqlx.DB, donors int) (slug string) {
	const people = `
		INSERT INTO donor (id, entity_id, email, first_name, last_name, language, first_gift_at, created_at)
		SELECT gen_random_uuid(), $1, format('donor%s@many.example', k), 'Donor', 'No. ' || k, (ARRAY['en', 'es'])[1 + k % 2], now(), now() FROM generate_series($2::integer, $3) k`
	const gifts = `
		INSERT INTO donation (id, entity_id, organisation_id, donor_id, public_ref, form_id, form_hash, status, frequency, amount, currency, language, anonymous, news,
		       created_at, checkout_expires_at, payment_intent_id, charge_id, charged_at, settled_at, source, tax_date)
		SELECT gen_random_uuid(), d.entity_id, o.id, d.id, md5(d.id::text || m), gen_random_uuid(), sha256('x'), 'settled', 'once', 1000 + 100 * m, 'USD', d.language, false, false,
		       at, at, 'pi_' || md5(d.id::text || m), 'ch_' || md5(d.id::text || m), at, at, 'form', at::date
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
		       jsonb_build_object('entity_slug', e.slug, 'first_name', 'Donor', 'last_name', 'x', 'email', d.email, 'timezone', e.timezone, 'charged_on', g.charged_at::date,
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
