package approval_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/approval"
	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/authenticator"
	"konbit/internal/workshop/testkit/office"
)

// desk is a database with an entity and its staff.
type desk struct {
	*testkit.Database
	t        testing.TB
	entity   uuid.UUID
	ana, ben *office.Person
}

func newDesk(t testing.TB, moneyFactor string) desk {
	d := desk{Database: testkit.DB(t), t: t}
	d.Owner.MustExec(`INSERT INTO legal_entity (id, slug, legal_name, ein, address, timezone, currency, mail_from, money_factor, created_at, updated_at)
		VALUES (gen_random_uuid(), 'desk', 'x', '12-3456789', '{}', 'UTC', 'USD', 'x', $1, now(), now())`, moneyFactor)
	require.NoError(t, d.Owner.Get(&d.entity, `SELECT id FROM legal_entity`))
	d.Owner.MustExec(`CREATE TABLE act (id text PRIMARY KEY, entity_id uuid NOT NULL, request_id uuid, request_hash bytea,
		FOREIGN KEY (request_id, request_hash) REFERENCES approval_request (id, hash))`)
	d.Owner.MustExec(`CREATE TRIGGER requires_approval AFTER INSERT ON act FOR EACH ROW EXECUTE FUNCTION requires_approval('refund', 'id')`)
	d.Owner.MustExec(`GRANT ALL ON act TO ` + testkit.ServerRole)
	d.ana = office.Add(t, d.Owner, "ana", office.Role{Role: "finance", Entity: "desk"})
	d.ben = office.Add(t, d.Owner, "ben", office.Role{Role: "finance", Entity: "desk"})
	return d
}

func (d desk) refund(by *office.Person) approval.Request {
	return approval.Request{ID: uuid.New(), EntityID: d.entity, Kind: approval.Refund, Subject: uuid.NewString(), Body: "refund 300.00", Needs: 1, RequestedBy: by.ID}
}

func (d desk) request(by *office.Person, r approval.Request) error {
	return by.InTx(d.t, d.Server, func(tx *sqlx.Tx) error { return approval.RequestTx(d.t.Context(), tx, r, nil) })
}

func (d desk) approve(by *office.Person, r approval.Request, code string) error {
	return by.InTx(d.t, d.Server, func(tx *sqlx.Tx) error { return approval.ApproveTx(d.t.Context(), tx, r.ID, r.Hash(), code, "") })
}

func (d desk) execute(r approval.Request) error {
	hash := r.Hash()
	_, err := d.Server.Exec(`INSERT INTO act VALUES ($1, $2, $3, $4)`, r.Subject, r.EntityID, r.ID, hash[:])
	return err
}

// TestMoneyNeedsTheEntitysFactor: where the entity asks for passkeys, a code is no factor for acts on money, and a passkey
// must have signed this act.
func TestMoneyNeedsTheEntitysFactor(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "passkey")
	r := d.refund(d.ana)
	require.Equal(t, "approval_has_factor", approval.Refused(d.request(d.ana, r)), "a code was used")
	other := d.refund(d.ana).Hash()
	d.ana.SignByPasskey(t, other[:])
	require.Equal(t, "approval_has_factor", approval.Refused(d.request(d.ana, r)), "another act was signed")
	hash := r.Hash()
	d.ana.SignByPasskey(t, hash[:])
	require.NoError(t, d.request(d.ana, r))
	require.Equal(t, "approval_has_factor", approval.Refused(d.approve(d.ben, r, d.ben.Code(t))))
	require.Equal(t, "approval_has_factor", approval.Refused(d.approve(d.ben, r, "")))
	d.ben.SignByPasskey(t, other[:])
	require.Equal(t, "approval_has_factor", approval.Refused(d.approve(d.ben, r, "")))
	d.ben.SignByPasskey(t, hash[:])
	require.NoError(t, d.approve(d.ben, r, ""))
	require.NoError(t, d.execute(r))
	var entries []audit.Entry
	require.NoError(t, pg.InTx(t.Context(), d.Server, func(tx *sqlx.Tx) (err error) {
		entries, err = audit.Find(t.Context(), tx, audit.Filter{ObjectID: r.ID.String(), Limit: 10})
		return err
	}))
	require.Len(t, entries, 3)
	for i, want := range []string{"approval.executed", "approval.approved", "approval.requested"} {
		require.Equal(t, want, entries[i].Act)
	}
	require.Equal(t, d.ben.ID, entries[1].StaffID.UUID)
}

// TestPlacesOfRoles: a project's finance requests and approves nothing on money, an admin neither.
func TestPlacesOfRoles(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "totp")
	d.Owner.MustExec(`INSERT INTO organisation (id, entity_id, slug, name, sponsored, languages, presets, minimum, maximum, frequencies, accent, position, created_at, updated_at)
		VALUES (gen_random_uuid(), $1, 'project', '{}', true, '{en}', '{1000}', 100, 10000, '{once}', '#112233', 1, now(), now())`, d.entity)
	r := d.refund(d.ana)
	require.NoError(t, d.request(d.ana, r))
	for _, role := range []office.Role{{Role: "finance", Entity: "desk", Organisation: "project"}, {Role: "admin", Entity: "desk"}, {Role: "auditor", Entity: "desk"}, {Role: "entry", Entity: "desk"}} {
		who := office.Add(t, d.Owner, "other", role)
		require.Equal(t, "approval_has_role", approval.Refused(d.approve(who, r, who.Code(t))), role)
		require.Equal(t, "approval_has_role", approval.Refused(d.request(who, d.refund(who))), role)
	}
	require.Equal(t, "approval_by_another", approval.Refused(d.approve(d.ana, r, d.ana.Code(t))))
	require.NoError(t, d.approve(d.ben, r, d.ben.Code(t)))
}

// TestWrongCodesAreCounted: a wrong code approves nothing, and its try is kept.
func TestWrongCodesAreCounted(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "totp")
	r := d.refund(d.ana)
	require.NoError(t, d.request(d.ana, r))
	tx := d.Server.MustBegin()
	tx.MustExec(`SELECT set_config('konbit.staff_session', $1, true)`, d.ben.Session)
	require.ErrorIs(t, approval.ApproveTx(t.Context(), tx, r.ID, r.Hash(), "wrong", ""), approval.ErrCode)
	require.NoError(t, tx.Commit())
	var failed int
	require.NoError(t, d.Owner.Get(&failed, `SELECT max(failed) FROM staff_session WHERE staff_id = $1`, d.ben.ID))
	require.Equal(t, 1, failed)
	require.Error(t, d.execute(r))
}

// TestRolesAreApprovedByASecondAdmin: the requester is no one whose role changes, and neither is the approver; an operator may
// approve roles, and no money.
func TestRolesAreApprovedByASecondAdmin(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "passkey")
	first := office.Add(t, d.Owner, "first", office.Role{Role: "admin", Entity: "desk"})
	second := office.Add(t, d.Owner, "second", office.Role{Role: "admin", Entity: "desk"})
	change := func(who *office.Person, request uuid.UUID) error {
		return who.InTx(t, d.Server, func(tx *sqlx.Tx) error {
			if _, err := tx.Exec(`SELECT change_role('grant', gen_random_uuid(), $1, 'auditor', $2, NULL, $3)`, d.ben.ID, d.entity, request); err != nil {
				return err
			}
			return audit.RecordTx(t.Context(), tx, audit.Act{Name: "staff.role_granted", ObjectKind: "staff", ObjectID: d.ben.ID.String()})
		})
	}
	ask := func(by, about *office.Person) (approval.Request, error) {
		r := approval.Request{ID: uuid.New(), EntityID: d.entity, Kind: approval.Roles, Subject: about.ID.String(), Needs: 1, RequestedBy: by.ID}
		require.NoError(t, d.Owner.Get(&r.Body, `SELECT role_change_text('grant', $1, 'auditor', $2, NULL)`, about.ID, d.entity))
		return r, d.request(by, r)
	}
	_, err := ask(first, first)
	require.Equal(t, "approval_by_another", approval.Refused(err), "nobody asks for a role of their own")
	about2, err := ask(first, second)
	require.NoError(t, err)
	require.Equal(t, "approval_by_another", approval.Refused(d.approve(second, about2, second.Code(t))), "nor approves one")
	r, err := ask(first, d.ben)
	require.NoError(t, err)
	require.Equal(t, "role_has_second_admin", approval.Refused(change(first, r.ID)))
	require.NoError(t, d.approve(second, r, second.Code(t)))
	require.Equal(t, "role_has_second_admin", approval.Refused(change(first, about2.ID)), "another change")
	require.NoError(t, change(first, r.ID))
	d.ben.EndRole(t, office.Role{Role: "auditor", Entity: "desk"})
	require.Equal(t, "role_has_second_admin", approval.Refused(change(first, r.ID)), "once")

	r, err = ask(first, d.ben)
	require.NoError(t, err)
	operator := func(r approval.Request) error {
		return pg.InTx(t.Context(), d.Owner, func(tx *sqlx.Tx) error {
			return approval.ApproveAsOperatorTx(t.Context(), tx, r.ID, "the second admin is away")
		})
	}
	require.NoError(t, operator(r))
	require.NoError(t, change(first, r.ID))
	money := d.refund(d.ana)
	hash := money.Hash()
	d.ana.SignByPasskey(t, hash[:])
	require.NoError(t, d.request(d.ana, money))
	require.Equal(t, "operator_approves_roles", approval.Refused(operator(money)))
}

// TestRequestsOfRolesAreOfTheirSubject: a request whose body is about another person than its subject, or in another scope, is
// refused; one that is there all the same grants nothing. Whoever it concerns does not decline it either.
func TestRequestsOfRolesAreOfTheirSubject(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "totp")
	d.Owner.MustExec(`INSERT INTO legal_entity (id, slug, legal_name, ein, address, timezone, currency, mail_from, created_at, updated_at)
		VALUES (gen_random_uuid(), 'other', 'x', '12-3456789', '{}', 'UTC', 'USD', 'x', now(), now())`)
	var other uuid.UUID
	require.NoError(t, d.Owner.Get(&other, `SELECT id FROM legal_entity WHERE slug = 'other'`))
	first := office.Add(t, d.Owner, "first", office.Role{Role: "admin", Entity: "desk"}, office.Role{Role: "admin", Entity: "other"})
	second := office.Add(t, d.Owner, "second", office.Role{Role: "admin", Entity: "desk"})
	office.Add(t, d.Owner, "third", office.Role{Role: "admin", Entity: "desk"})
	elsewhere := office.Add(t, d.Owner, "elsewhere", office.Role{Role: "admin", Entity: "other"})
	requested := func(entity uuid.UUID, subject *office.Person, act string, about *office.Person, in uuid.UUID) approval.Request {
		r := approval.Request{ID: uuid.New(), EntityID: entity, Kind: approval.Roles, Subject: subject.ID.String(), Needs: 1, RequestedBy: first.ID}
		require.NoError(t, d.Owner.Get(&r.Body, `SELECT role_change_text($1, $2, 'finance', $3, NULL)`, act, about.ID, in))
		return r
	}
	// By SQL as the owner, as a request of an earlier version could be.
	stored := func(r approval.Request) {
		d.Owner.MustExec(`INSERT INTO approval_request (id, entity_id, kind, subject, body, hash, needs, requested_by, factor, requested_at, expires_at)
			SELECT $1, $2, 'roles', $3, $4, $5, 1, $6, 'totp', n, n + interval '14 days' FROM (SELECT clock_timestamp() AS n) x`,
			r.ID, r.EntityID, r.Subject, r.Body, hashOf(r), r.RequestedBy)
	}
	change := func(r approval.Request, about *office.Person) error {
		return first.InTx(t, d.Server, func(tx *sqlx.Tx) error {
			if _, err := tx.Exec(`SELECT change_role('grant', gen_random_uuid(), $1, 'finance', $2, NULL, $3)`, about.ID, d.entity, r.ID); err != nil {
				return err
			}
			return audit.RecordTx(t.Context(), tx, audit.Act{Name: "staff.role_granted", ObjectKind: "staff", ObjectID: about.ID.String()})
		})
	}
	for name, c := range map[string]struct {
		r        approval.Request
		approver *office.Person
		about    *office.Person
	}{
		"the approver's own role": {requested(d.entity, d.ben, "grant", second, d.entity), second, second},
		"another entity's role":   {requested(other, d.ben, "grant", d.ben, d.entity), elsewhere, d.ben},
	} {
		require.Equal(t, "approval_is_of_subject", approval.Refused(d.request(first, c.r)), name)
		stored(c.r)
		require.NoError(t, d.approve(c.approver, c.r, c.approver.Code(t)), name)
		require.Equal(t, "role_has_second_admin", approval.Refused(change(c.r, c.about)), name)
	}
	r := requested(d.entity, second, "grant", second, d.entity)
	require.NoError(t, d.request(first, r))
	for _, who := range []*office.Person{first, second} {
		err := who.InTx(t, d.Server, func(tx *sqlx.Tx) error { return approval.DeclineTx(t.Context(), tx, r.ID, r.Hash(), "no") })
		require.Equal(t, "approval_by_another", approval.Refused(err))
	}
}

func hashOf(r approval.Request) []byte { h := r.Hash(); return h[:] }

// TestVerifyFindsForgedApprovals: approvals by passkey are proved by the stored answers; one that was written by SQL is found.
func TestVerifyFindsForgedApprovals(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "passkey")
	site, err := url.Parse("https://office.example")
	require.NoError(t, err)
	queue, err := jobs.NewQueue()
	require.NoError(t, err)
	people := staff.Service{DB: d.Server, Queue: queue, Site: site, NewID: uuid.New, Record: func(ctx context.Context, tx *sqlx.Tx, e staff.Event) error {
		return audit.RecordTx(ctx, tx, audit.Act{Name: e.Act, ObjectKind: "staff", ObjectID: e.About.String()})
	}}
	keys := map[*office.Person]*authenticator.Passkey{}
	sign := func(who *office.Person, text string) {
		s, err := people.Open(t.Context(), who.Cookie)
		require.NoError(t, err)
		if keys[who] == nil {
			keys[who] = authenticator.New(site.String())
			prompt, err := people.PromptRegister(t.Context(), s)
			require.NoError(t, err)
			require.NoError(t, people.Register(t.Context(), s, keys[who].Register(prompt.Options, prompt.Nonce), "key"))
		}
		prompt, ok, err := people.Prompt(t.Context(), s, text)
		require.NoError(t, err)
		require.True(t, ok)
		require.NoError(t, people.ProveByPasskey(t.Context(), s, keys[who].Sign(prompt.Options, prompt.Nonce), text))
	}
	made := func() approval.Request {
		r := d.refund(d.ana)
		sign(d.ana, r.Text())
		require.NoError(t, d.request(d.ana, r))
		return r
	}
	r := made()
	sign(d.ben, r.Text())
	require.NoError(t, d.approve(d.ben, r, ""))
	require.NoError(t, d.execute(r))
	report, err := approval.Verify(t.Context(), d.Server, people.VerifyAnswer)
	require.NoError(t, err)
	require.Equal(t, approval.Report{Requests: 1, Executed: 1, ByPasskey: 1, Findings: []string{}}, report)

	forged := made()
	hash := forged.Hash()
	d.ben.SignByPasskey(t, hash[:]) // what the server's role can say that a passkey signed
	require.NoError(t, d.approve(d.ben, forged, ""))
	require.NoError(t, d.execute(forged))
	report, err = approval.Verify(t.Context(), d.Server, people.VerifyAnswer)
	require.NoError(t, err)
	require.Len(t, report.Findings, 2, "the approval, and the act without another person")
	d.Owner.MustExec(`ALTER TABLE approval_request DISABLE TRIGGER kept`)
	d.Owner.MustExec(`UPDATE approval_request SET body = 'refund 900.00' WHERE id = $1`, r.ID)
	report, err = approval.Verify(t.Context(), d.Server, people.VerifyAnswer)
	require.NoError(t, err)
	require.Contains(t, report.Findings[0], "its text is not what was hashed")
}
