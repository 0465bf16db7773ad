package program_test

import (
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/workshop/testkit/program"
)

// TestTheDatabaseRefuses sends statements with invalid content to the database as the server's role; each
// must be refused.
func TestTheDatabaseRefuses(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	paid, begun := h.StartedGift(program.ValidForm()), h.StartedGift(program.ValidForm())
	outcomes, err := h.Settle(program.ChargeOf(paid, time.Now()))
	require.NoError(t, err)
	require.Equal(t, []donation.Outcome{donation.Booked}, outcomes)
	h.Exec(`INSERT INTO stripe_event (entity_id, id, type, api_version, created_at, payload, payload_sha256)
		SELECT id, 'evt_1', 'charge.succeeded', '2023-10-16', now(), 'changed', sha256('changed') FROM legal_entity WHERE slug = 'tsne'`)
	h.Exec(`INSERT INTO balance_lookup (entity_id, read_through, next_look) SELECT id, now() - interval '1 day', now() FROM legal_entity WHERE slug = 'tsne'`)

	const late = `INSERT INTO designation (donation_id, n, entity_id, fund_id, amount)
		SELECT d.donation_id, 50, d.entity_id, (SELECT f.id FROM fund f WHERE f.entity_id = d.entity_id AND f.id <> ALL (ARRAY(SELECT x.fund_id FROM designation x WHERE x.donation_id = d.donation_id)) LIMIT 1), 1
		  FROM designation d WHERE d.donation_id = '`
	receipt := func(step string) string {
		return `INSERT INTO receipt (id, entity_id, year, number, donation_id, language, words_version, facts, issued_at)
			SELECT gen_random_uuid(), entity_id, year, number + ` + step + `, '` + begun.ID.String() + `', language, words_version, facts, issued_at FROM receipt`
	}
	for _, wrong := range []struct{ rule, statement string }{
		{"designation_fits_gift", late + paid.ID.String() + `'`},
		{"designation_fits_gift", late + begun.ID.String() + `'`},
		{"fee_is_booked", `DELETE FROM fee_due`},
		{"receipt_numbers_are_taken", receipt("1")},
		{"receipt_numbers_are_taken", receipt("2")},
		{"receipt_counter_is_last", `UPDATE receipt_counter SET last = last + 1`},
		{"receipt_counter_is_last", `UPDATE receipt_counter SET last = 0`},
		{"receipt_counter_is_last", `INSERT INTO receipt_counter SELECT entity_id, 2199, 7 FROM receipt_counter`},
		{"receipt_numbers_are_taken", `WITH two AS (UPDATE receipt_counter SET last = last + 2) ` + receipt("2")},
		{"payload_is_erased_only", `UPDATE stripe_event SET payload = 'other'`},
		{"payload_is_erased_only", `UPDATE stripe_event SET payload = payload`},
		{"balance_read_is_kept", `UPDATE balance_lookup SET read_through = now()`},
		{"balance_read_is_kept", `UPDATE balance_lookup SET read_through = 'infinity'`},
		{"balance_read_is_kept", `INSERT INTO balance_lookup (entity_id, read_through, next_look) SELECT id, now() + interval '1 day', now() FROM legal_entity WHERE slug = 'aina'`},
	} {
		_, err := h.DB.Server.Exec(wrong.statement)
		requireRule(t, err, wrong.rule, wrong.statement)
	}

	for _, right := range []string{
		`UPDATE stripe_event SET payload = NULL`,
		`UPDATE stripe_event SET payload = NULL`,
		`INSERT INTO balance_transaction (entity_id, id, type, source_id, amount, fee, net, currency, created_at, available_on, booked_at)
			SELECT entity_id, 'txn_1', 'charge', charge_id, 2000, 88, 1912, 'USD', now() + interval '2 years', now(), now() FROM fee_due`, // a clock that is ahead
		`DELETE FROM fee_due`,
		`UPDATE balance_lookup SET read_through = (SELECT max(created_at) FROM balance_transaction)`,
	} {
		_, err := h.DB.Server.Exec(right)
		require.NoError(t, err, right)
	}
	_, err = h.DB.Server.Exec(`UPDATE stripe_event SET payload = 'changed'`)
	requireRule(t, err, "payload_is_erased_only", "what is erased does not come back")
}

func requireRule(t *testing.T, err error, rule, statement string) {
	t.Helper()
	var refused *pq.Error
	require.ErrorAs(t, err, &refused, statement)
	require.Equal(t, rule, refused.Constraint, statement)
}
