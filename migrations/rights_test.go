package migrations_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/migrations"
)

// What the database answers to the server's role: done, no right at all, or the name of the rule that refuses.
const (
	done    = "done"
	noRight = "no right"
)

// statements are what an intruder with the server's password would try, and what the program needs. Each runs alone
// against a database with settled donations, and is rolled back after its deferred rules were checked.
var statements = []struct{ sql, answer string }{
	// Erasures: see also TestServerErasesNobodyByItself of package privacy.
	{`SELECT erase_people(gen_random_uuid(), '{}')`, "erasure_was_asked"},
	{`INSERT INTO erasure (id, asked_at, asked_by, language, due_at) VALUES ('` + made + `', '2020-01-01', 'x', 'en', '2020-01-01');
	  INSERT INTO erasure_donor (erasure_id, donor_id) SELECT '` + made + `', id FROM donor; SELECT erase_people('` + made + `', '{}')`, "erasure_is_due"},
	{`INSERT INTO erasure (id, asked_at, asked_by, language, due_at, recorded_at) VALUES ('` + made + `', now(), 'x', 'en', now(), '2020-01-01')`, noRight},
	{`SELECT drop_expired_receipts()`, done},
	{`SELECT may_erase(gen_random_uuid(), '{}')`, noRight},
	{`SELECT keep_receipt(id, id) FROM receipt`, noRight},
	{`SELECT count(id) FROM receipt_pad`, done},
	{`SELECT pad FROM receipt_pad`, noRight},
	{`SELECT * FROM receipt_kept`, noRight},
	{`SELECT sealed FROM receipt_hold`, noRight},
	{`INSERT INTO erasure_done (erasure_id, people, by_owner) VALUES (gen_random_uuid(), 0, true)`, noRight},
	{olderSnapshot + `SELECT erase_people(gen_random_uuid(), '{}')`, "sees_every_commit"},
	{`INSERT INTO erasure (id, asked_at, asked_by, language, due_at, done_at) VALUES ('` + made + `', now(), 'x', 'en', now(), now())`, done}, // not done: TestInventedErasureIsNotOnTheList
	{olderSnapshot + `SELECT erase_people(gen_random_uuid(), '{}', '{}')`, "sees_every_commit"},
	{`SELECT erase_people(gen_random_uuid(), '{}', '{"receipt": ["x"]}')`, "erasure_was_asked"},
	{`UPDATE erasure SET first_done_at = '2020-01-01'`, noRight},
	{`UPDATE erasure_donor SET erased_at = now()`, noRight},
	{`UPDATE donor SET email = 'forgotten-' || id || '@invalid'`, done}, // erases nobody: TestServerMarksNobodyErased of package privacy
	{`SELECT people FROM erasure_done`, noRight},
	{`SET LOCAL konbit.erasing = 'yes'; UPDATE receipt SET facts = personless(facts)`, noRight},
	{`SET LOCAL konbit.erasing = 'yes'; UPDATE letter SET message = ''`, noRight},
	{`SET LOCAL konbit.erasing = 'yes'; DELETE FROM mailbox_step`, noRight},

	// Seals, heads, snapshots, results of checkers.
	{seal(`n + 1, id, 9223372036854775807, sha256('')`), "seals_follow_entries"},
	{seal(`n + 1, gen_random_uuid(), 9223372036854775807, sha256('')`), "seals_follow_entries"},
	{seal(`n + 1, id, serial, sha256('')`), "seals_follow_entries"},
	{seal(`n + 2, id, serial, sha256('')`), "seals_follow_entries"},
	{`INSERT INTO ledger_seal (entity_id, n, entry_id, serial, hash, sealed_at) SELECT entity_id, 99, id, serial, sha256(''), '2020-01-01' FROM journal_entry LIMIT 1`, noRight},
	{head(`current_date, n, hash, 7, now()`), done}, // the database computes the trial balance
	{head(`current_date, n, sha256('x'), 0, now()`), "head_is_newest"},
	{head(`current_date, n + 99, hash, 0, now()`), "head_is_newest"},
	{head(`current_date + 3, n, hash, 0, now()`), "head_is_not_early"},
	{head(`'2199-01-01', n, hash, 0, now()`), "head_is_not_early"},
	{head(`current_date, n, hash, 0, now() + interval '2 days'`), "head_is_not_early"},
	{`INSERT INTO ledger_snapshot (entity_id, fund_id, n, account_code, amount) SELECT s.entity_id, p.fund_id, s.n, '1100', 1000000 FROM ledger_seal s JOIN posting p ON p.entry_id = s.entry_id LIMIT 1`, "snapshots_are_sums"},
	{`INSERT INTO check_run (day, checker, found, took) VALUES ('2199-01-01', 'A1', 0, '0')`, done}, // of today, and counted anew
	{`INSERT INTO check_run (day, checker, found, took) VALUES (current_date, 'none', 0, '0')`, "check_is_counted"},
	{olderSnapshot + `INSERT INTO check_run (day, checker, found, took) VALUES (current_date, 'A1', 0, '0')`, "sees_every_commit"},
	{olderSnapshot + seal(`n + 1, id, serial, sha256('')`), "sees_every_commit"},
	{olderSnapshot + head(`current_date, n, hash, 0, now()`), "sees_every_commit"},
	{olderSnapshot + `INSERT INTO ledger_snapshot (entity_id, fund_id, n, account_code, amount) SELECT entity_id, id, 1, '1100', 0 FROM fund LIMIT 1`, "sees_every_commit"},
	{`SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; ` + head(`current_date, n, hash, 0, now()`), "sees_every_commit"},
	{`INSERT INTO check_run (day, checker, found, took, checked_at) VALUES (current_date, 'A1', 0, '0', '2020-01-01')`, noRight},
	{`INSERT INTO balance_observation (entity_id, currency, held, kept, at) SELECT id, currency, 0, 0, '2199-01-01' FROM legal_entity`, noRight},
	{`SELECT setval('journal_entry_serial', 1)`, noRight},
	{`INSERT INTO email_model (hash, content) VALUES (sha256('the next model'), 'x')`, "email_model_check"}, // the email stored by it could not be restored
	{`INSERT INTO email_model (hash, content) VALUES (sha256('x'), 'x')`, done},

	// Sums, and how far the checkers came.
	{`INSERT INTO ledger_month SELECT entity_id, '2026-01-01', fund_id, '4000', 5, 1 FROM posting LIMIT 1`, noRight},
	{`UPDATE ledger_month SET amount = 0`, noRight},
	{`DELETE FROM ledger_month`, noRight},
	{`UPDATE ledger_month_through SET serial = 0`, noRight},
	{`INSERT INTO ledger_day SELECT entity_id, '2026-01-01', fund_id, '4000', 5, 1 FROM posting LIMIT 1`, noRight},
	{`UPDATE ledger_day SET amount = 0`, noRight},
	{`DELETE FROM ledger_day`, noRight},
	{`UPDATE ledger_day_through SET serial = 0`, noRight},
	{`INSERT INTO donor_year SELECT id, 2020, entity_id, 1, 5 FROM donor`, noRight},
	{`UPDATE donor_year SET amount = 5`, noRight},
	{`DELETE FROM donor_year`, noRight},
	{`UPDATE donor_year_through SET serial = 0`, noRight},
	{`DELETE FROM donor_year_due`, noRight},
	{`INSERT INTO donor_year_due (donor_id) SELECT id FROM donor`, noRight},
	{`INSERT INTO check_progress VALUES ('A11', 9223372036854775807, 'infinity')`, noRight},
	{`UPDATE check_progress SET serial = 9223372036854775807`, noRight},
	{`SELECT add_to_months(NULL), add_to_months(-1)`, "LIMIT must not be negative"}, // all that is sealed, once
	{`SELECT add_to_months(NULL); SELECT add_to_months(NULL)`, done},
	{`SELECT rebuild_months(), rebuild_days(), rebuild_donor_years()`, done},
	{`SELECT add_to_days(NULL); SELECT add_to_days(NULL)`, done},
	{`SELECT wrong_days(0)`, done},
	{`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT refresh_donor_years(NULL)`, "sees_every_commit"},

	// The words of donors' names.
	{`INSERT INTO donor_word SELECT id, entity_id, 'x' FROM donor`, noRight},
	{`UPDATE donor_word SET word = 'x'`, noRight},
	{`DELETE FROM donor_word`, noRight},
	{`TRUNCATE donor_word`, noRight},
	{`SELECT word FROM donor_email_word`, noRight},
	{`INSERT INTO donor_email_word SELECT id, entity_id, 'x' FROM donor`, noRight},
	{`DELETE FROM donor_email_word`, noRight},
	{`UPDATE donor SET last_name = 'New'; SELECT find_donors(id, 'new', 10) FROM legal_entity`, done}, // the trigger writes them

	// Entries.
	{entry(`current_date, current_date`) + lines(`'1100', 5`, `'4000', -5`), done},
	{entry(`'1999-12-31', '1999-12-31'`) + lines(`'1100', 5`, `'4000', -5`), "journal_entry_dates"},
	{entry(`'2199-01-01', '2199-01-01'`) + lines(`'1100', 5`, `'4000', -5`), "journal_entry_dates"},
	{entry(`'2026-01-01', '2026-01-02'`) + lines(`'1100', 5`, `'4000', -5`), "journal_entry_check"},
	{entry(`current_date, current_date`) + lines(`'9100', 5`, `'4000', -5`), "journal_entry_balances_per_fund"},
	{entry(`current_date, current_date`) + lines(`'9100', 5`, `'9200', -5`), done},
	{entry(`current_date, current_date`) + lines(`'1100', 5`, `'4000', -4`), "journal_entry_balances_per_fund"},
	{entry(`current_date, current_date`) + lines(`'1100', 5`), "journal_entry_lines_complete"},
	{entry(`current_date, current_date`), "journal_entry_lines_complete"},
	{entry(`current_date, current_date`) + lines(`'1100', 5000000000000000000`, `'4000', -5000000000000000000`), "posting_amount_is_possible"},
	{olderSnapshot + entry(`current_date, current_date`) + lines(`'1100', 5`, `'4000', -5`), "journal_entry_in_open_period"},
	{entry(`current_date, current_date`) + lines(`'8888', 5`, `'4000', -5`), "posting_account_code_fkey"},
	{`INSERT INTO account (code, name, kind) VALUES ('7777', 'Mine', 'asset')`, noRight},

	// What documents state, and the funds.
	{`UPDATE legal_entity SET legal_name = 'Mine'`, noRight},
	{`UPDATE legal_entity SET ein = '11-1111111'`, noRight},
	{`UPDATE legal_entity SET address = '{}'`, noRight},
	{`UPDATE legal_entity SET timezone = 'Pacific/Kiritimati'`, noRight},
	{`UPDATE legal_entity SET mail_from = 'me@example.org'`, noRight},
	{`UPDATE legal_entity SET sponsor_basis_points = 10000`, noRight},
	{`UPDATE organisation SET name = '{}'`, noRight},
	{`UPDATE organisation SET sponsored = NOT sponsored`, noRight},
	{`UPDATE fund SET name = '{}'`, noRight},
	{`UPDATE fund SET purpose = '{}'`, noRight},
	{`UPDATE fund SET restriction = 'none'`, noRight},
	{`UPDATE fund SET closed_at = now()`, noRight},
	{`SELECT id FROM fund FOR NO KEY UPDATE`, done}, // fund.LockTx
	{`INSERT INTO entity_fact (entity_id, since, legal_name, ein) SELECT id, '2020-01-01', 'Mine', ein FROM legal_entity`, noRight},
	{`INSERT INTO books (entity_id, currency) SELECT id, 'EUR' FROM legal_entity`, noRight},
	{`UPDATE books SET closed_through = NULL`, noRight},
	{`UPDATE server_limit SET erased_a_day = 1000000`, noRight},
	{`UPDATE server_limit SET business_clock_lead = '100 years'`, noRight},

	// A settled donation.
	{settled(`tax_date = tax_date - 365`), "settled_gift_is_frozen"},
	{settled(`settled_at = settled_at - interval '1 year'`), "settled_gift_is_frozen"},
	{settled(`charged_at = '2020-01-01'`), "settled_gift_is_frozen"},
	{settled(`charge_id = 'ch_other'`), "settled_gift_is_frozen"},
	{settled(`payment_intent_id = 'pi_other'`), "settled_gift_is_frozen"},
	{settled(`status = 'expired'`), "donation_step_is_legal"},
	{settled(`amount = 1`), noRight},
	{settled(`donor_id = donor_id`), noRight},
	{`UPDATE plan SET donor_id = donor_id`, noRight},
	{`INSERT INTO donation_owner_change (donation_id, entity_id, from_donor, to_donor, receipt_id, ordered_by, reason, by_owner)
	  SELECT d.id, d.entity_id, d.donor_id, gen_random_uuid(), r.id, 'x', 'x', false FROM donation d JOIN receipt r ON r.donation_id = d.id LIMIT 1`, noRight},
	{`SELECT move_gift(gen_random_uuid(), 'x@example.org', gen_random_uuid(), 'x', 'x')`, "moved_gift_has_receipt"},
	{`SELECT move_gift(id, NULL, gen_random_uuid(), 'x', 'x') FROM receipt LIMIT 1`, "moved_gift_has_address"},
	{`SELECT move_gift(id, 'X@example.org', gen_random_uuid(), 'x', 'x') FROM receipt LIMIT 1`, "moved_gift_has_address"},
	{olderSnapshot + `SELECT move_gift(id, 'x@example.org', gen_random_uuid(), 'x', 'x') FROM receipt LIMIT 1`, "sees_every_commit"},
	{`SELECT move_gift(id, 'x@example.org', gen_random_uuid(), '', 'x') FROM receipt LIMIT 1`, "donation_owner_change_ordered_by_check"},
	{`SELECT move_gift(id, 'x@example.org', gen_random_uuid(), 'x', 'x') FROM receipt LIMIT 1`, done}, // mail.Resender; recorded: package owner
	{settled(`currency = 'EUR'`), noRight},
	{settled(`entity_id = entity_id`), noRight},
	{`UPDATE receipt SET facts = facts`, noRight},
	{`UPDATE receipt_counter SET last = last + 1`, "receipt_counter_is_last"},
	{`DELETE FROM fee_due`, "fee_is_booked"},
	{`DELETE FROM donation_contact`, "contact_of_paid_gift_stays"},
	{olderSnapshot + `DELETE FROM donation_contact`, "sees_every_commit"},
	{`UPDATE stripe_event SET payload = 'x'`, "payload_is_erased_only"},

	// The audit log and approvals: see also packages audit and approval.
	{`INSERT INTO audit_entry (act, object_kind, object_id) VALUES ('x.y', 'x', 'x')`, done}, // without a person: the program's own
	{`INSERT INTO audit_entry (act, object_kind, object_id, staff_id) VALUES ('x.y', 'x', 'x', gen_random_uuid())`, noRight},
	{`INSERT INTO audit_entry (act, object_kind, object_id, operator) VALUES ('x.y', 'x', 'x', true)`, noRight},
	{`INSERT INTO audit_entry (act, object_kind, object_id, at) VALUES ('x.y', 'x', 'x', '2020-01-01')`, noRight},
	{`INSERT INTO audit_entry (act, object_kind, object_id, recorded_in) VALUES ('x.y', 'x', 'x', '1')`, noRight},
	{`INSERT INTO audit_seal (n, serial, hash) VALUES (1, 1, sha256(''))`, noRight},
	{`DELETE FROM audit_unsealed`, noRight},
	{`SELECT seal_audit_entries()`, done},
	{olderSnapshot + `SELECT seal_audit_entries()`, "sees_every_commit"},
	{`INSERT INTO audit_head (entity_id, day) SELECT id, '2099-01-01' FROM legal_entity`, "head_is_not_early"},
	{`INSERT INTO audit_head (entity_id, day, n, hash) SELECT id, current_date, 1, sha256('') FROM legal_entity`, noRight},
	{olderSnapshot + `INSERT INTO audit_head (entity_id, day) SELECT id, current_date FROM legal_entity`, "sees_every_commit"},
	{`INSERT INTO approval_request (id, entity_id, kind, subject, body, hash) SELECT gen_random_uuid(), id, 'refund', 'x', 'x', sha256('') FROM legal_entity`, noRight},
	{`INSERT INTO approval (request_id, hash, decision) VALUES (gen_random_uuid(), sha256(''), 'approve')`, noRight},
	{`UPDATE approval_request SET executed_at = now()`, noRight},
	{`SELECT request_approval(gen_random_uuid(), id, NULL, 'refund', 'x', 'x', 1, NULL) FROM legal_entity`, "approval_has_session"},
	{`INSERT INTO refund_order (id, entity_id, payment_id, amount, reason, note, submission, requested_by)
		SELECT gen_random_uuid(), entity_id, id, 100, 'mistake', '', gen_random_uuid(), gen_random_uuid() FROM payment LIMIT 1`, "refund_order_person"},
	{`INSERT INTO refund_order (id, entity_id, payment_id, amount, reason, note, submission, requested_by, state)
		SELECT gen_random_uuid(), entity_id, id, 100, 'mistake', '', gen_random_uuid(), gen_random_uuid(), 'succeeded' FROM payment LIMIT 1`, noRight},
	{`UPDATE refund_order SET amount = 1`, noRight},
	{`INSERT INTO clearing_move (entity_id, source_id, fund_id, amount) SELECT entity_id, 'x', id, 5 FROM fund LIMIT 1`, "clearing_move_is_even"},
	{`UPDATE clearing_move SET amount = 1`, noRight},
	{`DELETE FROM clearing_move`, noRight},
	{`INSERT INTO payment (id, entity_id, donation_id, method, asset_account, amount, currency, received_at, status, created_at)
		SELECT gen_random_uuid(), entity_id, NULL, 'suspense', '1010', 5, 'USD', now(), 'suspense', now() FROM donation LIMIT 1`, "suspense_has_cause"},
	{`UPDATE refund_order SET requested_by = gen_random_uuid()`, noRight},
	{`UPDATE refund_order SET note = ''`, noRight},
	{`DELETE FROM refund_order`, noRight},
	{`SELECT decide_approval(gen_random_uuid(), sha256(''), 'approve', '123456', '')`, "approval_has_session"},
	{`SELECT withdraw_approval(gen_random_uuid())`, "approval_is_open"},
	{`SELECT approve_as_operator(gen_random_uuid(), 'x')`, noRight},
	{`SELECT execute_approval(gen_random_uuid(), sha256(''), 'refund', gen_random_uuid(), 'x')`, noRight},
	{`SET LOCAL ROLE konbit_office; SELECT count(*) FROM donation`, done}, // no row: see TestOfficeReadsItsScope
	{`SET LOCAL ROLE konbit_office; INSERT INTO audit_entry (act, object_kind, object_id) VALUES ('x.y', 'x', 'x')`, noRight},
	{`SET LOCAL ROLE konbit_office; SELECT message FROM letter`, noRight},
	{`SET LOCAL ROLE konbit_office; SELECT * FROM sign_in`, noRight},
	{`ALTER TABLE donation DISABLE ROW LEVEL SECURITY`, noRight},
	{`DROP POLICY office ON donation`, noRight},

	// Staff: see also package staff.
	{`INSERT INTO staff (id, email, name) VALUES (gen_random_uuid(), 'x@example.org', 'x')`, noRight},
	{`INSERT INTO staff_role (id, staff_id, entity_id, role) SELECT gen_random_uuid(), gen_random_uuid(), id, 'admin' FROM legal_entity`, noRight},
	{`INSERT INTO staff_person (staff_id, person_id) VALUES (gen_random_uuid(), gen_random_uuid())`, noRight},
	{`INSERT INTO staff_session (id, staff_id, secret_hash, stage) VALUES (gen_random_uuid(), gen_random_uuid(), sha256(''), 'full')`, noRight},
	{`UPDATE staff_session SET factor_at = now()`, noRight},
	{`UPDATE staff_totp SET last_step = 0`, noRight},
	{`SELECT secret FROM staff_totp`, noRight},
	{`SELECT secret_hash FROM staff_session`, noRight},
	{`SELECT token_hash FROM staff_invitation`, noRight},
	{`SELECT hash FROM staff_recovery`, noRight},
	{`SELECT hash FROM staff_challenge`, noRight},
	{`UPDATE staff_challenge SET used_at = NULL`, noRight},
	{`INSERT INTO staff_challenge (id, hash, act, browser_hash, expires_at) VALUES (gen_random_uuid(), sha256(''), sha256(''), sha256(''), '2199-01-01')`, noRight},
	{`SELECT setval('staff_code_tries', 1)`, noRight},
	{`SELECT nextval('staff_code_tries')`, noRight},
	{`SELECT last_value FROM staff_code_tries`, noRight},
	{`SELECT staff_count_code()`, noRight},
	{`SELECT FROM server_limit FOR KEY SHARE`, noRight}, // seal_audit_entries locks it
	{`SELECT disable_staff(gen_random_uuid())`, noRight},
	{`SELECT add_staff(gen_random_uuid(), 'x@example.org', 'x', 'en')`, "staff_is_signed_in"},
	{`SELECT change_role('grant', gen_random_uuid(), gen_random_uuid(), 'admin', id, NULL) FROM legal_entity`, "staff_is_signed_in"},
	{`SELECT invite_staff(gen_random_uuid(), gen_random_uuid(), 'reset', NULL)`, "staff_is_signed_in"},
	{`SELECT set_staff_password('$argon2id$x')`, "staff_is_signed_in"},
	{`SELECT set_staff_totp(gen_random_uuid(), sha256(''))`, "staff_is_signed_in"},
	{`SELECT set_staff_recovery('{}')`, "staff_is_signed_in"},
	{`SELECT end_staff_factor(NULL)`, "staff_is_signed_in"},
	{`SELECT join_staff(gen_random_uuid(), gen_random_uuid())`, "staff_is_signed_in"},
	{`SELECT open_staff_session()`, noRight},
	{`SELECT note_factor(gen_random_uuid(), 'totp')`, noRight},
	{`UPDATE legal_entity SET money_factor = 'totp'`, noRight},

	// The installation: a missing fact once, and nothing else.
	{`INSERT INTO installation (fact, value) VALUES ('secret key', '0123456789abcdef') ON CONFLICT (fact) DO NOTHING`, done},
	{`INSERT INTO installation (fact, value) VALUES ('secret key', '0123456789abcdef'), ('secret key', 'fedcba9876543210')`, "installation_pkey"},
	{`INSERT INTO installation (fact, value, recorded_at) VALUES ('base url', 'https://mine.example', '2020-01-01')`, noRight},
	{`INSERT INTO installation (fact, value) VALUES ('secret key', 'the key itself')`, "installation_check"},
	{`SELECT what, key_id, n FROM sealed_by_key`, done},

	// The schema.
	{`CREATE TABLE mine (n integer)`, noRight},
	{`CREATE TEMPORARY TABLE legal_entity (n integer)`, noRight},
	{`CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'`, noRight},
	{`ALTER TABLE posting DISABLE TRIGGER insert_only`, noRight},
	{`DROP TRIGGER seals_follow_entries ON ledger_seal`, noRight},
	{`DROP TABLE posting`, noRight},
	{`CREATE OR REPLACE FUNCTION erase_people(erasure uuid, addresses text[]) RETURNS void LANGUAGE sql AS 'SELECT'`, noRight},
	{`GRANT konbit_owner TO konbit_server`, noRight},
	{`SET LOCAL ROLE konbit_owner`, noRight},
	{`SET LOCAL session_replication_role = 'replica'`, noRight},
}

// writtenOnce are tables in which the server's role neither changes nor deletes, whatever the row.
var writtenOnce = []string{
	"account", "approval", "audit_entry", "audit_head", "audit_seal", "balance_observation", "balance_transaction", "bank_account", "bank_file", "bank_line", "bank_match_item", "bank_match_line", "bank_opening", "bank_opening_part", "bank_statement", "books", "check_run", "clearing_share", "designation", "donation_notice", "donation_owner_change", "donation_step", "donor_consent",
	"email_model", "entity_fact", "gift_import_batch", "gift_void", "gift_void_request",
	"erasure_address", "erasure_donor", "erasure_done", "event_pass", "event_pass_step", "installation", "journal_entry", "ledger_head", "ledger_seal", "ledger_snapshot",
	"legal_entity", "letter", "mailbox_step", "organisation", "payment", "payment_change", "payment_change_share", "payment_share", "payment_source", "payout_member", "plan_event",
	"plan_part", "plan_terms", "posting", "receipt", "receipt_hold_reading", "receipt_kept", "receipt_pad", "refund_order_part", "refund_request", "receipt_void", "repayment_part", "server_limit", "soft_credit", "source_choice", "statement", "suspense_resolution",
}

const made = "00000000-0000-4000-8000-000000000001"

// olderSnapshot begins statements in a transaction that does not see what is committed after its beginning.
const olderSnapshot = `SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; `

// seal is an INSERT of one seal for the newest entry, which is sealed already or not.
func seal(values string) string {
	return `INSERT INTO ledger_seal (entity_id, n, entry_id, serial, hash) SELECT entity_id, ` + values + ` FROM (SELECT e.entity_id, e.id, e.serial,
		(SELECT max(n) FROM ledger_seal s WHERE s.entity_id = e.entity_id) AS n FROM journal_entry e ORDER BY e.serial DESC LIMIT 1) e`
}

// head is an INSERT of a head for the newest seal.
func head(values string) string {
	return `INSERT INTO ledger_head (id, entity_id, day, n, hash, trial_balance, kept_at)
		SELECT gen_random_uuid(), entity_id, ` + values + ` FROM ledger_seal ORDER BY n DESC LIMIT 1`
}

// entry is an INSERT of an entry with two lines, which lines adds; dates are its entry_date and fact_date.
func entry(dates string) string {
	return `INSERT INTO journal_entry (id, entity_id, currency, entry_date, fact_date, source, source_id, kind, fact_hash, line_count)
		SELECT '` + made + `', entity_id, currency, ` + dates + `, 'x', 'x', 'x', sha256(''), 2 FROM journal_entry ORDER BY serial DESC LIMIT 1;`
}

func lines(all ...string) (sql string) {
	for n, line := range all {
		sql += fmt.Sprintf(`INSERT INTO posting (entry_id, n, entity_id, currency, line_count, serial, fund_id, account_code, amount)
			SELECT e.id, %d, e.entity_id, e.currency, 2, e.serial, f.id, %s FROM journal_entry e JOIN fund f ON f.entity_id = e.entity_id AND f.code = 'operations'
			 WHERE e.id = '%s';`, n+1, line, made)
	}
	return sql
}

func settled(change string) string {
	return `UPDATE donation SET ` + change + ` WHERE status = 'settled'`
}

// TestStatementsOfTheServer runs every statement as the server's role and compares the answer with the table.
func TestStatementsOfTheServer(t *testing.T) {
	h := program.New(t, program.Options{})
	h.SettledGift(program.ValidForm())
	h.DeliverNew()
	h.DrainAll()
	_, err := ledger.Seal(t.Context(), h.DB.Server)
	require.NoError(t, err)
	h.SettledGift(program.ValidForm()) // one entry has no seal
	require.NoError(t, migrations.Up(t.Context(), h.DB.OwnerURL, testkit.ServerRole), "a copied database has no rights of its own")
	require.NoError(t, migrations.LimitClock(t.Context(), h.DB.Owner.DB, false), "as with Stripe")
	all := slices.Clone(statements)
	for _, table := range writtenOnce {
		column := h.Lines(`SELECT attname::text FROM pg_attribute WHERE attrelid = '` + table + `'::regclass AND attnum = 1`)[0]
		for _, sql := range []string{`UPDATE ` + table + ` SET ` + column + ` = DEFAULT`, `DELETE FROM ` + table, `TRUNCATE ` + table} {
			all = append(all, struct{ sql, answer string }{sql, noRight})
		}
	}
	require.Greater(t, len(all), 120)
	require.Subset(t, writtenOnce, h.Lines(`SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'insert_only'`))
	for _, s := range all {
		assert.Equal(t, s.answer, answer(t, h.DB.Server, s.sql), s.sql)
	}
	require.NotZero(t, h.Count(`SELECT count(*) FROM journal_entry`), "everything was rolled back")
}

// answer runs statements in a transaction that is rolled back, and says what the database answered.
func answer(t *testing.T, db *sqlx.DB, sql string) string {
	t.Helper()
	tx, err := db.Beginx()
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	if _, err = tx.Exec(sql); err == nil {
		_, err = tx.Exec(`SET CONSTRAINTS ALL IMMEDIATE`)
	}
	var refused *pq.Error
	switch {
	case err == nil:
		return done
	case !errors.As(err, &refused):
		return err.Error()
	case refused.Constraint != "":
		return refused.Constraint
	case refused.Code == "42501":
		return noRight
	}
	return refused.Message
}

// definers lists each function that runs with the owner's rights: why, and what it takes on trust.
var definers = map[string]string{
	"erase_people":            "the server may not change what is erased; dates, number and people are checked by may_erase, copies are made by keep_receipt",
	"move_gift":               "the server may not change a donation's donor; that the receipt exists, that the donor was not erased, and how many a day, is checked; each move is recorded",
	"drop_expired_receipts":   "the server may not read or delete copies; the date is the database's",
	"add_to_months":           "the server may not write sums; they are computed from sealed entries, whose place the database keeps",
	"rebuild_months":          "likewise, from all sealed entries",
	"add_to_days":             "as add_to_months",
	"rebuild_days":            "as rebuild_months",
	"refresh_donor_years":     "the server may not write sums; they are computed from the gifts of the donors, and each call computes a donor's years whole",
	"rebuild_donor_years":     "likewise, of all donors",
	"donor_years_behind":      "it only says whether refresh_donor_years has something to do",
	"donor_years_change":      "a trigger: records whose years a refund or dispute changes",
	"donor_years_move":        "a trigger: records whose years a move changes",
	"address_has_words":       "a trigger: writes the words of a donor's postal addresses, computed from the rows; the server may not write them otherwise",
	"email_has_words":         "a trigger: writes the words of a donor's email address, computed from the row; the server may not write them otherwise",
	"address_had_words":       "likewise, after what was typed with a gift is deleted",
	"moved_address_has_words": "likewise, after a gift moved to another donor",
	"words_of_donor":          "a trigger: writes the words of a donor's names, computed from the row; the server may not write them otherwise",
	"check_is_counted":        "a trigger: counts the rows of a checker's view, and records how far it came; the server may not write that",
	"checkout_of_donation":    "a trigger: ends a checkout with its donation; the server may update the donation",

	// The audit log and approvals.
	// Refunds that staff order.
	"refund_order_begins":     "a trigger: the payment is of the entity; the session's person is of finance and used a factor, or a request is named",
	"refund_order_is_whole":   "a trigger: parts, what the funds have, and that another person approved what is above the limit",
	"refund_notes_are_erased": "a trigger: empties the notes about a donor who is erased",

	// Disputes, suspense and notes.
	"dispute_follows_change":        "a trigger: copies the times of the books from a change of a payment",
	"suspense_resolution_begins":    "a trigger: the amount is in suspense now, the request says this, and person and time are the session's and the database's",
	"suspense_resolution_is_booked": "a trigger: looks for the entry of a resolution",
	"suspense_has_cause":            "a trigger: looks for the cause of a posting in suspense",
	"payment_out_of_suspense":       "a trigger: looks for the resolution of a payment out of suspense",
	"clearing_move_is_even":         "a trigger: adds up what one source moved between funds",
	"staff_notes_are_erased":        "a trigger: empties the notes about a donor who is erased",
	"offline_gifts_are_erased":      "a trigger: empties what was typed about a donor who is erased, and letters that name the donor",
	"office_donors_to_choose":       "applies the scope of the session's person, who types batches there",
	"office_donor_names":            "the same; only of donors in batches of the scope",

	// Deposits, repayments, imports.
	"offline_gift_waits":            "a trigger: makes the item of a gift",
	"deposit_changes":               "a trigger: person and time are the session's and the database's; counts the items, looks for the match",
	"deposit_item_changes":          "a trigger: looks whether the deposit is open",
	"deposit_match_holds":           "a trigger: compares an item of a match with its deposit, or check",
	"repayment_begins":              "a trigger: number, person and time are the session's and the database's; locks the payment",
	"repayment_is_whole":            "a trigger: adds up the parts, and what is owed",
	"repayment_keeps":               "a trigger: looks for the match of a repayment",
	"repayment_match_holds":         "a trigger: compares an item of a match with its repayment",
	"gift_void_begins":              "a trigger: person and time are the session's and the database's; looks into deposits and matches",
	"gift_void_is_booked":           "a trigger: looks into the changes of payments",
	"payment_void_has_cause":        "a trigger: looks for two people, or an import that is undone",
	"gift_void_requests_are_erased": "a trigger: empties what requests say of a donor who is erased",
	"gift_import_changes":           "a trigger: person and time are the session's and the database's",
	"gift_imports_are_erased":       "a trigger: discards the files that wait when a donor of their entity is erased",
	"gift_import_runs":              "which import a transaction is of; it believes only one that a person of finance ordered",

	// The bank.
	"bank_opening_begins":      "a trigger: person and time are the session's and the database's",
	"bank_opening_is_booked":   "a trigger: the request says this, and the entry books it",
	"bank_posting_has_account": "a trigger: looks for the account of a posting on 1100",
	"bank_entry_has_opening":   "a trigger: looks for the opening of an entry",
	"bank_row_begins":          "a trigger: person and time are the session's and the database's",
	"bank_uploads_are_erased":  "a trigger: deletes the files that wait when a donor of their entity is erased",
	"bank_match_holds":         "a trigger: adds up the matches that a row concerns, and reads their entries",
	"bank_entry_has_match":     "a trigger: looks for the match of an entry",
	"bank_reversal_is_open":    "a trigger: looks for the match of an entry that is reversed",
	"bank_match_begins":        "a trigger: person and time are the session's and the database's",
	"bank_match_keeps":         "a trigger: a match is undone once, and not in a closed month; person and time are the session's and the database's",
	"bank_match_ends":          "a trigger: the server may not write that; the lines and items of a match end with it",
	"bank_item_begins":         "a trigger: locks the match of the other account of a transfer",
	"bank_split_keeps":         "a trigger: locks the line; a part has its sign and leaves a rest; person and time are the session's and the database's",
	"bank_rule_keeps":          "a trigger: a rule ends once; person and time are the session's and the database's",
	"bank_lines_are_erased":    "a trigger: empties the words of lines that are gifts of a donor who is erased",
	"bank_line_stays_erased":   "a trigger: empties the words of lines that become gifts of a donor who was erased",

	"audit_entry_waits_for_seal": "a trigger: notes that the entry has no seal yet",
	"seal_audit_entries":         "takes no argument: numbers and hashes are computed",
	"requires_audit":             "a trigger: looks for the entry of its transaction",
	"request_approval":           "the session's person holds the role and used a factor; the hash is computed",
	"decide_approval":            "the session's person holds the role, used a factor for this request, and is another than the requester",
	"withdraw_approval":          "the session's person is the requester",
	"is_approved":                "only reads",
	"approval_is_valid":          "a trigger: compares the approval with the people and roles at the end of the transaction",
	"requires_approval":          "a trigger: executes the request once, if enough other people approve",
	"office_entities":            "the session's roles",
	"office_organisations":       "likewise",
	"office_funds":               "likewise",

	// Reading for staff pages. Each applies the session's scope itself; without a session it returns nothing.
	"office_find_donors":       "the session's roles",
	"office_find_gifts":        "likewise",
	"office_changed_gifts":     "likewise",
	"office_gift_rows":         "likewise",
	"office_gift_disputes":     "likewise",
	"office_gift_shares":       "likewise",
	"office_gift_history":      "likewise",
	"office_gift_entries":      "likewise",
	"office_person_of_request": "name and email of whose role a request changes, for an admin of its scope",
	"office_can_sign_in":       "whether an account has factors",

	// Staff. Each reads the session itself, from the hash of a cookie's secret.
	"staff_of_session":            "the server may not read hashes of sessions; who knows the hash is the session",
	"staff_has_role":              "roles are not secret; konbit_office reads no table of staff",
	"staff_factor_is_fresh":       "likewise, of its own session",
	"staff_factor":                "likewise",
	"see_staff_session":           "likewise; it notes that the session was used",
	"add_staff":                   "the session's person is an admin and used a factor; the new one has no role",
	"change_role":                 "the session's person is an admin of the scope, used a factor, and is another; a second admin approved",
	"invite_staff":                "the session's person is an admin of all scopes of the invited, and used a factor",
	"set_invitation_token":        "the server writes the email of an admin's invitation; its own word that it did",
	"begin_staff_session":         "the password is compared by the server: a session of stage first may do nothing",
	"use_invitation":              "the secret of the link",
	"set_staff_password":          "the session is of an invitation, or a factor was used",
	"set_staff_totp":              "likewise",
	"confirm_staff_totp":          "likewise, and the code",
	"staff_check_code":            "the code; 500 tries an hour, even if they are rolled back",
	"is_staff_recovery":           "the code, of 80 bits",
	"use_staff_recovery":          "likewise",
	"set_staff_recovery":          "a factor was used",
	"add_staff_passkey":           "the session is of an invitation, or a factor was used; the challenge; that the registration was checked is the server's word",
	"use_staff_passkey":           "the challenge; that the answer was checked is the server's word, until konbit staff verify checks it again",
	"end_staff_factor":            "a factor was used",
	"end_staff_sessions":          "the session is the person's own, or an admin's",
	"disable_staff":               "only the owner",
	"join_staff":                  "the session's person is an admin of both, and used a factor",
	"staff_money_factor_is_fresh": "likewise",
	"use_staff_form":              "the session's person holds one of the roles; that the text is of the form is the server's word",
	"delete_old_staff_sessions":   "takes no argument: deletes what ended 30 days ago",
}

// callable are the definer functions that the server's role calls; the others are triggers.
var callable = []string{
	"add_staff", "add_staff_passkey", "add_to_days", "add_to_months", "begin_staff_session", "change_role", "confirm_staff_totp",
	"decide_approval", "delete_old_staff_sessions", "donor_years_behind", "drop_expired_receipts", "end_staff_factor", "end_staff_sessions",
	"erase_people", "gift_import_runs", "invite_staff", "is_approved", "is_staff_recovery", "join_staff", "move_gift", "office_entities", "office_funds",
	"office_organisations", "rebuild_days", "rebuild_donor_years", "rebuild_months", "refresh_donor_years", "request_approval",
	"seal_audit_entries", "see_staff_session", "set_invitation_token", "set_staff_password", "set_staff_recovery",
	"set_staff_totp", "staff_check_code", "staff_factor", "staff_factor_is_fresh", "staff_has_role",
	"staff_money_factor_is_fresh", "staff_of_session", "use_invitation", "use_staff_form", "use_staff_passkey", "use_staff_recovery",
	"withdraw_approval",
}

// TestDefinerFunctions fails for a function with the owner's rights that is not listed with its reason, has an open
// search path, or may be executed by others than the owner and, where it must, the server's role.
func TestDefinerFunctions(t *testing.T) {
	h := program.New(t, program.Options{})
	var found []struct {
		Name   string `db:"proname"`
		Path   string `db:"path"`
		Public bool   `db:"public"`
		Server bool   `db:"server"`
	}
	require.NoError(t, h.DB.Owner.Select(&found, `
		SELECT p.proname, coalesce(array_to_string(p.proconfig, '; '), '') AS path,
		       EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0) AS public,
		       has_function_privilege('konbit_server', p.oid, 'EXECUTE') AS server
		  FROM pg_proc p WHERE p.prosecdef AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)`))
	seen := map[string]bool{}
	for _, f := range found {
		seen[f.Name] = true
		assert.NotEmpty(t, definers[f.Name], "%s runs with the owner's rights: list it with what it takes on trust", f.Name)
		path, others, _ := strings.Cut(f.Path, "; ")
		assert.Equal(t, "search_path=public, pg_temp", path, f.Name)
		for setting := range strings.SplitSeq(others, "; ") { // how it is planned: it decides no result
			assert.Contains(t, []string{"", "enable_seqscan=off", "enable_bitmapscan=off", "plan_cache_mode=force_custom_plan"}, setting, f.Name)
		}
		assert.False(t, f.Public, "%s: REVOKE ALL ON FUNCTION … FROM PUBLIC", f.Name)
		assert.Equal(t, slices.Contains(callable, f.Name), f.Server, "%s: may the server's role execute it?", f.Name)
	}
	for name := range definers {
		assert.True(t, seen[name], "%s is gone: delete it from definers", name)
	}
	require.NotEmpty(t, strings.Join(callable, ""))
}
