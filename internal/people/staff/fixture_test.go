package staff_test

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/keyring"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/authenticator"
)

const (
	site     = "https://office.example"
	password = "mild-otters-carry-lanterns"
)

var home = staff.Client{Address: netip.MustParseAddr("192.0.2.7"), Device: "Firefox, Linux"}

// fixture is the service on a database of its own with two entities, the first with two organisations.
type fixture struct {
	staff.Service
	operator     staff.Service // as the owner of the tables
	db           *testkit.Database
	t            testing.TB
	entity       uuid.UUID
	other        uuid.UUID
	organisation uuid.UUID
	second       uuid.UUID
	events       *[]staff.Event
}

func newFixture(t testing.TB) fixture {
	t.Helper()
	db := testkit.DB(t)
	queue, err := jobs.NewQueue()
	require.NoError(t, err)
	keys := keyring.New([]byte("canary-secret-of-32-bytes-length"))
	address, err := url.Parse(site)
	require.NoError(t, err)
	f := fixture{db: db, t: t, entity: uuid.New(), other: uuid.New(), organisation: uuid.New(), second: uuid.New(), events: &[]staff.Event{}}
	f.Service = staff.Service{
		DB: db.Server, Queue: queue, Guard: guard.New(db.Server, keys, guard.Limits{}, time.Now), Keys: keys, Site: address,
		NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) },
		Record: func(ctx context.Context, tx *sqlx.Tx, e staff.Event) error {
			*f.events = append(*f.events, e)
			return audit.RecordTx(ctx, tx, audit.Act{Name: e.Act, EntityID: e.EntityID, OrganisationID: e.OrganisationID, ObjectKind: "staff", ObjectID: e.About.String(), Reason: e.Reason})
		},
	}
	f.operator = f.Service
	f.operator.DB = db.Owner
	for slug, id := range map[string]uuid.UUID{"one": f.entity, "two": f.other} {
		f.exec(`INSERT INTO legal_entity (id, slug, legal_name, ein, address, timezone, currency, mail_from, created_at, updated_at)
			VALUES ($1, $2, $2, '12-3456789', '{}', 'UTC', 'USD', 'a@example.org', now(), now())`, id, slug)
	}
	for slug, id := range map[string]uuid.UUID{"project": f.organisation, "second": f.second} {
		f.exec(`INSERT INTO organisation (id, entity_id, slug, name, sponsored, languages, presets, minimum, maximum, frequencies, accent, position, created_at, updated_at)
			VALUES ($1, $2, $3, '{}', true, '{en}', '{1000}', 100, 10000, '{once}', '#112233', 1, now(), now())`, id, f.entity, slug)
	}
	return f
}

func (f fixture) exec(query string, args ...any) {
	f.t.Helper()
	_, err := f.db.Owner.Exec(query, args...)
	require.NoError(f.t, err)
}

// audited is exec with an entry about a person, as tables of staff need it.
func (f fixture) audited(person uuid.UUID, query string, args ...any) {
	f.t.Helper()
	tx, err := f.db.Owner.Beginx()
	require.NoError(f.t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.Exec(query, args...)
	require.NoError(f.t, err)
	_, err = tx.Exec(`INSERT INTO audit_entry (act, object_kind, object_id, reason) VALUES ('staff.changed', 'staff', $1, 'a test')`, person)
	require.NoError(f.t, err)
	require.NoError(f.t, tx.Commit())
}

func (f fixture) count(query string, args ...any) (n int) {
	f.t.Helper()
	require.NoError(f.t, f.db.Owner.Get(&n, query, args...))
	return n
}

// whole is the scope of the first entity, project that of its first organisation.
func (f fixture) whole() staff.Scope { return staff.Scope{EntityID: f.entity} }

func (f fixture) project() staff.Scope {
	return staff.Scope{EntityID: f.entity, OrganisationID: uuid.NullUUID{UUID: f.organisation, Valid: true}}
}

// person is a member of the staff with what they hold in the hand.
type person struct {
	f       fixture
	id      uuid.UUID
	email   string
	secret  string // of the authenticator app
	passkey *authenticator.Passkey
	codes   []string // recovery codes
	cookie  string
}

// add adds a person as the operator does, and opens the session of the invitation.
func (f fixture) add(email string, role staff.RoleName, scope staff.Scope) *person {
	f.t.Helper()
	token, err := f.operator.Add(f.t.Context(), staff.Invitation{Email: email, Name: "Somebody", Language: "en", Role: role, Scope: scope}, "a test")
	require.NoError(f.t, err)
	m, err := staff.ByEmail(f.t.Context(), f.DB, email)
	require.NoError(f.t, err)
	p := &person{f: f, id: m.ID, email: email}
	if token != "" {
		_, p.cookie, err = f.UseInvitation(f.t.Context(), token, home)
		require.NoError(f.t, err)
	}
	return p
}

// session returns the person's session, of any stage.
func (p *person) session() staff.Session {
	p.f.t.Helper()
	s, err := p.f.OpenAny(p.f.t.Context(), p.cookie)
	require.NoError(p.f.t, err)
	return s
}

// withCode sets up password, authenticator app and recovery codes.
func (p *person) withCode() *person {
	p.f.t.Helper()
	require.NoError(p.f.t, p.f.SetPassword(p.f.t.Context(), p.session(), password))
	totp, err := p.f.NewTOTP(p.f.t.Context(), p.session())
	require.NoError(p.f.t, err)
	p.secret = totp.Secret
	right, err := p.f.ConfirmTOTP(p.f.t.Context(), p.session(), p.code())
	require.NoError(p.f.t, err)
	require.True(p.f.t, right)
	p.codes, err = p.f.NewRecoveryCodes(p.f.t.Context(), p.session())
	require.NoError(p.f.t, err)
	return p
}

// withPasskey sets up a passkey.
func (p *person) withPasskey() *person {
	p.f.t.Helper()
	prompt, err := p.f.PromptRegister(p.f.t.Context(), p.session())
	require.NoError(p.f.t, err)
	p.passkey = authenticator.New(site)
	p.passkey.Counter = 1
	require.NoError(p.f.t, p.f.Register(p.f.t.Context(), p.session(), p.passkey.Register(prompt.Options, prompt.Nonce), "Laptop"))
	return p
}

// code returns the code of the person's app now, and lets the database forget that the same one was used: tests do not wait.
func (p *person) code() string {
	p.f.t.Helper()
	p.f.exec(`UPDATE staff_totp SET last_step = 0 WHERE staff_id = $1`, p.id)
	return authenticator.Code(p.secret, time.Now())
}

// signIn signs in by password and code.
func (p *person) signIn() *person {
	p.f.t.Helper()
	_, cookie, err := p.f.SignIn(p.f.t.Context(), staff.Attempt{Email: p.email, Password: password, Code: p.code(), From: home})
	require.NoError(p.f.t, err)
	p.cookie = cookie
	return p
}

// isOpen reports whether a cookie opens a full session.
func (f fixture) isOpen(cookie string) bool {
	f.t.Helper()
	_, err := f.Open(f.t.Context(), cookie)
	return err == nil
}

// answer runs a statement as the server's role in a person's session (or in none) and returns "" or the rule that refuses it.
func (f fixture) answer(of *person, query string, args ...any) string {
	f.t.Helper()
	run := func(tx *sqlx.Tx) error { _, err := tx.Exec(query, args...); return err }
	var s staff.Session
	if of != nil {
		s = of.session()
	}
	err := staff.InTx(f.t.Context(), f.DB, s, run)
	var refused *pq.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused) && refused.Constraint != "":
		return refused.Constraint
	case errors.Is(err, staff.ErrFactorNeeded):
		return "staff_factor_is_fresh"
	}
	return err.Error()
}

// stale makes a person's factor older than five minutes.
func (p *person) stale() *person {
	p.f.exec(`UPDATE staff_session SET factor_at = factor_at - interval '6 minutes' WHERE staff_id = $1`, p.id)
	return p
}

// constraint returns the rule that an error of the database names; "" if none.
func constraint(err error) string {
	var refused *pq.Error
	if errors.As(err, &refused) {
		return refused.Constraint
	}
	return ""
}
