package session

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/keyring"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
)

// fixture is the service of donors' sessions on a database of its own.
type fixture struct {
	Service
	db *testkit.Database
	t  *testing.T
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	db := testkit.DB(t)
	return fixture{Service{DB: db.Server, Keys: keyring.New([]byte("a secret of the servers")), NewID: uuid.New, Kind: Donor()}, db, t}
}

// open opens a session with a new proof.
func (f fixture) open(person uuid.UUID, email string) (s Session, secret string) {
	f.t.Helper()
	require.NoError(f.t, pg.InTx(f.t.Context(), f.DB, func(tx *sqlx.Tx) (err error) {
		s, secret, err = f.OpenTx(f.t.Context(), tx, Opening{PersonID: person, Email: email, ProofID: uuid.New()})
		return err
	}))
	return s, secret
}

// exec runs a statement as the owner.
func (f fixture) exec(query string) {
	f.t.Helper()
	_, err := f.db.Owner.Exec(query)
	require.NoError(f.t, err)
}

// isOpen reports whether the secret opens a session.
func (f fixture) isOpen(secret string) bool {
	f.t.Helper()
	_, err := f.Find(f.t.Context(), secret)
	if err != nil {
		require.True(f.t, fault.Is(err, fault.NotFound), "%v", err)
	}
	return err == nil
}

// age makes a session older: it was opened and last seen this long ago.
func (f fixture) age(s Session, opened, seen time.Duration) {
	f.t.Helper()
	_, err := f.db.Owner.Exec(`UPDATE session SET opened_at = now() - $2::interval, seen_at = now() - $3::interval WHERE id = $1`,
		s.ID, interval(opened), interval(seen))
	require.NoError(f.t, err)
}

// TestTheDatabaseHoldsNoSecret: the row has the hash of the purpose and the secret, in the form that rows of today
// have.
func TestTheDatabaseHoldsNoSecret(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	s, secret := f.open(uuid.New(), "ana@example.org")
	_, other := f.open(uuid.New(), "bea@example.org")
	assert.NotEqual(t, secret, other)
	assert.Len(t, secret, 43, "256 bits in base64")

	var row string
	require.NoError(t, f.db.Owner.Get(&row, `SELECT session::text FROM session WHERE id = $1`, s.ID))
	assert.NotContains(t, row, secret)
	var hash []byte
	require.NoError(t, f.db.Owner.Get(&hash, `SELECT token_hash FROM session WHERE id = $1`, s.ID))
	want := sha256.Sum256([]byte("konbit access session " + secret))
	assert.Equal(t, want[:], hash)
	assert.False(t, f.isOpen(string(hash)), "the hash is no secret")
}

func TestOnlyTheWholeSecretOpensASession(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	person := uuid.New()
	opened, secret := f.open(person, "ana@example.org")
	found, err := f.Find(t.Context(), secret)
	require.NoError(t, err)
	assert.Equal(t, opened.ID, found.ID)
	assert.Equal(t, person, found.PersonID)
	assert.Equal(t, "ana@example.org", found.Email)
	for name, wrong := range map[string]string{"empty": "", "cut": secret[:42], "longer": secret + "A", "another": NewSecret(), "the session's id": opened.ID.String()} {
		t.Run(name, func(t *testing.T) { assert.False(t, f.isOpen(wrong)) })
	}
}

// TestOneProofOpensOneSession: the same sign-in cannot open a second session.
func TestOneProofOpensOneSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	o := Opening{PersonID: uuid.New(), Email: "ana@example.org", ProofID: uuid.New()}
	openOnce := func() error {
		return pg.InTx(t.Context(), f.DB, func(tx *sqlx.Tx) error {
			_, _, err := f.OpenTx(t.Context(), tx, o)
			return err
		})
	}
	require.NoError(t, openOnce())
	require.ErrorContains(t, openOnce(), "session_sign_in_id_key")
}

func TestWhenASessionEnds(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	limits := Donor().Limits()
	for name, c := range map[string]struct {
		opened, seen time.Duration // ago
		open         bool
	}{
		"new":                                {0, 0, true},
		"a minute before the idle time-out":  {limits.IdleTimeout, limits.IdleTimeout - time.Minute, true},
		"after the idle time-out":            {limits.IdleTimeout + time.Second, limits.IdleTimeout + time.Second, false},
		"a minute before the longest life":   {limits.MaxLifetime - time.Minute, 0, true},
		"used just now and too old":          {limits.MaxLifetime + time.Second, 0, false},
		"used daily, older than the timeout": {2 * limits.IdleTimeout, 24 * time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, secret := f.open(uuid.New(), "ana@example.org")
			f.age(s, c.opened, c.seen)
			assert.Equal(t, c.open, f.isOpen(secret))
		})
	}
}

// TestARequestExtendsASession: a request moves the idle time-out, at most once per SeenInterval, and never the longest
// life.
func TestARequestExtendsASession(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	limits := Donor().Limits()
	for name, c := range map[string]struct {
		seen    time.Duration
		written bool
	}{
		"soon after the last request": {limits.SeenInterval - time.Minute, false},
		"later":                       {limits.SeenInterval + time.Minute, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, secret := f.open(uuid.New(), "ana@example.org")
			f.age(s, 24*time.Hour, c.seen)
			require.True(t, f.isOpen(secret))
			var after struct {
				Seen   bool `db:"seen"`
				Opened bool `db:"opened"`
			}
			require.NoError(t, f.db.Owner.Get(&after, `SELECT seen_at > now() - interval '30 minutes' AS seen,
				opened_at > now() - interval '23 hours' AS opened FROM session WHERE id = $1`, s.ID))
			assert.Equal(t, c.written, after.Seen)
			assert.False(t, after.Opened)
		})
	}
}

// TestEnding: each way to end sessions ends those it names and no other.
func TestEnding(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, c := range map[string]struct {
		end   func(person uuid.UUID, email, secret string) (int64, error)
		ended []bool // the session itself; same person, other address; other person, same address
	}{
		"one": {func(_ uuid.UUID, _, secret string) (int64, error) { return 1, f.End(t.Context(), secret) }, []bool{true, false, false}},
		"all of a person": {func(person uuid.UUID, _, _ string) (int64, error) {
			return f.EndOfPerson(t.Context(), person)
		}, []bool{true, true, false}},
		"all of an address": {func(_ uuid.UUID, email, _ string) (n int64, err error) {
			err = pg.InTx(t.Context(), f.DB, func(tx *sqlx.Tx) error {
				n, err = f.EndOfEmailTx(t.Context(), tx, email)
				return err
			})
			return n, err
		}, []bool{true, false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			person, email := uuid.New(), uuid.NewString()+"@example.org"
			_, secret := f.open(person, email)
			_, otherAddress := f.open(person, "other-"+email)
			_, otherPerson := f.open(uuid.New(), email)
			n, err := c.end(person, email, secret)
			require.NoError(t, err)
			want := int64(0)
			for i, s := range []string{secret, otherAddress, otherPerson} {
				assert.Equal(t, c.ended[i], !f.isOpen(s), "session %d", i)
				if c.ended[i] {
					want++
				}
			}
			assert.Equal(t, want, n)
			n, err = c.end(person, email, secret)
			require.NoError(t, err)
			if name != "one" {
				assert.Zero(t, n, "they have ended already")
			}
		})
	}
	require.NoError(t, f.End(t.Context(), NewSecret()), "there is no such session")
}

// TestKindsOfPersonsAreSeparate: even in one table, the cookie and the form token of one kind are nothing to another
// kind.
func TestKindsOfPersonsAreSeparate(t *testing.T) {
	t.Parallel()
	donors := newFixture(t)
	staff := donors
	staff.Kind.purpose = "konbit staff"
	d, donorSecret := donors.open(uuid.New(), "ana@example.org")
	s, staffSecret := staff.open(uuid.New(), "bea@example.org")
	assert.True(t, donors.isOpen(donorSecret))
	assert.True(t, staff.isOpen(staffSecret))
	assert.False(t, staff.isOpen(donorSecret))
	assert.False(t, donors.isOpen(staffSecret))
	require.NoError(t, staff.End(t.Context(), donorSecret))
	assert.True(t, donors.isOpen(donorSecret), "the other kind cannot end it")

	assert.True(t, donors.IsFormToken(d, donors.FormToken(d)))
	assert.False(t, staff.IsFormToken(d, donors.FormToken(d)), "same session, other kind")
	assert.False(t, donors.IsFormToken(s, donors.FormToken(d)), "other session")
	assert.False(t, donors.IsFormToken(d, ""))
}

func TestEndedSessionsAreDeletedAfter30Days(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	limits := Donor().Limits()
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		opened, seen time.Duration // ago
		ended        time.Duration // ago; 0: not ended by anyone
		deleted      bool
	}{
		"open":                         {80 * day, day, 0, false},
		"ended 29 days ago":            {60 * day, 29 * day, 29 * day, false},
		"ended 31 days ago":            {60 * day, 31 * day, 31 * day, true},
		"idle, its end 29 days ago":    {50 * day, limits.IdleTimeout + 29*day, 0, false},
		"idle, its end 31 days ago":    {50 * day, limits.IdleTimeout + 31*day, 0, true},
		"too old, its end 31 days ago": {limits.MaxLifetime + 31*day, 31 * day, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := f.open(uuid.New(), "ana@example.org")
			f.age(s, c.opened, c.seen)
			if c.ended > 0 {
				_, err := f.db.Owner.Exec(`UPDATE session SET ended_at = now() - $2::interval WHERE id = $1`, s.ID, interval(c.ended))
				require.NoError(t, err)
			}
			require.NoError(t, pg.InTx(t.Context(), f.DB, func(tx *sqlx.Tx) error { return f.DeleteExpiredTx(t.Context(), tx) }))
			var there bool
			require.NoError(t, f.db.Owner.Get(&there, `SELECT EXISTS (SELECT FROM session WHERE id = $1)`, s.ID))
			assert.Equal(t, c.deleted, !there)
		})
	}
}

// TestAPersonHasSoManySessions: when one more is opened, the one unused for longest ends. Another person's stay.
func TestAPersonHasSoManySessions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	most := Donor().Limits().MaxOpen
	_, stranger := f.open(uuid.New(), "bea@example.org")
	person := uuid.New()
	secrets := make([]string, most)
	for i := range secrets {
		var s Session
		s, secrets[i] = f.open(person, "ana@example.org")
		f.age(s, 30*24*time.Hour, time.Duration(i+1)*time.Hour)
	}
	unused, old := most-1, 0
	_, newest := f.open(person, "ana@work.example")
	for i, secret := range secrets {
		assert.Equal(t, i != unused, f.isOpen(secret), "session %d", i)
	}
	assert.True(t, f.isOpen(newest))
	assert.True(t, f.isOpen(stranger))
	open, err := f.ListOpen(t.Context(), person)
	require.NoError(t, err)
	require.Len(t, open, most)
	require.NoError(t, f.EndOne(t.Context(), person, open[0].ID))
	assert.False(t, f.isOpen(newest), "the newest is first in the list")
	assert.True(t, f.isOpen(secrets[old]))
	assert.True(t, fault.Is(f.EndOne(t.Context(), person, open[0].ID), fault.NotFound), "it has ended")
	assert.True(t, fault.Is(f.EndOne(t.Context(), uuid.New(), open[1].ID), fault.NotFound), "another person's")
}

// TestHowLongASessionIsFresh: its age counts by the database's clock from its opening. Later requests do not matter.
func TestHowLongASessionIsFresh(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	opened, _ := f.open(uuid.New(), "ana@example.org")
	assert.True(t, opened.Fresh)
	for ago, fresh := range map[time.Duration]bool{0: true, Donor().Limits().FreshFor - time.Minute: true, Donor().Limits().FreshFor + time.Second: false} {
		s, secret := f.open(uuid.New(), "ana@example.org")
		f.age(s, ago, 0)
		found, err := f.Find(t.Context(), secret)
		require.NoError(t, err)
		assert.Equal(t, fresh, found.Fresh, ago)
	}
}

// TestSessionsEndInTheOrderOfTheirIDs: an erasure locks the sessions of an address in the order of their ids. A
// transaction that ends or deletes several locks them in this order too, and not in the order in which they are stored;
// else one of the two fails by a deadlock.
func TestSessionsEndInTheOrderOfTheirIDs(t *testing.T) {
	t.Parallel()
	person := uuid.New()
	high, low := uuid.MustParse("f0000000-0000-4000-8000-000000000000"), uuid.MustParse("00000000-0000-4000-8000-000000000001")
	for name, end := range map[string]func(f fixture, tx *sqlx.Tx) error{
		"of a person": func(f fixture, tx *sqlx.Tx) error { _, err := f.EndOfPersonTx(t.Context(), tx, person); return err },
		"of an address": func(f fixture, tx *sqlx.Tx) error {
			_, err := f.EndOfEmailTx(t.Context(), tx, "ana@example.org")
			return err
		},
		"of both": func(f fixture, tx *sqlx.Tx) error {
			_, err := f.EndAllTx(t.Context(), tx, person, "ana@example.org")
			return err
		},
		"expired": func(f fixture, tx *sqlx.Tx) error { return f.DeleteExpiredTx(t.Context(), tx) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			for _, id := range []uuid.UUID{high, low} {
				f.NewID = func() uuid.UUID { return id }
				f.open(person, "ana@example.org")
			}
			if name == "expired" {
				f.exec(`UPDATE session SET ended_at = now() - interval '31 days'`)
			}
			erasure, err := f.db.Owner.Beginx()
			require.NoError(t, err)
			defer func() { _ = erasure.Rollback() }()
			_, err = erasure.Exec(`SELECT id FROM session WHERE id = $1 FOR UPDATE`, low)
			require.NoError(t, err)
			ended := make(chan error, 1)
			go func() { ended <- pg.InTx(t.Context(), f.DB, func(tx *sqlx.Tx) error { return end(f, tx) }) }()
			testkit.Eventually(t, time.Minute, func() error {
				var waiting int
				err := f.db.Owner.Get(&waiting, `SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND NOT l.granted`)
				if err == nil && waiting == 0 {
					err = errors.New("it does not wait yet")
				}
				return err
			})
			_, err = erasure.Exec(`SELECT id FROM session WHERE id = $1 FOR UPDATE NOWAIT`, high)
			require.NoError(t, err, "it holds nothing while it waits for the first")
			require.NoError(t, erasure.Rollback())
			require.NoError(t, <-ended)
		})
	}
}
