package staff_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/approval"
	"konbit/internal/people/staff"
)

// TestRolesOfOthers: an admin grants and ends roles of others in the admin's scope, with a fresh factor; nobody changes their
// own, not by a second account either; where there is another admin, that one approves; the last admin stays (STAFF 13).
func TestRolesOfOthers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.add("boss@example.org", staff.Admin, f.whole()).withCode()
	ana := f.add("ana@example.org", staff.Entry, f.whole()).withCode()
	change := func(p *person, role staff.RoleName, scope staff.Scope) staff.RoleChange {
		return staff.RoleChange{StaffID: p.id, Role: role, Scope: scope}
	}
	grant := func(by, to *person, role staff.RoleName, scope staff.Scope) string {
		return staff.Rule(f.Grant(t.Context(), by.session(), change(to, role, scope)))
	}
	assert.Equal(t, "staff_is_admin", grant(ana, boss, staff.Finance, f.whole()))
	assert.Equal(t, "role_is_of_another", grant(boss, boss, staff.Finance, f.whole()))
	assert.Equal(t, "staff_is_admin", grant(boss, ana, staff.Finance, staff.Scope{EntityID: f.other}))
	require.ErrorIs(t, f.Grant(t.Context(), boss.stale().session(), change(ana, staff.Finance, f.whole())), staff.ErrFactorNeeded)
	boss.signIn()
	require.Empty(t, grant(boss, ana, staff.Finance, f.whole()))
	assert.Equal(t, "staff_role_once", grant(boss, ana, staff.Finance, f.whole()))
	require.NoError(t, f.EndRole(t.Context(), boss.session(), change(ana, staff.Finance, f.whole())))
	assert.Equal(t, "role_is_held", staff.Rule(f.EndRole(t.Context(), boss.session(), change(ana, staff.Finance, f.whole()))))

	// A second account of the admin.
	twin := f.add("twin@example.org", staff.Entry, f.whole()).withCode()
	require.NoError(t, f.Join(t.Context(), boss.session(), twin.id, boss.id))
	assert.Equal(t, "role_is_of_another", grant(boss, twin, staff.Finance, f.whole()))
	// Joined to a third, all three are one human.
	third := f.add("third@example.org", staff.Entry, f.whole()).withCode()
	require.NoError(t, f.Join(t.Context(), boss.session(), boss.id, third.id))
	assert.Equal(t, "role_is_of_another", grant(boss, twin, staff.Finance, f.whole()))
	assert.Equal(t, 1, f.count(`SELECT count(DISTINCT staff_person_of(id)) FROM staff WHERE id = ANY(ARRAY[$1, $2, $3]::uuid[])`, boss.id, twin.id, third.id))

	// The last admin.
	require.Equal(t, "last_admin_stays", staff.Rule(f.operator.Disable(t.Context(), boss.id, "left")))
	bea := f.add("bea@example.org", staff.Admin, f.whole())
	require.Empty(t, grant(boss, ana, staff.Finance, f.whole()), "the second admin cannot sign in yet")
	bea.withCode()
	assert.Equal(t, "role_has_second_admin", grant(boss, ana, staff.Auditor, f.whole()))
	require.NoError(t, f.EndRole(t.Context(), boss.session(), change(ana, staff.Finance, f.whole())), "the end of a role waits for nobody")
	assert.Equal(t, 1, f.count(`SELECT count(*) FROM river_job WHERE kind = 'staff_letter' AND args ->> 'email' = 'staff_role_end' AND args ->> 'to' = $1 AND args ->> 'about' = $2`, bea.id, ana.id))
	third2 := f.add("cleo@example.org", staff.Admin, f.whole()).withCode()
	assert.Equal(t, "role_has_second_admin", staff.Rule(f.EndRole(t.Context(), boss.session(), change(third2, staff.Admin, f.whole()))), "that of an admin does")
	require.NoError(t, f.operator.Disable(t.Context(), third2.id, "left"))
	require.NoError(t, f.operator.Disable(t.Context(), boss.id, "left"))
	require.Empty(t, grant(bea, ana, staff.Auditor, f.whole()), "one admin is left")

	// An admin of a project.
	lead := f.add("lead@example.org", staff.Admin, f.project()).withCode()
	worker := f.add("worker@example.org", staff.Entry, f.project()).withCode()
	assert.Equal(t, "staff_is_admin", grant(lead, worker, staff.Finance, f.whole()))
	assert.Equal(t, "role_has_second_admin", grant(lead, worker, staff.Finance, f.project()), "the entity's admin approves")
}

// TestSecondAdminApproves: where there are two admins, a change of a role is a request, which the other one approves: then the role
// is changed once, and whoever was invited gets the link. In place of the other admin an operator approves.
func TestSecondAdminApproves(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.add("boss@example.org", staff.Admin, f.whole()).withCode()
	bea := f.add("bea@example.org", staff.Admin, f.whole()).withCode()
	invited := staff.Invitation{Email: "new@example.org", Name: "New", Language: "en", Role: staff.Finance, Scope: f.whole()}
	_, err := f.Invite(t.Context(), boss.session(), invited)
	require.True(t, staff.NeedsSecondAdmin(err), "%v", err)
	id, err := f.RequestInvite(t.Context(), boss.session(), invited)
	require.NoError(t, err)
	again, err := f.RequestInvite(t.Context(), bea.session(), invited)
	require.NoError(t, err)
	require.Equal(t, id, again, "the same change is requested once")
	m, err := staff.ByEmail(t.Context(), f.DB, "new@example.org")
	require.NoError(t, err)
	roles, err := staff.RolesOf(t.Context(), f.DB, m.ID)
	require.NoError(t, err)
	require.Empty(t, roles)
	require.Equal(t, 0, f.count(`SELECT count(*) FROM staff_invitation WHERE staff_id = $1`, m.ID))

	change := staff.RoleChange{StaffID: m.ID, Role: staff.Finance, Scope: f.whole(), Request: uuid.NullUUID{UUID: id, Valid: true}}
	request, err := approval.ByID(t.Context(), f.db.Owner, id)
	require.NoError(t, err)
	approve := func(p *person) error {
		code := p.code()
		return staff.InTx(t.Context(), f.DB, p.session(), func(tx *sqlx.Tx) error {
			return approval.ApproveTx(t.Context(), tx, id, request.Hash(), code, "")
		})
	}
	require.Equal(t, "approval_by_another", approval.Refused(approve(boss)))
	require.True(t, staff.NeedsSecondAdmin(f.Grant(t.Context(), bea.session(), change)), "not approved yet")
	require.NoError(t, approve(bea))
	wrong := change
	wrong.Role = staff.Admin
	require.True(t, staff.NeedsSecondAdmin(f.Grant(t.Context(), bea.session(), wrong)), "another role than the approved one")
	require.NoError(t, f.Grant(t.Context(), bea.session(), change))
	require.Error(t, f.Grant(t.Context(), bea.session(), change), "once")
	require.Equal(t, 1, f.count(`SELECT count(*) FROM staff_role WHERE staff_id = $1 AND role = 'finance' AND ended_at IS NULL`, m.ID))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM staff_invitation WHERE staff_id = $1`, m.ID), "the invitation")
	require.Equal(t, 1, f.count(`SELECT count(*) FROM approval_request WHERE executed_at IS NOT NULL`))

	change.Request = uuid.NullUUID{}
	id, err = f.RequestEnd(t.Context(), boss.session(), change)
	require.NoError(t, err)
	_, err = f.operator.ApproveAsOperator(t.Context(), uuid.New(), "the other admin is ill")
	require.Equal(t, "operator_approves_roles", approval.Refused(err))
	token, err := f.operator.ApproveAsOperator(t.Context(), id, "the other admin is ill")
	require.NoError(t, err)
	require.Empty(t, token, "no link for whose role ended")
	require.Equal(t, 0, f.count(`SELECT count(*) FROM staff_role WHERE staff_id = $1 AND ended_at IS NULL`, m.ID))
	_, err = f.operator.ApproveAsOperator(t.Context(), id, "again")
	require.Equal(t, "approval_is_open", approval.Refused(err))

	invited.Email = "second@example.org"
	id, err = f.RequestInvite(t.Context(), boss.session(), invited)
	require.NoError(t, err)
	token, err = f.operator.ApproveAsOperator(t.Context(), id, "the other admin is ill")
	require.NoError(t, err)
	_, _, err = f.UseInvitation(t.Context(), token, home)
	require.NoError(t, err)
}

// TestDisabledUntilApproved: asking for a role of a person who was disabled enables nobody; the approval of a second admin does. One from
// before the person was disabled does not.
func TestDisabledUntilApproved(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.add("boss@example.org", staff.Admin, f.whole()).withCode()
	bea := f.add("bea@example.org", staff.Admin, f.whole()).withCode()
	gone := f.add("gone@example.org", staff.Finance, f.whole()).withCode()
	invited := staff.Invitation{Email: "gone@example.org", Name: "Gone", Language: "en", Role: staff.Auditor, Scope: f.whole()}
	disabled := func() int {
		return f.count(`SELECT count(*) FROM staff WHERE id = $1 AND disabled_at IS NOT NULL`, gone.id)
	}
	ask := func() (grant func() error) {
		id, err := f.RequestInvite(t.Context(), boss.session(), invited)
		require.NoError(t, err)
		request, err := approval.ByID(t.Context(), f.db.Owner, id)
		require.NoError(t, err)
		code := bea.code()
		require.NoError(t, staff.InTx(t.Context(), f.DB, bea.session(), func(tx *sqlx.Tx) error {
			return approval.ApproveTx(t.Context(), tx, id, request.Hash(), code, "")
		}))
		return func() error {
			return f.Grant(t.Context(), bea.session(), staff.RoleChange{StaffID: gone.id, Role: staff.Auditor, Scope: f.whole(), Request: uuid.NullUUID{UUID: id, Valid: true}})
		}
	}
	early := ask()
	f.audited(gone.id, `SELECT disable_staff($1)`, gone.id)
	require.True(t, staff.NeedsSecondAdmin(early()), "approved before")
	require.Equal(t, 1, disabled())
	f.exec(`UPDATE staff_session SET factor_at = clock_timestamp() WHERE ended_at IS NULL`)
	require.Empty(t, f.answer(boss, `WITH a AS (INSERT INTO audit_entry (act, object_kind, object_id) VALUES ('staff.added', 'staff', $2))
		SELECT add_staff($1, 'gone@example.org', 'x', 'en')`, uuid.New(), gone.id.String()))
	require.Equal(t, 1, disabled(), "add_staff finds the account")
	invited.Role = staff.Entry
	_, err := f.RequestInvite(t.Context(), boss.session(), invited)
	require.NoError(t, err)
	require.Equal(t, 1, disabled())
	id, err := f.RequestInvite(t.Context(), boss.session(), invited)
	require.NoError(t, err)
	token, err := f.operator.ApproveAsOperator(t.Context(), id, "the other admin is ill")
	require.NoError(t, err)
	require.NotEmpty(t, token)
	require.Zero(t, disabled())
}

// TestInvitations: an admin invites to a role in the scope; the link is only in the email, and the server's role cannot make one.
func TestInvitations(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.add("boss@example.org", staff.Admin, f.whole()).withCode()
	f.exec(`DELETE FROM river_job`)
	invitation := staff.Invitation{Email: "New@example.org", Name: "New", Language: "es", Role: staff.Finance, Scope: f.whole()}
	m, err := f.Invite(t.Context(), boss.session(), invitation)
	require.NoError(t, err)
	require.Equal(t, "new@example.org", m.Email)
	require.Equal(t, 1, f.count(`SELECT count(*) FROM river_job WHERE args ->> 'email' = 'staff_invite' AND args ->> 'invitation_id' <> ''`))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM staff_invitation WHERE staff_id = $1 AND token_hash IS NULL`, m.ID))
	require.NoError(t, f.InviteAgain(t.Context(), boss.session(), m.ID))
	require.Equal(t, 1, f.count(`SELECT count(*) FROM staff_invitation WHERE staff_id = $1 AND ended_at IS NULL`, m.ID))
	assert.Equal(t, "invitation_is_mailed", f.answer(boss, `SELECT invite_staff($1, $2, 'reset', sha256('mine'))`, uuid.New(), m.ID))
	assert.Equal(t, "role_is_of_another", f.answer(boss, `SELECT invite_staff($1, $2, 'reset', NULL)`, uuid.New(), boss.id))
	ana := f.add("ana@example.org", staff.Finance, f.whole()).withCode()
	assert.Equal(t, "staff_is_admin", f.answer(ana, `SELECT invite_staff($1, $2, 'reset', NULL)`, uuid.New(), boss.id))
	assert.Equal(t, "invitation_is_first", staff.Rule(f.InviteAgain(t.Context(), boss.session(), ana.id)))
	f.add("ana@example.org", staff.Auditor, staff.Scope{EntityID: f.other})
	boss.signIn()
	assert.Equal(t, "staff_is_admin", staff.Rule(f.Reset(t.Context(), boss.session(), ana.id)), "she has a role elsewhere")
	acts := []string{}
	for _, e := range *f.events {
		acts = append(acts, e.Act)
	}
	require.Subset(t, acts, []string{"staff.role_granted", "staff.invite", "staff.factor_changed"})
}

// TestServersRoleAlone: whoever has the server's password opens a session of stage first for anybody, and does nothing in it.
func TestServersRoleAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.add("boss@example.org", staff.Admin, f.whole()).withCode()
	ana := f.add("ana@example.org", staff.Finance, f.whole()).withCode()
	const begin = `SELECT begin_staff_session(gen_random_uuid(), $1, sha256('mine'), '', '')`
	const mine = `SELECT set_config('konbit.staff_session', encode(sha256('mine'), 'hex'), true)`
	for statement, rule := range map[string]string{
		`SELECT add_staff(gen_random_uuid(), 'mine@example.org', 'x', 'en')`:                                                               "staff_is_signed_in",
		`SELECT set_staff_totp(gen_random_uuid(), decode(repeat('00', 20), 'hex'))`:                                                        "staff_factor_is_fresh",
		`SELECT set_staff_password('$argon2id$x')`:                                                                                         "staff_factor_is_fresh",
		`SELECT add_staff_passkey(gen_random_uuid(), sha256('x'), sha256('x'), 'x', '{}', 0, 'x')`:                                         "staff_factor_is_fresh",
		`SELECT end_staff_factor(NULL)`:                                                                                                    "staff_factor_is_fresh",
		`SELECT change_role('grant', gen_random_uuid(), '` + ana.id.String() + `', 'admin', '` + f.entity.String() + `', NULL)`:            "staff_is_signed_in",
		`SELECT change_role('grant', gen_random_uuid(), NULL, NULL, NULL, NULL)`:                                                           "staff_is_signed_in",
		`SELECT invite_staff(gen_random_uuid(), '` + ana.id.String() + `', 'reset', sha256('x'))`:                                          "staff_is_signed_in",
		`SELECT 1 / (CASE WHEN staff_check_code('000000') OR staff_of_session() IS NOT NULL OR staff_factor_is_fresh() THEN 0 ELSE 1 END)`: "",
	} {
		tx, err := f.DB.Beginx()
		require.NoError(t, err)
		_, err = tx.Exec(begin, boss.id)
		require.NoError(t, err)
		_, err = tx.Exec(mine)
		require.NoError(t, err)
		_, err = tx.Exec(statement)
		if rule == "" {
			assert.NoError(t, err, statement)
		} else {
			assert.ErrorContains(t, err, "", statement)
			assert.Equal(t, rule, constraint(err), statement)
		}
		require.NoError(t, tx.Rollback())
	}
	// The whole of it in a session that is real, with roles that are not enough, is refused too.
	assert.Equal(t, "staff_is_admin", f.answer(ana, `SELECT add_staff(gen_random_uuid(), 'mine@example.org', 'x', 'en')`))
}
