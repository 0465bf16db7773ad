package office

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/approval"
	"konbit/internal/workshop/testkit"
)

// Sequences runs random sequences of requests, approvals, edits, changes of roles, replays, races and statements of an
// attacker who holds the server's role, and compares each execution of an act with its own record of who approved what.
// It returns how many acts were executed. The act's table is made here, as the table of an office package would be.
func Sequences(t testing.TB, db *testkit.Database, seed uint64, count int, progress func(more int)) (executed int) {
	t.Helper()
	s := &sequences{t: t, db: db, rand: rand.New(rand.NewPCG(seed, 15))}
	s.prepare()
	for range count {
		s.run()
		progress(1)
	}
	return s.executed
}

// human is a staff member as the record has it. Two accounts may be one human.
type human struct {
	*Person
	number           int // of the human
	finance, enabled bool
	stolen           bool // somebody knows the password, and has no factor
}

// act is a request as the record has it.
type act struct {
	approval.Request
	by       *human
	approved map[*human]bool
	over     bool // declined, withdrawn, replaced, expired or executed
}

type sequences struct {
	t        testing.TB
	db       *testkit.Database
	rand     *rand.Rand
	entity   uuid.UUID
	people   []*human
	acts     []*act
	numbers  int
	executed int
}

func (s *sequences) prepare() {
	s.exec(`INSERT INTO legal_entity (id, slug, legal_name, ein, address, timezone, currency, mail_from, money_factor, created_at, updated_at)
		VALUES (gen_random_uuid(), 'sequences', 'x', '12-3456789', '{}', 'UTC', 'USD', 'x', 'totp', now(), now())`)
	require.NoError(s.t, s.db.Owner.Get(&s.entity, `SELECT id FROM legal_entity WHERE slug = 'sequences'`))
	s.exec(`CREATE TABLE act_of_sequences (id uuid PRIMARY KEY, entity_id uuid NOT NULL, body text NOT NULL, request_id uuid, request_hash bytea,
		FOREIGN KEY (request_id, request_hash) REFERENCES approval_request (id, hash))`)
	s.exec(`CREATE TRIGGER requires_approval AFTER INSERT OR UPDATE ON act_of_sequences FOR EACH ROW EXECUTE FUNCTION requires_approval('refund', 'id')`)
	s.exec(`GRANT ALL ON act_of_sequences TO ` + testkit.ServerRole)
	Add(s.t, s.db.Owner, "admin", Role{Role: "admin", Entity: "sequences"}) // the last admin stays
	for range 5 {
		s.addHuman()
	}
	s.people[1].Grant(s.t, Role{Role: "admin", Entity: "sequences"}) // one person in two roles: that of an admin moves no money
	double := s.addHuman()
	s.join(double, s.people[0])
}

func (s *sequences) addHuman() *human {
	s.numbers++
	h := &human{Person: Add(s.t, s.db.Owner, "finance", Role{Role: "finance", Entity: "sequences"}), number: s.numbers, finance: true, enabled: true}
	s.people = append(s.people, h)
	return h
}

func (s *sequences) join(a, b *human) {
	s.exec(`WITH joined AS (SELECT join_staff($1, $2) AS id)
		INSERT INTO audit_entry (act, object_kind, object_id, reason) SELECT 'staff.joined', 'staff', id::text, 'a test' FROM joined WHERE id IS NOT NULL`, a.ID, b.ID)
	from, to := a.number, b.number
	for _, h := range s.people {
		if h.number == from {
			h.number = to
		}
	}
}

// run runs one sequence. It ends with the people as at its beginning.
func (s *sequences) run() {
	s.exec(`SELECT setval('staff_code_tries', 1)`) // the limit of codes an hour has a test of its own
	s.acts = nil
	steps := []func(){s.request, s.approve, s.approve, s.approve, s.approve, s.approve, s.approve, s.approve, s.approve, s.execute, s.execute, s.execute,
		s.edit, s.decline, s.withdraw, s.endRole, s.disable, s.expire, s.setClockBack, s.stealPassword, s.forge, s.forge, s.raceExecutions, s.raceEnd}
	s.request()
	for range 4 + s.rand.IntN(10) {
		steps[s.rand.IntN(len(steps))]()
	}
	if s.rand.IntN(2) == 0 {
		s.raceEnd()
	}
	s.execute()
	for i, h := range s.people {
		h.stolen = false
		if !h.enabled {
			s.numbers++
			h = &human{Person: Add(s.t, s.db.Owner, "finance", Role{Role: "finance", Entity: "sequences"}), number: s.numbers, finance: true, enabled: true}
			s.people[i] = h
		} else if !h.finance {
			h.Grant(s.t, Role{Role: "finance", Entity: "sequences"})
			h.finance = true
		}
	}
	if s.people[5].number != s.people[0].number { // one of them was replaced
		s.join(s.people[5], s.people[0])
	}
}

func (s *sequences) anybody() *human { return s.people[s.rand.IntN(len(s.people))] }

func (s *sequences) anyAct() *act {
	if len(s.acts) == 0 || s.rand.IntN(20) == 0 { // one that was never requested
		unknown := approval.Request{ID: uuid.New(), EntityID: s.entity, Kind: approval.Refund, Subject: uuid.NewString(), Body: "x"}
		return &act{Request: unknown, by: s.anybody(), over: true}
	}
	if s.rand.IntN(4) > 0 {
		return s.acts[len(s.acts)-1]
	}
	return s.acts[s.rand.IntN(len(s.acts))]
}

// signIn opens a session of a person for a step: with both factors, or with the password alone.
func (s *sequences) signIn(h *human) (full bool) {
	if h.stolen || !h.enabled {
		h.SignInWithPassword(s.t)
		return false
	}
	h.SignIn(s.t)
	return true
}

// expect compares the outcome of a step with the record.
func (s *sequences) expect(allowed bool, err error, what string, about *act) {
	s.t.Helper()
	if allowed {
		require.NoError(s.t, err, "%s: %+v by %d", what, about.Request, about.by.number)
	} else {
		require.Error(s.t, err, "%s: %+v by %d", what, about.Request, about.by.number)
	}
}

func (s *sequences) request() {
	h := s.anybody()
	s.requestBy(h, nil)
}

func (s *sequences) edit() {
	old := s.anyAct()
	s.requestBy(old.by, old)
}

func (s *sequences) requestBy(h *human, replaces *act) {
	a := &act{Request: approval.Request{ID: uuid.New(), EntityID: s.entity, Kind: approval.Refund, Subject: uuid.NewString(), Body: fmt.Sprint(s.rand.Uint64()),
		Needs: 1 + s.rand.IntN(2), RequestedBy: h.ID}, by: h, approved: map[*human]bool{}}
	var old *uuid.UUID
	if replaces != nil {
		a.Subject, old = replaces.Subject, &replaces.ID
	}
	allowed := s.signIn(h) && h.finance && (replaces == nil || !replaces.over)
	if allowed && s.rand.IntN(10) == 0 {
		h.AgeFactor(s.t, 301e9)
		allowed = false
	}
	err := h.InTx(s.t, s.db.Server, func(tx *sqlx.Tx) error { return approval.RequestTx(s.t.Context(), tx, a.Request, old) })
	s.expect(allowed, err, "request", a)
	if err == nil {
		s.acts = append(s.acts, a)
		if replaces != nil {
			replaces.over = true
		}
	}
}

// hash returns the request's hash, or another one.
func (s *sequences) hash(a *act) (hash [sha256.Size]byte, right bool) {
	if s.rand.IntN(12) > 0 {
		return a.Hash(), true
	}
	if other := s.anyAct(); other != a {
		return other.Hash(), false
	}
	return hash, false
}

func (s *sequences) approve() {
	a, h := s.anyAct(), s.anybody()
	hash, right := s.hash(a)
	full := s.signIn(h)
	code := h.Code(s.t)
	switch s.rand.IntN(16) {
	case 0:
		code, right = "", false // no factor for this act
	case 1:
		code, right = map[bool]string{true: "000001", false: "000000"}[code == "000000"], false
	case 2:
		h.exec(s.t, `UPDATE staff_totp SET last_step = 9223372036854775806 WHERE staff_id = $1`, h.ID) // the step was used
		right = false
	}
	err := h.InTx(s.t, s.db.Server, func(tx *sqlx.Tx) error {
		return approval.ApproveTx(s.t.Context(), tx, a.ID, hash, code, "")
	})
	s.expect(right && full && h.finance && !a.over && h.number != a.by.number && !a.approvedBy(h.number), err, "approve", a)
	if err == nil {
		a.approved[h] = true
	}
}

// approvedBy reports whether a human approved, under any account.
func (a *act) approvedBy(number int) bool {
	for h := range a.approved {
		if h.number == number {
			return true
		}
	}
	return false
}

func (s *sequences) decline() {
	a, h := s.anyAct(), s.anybody()
	allowed := s.signIn(h) && h.finance && !a.over && !a.approvedBy(h.number) && a.by.number != h.number
	err := h.InTx(s.t, s.db.Server, func(tx *sqlx.Tx) error { return approval.DeclineTx(s.t.Context(), tx, a.ID, a.Hash(), "") })
	s.expect(allowed, err, "decline", a)
	a.over = a.over || err == nil
}

func (s *sequences) withdraw() {
	a, h := s.anyAct(), s.anybody()
	allowed := s.signIn(h) && !a.over && a.by.ID == h.ID
	err := h.InTx(s.t, s.db.Server, func(tx *sqlx.Tx) error { return approval.WithdrawTx(s.t.Context(), tx, a.ID) })
	s.expect(allowed, err, "withdraw", a)
	a.over = a.over || err == nil
}

func (s *sequences) exec(query string, args ...any) {
	s.t.Helper()
	_, err := s.db.Owner.Exec(query, args...)
	require.NoError(s.t, err, query)
}
