package guard_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/workshop/testkit"
)

// organisation inserts an organisation, because a pass belongs to one.
func organisation(t *testing.T, db *sqlx.DB) uuid.UUID {
	t.Helper()
	entity, org := uuid.New(), uuid.New()
	db.MustExec(`INSERT INTO legal_entity (id, slug, legal_name, ein, address, timezone, currency, mail_from, created_at, updated_at)
		VALUES ($1, $2, 'Entity', '12-3456789', '{}', 'UTC', 'USD', 'gifts@entity.example', now(), now())`, entity, "e-"+entity.String()[:8])
	db.MustExec(`INSERT INTO organisation (id, entity_id, slug, name, sponsored, languages, presets, minimum, maximum, frequencies, accent, position, created_at, updated_at)
		VALUES ($1, $2, $3, '{"en": "Org"}', false, '{en}', '{1000}', 500, 100000, '{once}', '#7a1f1f', 0, now(), now())`, org, entity, "o-"+org.String()[:8])
	return org
}

func open(t *testing.T, db *testkit.Database, org uuid.UUID, life time.Duration) (guard.Pass, string) {
	t.Helper()
	pass, token, err := guard.OpenPass(t.Context(), db.Server, uuid.New(), org, life)
	require.NoError(t, err)
	return pass, token
}

// TestPassLiftsTheLimitsOfItsDevice: the pass of a device in event mode (konbit event-mode) lifts only the limits of address and network.
func TestPassLiftsTheLimitsOfItsDevice(t *testing.T) {
	l := guard.Standard()
	l.Page = guard.Limit{Max: 60, Window: time.Minute}
	g, db, _ := newGuard(t, l)
	pass, token := open(t, db, organisation(t, db.Owner), 8*time.Hour)
	require.Equal(t, 8*time.Hour, pass.ExpiresAt.Sub(pass.OpenedAt))
	require.NoError(t, guard.RecordDevice(t.Context(), db.Server, pass.ID))
	found, err := guard.FindPass(t.Context(), db.Server, pass.OrganisationID, token)
	require.NoError(t, err)
	require.Equal(t, pass.ID, found.ID)

	for i := range 70 {
		a := attempt("203.0.113.1")
		a.Pass = pass.ID
		v, _ := judge(t, g, a)
		want := guard.Passed
		if i >= 60 {
			want = guard.Refused
		}
		require.Equal(t, want, v, "gift %d", i+1)
	}
	same := attempt("203.0.113.1")
	same.Pass, same.Page = pass.ID, "another"
	for i := range 6 {
		same.Form = uuid.New()
		v, _ := judge(t, g, same)
		require.Equal(t, i < 5, v == guard.Passed, "the limit of one email address still applies")
	}
	fail(t, db, 21, "", time.Now())
	a := attempt("203.0.113.1")
	a.Pass, a.Page, a.ShownAt = pass.ID, "another", time.Time{}
	v, _ := judge(t, g, a)
	require.Equal(t, guard.Challenged, v, "the challenge is still required")

	all, err := guard.Passes(t.Context(), db.Server)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, []any{false, 1, 65}, []any{all[0].Ended, all[0].Devices, all[0].Gifts})
}

func TestPassEnds(t *testing.T) {
	_, db, _ := newGuard(t, off)
	org, other := organisation(t, db.Owner), organisation(t, db.Owner)
	pass, token := open(t, db, org, time.Hour)
	gone := func(org uuid.UUID, token string) {
		t.Helper()
		_, err := guard.FindPass(t.Context(), db.Server, org, token)
		require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	}
	gone(other, token)
	gone(org, token+"x")
	require.NoError(t, guard.ClosePass(t.Context(), db.Server, pass.ID))
	gone(org, token)
	require.NoError(t, guard.ClosePass(t.Context(), db.Server, pass.ID), "closing twice changes nothing")
	require.True(t, fault.Is(guard.ClosePass(t.Context(), db.Server, uuid.New()), fault.NotFound))

	_, late := open(t, db, org, time.Hour)
	db.Owner.MustExec(`ALTER TABLE event_pass DISABLE TRIGGER insert_only`) // makes the pass an hour older
	db.Owner.MustExec(`UPDATE event_pass SET opened_at = opened_at - interval '1 hour', expires_at = expires_at - interval '1 hour'`)
	gone(org, late)
	all, err := guard.Passes(t.Context(), db.Server)
	require.NoError(t, err)
	require.Len(t, all, 2)
	for _, p := range all {
		require.True(t, p.Ended)
	}
	var kinds []string
	require.NoError(t, db.Owner.Select(&kinds, `SELECT kind FROM event_pass_step ORDER BY n`))
	require.Equal(t, []string{"opened", "closed", "opened"}, kinds)
}

// TestPassesAreCheckedByTheDatabase: the database allows at most eight hours, by its own clock, and refuses changes of
// the record.
func TestPassesAreCheckedByTheDatabase(t *testing.T) {
	_, db, _ := newGuard(t, off)
	org := organisation(t, db.Owner)
	_, _, err := guard.OpenPass(t.Context(), db.Server, uuid.New(), org, 8*time.Hour+time.Second)
	require.ErrorContains(t, err, "event_pass_check")
	pass, token := open(t, db, org, time.Hour)
	for _, wrong := range []string{
		`INSERT INTO event_pass (id, organisation_id, token_hash, opened_at, expires_at) SELECT gen_random_uuid(), organisation_id, sha256('x'), now() + interval '1 day', now() + interval '25 hours' FROM event_pass`,
		`UPDATE event_pass SET expires_at = expires_at + interval '1 hour'`, `DELETE FROM event_pass_step`, `DELETE FROM event_pass`,
		`INSERT INTO event_pass_step (pass_id, kind, at) SELECT id, 'gift', now() - interval '1 day' FROM event_pass`,
	} {
		_, err := db.Server.Exec(wrong)
		require.ErrorContains(t, err, "permission denied", wrong)
	}
	for _, wrong := range []string{`UPDATE event_pass SET expires_at = expires_at`, `DELETE FROM event_pass_step`, `TRUNCATE event_pass CASCADE`} {
		_, err := db.Owner.Exec(wrong)
		require.ErrorContains(t, err, "written once", wrong)
	}
	var text string
	require.NoError(t, db.Owner.Get(&text, `SELECT p::text FROM event_pass p WHERE id = $1`, pass.ID))
	require.NotContains(t, text, token)
}
