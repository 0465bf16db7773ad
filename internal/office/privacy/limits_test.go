package privacy_test

import (
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
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
	_, err = h.DB.Server.Exec(`UPDATE donor SET email = 'new-' || id || '@example.org', first_name = 'New'`)
	require.NoError(t, err)
	require.Zero(t, h.Count(people), "who was erased stays erased")
	h.Exec(`ALTER TABLE donor DISABLE TRIGGER erased_stays_erased`)
	h.Exec(`UPDATE donor SET email = 'new-' || id || '@example.org'`)
	require.NoError(t, h.DB.Server.Get(&id, `WITH e AS (INSERT INTO erasure (id, asked_at, asked_by, language, due_at) VALUES (gen_random_uuid(), now(), 'donor', 'en', now()) RETURNING id),
		d AS (INSERT INTO erasure_donor (erasure_id, donor_id) SELECT e.id, donor.id FROM e, donor LIMIT 1) SELECT id FROM e`))
	h.AgeErasures()
	refused("at most", erase, id)
}

// TestErasuresADayCannotBeEvaded: the limit counts every person once. What the server's role writes into their rows,
// and the transactions in which it erases, do not change that.
func TestErasuresADayCannotBeEvaded(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	h.Exec(`UPDATE server_limit SET erased_a_day = 1`)
	erasures := h.Lines(`WITH e AS (INSERT INTO erasure (id, asked_at, asked_by, language, due_at) SELECT d.id, now(), 'donor', 'en', now() FROM donor d RETURNING id),
		d AS (INSERT INTO erasure_donor (erasure_id, donor_id) SELECT id, id FROM e) SELECT id::text FROM e ORDER BY 1`)
	require.Greater(t, len(erasures), 1)
	h.AgeErasures()
	names := func() int { return h.Count(`SELECT count(*) FROM receipt WHERE facts ->> 'email' <> ''`) }
	before := names()
	require.Equal(t, 2, before)

	// The address of an erased donor in the row of another one.
	_, err := h.DB.Server.Exec(`UPDATE donor SET email = 'forgotten-' || id || '@invalid'`)
	require.NoError(t, err)
	var all string
	require.NoError(t, h.DB.Server.Get(&all, `WITH e AS (INSERT INTO erasure (id, asked_at, asked_by, language, due_at) VALUES (gen_random_uuid(), now(), 'x', 'en', now()) RETURNING id),
		d AS (INSERT INTO erasure_donor (erasure_id, donor_id) SELECT e.id, donor.id FROM e, donor) SELECT id FROM e`))
	h.AgeErasures()
	_, err = h.DB.Server.Exec(`SELECT erase_people($1, '{}')`, all)
	require.ErrorContains(t, err, "at most")
	require.Equal(t, before, names())

	// Transactions that do not see each other's count.
	one := inSnapshot(t, h)
	_, err = one.Exec(`SELECT erase_people($1, '{}')`, erasures[0])
	require.ErrorContains(t, err, "read committed")
	require.NoError(t, one.Rollback())

	// A donor whose row another transaction is changing.
	other, err := h.DB.Server.Beginx()
	require.NoError(t, err)
	_, err = other.Exec(`UPDATE donor SET email = 'ana@example.org' WHERE id = $1`, erasures[0])
	require.NoError(t, err)
	_, err = h.DB.Server.Exec(`SELECT erase_people($1, '{}')`, erasures[0])
	require.ErrorContains(t, err, "could not obtain lock")
	require.NoError(t, other.Rollback())

	_, err = h.DB.Server.Exec(`SELECT erase_people($1, '{}')`, erasures[0])
	require.NoError(t, err, "within the bound")
	_, err = h.DB.Server.Exec(`SELECT erase_people($1, '{}')`, erasures[0])
	require.NoError(t, err, "the same donor counts once")
	_, err = h.DB.Server.Exec(`SELECT erase_people($1, '{}')`, erasures[1])
	require.ErrorContains(t, err, "at most")
}

// inSnapshot returns a transaction of the server's role that sees nothing that is committed from now on.
func inSnapshot(t *testing.T, h *program.Program) *sqlx.Tx {
	t.Helper()
	tx, err := h.DB.Server.Beginx()
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	_, err = tx.Exec(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM erasure`)
	require.NoError(t, err)
	return tx
}

// TestInventedErasureIsNotOnTheList: the list of done erasures is applied by the owner, without a limit. An erasure
// that the server's role marks as done, and a donor that it adds to a done one, are not on it.
func TestInventedErasureIsNotOnTheList(t *testing.T) {
	t.Parallel()
	h := newProgramWithDonor(t)
	const invented = `
		WITH e AS (INSERT INTO erasure (id, asked_at, asked_by, language, due_at, done_at) VALUES (gen_random_uuid(), now(), 'donor', 'en', now(), now()) RETURNING id),
		     d AS (INSERT INTO erasure_donor (erasure_id, donor_id) SELECT e.id, donor.id FROM e, donor) SELECT id FROM e`
	var id string
	require.NoError(t, h.DB.Server.Get(&id, invented))
	_, err := h.DB.Server.Exec(`UPDATE erasure SET done_at = now() WHERE id = $1`, id)
	require.NoError(t, err)
	list, err := privacy.ListDone(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.Empty(t, list)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM erasure WHERE done_at IS NULL AND due_at >= asked_at + interval '3 days'`), "it waits like any other")
	h.Exec(`UPDATE erasure SET withdrawn_at = now()`)

	w := erasureRequest(t, h)
	e, err := h.OwnersPrivacy().Request(t.Context(), w)
	require.NoError(t, err)
	require.NoError(t, h.OwnersPrivacy().Erase(t.Context(), e.ID))
	_, err = h.DB.Server.Exec(`INSERT INTO erasure_donor (erasure_id, donor_id) SELECT $1, id FROM donor ON CONFLICT DO NOTHING`, e.ID)
	require.ErrorContains(t, err, "is done")
	_, err = h.DB.Server.Exec(`INSERT INTO erasure_address (erasure_id, mac) VALUES ($1, sha256('x'))`, e.ID)
	require.ErrorContains(t, err, "is done")
	list, err = privacy.ListDone(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Len(t, list[0].Donors, len(w.Donors))
	h.AgeErasures()
	applied, err := h.Privacy.Apply(t.Context(), list)
	require.NoError(t, err, "the server's role repeats what was done")
	require.Equal(t, privacy.ApplyResult{Erased: 1}, applied)

	// Undone, with another donor, and done again.
	_, err = h.DB.Server.Exec(`UPDATE erasure SET done_at = NULL WHERE id = $1`, e.ID)
	require.NoError(t, err)
	_, err = h.DB.Server.Exec(`INSERT INTO erasure_donor (erasure_id, donor_id) SELECT $1, id FROM donor ON CONFLICT DO NOTHING`, e.ID)
	require.NoError(t, err)
	_, err = h.DB.Server.Exec(`UPDATE erasure SET done_at = now() WHERE id = $1`, e.ID)
	require.NoError(t, err)
	list, err = privacy.ListDone(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.Empty(t, list)
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
