package office

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"sync"
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
	for range 5 {
		s.addHuman()
	}
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
	s.exec(`SELECT join_staff($1, $2)`, a.ID, b.ID)
	from, to := a.number, b.number
	for _, h := range s.people {
		if h.number == from {
			h.number = to
		}
	}
}

// run runs one sequence. It ends with the people as at its beginning.
func (s *sequences) run() {
	s.exec(`UPDATE staff_code_hour SET tries = (SELECT last_value FROM staff_code_tries)`) // the limit of codes an hour has a test of its own
	s.acts = nil
	steps := []func(){s.request, s.approve, s.approve, s.approve, s.approve, s.approve, s.approve, s.approve, s.approve, s.execute, s.execute, s.execute,
		s.edit, s.decline, s.withdraw, s.endRole, s.disable, s.expire, s.stealPassword, s.forge, s.forge, s.raceExecutions, s.raceEnd}
	s.request()
	for range 4 + s.rand.IntN(10) {
		steps[s.rand.IntN(len(steps))]()
	}
	if s.rand.IntN(2) == 0 {
		s.raceEnd()
	}
	s.execute()
	for i, h := range s.people {
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
		return &act{Request: approval.Request{ID: uuid.New(), EntityID: s.entity, Kind: approval.Refund, Subject: uuid.NewString(), Body: "x"}, by: s.anybody(), over: true}
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
	allowed := s.signIn(h) && h.finance && !a.over && !a.approvedBy(h.number)
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

// mayExecute says what the record says about an act: enough other people, who hold the role now, approved this version.
func (a *act) mayExecute() bool {
	if a.over || !a.by.finance || !a.by.enabled {
		return false
	}
	others := map[int]bool{}
	for h := range a.approved {
		if h.finance && h.enabled && h.number != a.by.number {
			others[h.number] = true
		}
	}
	return len(others) >= max(a.Needs, 1)
}

const executeAct = `INSERT INTO act_of_sequences (id, entity_id, body, request_id, request_hash) VALUES ($1, $2, $3, $4, $5)`

// execute runs the act as the server does: without a session, or in anybody's. The first row of an act is deleted before a
// second one is tried.
func (s *sequences) execute() {
	a := s.anyAct()
	hash, right := s.hash(a)
	subject := a.Subject
	if s.rand.IntN(10) == 0 {
		subject, right = uuid.NewString(), false
	}
	var in *Person
	if s.rand.IntN(2) == 0 {
		in = s.anybody().Person
	}
	err := in.InTx(s.t, s.db.Server, func(tx *sqlx.Tx) error {
		if _, err := tx.Exec(`DELETE FROM act_of_sequences WHERE id = $1`, subject); err != nil {
			return err
		}
		_, err := tx.Exec(executeAct, subject, s.entity, a.Body, a.ID, hash[:])
		return err
	})
	s.expect(right && a.mayExecute(), err, "execute", a)
	if err == nil {
		a.over = true
		s.executed++
	}
}

// raceExecutions runs one act several times at once: at most one is executed.
func (s *sequences) raceExecutions() {
	a := s.anyAct()
	hash, allowed, done := a.Hash(), a.mayExecute(), 0
	var all sync.WaitGroup
	var mu sync.Mutex
	for range 3 {
		all.Go(func() {
			tx, err := s.db.Server.Beginx()
			if err != nil {
				return
			}
			defer func() { _ = tx.Rollback() }()
			_, _ = tx.Exec(`DELETE FROM act_of_sequences WHERE id = $1`, a.Subject)
			if _, err = tx.Exec(executeAct, a.Subject, s.entity, a.Body, a.ID, hash[:]); err == nil && tx.Commit() == nil {
				mu.Lock()
				done++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	require.Equal(s.t, map[bool]int{true: 1, false: 0}[allowed], done, "executed at once: %+v", a.Request)
	if done > 0 {
		a.over = true
		s.executed++
	}
}

// raceEnd executes an act while the role of an approver, or of the requester, ends: the act is before the end, or is not.
func (s *sequences) raceEnd() {
	a := s.anyAct()
	if !a.mayExecute() {
		return
	}
	people := []*human{a.by}
	for h := range a.approved {
		people = append(people, h)
	}
	ends := people[s.rand.IntN(len(people))]
	if !ends.finance || !ends.enabled {
		return
	}
	hash := a.Hash()
	role, err := s.db.Owner.Beginx() // its end is not committed yet
	require.NoError(s.t, err)
	defer func() { _ = role.Rollback() }()
	_, err = role.Exec(`UPDATE staff_role SET ended_at = clock_timestamp() WHERE staff_id = $1 AND ended_at IS NULL`, ends.ID)
	require.NoError(s.t, err)
	tried := make(chan error, 1)
	go func() {
		_, err := s.db.Server.Exec(executeAct, uuid.MustParse(a.Subject), s.entity, a.Body, a.ID, hash[:])
		tried <- err
	}()
	s.waitForLock()
	require.NoError(s.t, role.Commit())
	ends.finance = false
	s.expect(a.mayExecute(), <-tried, "execute while a role ends", a)
	if a.mayExecute() {
		a.over = true
		s.executed++
	}
}

// waitForLock returns when a transaction waits for another one's row.
func (s *sequences) waitForLock() {
	testkit.Eventually(s.t, 30e9, func() error {
		var waits bool
		err := s.db.Owner.Get(&waits, `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple'))`)
		if err == nil && !waits {
			err = fmt.Errorf("the act does not wait for the role's end")
		}
		return err
	})
}

func (s *sequences) endRole() {
	h := s.anybody()
	h.EndRole(s.t, Role{Role: "finance", Entity: "sequences"})
	h.finance = false
}

func (s *sequences) disable() {
	h := s.anybody()
	s.exec(`UPDATE staff SET disabled_at = clock_timestamp() WHERE id = $1 AND disabled_at IS NULL`, h.ID)
	h.finance, h.enabled = false, false
}

// expire makes a request older than 14 days, as only the tables' owner can.
func (s *sequences) expire() {
	a := s.anyAct()
	s.exec(`ALTER TABLE approval_request DISABLE TRIGGER kept`)
	s.exec(`UPDATE approval_request SET requested_at = requested_at - interval '14 days', expires_at = expires_at - interval '14 days' WHERE id = $1`, a.ID)
	s.exec(`ALTER TABLE approval_request ENABLE TRIGGER kept`)
	a.over = true
}

// stealPassword gives the attacker the password of somebody, or takes it away.
func (s *sequences) stealPassword() {
	h := s.anybody()
	h.stolen = !h.stolen
}

// forge runs what an attacker with the server's role tries without a person's factor. Every statement is refused, or does
// nothing.
func (s *sequences) forge() {
	a, h := s.anyAct(), s.anybody()
	hash := a.Hash()
	s.signIn(h)
	id, who, text := "'"+a.ID.String()+"'", "'"+h.ID.String()+"'", `'\x`+hex.EncodeToString(hash[:])+`'`
	tries := []string{
		`INSERT INTO approval (request_id, hash, decision, staff_id, person_id, factor) VALUES (` + id + `, ` + text + `, 'approve', ` + who + `, ` + who + `, 'totp')`,
		`UPDATE approval_request SET needs = 0 WHERE id = ` + id,
		`UPDATE approval_request SET executed_at = NULL, executed_in = NULL WHERE id = ` + id,
		`UPDATE approval_request SET hash = ` + text + ` WHERE id = ` + id,
		`DELETE FROM approval WHERE request_id = ` + id,
		`UPDATE staff_session SET stage = 'full', factor_at = now(), factor_kind = 'totp'`,
		`UPDATE staff_totp SET last_step = 0`,
		`INSERT INTO staff_role (id, staff_id, entity_id, role) SELECT gen_random_uuid(), ` + who + `, id, 'finance' FROM legal_entity`,
		`DELETE FROM staff_person`,
		`SELECT execute_approval(` + id + `, ` + text + `, 'refund', '` + s.entity.String() + `', '` + a.Subject + `')`,
		`SELECT approve_as_operator(` + id + `, 'x')`,
		`SELECT decide_approval(` + id + `, ` + text + `, 'approve', '000000', '')`,
		`SELECT decide_approval(` + id + `, ` + text + `, 'approve', NULL, '')`,
		`SELECT decide_approval(` + id + `, ` + text + `, 'Approve', NULL, '')`,
		`SELECT note_factor(id, 'totp') FROM staff_session`,
		`ALTER TABLE act_of_sequences DISABLE TRIGGER requires_approval`,
		`SET LOCAL session_replication_role = 'replica'; ` + `INSERT INTO act_of_sequences (id, entity_id, body) VALUES ('` + a.Subject + `', '` + s.entity.String() + `', 'x')`,
		`CREATE TEMPORARY TABLE approval (request_id uuid)`,
		`SET LOCAL search_path = pg_temp, public; INSERT INTO act_of_sequences (id, entity_id, body) VALUES ('` + a.Subject + `', '` + s.entity.String() + `', 'x')`,
		`INSERT INTO act_of_sequences (id, entity_id, body) VALUES (gen_random_uuid(), '` + s.entity.String() + `', 'x')`,
		`UPDATE act_of_sequences SET body = 'x'`,
		`SET LOCAL ROLE konbit_owner`,
		`SET LOCAL ROLE konbit_office; INSERT INTO approval (request_id, hash, decision) VALUES (` + id + `, ` + text + `, 'approve')`,
	}
	try := tries[s.rand.IntN(len(tries))]
	before := s.state()
	err := h.InTx(s.t, s.db.Server, func(tx *sqlx.Tx) error { _, err := tx.Exec(try); return err })
	require.Equal(s.t, before, s.state(), "%s (%v)", try, err)
}

// state returns how many acts, open requests, approvals and roles there are.
func (s *sequences) state() (state string) {
	require.NoError(s.t, s.db.Owner.Get(&state, `SELECT concat_ws(' ', (SELECT concat(count(*), max(body)) FROM act_of_sequences WHERE body = 'x'),
		(SELECT count(*) FILTER (WHERE num_nonnulls(executed_at, declined_at, withdrawn_at) = 0) FROM approval_request), (SELECT count(*) FROM approval),
		(SELECT count(*) FROM staff_role WHERE ended_at IS NULL), (SELECT count(*) FROM staff_person), (SELECT count(*) FROM staff_session WHERE stage = 'full'))`))
	return state
}

func (s *sequences) exec(query string, args ...any) {
	s.t.Helper()
	_, err := s.db.Owner.Exec(query, args...)
	require.NoError(s.t, err, query)
}
