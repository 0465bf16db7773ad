package office

import (
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

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
	_, err = role.Exec(audited(ends.ID)+`UPDATE staff_role SET ended_at = clock_timestamp() WHERE staff_id = $1 AND role = 'finance' AND ended_at IS NULL`, ends.ID)
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
	s.exec(audited(h.ID)+`UPDATE staff SET disabled_at = clock_timestamp() WHERE id = $1 AND disabled_at IS NULL`, h.ID)
	h.finance, h.enabled = false, false
}

// expire makes a request older than 14 days, as only the tables' owner can.
func (s *sequences) expire() {
	a := s.anyAct()
	s.exec(`ALTER TABLE approval_request DISABLE TRIGGER kept`)
	s.exec(`UPDATE approval_request SET requested_at = requested_at - interval '15 days', expires_at = expires_at - interval '15 days' WHERE id = $1`, a.ID)
	s.exec(`ALTER TABLE approval_request ENABLE TRIGGER kept`)
	a.over = true
}

// setClockBack is what the database sees after its clock was set back by an hour: all that was stored is an hour later. No
// request gets an approval by it, and none is executed twice.
func (s *sequences) setClockBack() {
	s.exec(`ALTER TABLE approval_request DISABLE TRIGGER kept`)
	s.exec(`UPDATE approval_request SET requested_at = requested_at + interval '1 hour', expires_at = expires_at + interval '1 hour'`)
	s.exec(`ALTER TABLE approval_request ENABLE TRIGGER kept`)
	s.exec(`UPDATE staff_session SET made_at = made_at + interval '1 hour', seen_at = seen_at + interval '1 hour', ends_at = ends_at + interval '1 hour',
		factor_at = factor_at + interval '1 hour' WHERE ended_at IS NULL`)
	s.exec(`UPDATE staff_totp SET last_step = last_step + 120 WHERE last_step BETWEEN 1 AND 9223372036854775000`)
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
