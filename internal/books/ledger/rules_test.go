package ledger

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
)

// attack is a transaction, statement by statement and then COMMIT, that the database must refuse with this SQLSTATE
// and, if a rule of the books refuses it, by this constraint.
type attack struct {
	name, state, constraint string
	statements              []string
}

const (
	forbidden = "42501"
	missing   = "23503"
	taken     = "23505"
	checked   = "23514"
)

// header and line return the two kinds of rows that an attacker may insert. resolve fills in {braces}.
func header(lines int, more ...string) string {
	s := fmt.Sprintf(`INSERT INTO journal_entry (id, entity_id, currency, entry_date, fact_date, source, source_id, kind, fact_hash, line_count)
		VALUES ('{new}', '{entity}', 'USD', '2026-03-14', '2026-03-14', 's', 'x', 'k', sha256('x'), %d)`, lines)
	return strings.NewReplacer(more...).Replace(s)
}

func line(n, of int, account Account, amount int64, more ...string) string {
	s := fmt.Sprintf(`INSERT INTO posting (entry_id, n, entity_id, currency, line_count, serial, account_code, fund_id, amount)
		VALUES ('{new}', %d, '{entity}', 'USD', %d, coalesce((SELECT serial FROM journal_entry WHERE id = '{new}'), 0), '%s', '{one}', %d)`, n, of, account, amount)
	return strings.NewReplacer(more...).Replace(s)
}

// foreignLine returns a line of 5 minor units with a foreign currency, amount and rate.
func foreignLine(details string) string {
	return strings.NewReplacer("amount)", "amount, foreign_currency, foreign_amount, rate)", "5)", "5, "+details+")").Replace(line(1, 2, Bank, 5))
}

func pair(more ...string) []string {
	return []string{line(1, 2, Bank, 5, more...), line(2, 2, ContributionsWith, -5, more...)}
}

func all(statements ...any) (flat []string) {
	for _, s := range statements {
		switch s := s.(type) {
		case string:
			flat = append(flat, s)
		case []string:
			flat = append(flat, s...)
		}
	}
	return flat
}

// rewrites need a privilege that the server's role does not have.
var rewrites = []string{
	`UPDATE journal_entry SET entry_date = entry_date + 1`,
	`UPDATE posting SET amount = 2 * amount`,
	`UPDATE posting SET n = n WHERE false`,
	`DELETE FROM journal_entry`,
	`DELETE FROM posting WHERE entry_id = '{gift}'`,
	`TRUNCATE posting`,
	`TRUNCATE journal_entry CASCADE`,
	`MERGE INTO posting p USING account a ON p.account_code = a.code WHEN MATCHED THEN DELETE`,
	`INSERT INTO posting SELECT * FROM posting ON CONFLICT (entry_id, n) DO UPDATE SET amount = 1`,
	`SELECT 1 FROM journal_entry FOR UPDATE`,
	header(2, "fact_hash,", "fact_hash, recorded_at,", "sha256('x'),", "sha256('x'), '2020-01-01',"),
	header(2, "fact_hash,", "fact_hash, recorded_by,", "sha256('x'),", "sha256('x'), '7',"),
	`UPDATE books SET closed_through = NULL`,
	`UPDATE books SET currency = 'EUR'`,
	`DELETE FROM books`,
	`INSERT INTO account (code, name, kind) VALUES ('9999', 'Mine', 'memo')`,
	`UPDATE account SET class = NULL`,
	`DROP TRIGGER journal_entry_is_sealed ON journal_entry`,
	`DROP TRIGGER insert_only ON posting`,
	`ALTER TABLE journal_entry DISABLE TRIGGER journal_entry_is_sealed`,
	`ALTER TABLE posting DISABLE TRIGGER ALL`,
	`ALTER TABLE posting DROP CONSTRAINT posting_pkey`,
	`ALTER TABLE posting OWNER TO konbit_server`,
	`DROP TABLE posting`,
	`CREATE TRIGGER mine BEFORE INSERT ON posting FOR EACH ROW EXECUTE FUNCTION insert_only()`,
	`CREATE RULE mine AS ON INSERT TO posting DO INSTEAD NOTHING`,
	`CREATE TABLE public.mine ()`,
	`CREATE SCHEMA mine`,
	`CREATE OR REPLACE FUNCTION public.journal_entry_is_sealed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
	`ALTER FUNCTION public.journal_entry_is_sealed() SET search_path = pg_temp`,
	`DROP FUNCTION insert_only() CASCADE`,
	`SET session_replication_role = replica`,
	`ALTER ROLE konbit_server SET session_replication_role = replica`,
	`SET ROLE konbit_owner`,
	`SET SESSION AUTHORIZATION konbit_owner`,
	`GRANT UPDATE ON posting TO konbit_server; UPDATE posting SET amount = 1`,
}

// tricks use only the right to insert.
var tricks = []attack{
	{"late line", checked, "posting_check", all(line(3, 2, Bank, 5, "{new}", "{gift}"))},
	{"late line below one", checked, "posting_check", all(line(0, 2, Bank, 5, "{new}", "{gift}"))},
	{"late line in a taken place", taken, "posting_pkey", all(line(2, 2, Bank, 5, "{new}", "{gift}"))},
	{"late balanced pair", missing, "posting_of_entry",
		all(line(3, 4, Bank, 5, "{new}", "{gift}"), line(4, 4, ContributionsWith, -5, "{new}", "{gift}"))},
	{"late balanced pair, the entry copied", taken, "journal_entry_pkey", all(header(4, "{new}", "{gift}"))},
	{"fewer lines than stated", checked, "journal_entry_lines_complete", all(header(3), line(1, 3, Bank, 5), line(2, 3, ContributionsWith, -5))},
	{"no lines", checked, "journal_entry_lines_complete", all(header(2))},
	{"one line stated", checked, "journal_entry_line_count_check", all(header(1))},
	{"zero amount", checked, "posting_amount_check", all(header(2), line(1, 2, Bank, 0))},
	{"foreign amount in the books' currency", checked, "posting_foreign_amount", all(header(2), foreignLine("'USD', 5, 1"))},
	{"foreign amount of the other sign", checked, "posting_foreign_amount", all(header(2), foreignLine("'EUR', -5, 1"))},
	{"foreign amount without a rate", checked, "posting_check1", all(header(2), foreignLine("'EUR', 5, NULL"))},
	{"rate of zero", checked, "posting_rate_check", all(header(2), foreignLine("'EUR', 5, 0"))},
	{"dimensions without names", checked, "posting_dimensions_are_named",
		all(header(2), strings.NewReplacer("amount)", "amount, dimensions)", "5)", `5, '["b1"]')`).Replace(line(1, 2, Bank, 5)))},
	{"unbalanced", checked, "journal_entry_balances_per_fund", all(header(2), line(1, 2, Bank, 5), line(2, 2, ContributionsWith, -4))},
	{"balanced in total, not per fund", checked, "journal_entry_balances_per_fund",
		all(header(2), line(1, 2, Bank, 5), line(2, 2, ContributionsWith, -5, "{one}", "{two}"))},
	{"overflow to zero", checked, "posting_amount_is_possible",
		all(header(4), line(1, 4, Bank, 1<<62), line(2, 4, Bank, 1<<62), line(3, 4, Bank, 1<<62), line(4, 4, Bank, 1<<62))},
	{"reused key with another fact", taken, "journal_entry_key", all(header(2, "'s', 'x', 'k'", "'stripe', 'pi_1', 'gift'"))},
	{"fund of another entity", missing, "posting_fund_id_entity_id_fkey", all(header(2), line(1, 2, Bank, 5, "{one}", "{foreign}"))},
	{"line in another entity's books", missing, "posting_of_entry",
		all(header(2), line(1, 2, Bank, 5, "{entity}", "{neighbour}", "{one}", "{foreign}"))},
	{"another currency than the books'", missing, "journal_entry_entity_id_currency_fkey", all(header(2, "USD", "JPY"))},
	{"unknown account", missing, "posting_account_code_fkey", all(header(2), line(1, 2, "1234", 5))},
	{"closed period", checked, "journal_entry_in_open_period", all(header(2, "2026-03-14", "2026-01-31"), pair())},
	{"closed period, the fact later", checked, "journal_entry_check", all(header(2, "'2026-03-14', '2026-03-14'", "'2026-03-14', '2026-03-15'"))},
	{"closed period, older snapshot", checked, "journal_entry_in_open_period", all(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`, header(2), pair())},
	{"shadowed lines", checked, "journal_entry_lines_complete", all(`CREATE TEMP TABLE posting (LIKE public.posting)`, header(2), pair())},
	{"shadowed lines, changed search path", checked, "journal_entry_lines_complete",
		all(`CREATE TEMP VIEW posting AS SELECT * FROM public.posting WHERE false`, `SET LOCAL search_path = pg_temp, public`, header(2))},
	{"shadowed period", checked, "journal_entry_in_open_period",
		all(`CREATE TEMP TABLE books (entity_id uuid, currency text, closed_through date)`, header(2, "2026-03-14", "2026-01-31"), pair())},
	{"empty search path", checked, "journal_entry_balances_per_fund", all(header(2), line(1, 2, Bank, 5), line(2, 2, ContributionsWith, -4), `SET LOCAL search_path = ''`)},
	{"counted at once", checked, "journal_entry_lines_complete", all(`SET CONSTRAINTS ALL IMMEDIATE`, header(2), pair())},
	{"counted early, then more", checked, "posting_check",
		all(header(2), pair(), `SET CONSTRAINTS ALL IMMEDIATE`, `SET CONSTRAINTS ALL DEFERRED`, line(3, 2, Bank, 5))},
	{"counted early, then the lines undone", checked, "journal_entry_lines_complete",
		all(header(2), `SAVEPOINT s`, pair(), `SET CONSTRAINTS ALL IMMEDIATE`, `ROLLBACK TO SAVEPOINT s`)},
	{"refusal swallowed", checked, "journal_entry_lines_complete",
		all(`DO $$ BEGIN ` + header(2) + `; BEGIN SET CONSTRAINTS ALL IMMEDIATE; EXCEPTION WHEN OTHERS THEN NULL; END; END $$`)},
}

// resolve fills in the ids of the fixture.
func (h fixture) resolve(sql string, gift Posted) string {
	return strings.NewReplacer("{gift}", gift.ID.String(), "{new}", newID().String(), "{entity}", h.tsne.entity.String(), "{one}", h.tsne.one.String(),
		"{two}", h.tsne.two.String(), "{neighbour}", h.grassroots.entity.String(), "{foreign}", h.grassroots.one.String()).Replace(sql)
}

// refused runs the attack on a connection of its own. It requires the refusal, and that nothing changed.
func (h fixture) refused(t *testing.T, db *sqlx.DB, a attack, gift Posted) {
	t.Helper()
	before := h.state(t)
	script := strings.Split(h.resolve(strings.Join(a.statements, "\x00"), gift), "\x00") // the same {new} in all statements
	err := pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		for _, s := range script {
			if _, err := tx.Exec(s); err != nil {
				return err
			}
		}
		return nil
	})
	var refusal *pq.Error
	require.ErrorAs(t, err, &refusal, "the database let it pass")
	require.Equal(t, []string{a.state, a.constraint}, []string{string(refusal.Code), refusal.Constraint}, refusal.Message)
	require.Equal(t, before, h.state(t))
}

func TestTheDatabaseRefuses(t *testing.T) {
	h := newFixture(t)
	posted, err := h.post(t.Context(), h.tsne.gift("pi_1", 2000), h.tsne.fee("pi_1", 88), h.grassroots.gift("pi_1", 300))
	require.NoError(t, err)
	_, err = h.Owner.Exec(`UPDATE books SET closed_through = '2026-01-31' WHERE entity_id = $1`, h.tsne.entity)
	require.NoError(t, err)
	for _, statement := range rewrites {
		t.Run(statement, func(t *testing.T) {
			h.refused(t, h.Server, attack{state: forbidden, statements: []string{statement}}, posted[0])
		})
	}
	for _, a := range tricks {
		t.Run(a.name, func(t *testing.T) { h.refused(t, h.Server, a, posted[0]) })
	}
	for _, statement := range []string{ // refused to the owner too
		`UPDATE posting SET amount = 1`, `UPDATE journal_entry SET kind = 'x' WHERE false`, `DELETE FROM posting`, `DELETE FROM journal_entry`,
		`TRUNCATE posting`, `TRUNCATE journal_entry CASCADE`,
	} {
		t.Run("owner: "+statement, func(t *testing.T) {
			h.refused(t, h.Owner, attack{state: forbidden, statements: []string{statement}}, posted[0])
		})
	}
	report, err := Verify(t.Context(), h.Server)
	require.NoError(t, err)
	require.Empty(t, report.Findings)
}

// Each attack is a valid entry but for one thing: without that the database accepts it.
func TestTheDatabaseAcceptsWhatTheAttacksVary(t *testing.T) {
	h := newFixture(t)
	script := h.resolve(strings.Join(all(header(2), pair()), ";"), Posted{})
	h.inTx(t, func(tx *sqlx.Tx) error { _, err := tx.Exec(script); return err })
}

func TestSecondReversalIsRefused(t *testing.T) {
	h := newFixture(t)
	posted, err := h.post(t.Context(), h.tsne.gift("pi_1", 2000))
	require.NoError(t, err)
	reversal := func(key string) string {
		return header(2, "fact_hash,", "fact_hash, reverses,", "sha256('x'),", "sha256('x'), '{gift}',", "'x', 'k'", "'"+key+"', 'k'")
	}
	first := h.resolve(strings.Join(all(reversal("a"), pair()), ";"), posted[0])
	h.inTx(t, func(tx *sqlx.Tx) error { _, err := tx.Exec(first); return err })
	h.refused(t, h.Server, attack{state: taken, constraint: "journal_entry_reverses_key", statements: all(reversal("b"))}, posted[0])
}

func TestARestoredCopyRefusesToo(t *testing.T) {
	h := newFixture(t)
	posted, err := h.post(t.Context(), h.tsne.gift("pi_1", 2000), h.tsne.fee("pi_1", 88))
	require.NoError(t, err)
	before := h.state(t)
	copied := h
	copied.Database = testkit.EmptyDB(t)
	dump := client(t, "pg_dump", "--dbname="+h.OwnerURL)
	restore := client(t, "psql", "--dbname="+copied.OwnerURL, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1")
	restore.Stdin, err = dump.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, dump.Start())
	out, err := restore.CombinedOutput()
	require.NoError(t, errors.Join(err, dump.Wait()), string(out))

	require.Equal(t, before, copied.state(t))
	for _, a := range tricks {
		if strings.HasPrefix(a.name, "late") {
			copied.refused(t, copied.Server, a, posted[0])
		}
	}
	report, err := Verify(t.Context(), copied.Server)
	require.NoError(t, err)
	require.Equal(t, Report{Entries: 2, Lines: 6, Chains: []Chain{}, Findings: []Finding{}}, report)
}

// client returns a command that runs one of PostgreSQL's own programs.
func client(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed; mend it with: make test-deps", name)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stderr = os.Stderr
	if name == "psql" {
		cmd.Stderr = nil // the caller reads it with the output
	}
	return cmd
}
