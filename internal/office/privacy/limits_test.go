package privacy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/privacy"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// TestServerRoleCannotEraseEarly inserts erasures as an intruder with the server's role: without a request, with old
// dates, and with useless copies of receipts. The database refuses them before the waiting time, and later erases at
// most its daily number of people.
func TestServerRoleCannotEraseEarly(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	const people = `SELECT count(*) FROM donor WHERE email NOT LIKE '%@invalid'`
	all := h.Count(people)
	require.Greater(t, all, 1)
	const invented = `
		WITH e AS (INSERT INTO erasure (id, asked_at, asked_by, language, due_at) VALUES (gen_random_uuid(), '2020-01-01', 'donor', 'en', '2020-01-01') RETURNING id),
		     d AS (INSERT INTO erasure_donor (erasure_id, donor_id) SELECT e.id, donor.id FROM e, donor),
		     h AS (INSERT INTO receipt_hold (receipt_id, erasure_id, sealed, reason, held_until) SELECT r.id, e.id, 'garbage', 'x', '2020-01-01' FROM e, receipt r)
		SELECT id FROM e`
	var id string
	require.NoError(t, h.DB.Server.Get(&id, invented))
	refused := func(constraint, query string, args ...any) {
		t.Helper()
		_, err := h.DB.Server.Exec(query, args...)
		require.ErrorContains(t, err, constraint, query)
		require.Equal(t, all, h.Count(people))
	}
	erase := `SELECT erase_people($1, '{}')`
	refused("waits", erase, id)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM erasure WHERE due_at >= asked_at + interval '3 days'`), "the wait is the database's")
	refused("permission denied", `UPDATE erasure SET recorded_at = '2020-01-01'`)
	refused("permission denied", `UPDATE server_limit SET erasure_delay = '0'`)
	refused("permission denied", `INSERT INTO erasure_donor (erasure_id, donor_id, recorded_at) SELECT $1, id, '2020-01-01' FROM donor`, id)
	refused("is held until", `DELETE FROM receipt_hold`)
	require.Equal(t, 0, h.Count(`SELECT count(*) FROM receipt_hold WHERE held_until < current_date + 7 * 365`), "as long as the law asks")

	h.AgeErasures()
	h.Exec(`UPDATE server_limit SET erased_a_day = $1`, all-1)
	refused("at most", erase, id)
	refused("names fewer addresses", `SELECT erase_people($1, ARRAY['somebody@example.org'])`, id)
	refused("no address", `SELECT erase_people($1, ARRAY['e'])`, id)

	// What it could still do, days later and within the bound, is undone from the owner's copies.
	h.Exec(`UPDATE server_limit SET erased_a_day = $1`, all)
	_, err := h.DB.Server.Exec(erase, id)
	require.NoError(t, err)
	require.Zero(t, h.Count(people))
	for _, table := range []string{"receipt_kept", "erasure_done"} {
		_, err := h.DB.Server.Exec(`SELECT * FROM ` + table)
		require.ErrorContains(t, err, "permission denied")
		_, err = h.DB.Server.Exec(`DELETE FROM ` + table)
		require.ErrorContains(t, err, "permission denied")
	}
	numbers := h.Lines(`SELECT 'TSNE-' || year || '-' || lpad(number::text, 6, '0') FROM receipt ORDER BY number`)
	require.NotEmpty(t, numbers)
	for _, number := range numbers {
		facts, err := h.OwnersPrivacy().OpenSealedReceipt(t.Context(), number, "auditor", "an attack")
		require.NoError(t, err)
		require.NotEmpty(t, facts.Email, "the database did not take the server's copy")
	}
	// On the same day it erases no more people: the daily number counts the people of all erasures.
	h.Exec(`UPDATE donor SET email = 'new-' || id || '@example.org'`)
	require.NoError(t, h.DB.Server.Get(&id, `WITH e AS (INSERT INTO erasure (id, asked_at, asked_by, language, due_at) VALUES (gen_random_uuid(), now(), 'donor', 'en', now()) RETURNING id),
		d AS (INSERT INTO erasure_donor (erasure_id, donor_id) SELECT e.id, donor.id FROM e, donor LIMIT 1) SELECT id FROM e`))
	h.AgeErasures()
	refused("at most", erase, id)
}

// TestWithdrawnStaysWithdrawn: the server's role revives no erasure that was withdrawn.
func TestWithdrawnStaysWithdrawn(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(canaryForm())
	w := erasureRequest(t, h)
	_, err := h.Privacy.Request(t.Context(), w)
	require.NoError(t, err)
	require.NoError(t, h.Privacy.Withdraw(t.Context(), w.Donors))
	h.AgeErasures()
	_, err = h.DB.Server.Exec(`UPDATE erasure SET withdrawn_at = NULL`)
	require.ErrorContains(t, err, "was withdrawn")
}

// TestNoKeyNoErasure: without one-time keys a donor with a receipt is not erased, and the others are; with new keys the
// rest follows.
func TestNoKeyNoErasure(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(canaryForm())
	h.Exec(`DELETE FROM receipt_pad`)
	w := erasureRequest(t, h)
	_, err := h.Privacy.Request(t.Context(), w)
	require.NoError(t, err)
	h.AgeErasures()
	h.Privacy.Now = func() time.Time { return time.Now().Add(privacy.DefaultDelay + time.Minute) }
	n, err := h.Privacy.EraseDue(t.Context())
	require.ErrorIs(t, err, privacy.ErrNoKeys)
	require.Zero(t, n)
	require.NotEmpty(t, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
	added, err := h.OwnersPrivacy().Prepare(t.Context(), 3)
	require.NoError(t, err)
	require.Equal(t, 3, added)
	unused, err := privacy.CountPads(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.Equal(t, 3, unused)
	_, err = h.Privacy.EraseDue(t.Context())
	require.NoError(t, err)
	require.Empty(t, testkit.ColumnsContaining(t, h.DB.Owner, canaries))
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM receipt_pad`), "a key is used once")
	for _, read := range []string{`SELECT pad FROM receipt_pad`, `SELECT sealed FROM receipt_pad`, `INSERT INTO receipt_pad (pad, sealed) VALUES ('', '')`, `DELETE FROM receipt_pad`} {
		_, err := h.DB.Server.Exec(read)
		require.ErrorContains(t, err, "permission denied", read)
	}
}
