package office

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/session"
)

// Person is a staff member with a password and an authenticator app, and a session with both factors.
type Person struct {
	ID      uuid.UUID
	Cookie  string // of the session
	Session string // the setting konbit.staff_session
	secret  []byte // of the authenticator app
	owner   *sqlx.DB
}

// Role is a role of a person. Organisation is "" for the whole entity.
type Role struct{ Role, Entity, Organisation string }

// Add adds a person who holds the roles and has used the second factor just now.
func Add(t testing.TB, owner *sqlx.DB, name string, roles ...Role) *Person {
	t.Helper()
	p := &Person{ID: uuid.New(), secret: random(20), owner: owner}
	p.exec(t, audited(p.ID)+`, password AS (INSERT INTO staff_password (staff_id, hash) VALUES ($1, '$argon2id$none'))
		INSERT INTO staff (id, email, name) VALUES ($1, $2, $3)`, p.ID, strings.ToLower(name)+"-"+p.ID.String()[:8]+"@staff.example", name)
	p.exec(t, `INSERT INTO staff_totp (id, staff_id, secret, confirmed_at) VALUES ($1, $2, $3, clock_timestamp())`, uuid.New(), p.ID, p.secret)
	for _, r := range roles {
		p.Grant(t, r)
	}
	p.SignIn(t)
	return p
}

// Grant gives the person a role. Sessions of the person end.
func (p *Person) Grant(t testing.TB, r Role) {
	t.Helper()
	p.exec(t, audited(p.ID)+`INSERT INTO staff_role (id, staff_id, entity_id, organisation_id, role)
		SELECT $1, $2, e.id, (SELECT o.id FROM organisation o WHERE o.slug = NULLIF($4, '')), $5 FROM legal_entity e WHERE e.slug = $3`,
		uuid.New(), p.ID, r.Entity, r.Organisation, r.Role)
}

// EndRole ends a role of the person.
func (p *Person) EndRole(t testing.TB, r Role) {
	t.Helper()
	p.exec(t, audited(p.ID)+`UPDATE staff_role o SET ended_at = clock_timestamp() FROM legal_entity e WHERE o.staff_id = $1 AND e.id = o.entity_id AND e.slug = $2
		AND o.role = $3 AND o.ended_at IS NULL`, p.ID, r.Entity, r.Role)
}

// SignIn opens a session with both factors, the second one used just now.
func (p *Person) SignIn(t testing.TB) {
	t.Helper()
	hash := p.newSecret()
	p.exec(t, `INSERT INTO staff_session (id, staff_id, secret_hash, stage, factor_at, factor_kind) VALUES ($1, $2, $3, 'full', clock_timestamp(), 'totp')`,
		uuid.New(), p.ID, hash)
}

// SignInWithPassword opens a session without the second factor, as whoever knows the password can.
func (p *Person) SignInWithPassword(t testing.TB) {
	t.Helper()
	p.exec(t, `INSERT INTO staff_session (id, staff_id, secret_hash) VALUES ($1, $2, $3)`, uuid.New(), p.ID, p.newSecret())
}

// newSecret sets the secret of another session and returns its hash, which package staff computes in the same way.
func (p *Person) newSecret() []byte {
	p.Cookie = session.NewSecret()
	hash := session.HashSecret("konbit staff session", p.Cookie)
	p.Session = hex.EncodeToString(hash)
	return hash
}

// AgeFactor makes it long ago that the second factor was used in the person's sessions.
func (p *Person) AgeFactor(t testing.TB, by time.Duration) {
	t.Helper()
	p.exec(t, `UPDATE staff_session SET factor_at = factor_at - $2 * interval '1 second' WHERE staff_id = $1`, p.ID, by.Seconds())
}

// SignByPasskey notes that a passkey of the person signed an act, as use_staff_passkey does.
func (p *Person) SignByPasskey(t testing.TB, act []byte) {
	t.Helper()
	p.exec(t, `UPDATE staff_session SET factor_at = clock_timestamp(), factor_kind = 'passkey', factor_act = $2, factor_assertion = '{"stands": "for an answer"}'
		WHERE staff_id = $1 AND ended_at IS NULL`, p.ID, act)
}

// Code returns a code of the authenticator app that was not used yet: the used step is forgotten, as if time had passed.
func (p *Person) Code(t testing.TB) (code string) {
	t.Helper()
	p.exec(t, `UPDATE staff_totp SET last_step = 0 WHERE staff_id = $1`, p.ID)
	require.NoError(t, p.owner.Get(&code, `SELECT totp_code($1, floor(extract(epoch FROM clock_timestamp()) / 30)::bigint)`, p.secret))
	return code
}

// InTx runs fn in a transaction of db that has the person's session, and commits it if fn returns nil.
func (p *Person) InTx(t testing.TB, db *sqlx.DB, fn func(tx *sqlx.Tx) error) error {
	t.Helper()
	tx, err := db.Beginx()
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	if p != nil {
		_, err = tx.Exec(`SELECT set_config('konbit.staff_session', $1, true)`, p.Session)
		require.NoError(t, err)
	}
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// Reads returns what a query of one column returns to konbit_office in the person's session. A nil person has none.
func (p *Person) Reads(t testing.TB, db *sqlx.DB, query string, args ...any) (found []string) {
	t.Helper()
	require.NoError(t, p.InTx(t, db, func(tx *sqlx.Tx) error {
		if _, err := tx.Exec(`SET LOCAL ROLE konbit_office`); err != nil {
			return err
		}
		return tx.Select(&found, query, args...)
	}), query)
	return found
}

func (p *Person) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	_, err := p.owner.Exec(query, args...)
	require.NoError(t, err, query)
}

// audited begins a statement that changes a staff member, by an operator, with the audit entry that it requires.
func audited(id uuid.UUID) string {
	return `WITH audited AS (INSERT INTO audit_entry (act, object_kind, object_id, reason) VALUES ('staff.changed', 'staff', '` + id.String() + `', 'a test')) `
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
