package staff_test

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/trustelem/zxcvbn/frequency"

	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/workshop/testkit/authenticator"
)

// TestPasswordAndCode: a person sets up a password and an app by the link of an invitation, which works once, and signs in.
// Nothing but all of it opens a session, and a code is accepted once (STAFF 2).
func TestPasswordAndCode(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	token, err := f.operator.Add(t.Context(), staff.Invitation{Email: "Ana@Example.org", Name: "Ana", Language: "es", Role: staff.Finance, Scope: f.whole()}, "new")
	require.NoError(t, err)
	_, _, err = f.UseInvitation(t.Context(), token+"x", home)
	require.True(t, fault.Is(err, fault.NotFound))
	kind, cookie, err := f.UseInvitation(t.Context(), token, home)
	require.NoError(t, err)
	require.Equal(t, "invite", kind)
	_, _, err = f.UseInvitation(t.Context(), token, home)
	require.True(t, fault.Is(err, fault.NotFound), "a link works once")
	m, err := staff.ByEmail(t.Context(), f.DB, "ana@example.org")
	require.NoError(t, err)
	p := &person{f: f, id: m.ID, email: "ana@example.org", cookie: cookie}
	require.False(t, f.isOpen(cookie), "without a factor it opens nothing")
	require.Empty(t, f.count(`SELECT count(*) FROM staff_session WHERE stage = 'full'`))
	p.withCode()
	require.True(t, f.isOpen(cookie))
	require.Len(t, p.codes, 10)

	p.signIn()
	s := p.session()
	assert.Equal(t, "es", s.Language)
	assert.True(t, s.FactorIsFresh)
	assert.True(t, s.Has(f.whole(), staff.Finance))
	assert.True(t, s.Has(f.project(), staff.Finance), "the entity's role covers its organisations")
	assert.False(t, s.Has(f.whole(), staff.Admin))
	assert.False(t, s.Has(staff.Scope{EntityID: f.other}, staff.Finance))

	code := p.code()
	try := func(email, pass, code string) error {
		_, _, err := f.SignIn(t.Context(), staff.Attempt{Email: email, Password: pass, Code: code, From: home})
		return err
	}
	require.ErrorIs(t, try(p.email, "wrong", code), staff.ErrWrong)
	require.ErrorIs(t, try("nobody@example.org", password, code), staff.ErrWrong)
	require.ErrorIs(t, try(p.email, password, "000000"), staff.ErrWrong)
	require.ErrorIs(t, try(p.email, password, ""), staff.ErrWrong)
	require.NoError(t, try(" ANA@example.org ", password, " "+code[:3]+" "+code[3:]))
	require.ErrorIs(t, try(p.email, password, code), staff.ErrWrong, "a code is accepted once")
	require.Zero(t, f.count(`SELECT count(*) FROM staff_session WHERE stage = 'first' AND ended_at IS NULL`), "a wrong code leaves no session")
}

// TestCodesOfTheDatabase: the database accepts the codes of RFC 6238 now, of the step before and the one after, and no others.
func TestCodesOfTheDatabase(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var got string
	for step, want := range map[int64]string{1: "287082", 37037036: "081804", 66666666: "279037"} { // RFC 6238, appendix B
		require.NoError(t, f.db.Owner.Get(&got, `SELECT totp_code('12345678901234567890'::bytea, $1)`, step))
		assert.Equal(t, want, got)
	}
	p := f.add("ana@example.org", staff.Finance, f.whole()).withCode()
	for shift, right := range map[int]bool{-60: false, -30: true, 0: true, 30: true, 60: false} {
		f.exec(`UPDATE staff_totp SET last_step = 0`)
		got, err := f.ProveByCode(t.Context(), p.session(), authenticator.Code(p.secret, time.Now().Add(time.Duration(shift)*time.Second)))
		require.NoError(t, err)
		assert.Equal(t, right, got, "%d s", shift)
	}
}

// TestWrongCodes: five wrong codes end a session; 500 in an hour end all tries, even those that are rolled back.
func TestWrongCodes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p := f.add("ana@example.org", staff.Finance, f.whole()).withCode()
	s := p.session()
	for range 5 {
		require.True(t, f.isOpen(p.cookie))
		right, err := f.ProveByCode(t.Context(), s, "000000")
		require.NoError(t, err)
		require.False(t, right)
	}
	require.False(t, f.isOpen(p.cookie))
	p.signIn()
	s = p.session()
	undone := errors.New("rolled back")
	var err error
	for range 600 {
		err = staff.InTx(t.Context(), f.DB, s, func(tx *sqlx.Tx) error {
			if _, err := tx.Exec(`SELECT staff_check_code('000000')`); err != nil {
				return err
			}
			return undone
		})
		if !errors.Is(err, undone) {
			break
		}
	}
	require.Equal(t, "staff_codes_an_hour", staff.Rule(err), "%v", err)
	require.NotContains(t, []any{f.count(`SELECT last_value FROM staff_code_tries`)}, 0)
	_, err = f.ProveByCode(t.Context(), s, p.code())
	require.Equal(t, "staff_codes_an_hour", staff.Rule(err))
	f.nextHour()
	right, err := f.ProveByCode(t.Context(), s, p.code())
	require.NoError(t, err)
	require.True(t, right, "in the next hour")
}

// nextHour lets the tries of codes be those of an hour ago.
func (f fixture) nextHour() {
	f.t.Helper()
	f.exec(`SELECT setval('staff_code_tries', last_value - 1000) FROM staff_code_tries`)
}

// TestCodesOfALaterHour: tries that are rolled back are counted also in an hour in which nothing was committed, from many
// connections at once, and a full hour takes nothing of the next one.
func TestCodesOfALaterHour(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p := f.add("ana@example.org", staff.Finance, f.whole()).withCode()
	s := p.session()
	for range 2 {
		f.nextHour()
		var looked atomic.Int64 // codes that the database looked at
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 200 {
					_ = staff.InTx(t.Context(), f.DB, s, func(tx *sqlx.Tx) error {
						if _, err := tx.Exec(`SELECT staff_check_code('000000')`); err == nil {
							looked.Add(1)
						}
						return errors.New("rolled back")
					})
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 500, looked.Load())
	}
	f.nextHour()
	right, err := f.ProveByCode(t.Context(), s, p.code())
	require.NoError(t, err)
	require.True(t, right)
}

// TestStrangersSpendNoRecoveryCodes: whoever has no password signs in by a recovery code. A stranger who tries such codes, from
// many networks, gets the answer of an unknown address, ends no session, and spends none of the tries of others (STAFF 7).
func TestStrangersSpendNoRecoveryCodes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p := f.add("ana@example.org", staff.Finance, f.whole()).withPasskey()
	var err error
	p.codes, err = f.NewRecoveryCodes(t.Context(), p.session())
	require.NoError(t, err)
	before := f.count(`SELECT last_value FROM staff_code_tries`)
	try := func(email, code string, network int) error {
		_, _, err := f.SignIn(t.Context(), staff.Attempt{Email: email, Code: code, From: staff.Client{Address: netip.AddrFrom4([4]byte{10, byte(network), 0, 1})}})
		return err
	}
	const wrong = "0aaaaaaaaaaaaaaaa"
	for network := range 40 {
		require.ErrorIs(t, try(p.email, wrong, network), staff.ErrWrong)
		require.ErrorIs(t, try("nobody@example.org", wrong, network), staff.ErrWrong)
	}
	for range 9 {
		require.ErrorIs(t, try(p.email, wrong, 0), staff.ErrWrong)
		require.ErrorIs(t, try("nobody@example.org", wrong, 0), staff.ErrWrong)
	}
	var limited staff.Limited
	require.ErrorAs(t, try(p.email, p.codes[1], 0), &limited, "of this person, in this network")
	require.ErrorAs(t, try("nobody@example.org", wrong, 0), &limited)
	require.Equal(t, before, f.count(`SELECT last_value FROM staff_code_tries`))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM staff_session WHERE staff_id = $1`, p.id))
	require.True(t, f.isOpen(p.cookie))
	require.NoError(t, try(p.email, p.codes[1], 50))
	require.ErrorIs(t, try(p.email, p.codes[1], 50), staff.ErrWrong, "once")
}

// TestRecoveryCodes: each opens a session once in place of the code, is told to the person and the admins, and is no factor
// for acts (STAFF 5).
func TestRecoveryCodes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.add("boss@example.org", staff.Admin, f.whole()).withCode()
	p := f.add("ana@example.org", staff.Finance, f.whole()).withCode()
	try := func(pass, code string) error {
		_, cookie, err := f.SignIn(t.Context(), staff.Attempt{Email: p.email, Password: pass, Code: code, From: home})
		p.cookie = cookie
		return err
	}
	f.exec(`DELETE FROM river_job`)
	require.ErrorIs(t, try("wrong", p.codes[3]), staff.ErrWrong)
	last := p.codes[3][len(p.codes[3])-1:]
	other := map[bool]string{true: "b", false: "a"}[last == "a"]
	require.ErrorIs(t, try(password, p.codes[3][:len(p.codes[3])-1]+other), staff.ErrWrong)
	require.NoError(t, try(password, p.codes[3]))
	require.Equal(t, 2, f.count(`SELECT count(*) FROM river_job WHERE args ->> 'email' = 'staff_recovery' AND args ->> 'about' = $1`, p.id), "to %v and %v", p.id, boss.id)
	s := p.session()
	assert.True(t, s.IsFull())
	assert.True(t, s.UsedRecovery())
	assert.False(t, s.FactorIsFresh)
	require.ErrorIs(t, try(password, p.codes[3]), staff.ErrWrong, "each once")
	require.NoError(t, try(password, p.codes[4]))
	_, err := f.NewTOTP(t.Context(), p.session())
	require.NoError(t, err, "the session sets up a new app")
	p.stale()
	_, err = f.NewTOTP(t.Context(), p.session())
	require.ErrorIs(t, err, staff.ErrFactorNeeded)

	// somebody who has only a passkey
	q := f.add("bea@example.org", staff.Finance, f.whole()).withPasskey()
	q.codes, err = f.NewRecoveryCodes(t.Context(), q.session())
	require.NoError(t, err)
	_, _, err = f.SignIn(t.Context(), staff.Attempt{Email: q.email, Code: "0-aaaa-aaaa-aaaa-aaaa", From: home})
	require.ErrorIs(t, err, staff.ErrWrong)
	_, _, err = f.SignIn(t.Context(), staff.Attempt{Email: q.email, Code: q.codes[0], From: home})
	require.NoError(t, err)
}

// TestSessionsEnd: a session ends when it is idle or old, when a role or a factor of its person changes, and when the person
// is disabled; a person has five (STAFF 6).
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(f fixture, p *person){
		"idle": func(f fixture, p *person) {
			f.exec(`UPDATE staff_session SET seen_at = now() - interval '61 minutes' WHERE staff_id = $1`, p.id)
		},
		"old": func(f fixture, p *person) {
			f.exec(`UPDATE staff_session SET ends_at = now() WHERE staff_id = $1`, p.id)
		},
		"granted": func(f fixture, p *person) {
			_, err := f.operator.Add(f.t.Context(), staff.Invitation{Email: p.email, Name: "x", Language: "en", Role: staff.Auditor, Scope: f.whole()}, "more")
			require.NoError(f.t, err)
		},
		"role ended": func(f fixture, p *person) {
			f.audited(p.id, `UPDATE staff_role SET ended_at = now() WHERE staff_id = $1`, p.id)
		},
		"disabled": func(f fixture, p *person) { require.NoError(f.t, f.operator.Disable(f.t.Context(), p.id, "left")) },
		"app removed": func(f fixture, p *person) {
			f.audited(p.id, `UPDATE staff_totp SET ended_at = now() WHERE staff_id = $1`, p.id)
		},
		"passkey removed": func(f fixture, p *person) {
			f.audited(p.id, `UPDATE staff_passkey SET ended_at = now() WHERE staff_id = $1`, p.id)
		},
		"new password": func(f fixture, p *person) {
			f.audited(p.id, `UPDATE staff_password SET hash = '$argon2id$x' WHERE staff_id = $1`, p.id)
		},
		"signed out": func(f fixture, p *person) { require.NoError(f.t, f.SignOut(f.t.Context(), p.session())) },
		"five others": func(f fixture, p *person) {
			for range 5 {
				_, _, err := f.SignIn(f.t.Context(), staff.Attempt{Email: p.email, Password: password, Code: p.code(), From: home})
				require.NoError(f.t, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.add("boss@example.org", staff.Admin, f.whole())
			p := f.add("ana@example.org", staff.Finance, f.whole()).withCode().withPasskey().signIn()
			q := f.add("bea@example.org", staff.Finance, f.whole()).withCode()
			require.True(t, f.isOpen(p.cookie))
			do(f, p)
			require.False(t, f.isOpen(p.cookie))
			require.True(t, f.isOpen(q.cookie), "another person's stays")
			var who uuid.NullUUID
			require.NoError(t, staff.InTx(t.Context(), f.DB, q.session(), func(tx *sqlx.Tx) error { return tx.Get(&who, `SELECT staff_of_session()`) }))
			require.Equal(t, q.id, who.UUID)
		})
	}
}

// TestFactorsChange: adding or removing a way to sign in needs a fresh one and is told; the last one stays; a change ends the
// person's other sessions (STAFF 5).
func TestFactorsChange(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add("boss@example.org", staff.Admin, f.whole()).withCode()
	p := f.add("ana@example.org", staff.Finance, f.whole()).withCode()
	err := f.EndCode(t.Context(), p.session())
	require.Equal(t, "last_factor_stays", staff.Rule(err), "%v", err)
	before := p.cookie
	p.signIn()
	f.exec(`DELETE FROM river_job`)
	p.withPasskey()
	require.Equal(t, 2, f.count(`SELECT count(*) FROM river_job WHERE args ->> 'email' = 'staff_factor'`))
	require.True(t, f.isOpen(before), "a new passkey takes nothing away")
	require.NoError(t, f.EndCode(t.Context(), p.session()))
	require.False(t, f.isOpen(before))
	require.True(t, f.isOpen(p.cookie))
	factors, err := staff.FactorsOf(t.Context(), f.DB, p.id)
	require.NoError(t, err)
	require.False(t, factors.HasCode())
	require.Len(t, factors.Passkeys, 1)
	require.Equal(t, "last_factor_stays", staff.Rule(f.EndPasskey(t.Context(), p.session(), factors.Passkeys[0].ID)))
	p.stale()
	require.ErrorIs(t, f.SetPassword(t.Context(), p.session(), password), staff.ErrFactorNeeded)
	require.Equal(t, "staff_factor_is_fresh", f.answer(p, `SELECT set_staff_recovery('{}')`))
}

// TestReset: the link of a reset replaces all ways to sign in, and ends the sessions.
func TestReset(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.add("boss@example.org", staff.Admin, f.whole()).withCode()
	p := f.add("ana@example.org", staff.Finance, f.whole()).withCode().withPasskey()
	before, secret := p.cookie, p.secret
	f.exec(`DELETE FROM river_job`)
	require.NoError(t, f.Reset(t.Context(), boss.session(), p.id))
	require.Equal(t, 2, f.count(`SELECT count(*) FROM river_job WHERE args ->> 'email' = 'staff_reset'`), "the person and the admin")
	var invitation uuid.UUID
	require.NoError(t, f.db.Owner.Get(&invitation, `SELECT id FROM staff_invitation WHERE used_at IS NULL`))
	first, err := f.IssueLink(t.Context(), invitation)
	require.NoError(t, err)
	token, err := f.IssueLink(t.Context(), invitation)
	require.NoError(t, err)
	_, _, err = f.UseInvitation(t.Context(), first, home)
	require.True(t, fault.Is(err, fault.NotFound), "an email that is written again has another link")
	require.True(t, f.isOpen(before), "until the link is used to the end, everything is as before")
	_, p.cookie, err = f.UseInvitation(t.Context(), token, home)
	require.NoError(t, err)
	require.True(t, f.isOpen(before))
	p.withCode()
	require.False(t, f.isOpen(before))
	require.NotEqual(t, secret, p.secret)
	factors, err := staff.FactorsOf(t.Context(), f.DB, p.id)
	require.NoError(t, err)
	require.Empty(t, factors.Passkeys)
	p.signIn()
	expired, err := f.operator.AddReset(t.Context(), p.id, "lost it again")
	require.NoError(t, err)
	f.exec(`UPDATE staff_invitation SET expires_at = now() WHERE used_at IS NULL`)
	_, _, err = f.UseInvitation(t.Context(), expired, home)
	require.True(t, fault.Is(err, fault.NotFound))
}

// TestOwnSessions: a person sees and ends their own sessions, and nobody else's; an admin of a scope ends all of a person's.
func TestOwnSessions(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.add("boss@example.org", staff.Admin, f.project()).withCode()
	p := f.add("ana@example.org", staff.Finance, f.project()).withCode()
	q := f.add("bea@example.org", staff.Finance, f.whole()).withCode()
	first := p.session()
	p.signIn()
	devices, err := staff.Devices(t.Context(), f.DB, p.id)
	require.NoError(t, err)
	require.Len(t, devices, 2)
	require.Equal(t, "Firefox, Linux", devices[0].Device)
	require.Equal(t, "192.0.2.0/24", devices[0].Network)
	require.True(t, fault.Is(f.EndOwn(t.Context(), q.session(), first.ID), fault.NotFound))
	require.NoError(t, f.EndOwn(t.Context(), p.session(), first.ID))
	require.True(t, fault.Is(f.EndSessions(t.Context(), p.session(), q.id), fault.NotFound))
	require.True(t, fault.Is(f.EndSessions(t.Context(), boss.session(), q.id), fault.NotFound), "not in the admin's scope")
	require.True(t, f.isOpen(q.cookie))
	require.NoError(t, f.EndSessions(t.Context(), boss.session(), p.id))
	require.False(t, f.isOpen(p.cookie))
}

// TestEmergencyAccess: its link opens a session at once, for an hour, that reads and changes roles everywhere, uses no factor
// and sets up none; all admins are told (STAFF 14).
func TestEmergencyAccess(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.add("boss@example.org", staff.Admin, f.whole())
	f.exec(`DELETE FROM river_job`)
	token, account, err := f.operator.BreakGlass(t.Context(), "both admins are ill", time.Now())
	require.NoError(t, err)
	require.Equal(t, 1, f.count(`SELECT count(*) FROM river_job WHERE args ->> 'email' = 'staff_glass' AND args ->> 'to' = $1`, boss.id))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM river_job WHERE args ->> 'email' = 'staff_glass' AND args ->> 'to' = $1`, uuid.Nil), "the auditors")
	require.Equal(t, 2, f.count(`SELECT count(*) FROM finance_task WHERE kind = 'staff_break_glass' AND closed_at IS NULL`), "one of each entity")
	require.Equal(t, 1, f.count(`SELECT count(*) FROM staff_invitation WHERE kind = 'break-glass' AND expires_at BETWEEN now() + interval '14 minutes' AND now() + interval '15 minutes'`))
	_, cookie, err := f.UseInvitation(t.Context(), token, home)
	require.NoError(t, err)
	glass := &person{f: f, id: account, cookie: cookie}
	s := glass.session()
	assert.True(t, s.IsFull() && s.BreakGlass && !s.FactorIsFresh)
	assert.WithinDuration(t, time.Now().Add(time.Hour), s.EndsAt, time.Minute)
	assert.True(t, s.Has(f.whole(), staff.Auditor) && s.Has(staff.Scope{EntityID: f.other}, staff.Admin))
	assert.False(t, s.Has(f.whole(), staff.Finance))
	require.Equal(t, "staff_is_signed_in", f.answer(glass, `SELECT set_staff_totp($1, decode(repeat('00', 20), 'hex'))`, uuid.New()))
	require.Equal(t, "staff_is_signed_in", f.answer(glass, `SELECT set_staff_password('$argon2id$x')`))
	var fresh bool
	require.NoError(t, staff.InTx(t.Context(), f.DB, s, func(tx *sqlx.Tx) error {
		return tx.Get(&fresh, `SELECT staff_factor_is_fresh() OR staff_money_factor_is_fresh($1)`, f.entity)
	}))
	require.False(t, fresh)
	require.NoError(t, f.Grant(t.Context(), s, staff.RoleChange{StaffID: boss.id, Role: staff.Admin, Scope: staff.Scope{EntityID: f.other}}))
	_, err = f.Invite(t.Context(), s, staff.Invitation{Email: "new@example.org", Name: "New", Language: "en", Role: staff.Admin, Scope: f.whole()})
	require.NoError(t, err)
}

// TestOldSessionsAreDeleted: sessions are deleted 30 days after their end, challenges a day after; open ones stay.
func TestOldSessionsAreDeleted(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p := f.add("ana@example.org", staff.Admin, f.whole()).withCode()
	open := f.count(`SELECT count(*) FROM staff_session WHERE ended_at IS NULL`)
	require.Positive(t, open)
	for _, age := range []string{"29 days", "31 days"} {
		f.exec(`INSERT INTO staff_session (id, staff_id, secret_hash, made_at, seen_at, ends_at, ended_at, ended_because)
			SELECT gen_random_uuid(), $1, sha256($2::text::bytea), at, at, at + interval '12 hours', at, 'test' FROM (SELECT now() - $2::interval AS at) t`, p.id, age)
		f.exec(`INSERT INTO staff_session (id, staff_id, secret_hash, made_at, seen_at, ends_at)
			SELECT gen_random_uuid(), $1, sha256(('idle ' || $2)::bytea), at, at, at + interval '12 hours' FROM (SELECT now() - $2::interval AS at) t`, p.id, age)
	}
	for _, age := range []string{"-1 minutes", "23 hours", "25 hours"} {
		f.exec(`INSERT INTO staff_challenge (id, hash, act, session_id, expires_at) SELECT gen_random_uuid(), sha256($1::text::bytea), sha256(''), s.id, now() - $1::interval
			FROM staff_session s WHERE s.secret_hash = sha256('31 days')`, age)
	}
	sessions, challenges := f.count(`SELECT count(*) FROM staff_session`), f.count(`SELECT count(*) FROM staff_challenge`)
	require.NoError(t, f.DeleteExpired(t.Context()))
	require.Equal(t, challenges-1, f.count(`SELECT count(*) FROM staff_challenge`))
	require.Equal(t, sessions-1, f.count(`SELECT count(*) FROM staff_session`), "the idle one; the other has challenges yet")
	f.exec(`DELETE FROM staff_challenge`)
	require.NoError(t, f.DeleteExpired(t.Context()))
	require.Equal(t, sessions-2, f.count(`SELECT count(*) FROM staff_session`))
	require.Equal(t, open+1, f.count(`SELECT count(*) FROM staff_session WHERE ended_at IS NULL`), "and one that was idle 29 days ago")
}

// TestActsOnStaffNeedAnEntry: no role, factor or invitation is committed without an entry in the audit log,
// even by the owner of the tables.
func TestActsOnStaffNeedAnEntry(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	p, q := f.add("ana@example.org", staff.Admin, f.whole()).withCode().signIn(), f.add("bea@example.org", staff.Admin, f.project()).withCode()
	_, err := f.NewRecoveryCodes(t.Context(), p.session())
	require.NoError(t, err)
	for _, act := range []string{
		`INSERT INTO staff_role (id, staff_id, entity_id, role) SELECT gen_random_uuid(), '` + q.id.String() + `', entity_id, 'finance' FROM staff_role LIMIT 1`,
		`UPDATE staff_role SET ended_at = now() WHERE staff_id = '` + q.id.String() + `'`,
		`INSERT INTO staff_passkey (id, staff_id, credential_id, credential, name) VALUES (gen_random_uuid(), '` + p.id.String() + `', '\x01', '{}', 'x')`,
		`SELECT invite_staff(gen_random_uuid(), '` + q.id.String() + `', 'reset', sha256(''))`,
		`UPDATE staff_totp SET ended_at = now() WHERE staff_id = '` + p.id.String() + `'`,
		`UPDATE staff_password SET hash = '$argon2id$x' WHERE staff_id = '` + p.id.String() + `'`,
		`DELETE FROM staff_password WHERE staff_id = '` + p.id.String() + `'`,
		`INSERT INTO staff_recovery (staff_id, made_at, n, hash) VALUES ('` + p.id.String() + `', '2020-01-01', 0, 'x')`,
		`UPDATE staff_recovery SET used_at = now() WHERE staff_id = '` + p.id.String() + `'`,
		`UPDATE staff SET disabled_at = now() WHERE id = '` + q.id.String() + `'`,
	} {
		_, err := f.db.Owner.Exec(act)
		require.Equal(t, "requires_audit", constraint(err), "%s: %v", act, err)
	}
}

// TestT23CommonPasswordsAreRefused: none of the 3,000 most common passwords is accepted.
func TestT23CommonPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	common := frequency.FrequencyLists["passwords"]
	require.Greater(t, len(common), 3000)
	long := 0
	for _, password := range common[:3000] {
		require.NotEmpty(t, staff.PasswordProblem(password, staff.Session{}), password)
		if len(password) >= 8 {
			long++
		}
	}
	require.Positive(t, long, "some are refused as common, and not as short")
	require.Empty(t, staff.PasswordProblem(password, staff.Session{}))
}
