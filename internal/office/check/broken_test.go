package check_test

import (
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/check"
)

// SQL that the owner of the tables runs in the cases below.
const (
	disableTriggers = `ALTER TABLE donation DISABLE TRIGGER USER; ALTER TABLE balance_transaction DISABLE TRIGGER USER; ALTER TABLE posting DISABLE TRIGGER USER;
		ALTER TABLE journal_entry DISABLE TRIGGER USER; ALTER TABLE receipt DISABLE TRIGGER USER; ALTER TABLE receipt_counter DISABLE TRIGGER USER;
		ALTER TABLE receipt_void DISABLE TRIGGER USER; ALTER TABLE letter_delivery DISABLE TRIGGER USER; ALTER TABLE letter DISABLE TRIGGER USER;
		ALTER TABLE balance_observation DISABLE TRIGGER USER; ALTER TABLE ledger_seal DISABLE TRIGGER USER; ALTER TABLE ledger_snapshot DISABLE TRIGGER USER;
		ALTER TABLE ledger_head DISABLE TRIGGER USER; ALTER TABLE payment DISABLE TRIGGER USER; ALTER TABLE donor DISABLE TRIGGER USER;`
	deleteSeals = `DELETE FROM ledger_head; DELETE FROM ledger_snapshot; DELETE FROM ledger_seal;` // no chain to break

	insertEntry = `INSERT INTO journal_entry (id, entity_id, currency, entry_date, fact_date, source, source_id, kind, fact_hash, line_count)
		SELECT '00000000-0000-4000-8000-000000000001', id, currency, DATE 'DAY', DATE 'DAY', 'test', 'test', 'test', sha256(''), 2 FROM legal_entity WHERE slug = 'tsne';`
	insertLines = `INSERT INTO posting (entry_id, n, entity_id, currency, line_count, serial, account_code, fund_id, amount)
		SELECT e.id, l.n, e.entity_id, e.currency, 2, e.serial, l.account, f.id, l.amount FROM journal_entry e
		  JOIN fund f ON f.entity_id = e.entity_id AND f.code = 'operations' CROSS JOIN (VALUES (1, 'ACCOUNT', 100), (2, '5200', -100)) l (n, account, amount)
		 WHERE e.id = '00000000-0000-4000-8000-000000000001';`
	statement = `ALTER TABLE statement DISABLE TRIGGER USER; INSERT INTO statement (id, entity_id, donor_id, year, n, language, words_version, facts, issued_at)
		SELECT 'MADE', d.entity_id, d.donor_id, 2026, 1, 'en', 1, jsonb_build_object('legal_name', e.legal_name, 'ein', e.ein), now()
		  FROM donation d JOIN legal_entity e ON e.id = d.entity_id WHERE d.id = 'KEPT';`
	insertedID = "00000000-0000-4000-8000-000000000001"

	withdrawn = `INSERT INTO balance_transaction (entity_id, id, type, source_id, amount, fee, net, currency, created_at, available_on, booked_at, changed_charge)
		VALUES ('TSNE', 'txn_made', 'adjustment', 'dp_made', -5150, -5150, 0, 'USD', now(), now(), now(), ` // net 0: nothing is to be booked

	erasure = `INSERT INTO erasure (id, asked_at, asked_by, language, due_at, done_at) VALUES ('MADE', now(), 'x', 'en', now(), now()); INSERT INTO erasure_donor (erasure_id, donor_id) VALUES ('MADE', 'DONOR');`
	erased  = erasure + `SELECT erase_people('MADE', '{}'); ALTER TABLE plan DISABLE TRIGGER USER; ALTER TABLE plan_event DISABLE TRIGGER USER; ALTER TABLE plan_request DISABLE TRIGGER USER;
		ALTER TABLE donation_contact DISABLE TRIGGER USER; ALTER TABLE statement_person DISABLE TRIGGER USER;`
	plan = `INSERT INTO plan (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, covered, currency, language, created_at, begun_at, ended_at)
		SELECT id, entity_id, organisation_id, donor_id, public_ref, 'cancelled', 'monthly', amount, 0, currency, language, now(), now(), now() FROM donation WHERE id = 'KEPT';`
)

// linesIn returns two lines for the inserted entry; the first one is in the account named account.
func linesIn(account string) string { return strings.ReplaceAll(insertLines, "ACCOUNT", account) }

// TestCheckersFindWhatIsBroken starts from a valid state, breaks everything that a checker guards, one thing at a time,
// and expects exactly the rows that name it. In the statements, KEPT, PART, WHOLE and LOST are the gifts of the
// scenario. In the expected rows, objects that belong to them may be named too.
func TestCheckersFindWhatIsBroken(t *testing.T) {
	t.Parallel()
	s := newScenario(t)
	names := strings.NewReplacer(
		"KEPT.charge", *s.Gift(s.unchanged.ID).ChargeID, "KEPT.receipt", s.Lines(`SELECT id::text FROM receipt WHERE donation_id = $1`, s.unchanged.ID)[0],
		"KEPT.entry", s.Lines(`SELECT id::text FROM journal_entry WHERE kind = 'payment' AND dimensions->>'donation' = $1`, s.unchanged.ID.String())[0],
		"LAST.entry", s.Lines(`SELECT entry_id::text FROM ledger_seal s JOIN legal_entity e ON e.id = s.entity_id WHERE e.slug = 'tsne' ORDER BY n DESC LIMIT 1`)[0],
		"WHOLE.receipt", s.Lines(`SELECT id::text FROM receipt WHERE donation_id = $1`, s.whole.ID)[0],
		"LOST.receipt", s.Lines(`SELECT id::text FROM receipt WHERE donation_id = $1`, s.lost.ID)[0],
		"PART.move", s.Lines(`SELECT id FROM balance_transaction WHERE type = 'refund' AND net = -500`)[0],
		"LOST.dispute", s.Lines(`SELECT object_id FROM payment_change WHERE kind = 'dispute lost'`)[0],
		"YEAR", s.Lines(`SELECT year::text FROM receipt_counter`)[0],
		"EVENT", s.Lines(`SELECT id FROM stripe_event WHERE type = 'charge.succeeded' ORDER BY id LIMIT 1`)[0],
		"OPERATIONS", s.Lines(`SELECT f.id::text FROM fund f JOIN legal_entity e ON e.id = f.entity_id WHERE f.code = 'operations' AND e.slug = 'tsne'`)[0],
		"FUND", s.Lines(`SELECT fund_id::text FROM designation WHERE donation_id = $1`, s.unchanged.ID)[0], "MONTH", s.Lines(`SELECT to_char(entry_date, 'YYYY-MM') FROM journal_entry WHERE kind = 'payment' AND dimensions->>'donation' = $1`, s.unchanged.ID.String())[0],
		"DAY", s.Lines(`SELECT entry_date::text FROM journal_entry WHERE kind = 'payment' AND dimensions->>'donation' = $1`, s.unchanged.ID.String())[0],
		"TSNE", s.unchanged.EntityID.String(), "DONOR", s.unchanged.DonorID.String(),
		"LETTER", s.Lines(`SELECT id::text FROM letter WHERE subject_id = (SELECT id FROM receipt WHERE donation_id = $1)`, s.unchanged.ID)[0],
		"DELIVERY", s.Lines(`SELECT d.id::text FROM letter_delivery d JOIN letter l ON l.id = d.letter_id WHERE l.subject_id = (SELECT id FROM receipt WHERE donation_id = $1)`, s.unchanged.ID)[0],
		"KEPT", s.unchanged.ID.String(), "WHOLE", s.whole.ID.String(), "LOST", s.lost.ID.String(), "MADE", insertedID,
	)
	const old = `UPDATE receipt SET issued_at = now() - interval '1 hour' WHERE id = 'KEPT.receipt';`
	const account = `INSERT INTO bank_account VALUES ('MADE', 'TSNE', 'made', 'Made', '0000', 'USD', 'all', now(), now());`
	session := func(payload string) string {
		return `INSERT INTO stripe_event (entity_id, id, type, api_version, created_at, payload, payload_sha256, state, done_at)
			VALUES ('TSNE', 'evt_made', 'checkout.session.completed', '', now(), ` + payload + `, sha256(''), 'done', now())`
	}
	job := func(state, more string) string {
		return `INSERT INTO river_job (id, kind, args, max_attempts, state, scheduled_at, attempted_at, finalized_at)
			VALUES (777, 'made', '{"receipt_id": "KEPT.receipt"}', 1, '` + state + `', ` + more + `)`
	}
	for what, broken := range map[string]struct{ by, wrong string }{
		"a charge without a gift":               {`UPDATE donation SET status = 'expired' WHERE id = 'KEPT'`, "A1 KEPT.charge, A20 DONOR YEAR"},
		"a charge that is two payments":         {`ALTER TABLE payment DROP CONSTRAINT payment_one_per_charge; INSERT INTO payment SELECT gen_random_uuid(), entity_id, NULL, method, processor, charge_ref, intent_ref, asset_account, amount, currency, received_at, 'suspense', created_at FROM payment WHERE donation_id = 'KEPT'`, "A1 KEPT.charge"},
		"a settled donation without a payment":  {`DELETE FROM payment WHERE donation_id = 'KEPT'`, "A1 KEPT.charge, A2 KEPT"},
		"a session without a gift":              {session(`'{"data": {"object": {"id": "cs_made", "payment_intent": "pi_made", "payment_status": "paid"}}}'`), "A1 cs_made"},
		"an unpaid session":                     {session(`'{"data": {"object": {"id": "cs_made", "payment_intent": "pi_made", "payment_status": "unpaid"}}}'`), ""},
		"a payload that is not JSON":            {session(`'paid'`), ""},
		"a payload that is not text":            {session(`'\xff00'`), ""},
		"a gift whose charge Stripe lacks":      {`UPDATE balance_transaction SET source_id = 'ch_other' WHERE source_id = 'KEPT.charge'; INSERT INTO pending_charge (charge_id, entity_id, transaction_id, amount) VALUES ('ch_other', 'TSNE', '', 0)`, "A2 KEPT"},
		"a gift whose charge is late":           {`UPDATE balance_transaction SET source_id = 'ch_other' WHERE source_id = 'KEPT.charge'; INSERT INTO pending_charge (charge_id, entity_id, transaction_id, amount) VALUES ('ch_other', 'TSNE', '', 0); INSERT INTO fee_due VALUES ('TSNE', 'KEPT.charge', now()); UPDATE donation SET settled_at = now() - interval '25 hours' WHERE id = 'KEPT'`, "A2 KEPT, A10 USD"},
		"a forged gift":                         {`UPDATE payment SET charge_ref = 'ch_forged', intent_ref = 'pi_forged' WHERE donation_id = 'KEPT'`, "A1 KEPT.charge, A2 KEPT, A4 KEPT"},
		"an entry that does not balance":        {deleteSeals + `UPDATE posting SET amount = amount - 1 WHERE entry_id = 'KEPT.entry' AND account_code <> '1010'`, "A3 KEPT.entry, A19 MONTH FUND 4100, A22 DAY FUND 4100"},
		"an entry with one line":                {insertEntry + linesIn("1100") + `DELETE FROM posting WHERE entry_id = 'MADE' AND n = 2`, "A3 MADE"},
		"a gift that is not booked":             {deleteSeals + `UPDATE journal_entry SET kind = 'other' WHERE id = 'KEPT.entry'`, "A4 KEPT"},
		"a gift that is booked twice":           {`ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_key;` + insertEntry + linesIn("1100") + `UPDATE journal_entry e SET source = k.source, source_id = k.source_id, kind = k.kind FROM journal_entry k WHERE k.id = 'KEPT.entry' AND e.id = 'MADE'`, "A4 KEPT"},
		"a refund that is not booked":           {deleteSeals + `UPDATE journal_entry SET kind = 'other' WHERE source_id = 'PART.move'`, "A4 PART.move"},
		"a refund not in Stripe's balance":      {`INSERT INTO payment_change (entity_id, object_id, kind, payment_id, amount, at) SELECT 'TSNE', 're_made', 'refund', id, 1, now() FROM payment WHERE charge_ref = 'KEPT.charge'`, "A4 re_made"},
		"a loss that is not booked":             {deleteSeals + `UPDATE journal_entry SET kind = 'other' WHERE kind = 'lost'`, "A4 LOST.dispute"},
		"a number left out":                     {`UPDATE receipt SET number = number + 100 WHERE id = 'KEPT.receipt'`, "A5 YEAR"},
		"a number taken and not used":           {`UPDATE receipt_counter SET last = last + 1`, "A5 YEAR"},
		"a series without receipts":             {`INSERT INTO receipt_counter (entity_id, year, last) VALUES ('TSNE', 2199, 3)`, "A5 2199"},
		"a gift whose receipt is void":          {`INSERT INTO receipt_void (receipt_id, donation_id, reason, changed_on, ordered_by, voided_at) VALUES ('KEPT.receipt', 'KEPT', 'correction', now(), 'x', now())`, "A6 KEPT"},
		"a gift with two receipts":              {`DROP INDEX receipt_one_per_gift; UPDATE receipt_counter SET last = last + 1; INSERT INTO receipt SELECT gen_random_uuid(), r.entity_id, r.year, c.last, donation_id, NULL, language, words_version, facts, now() FROM receipt r JOIN receipt_counter c USING (entity_id, year) WHERE r.id = 'KEPT.receipt'`, "A6 KEPT"},
		"a receipt of a refunded gift":          {`DELETE FROM receipt_void WHERE donation_id = 'WHOLE'`, "A6 WHOLE, A18 WHOLE.receipt"},
		"a receipt of a gift lost in a dispute": {`DELETE FROM receipt_void WHERE donation_id = 'LOST'`, "A6 LOST, A18 LOST.receipt"},
		"a receipt of more than Stripe left":    {withdrawn + `'KEPT.charge')`, "A18 KEPT.receipt"},
		"a withdrawal of an unknown charge":     {withdrawn + `'ch_unknown')`, ""},
		"a withdrawal that is being decided":    {withdrawn + `'KEPT.charge'); INSERT INTO payment_change (entity_id, object_id, kind, payment_id, amount, beyond, at) SELECT 'TSNE', 'dp_made', 'dispute withdrawn', id, 2000, 3150, now() FROM payment WHERE charge_ref = 'KEPT.charge'`, "A4 dp_made"}, // its net is 0
		"an old receipt that was mailed":        {old, ""},
		"an old receipt not accepted yet":       {old + `UPDATE letter_delivery SET accepted_at = NULL WHERE letter_id IN (SELECT id FROM letter WHERE subject_id = 'KEPT.receipt')`, "A7 KEPT.receipt"},
		"an old receipt that was refused":       {old + `UPDATE letter_delivery SET accepted_at = NULL, refused_at = now() WHERE letter_id IN (SELECT id FROM letter WHERE subject_id = 'KEPT.receipt')`, ""},
		"an old receipt without an email":       {old + `DELETE FROM letter_delivery WHERE letter_id IN (SELECT id FROM letter WHERE subject_id = 'KEPT.receipt'); DELETE FROM letter WHERE subject_id = 'KEPT.receipt'`, "A7 KEPT.receipt"},
		"an old receipt without address":        {old + `DELETE FROM letter_delivery WHERE letter_id IN (SELECT id FROM letter WHERE subject_id = 'KEPT.receipt'); DELETE FROM letter WHERE subject_id = 'KEPT.receipt'; UPDATE receipt SET facts = jsonb_set(facts, '{email}', '""') WHERE id = 'KEPT.receipt'`, ""},
		"an overdue job":                        {job("available", `now() - interval '6 minutes', NULL, NULL`), "A8 777"},
		"an overdue retry":                      {job("retryable", `now() - interval '6 minutes', NULL, NULL`), "A8 777"},
		"a job for a later time":                {job("retryable", `now() + interval '6 minutes', NULL, NULL`), ""},
		"a job that runs too long":              {job("running", `now(), now() - interval '2 minutes', NULL`), "A8 777"},
		"a job that runs":                       {job("running", `now() - interval '1 hour', now(), NULL`), ""},
		"a job that was given up":               {job("discarded", `now(), now(), now()`), "A8 777"},
		"an overdue event":                      {`UPDATE stripe_event SET state = 'new', done_at = NULL, due_at = now() - interval '6 minutes' WHERE id = 'EVENT'`, "A9 EVENT"},
		"an overdue parked event":               {`UPDATE stripe_event SET state = 'parked', reason = 'x', done_at = NULL, due_at = now() - interval '6 minutes' WHERE id = 'EVENT'`, "A9 EVENT"},
		"a parked event that waits":             {`UPDATE stripe_event SET state = 'parked', reason = 'x', done_at = NULL, due_at = now() + interval '6 minutes' WHERE id = 'EVENT'`, ""},
		"an event set aside":                    {`UPDATE stripe_event SET state = 'set_aside', reason = 'x', done_at = NULL, due_at = now() - interval '6 minutes' WHERE id = 'EVENT'`, "A15 EVENT"},
		"an event set aside and erased":         {`UPDATE stripe_event SET state = 'set_aside', reason = 'x', done_at = NULL, payload = NULL WHERE id = 'EVENT'`, ""},
		"an event that is put off":              {`UPDATE stripe_event SET state = 'new', done_at = NULL, due_at = 'infinity' WHERE id = 'EVENT'`, "A9 EVENT"},
		"an import that is put off":             {`UPDATE balance_lookup SET next_look = 'infinity' WHERE entity_id = 'TSNE'`, "A9 TSNE"},
		"an import that is leased for ever":     {`UPDATE balance_lookup SET leased_until = 'infinity' WHERE entity_id = 'TSNE'`, "A9 TSNE"},
		"an import that is ahead of time":       {`ALTER TABLE balance_lookup DISABLE TRIGGER USER; UPDATE balance_lookup SET read_through = '2199-01-01' WHERE entity_id = 'TSNE'`, "A9 TSNE"},
		"clearing changed by an entry":          {insertEntry + linesIn("1010"), "A10 USD"},
		"another account that changed":          {insertEntry + linesIn("1100"), ""},
		"a larger balance at Stripe":            {`INSERT INTO balance_observation (entity_id, currency, held, kept) SELECT entity_id, currency, held + 1, kept FROM balance_observation ORDER BY abs(held) DESC LIMIT 1`, "A10 USD"},
		"a larger balance that is booked":       {`INSERT INTO balance_observation (entity_id, currency, held, kept) SELECT 'TSNE', 'USD', 100, 0;` + insertEntry + linesIn("1010"), ""},
		"a balance not read for a day":          {`UPDATE balance_observation SET at = at - interval '27 hours' WHERE entity_id = 'TSNE'`, "A10 USD"},
		"a sealed entry that was changed":       {`UPDATE journal_entry SET dimensions = '{}' WHERE id = 'KEPT.entry'`, "A11 KEPT.entry"},
		"a sealed line that was changed":        {`UPDATE posting SET account_code = '4000' WHERE entry_id = 'KEPT.entry' AND account_code = '4100'`, "A11 KEPT.entry, A19 MONTH FUND 4000, A19 MONTH FUND 4100, A22 DAY FUND 4000, A22 DAY FUND 4100"},
		"a seal that was changed":               {`UPDATE ledger_seal SET hash = sha256('') WHERE entry_id = 'LAST.entry'`, "A11 LAST.entry"},
		"the last seal deleted":                 {`DELETE FROM ledger_snapshot; DELETE FROM ledger_seal WHERE entry_id = 'LAST.entry'; UPDATE journal_entry SET recorded_at = now() - interval '1 hour' WHERE id = 'LAST.entry'`, "A11 LAST.entry"},
		"an entry not sealed in time":           {insertEntry + linesIn("1100") + `UPDATE journal_entry SET recorded_at = now() - interval '6 minutes' WHERE id = 'MADE'`, "A11 MADE"},
		"an entry older than the seals":         {insertEntry + linesIn("1100") + `ALTER TABLE posting DROP CONSTRAINT posting_of_entry; UPDATE journal_entry SET serial = -1 WHERE id = 'MADE'`, "A11 MADE, A19 MONTH OPERATIONS 1100, A19 MONTH OPERATIONS 5200"},
		"a head with another hash":              {`INSERT INTO ledger_head (id, entity_id, day, n, hash, trial_balance, kept_at) VALUES ('MADE', 'TSNE', current_date, 1, sha256(''), 0, now())`, "A11 MADE"},
		"a fund below zero":                     {insertEntry + linesIn("4100"), "A14 OPERATIONS"},
		"a receipt of another entity":           {`UPDATE receipt SET facts = facts || '{"ein": "11-1111111"}' WHERE id = 'KEPT.receipt'`, "A16 KEPT.receipt"},
		"a receipt under an old name":           {`UPDATE legal_entity SET legal_name = 'Another', updated_at = now() + interval '1 hour'`, ""},
		"a receipt before a change by hand":     {`ALTER TABLE entity_fact DISABLE TRIGGER USER; UPDATE entity_fact SET since = since - interval '9 days'; UPDATE legal_entity SET updated_at = updated_at - interval '9 days'; UPDATE legal_entity SET legal_name = 'Another'`, ""},
		"a receipt under a later name":          {`UPDATE legal_entity SET legal_name = 'Another', updated_at = now(); UPDATE receipt SET facts = facts || '{"legal_name": "Another"}', issued_at = now() - interval '9 hours' WHERE id = 'KEPT.receipt'`, "A16 KEPT.receipt"},
		"a receipt of another amount":           {`UPDATE receipt SET facts = jsonb_set(facts, '{amount,minor}', '100000000') WHERE id = 'KEPT.receipt'`, "A16 KEPT.receipt"},
		"a receipt whose amount is no number":   {`UPDATE receipt SET facts = jsonb_set(facts, '{amount,minor}', '"x"') WHERE id = 'KEPT.receipt'`, "A16 KEPT.receipt"},
		"a receipt of another day":              {`UPDATE receipt SET facts = jsonb_set(facts, '{charged_on}', '"2020-01-01"') WHERE id = 'KEPT.receipt'`, "A16 KEPT.receipt"},
		"a receipt without facts":               {`UPDATE receipt SET facts = '{}' WHERE id = 'KEPT.receipt'`, "A16 KEPT.receipt, A16 KEPT.receipt"},
		"a statement of another entity":         {statement + `UPDATE statement SET facts = facts || '{"ein": "11-1111111"}'`, "A16 MADE"},
		"a statement of the entity":             {statement, ""},
		"an erased donor":                       {erased, ""},
		"an erasure that is not done":           {erasure + `UPDATE erasure SET done_at = NULL`, ""},
		"a donor with a name":                   {erased + `UPDATE donor SET first_name = 'Ana' WHERE id = 'DONOR'`, "A17 donor DONOR"},
		"a donor with an address":               {erased + `UPDATE donor SET email = 'ana@example.org' WHERE id = 'DONOR'`, "A17 donor DONOR"},
		"a receipt with a name":                 {erased + `UPDATE receipt SET facts = facts || '{"donor_organisation": "Elm"}' WHERE id = 'KEPT.receipt'`, "A17 receipt KEPT.receipt"},
		"a contact":                             {erased + `INSERT INTO donation_contact SELECT 'KEPT', '', '', '', '', '', '', '', '', '', '', 'a note'`, "A17 donation_contact KEPT"},
		"an email":                              {erased + `UPDATE letter SET message = 'x' WHERE id = 'LETTER'`, "A17 letter LETTER"},
		"a difference of an email":              {erased + `UPDATE letter SET difference = 'x' WHERE id = 'LETTER'`, "A17 letter LETTER"},
		"a recipient":                           {erased + `UPDATE letter_delivery SET recipient = 'x' WHERE id = 'DELIVERY'`, "A17 letter_delivery DELIVERY"},
		"a statement":                           {erased + statement + `INSERT INTO statement_person VALUES ('MADE', '{}')`, "A17 statement_person MADE"},
		"a card of a plan":                      {erased + plan + `UPDATE plan SET card_last4 = '4242'`, "A17 plan KEPT"},
		"an event of a plan":                    {erased + plan + `INSERT INTO plan_event VALUES ('MADE', 'KEPT', 'x', 'x', '{"reason": "x"}', now())`, "A17 plan_event MADE"},
		"a request of a plan":                   {erased + plan + `INSERT INTO plan_request VALUES ('MADE', 'KEPT', 'x', 'x', '{"brand": "x"}', 'x', now())`, "A17 plan_request MADE"},
		"an email about the erasure":            {erased + `INSERT INTO letter (id, entity_id, kind, subject_id, sender, message_id, message, rendered_at) VALUES ('MADE', 'TSNE', 'erasure_asked', 'MADE', 'x', 'x', 'x', now())`, "A17 letter MADE"},
		"the address of an erased donor":        {`UPDATE donor SET email = 'forgotten-' || id || '@invalid' WHERE id = 'DONOR'`, "A17 donor DONOR"},
		"a trace of an address":                 {`INSERT INTO erasure_trace VALUES ('donor', 'MADE')`, "A17 donor MADE"},
		"a sum of a month":                      {`UPDATE ledger_month SET amount = amount + 1 WHERE fund_id = 'FUND' AND account_code = '4100'`, "A19 MONTH FUND 4100"},
		"a sum of a month that is gone":         {`DELETE FROM ledger_month WHERE fund_id = 'FUND' AND account_code = '4100'`, "A19 MONTH FUND 4100"},
		"a sum of a month without postings":     {`INSERT INTO ledger_month VALUES ('TSNE', '2020-01-01', 'FUND', '4100', 5, 1)`, "A19 2020-01 FUND 4100"},
		"a sum of a day":                        {`UPDATE ledger_day SET amount = amount + 1 WHERE fund_id = 'FUND' AND account_code = '4100'`, "A22 DAY FUND 4100"},
		"a sum of a day that is gone":           {`DELETE FROM ledger_day WHERE fund_id = 'FUND' AND account_code = '4100'`, "A22 DAY FUND 4100"},
		"a sum of a day without postings":       {`INSERT INTO ledger_day VALUES ('TSNE', '2020-01-01', 'FUND', '4100', 5, 1)`, "A22 2020-01-01 FUND 4100"},
		"a sum of a donor's year":               {`UPDATE donor_year SET amount = amount + 1 WHERE donor_id = 'DONOR'`, "A20 DONOR YEAR"},
		"a donor's year that is gone":           {`DELETE FROM donor_year WHERE donor_id = 'DONOR'`, "A20 DONOR YEAR"},
		"a donor's year without gifts":          {`INSERT INTO donor_year VALUES ('MADE', 2020, 'TSNE', 1, 1)`, "A20 MADE 2020"},
		"a donor's year that is due":            {`DELETE FROM donor_year WHERE donor_id = 'DONOR'; INSERT INTO donor_year_due (donor_id) VALUES ('DONOR')`, ""},
		"a bank match of nothing":               {account + `INSERT INTO bank_match (id, entity_id, account_id, on_date) VALUES ('MADE', 'TSNE', 'MADE', '2026-10-01')`, "A23 MADE"},
		"a bank account that differs":           {account + `INSERT INTO bank_match (id, entity_id, account_id, on_date) VALUES ('MADE', 'TSNE', 'MADE', '2026-10-01'); INSERT INTO bank_match_item (match_id, n, entity_id, account_id, kind, ref, amount, booked) VALUES ('MADE', 1, 'TSNE', 'MADE', 'fee', '', 5, true)`, "A23 MADE, A23 made"},
		"nothing":                               {`SELECT 1`, ""},
	} {
		t.Run(what, func(t *testing.T) {
			// Subjects are random ids, so the order of the rows differs between runs.
			want := names.Replace(broken.wrong)
			found, daily := s.findingsAfter(t, disableTriggers+names.Replace(broken.by))
			require.ElementsMatch(t, strings.Split(want, ", "), strings.Split(found, ", "))
			if !weekly[what] {
				require.ElementsMatch(t, strings.Split(want, ", "), strings.Split(daily, ", "), "daily")
			}
		})
	}
}

// weekly lists what only the run that reads everything finds: rows to which no entry belongs.
var weekly = map[string]bool{"a sum of a month without postings": true, "a sum of a day without postings": true, "a donor's year without gifts": true}

// findingsAfter returns what the checkers find after a statement of the owner, as "A1 subject, A2 subject", when they read
// everything and when they read what is new since the first entry, and rolls the statement back.
func (s *scenario) findingsAfter(t *testing.T, statement string) (whole, daily string) {
	t.Helper()
	tx, err := s.DB.Owner.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	defer func(tx *sqlx.Tx) { _ = tx.Rollback() }(tx)
	_, err = tx.ExecContext(t.Context(), statement)
	require.NoError(t, err, statement)
	found, err := check.RunAll(t.Context(), tx)
	require.NoError(t, err, statement)
	got := map[string]string{}
	for _, r := range check.Rows(found) {
		got[r.Checker] += ", " + r.Checker + " " + r.Subject
		require.NotEmpty(t, r.Detail)
		require.NotNil(t, r.Since, "%s", r)
	}
	tx.MustExec(`SELECT set_config('konbit.check_whole', '', true)`)
	var subjects []string
	for _, c := range check.Checkers() {
		whole += got[c.No]
		tx.MustExec(`INSERT INTO check_progress VALUES ($1, 1, now())`, c.No)
		require.NoError(t, tx.Select(&subjects, `SELECT ', ' || checker || ' ' || subject FROM `+c.View))
		daily += strings.Join(subjects, "")
	}
	return strings.TrimPrefix(whole, ", "), strings.TrimPrefix(daily, ", ")
}
