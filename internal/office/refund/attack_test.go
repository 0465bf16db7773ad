package refund_test

import (
	"crypto/sha256"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
)

// step is a statement of somebody who has the server's password.
type step struct {
	query string
	args  []any
}

// run runs statements in a person's session and commits them.
func (d *desk) run(who *office.Person, steps ...step) error {
	d.t.Helper()
	return who.InTx(d.t, d.DB.Server, func(tx *sqlx.Tx) error {
		for _, s := range steps {
			if _, err := tx.Exec(s.query, s.args...); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *desk) insertOrder(id uuid.UUID, amount int64) step {
	return step{`INSERT INTO refund_order (id, entity_id, payment_id, amount, reason, note, submission, requested_by)
		SELECT $1, p.entity_id, p.id, $2, 'requested', '', gen_random_uuid(), $3 FROM payment p WHERE p.donation_id = $4 AND p.status = 'settled'`,
		[]any{id, amount, d.staff.ID, d.gift.ID}}
}

func (d *desk) insertPart(order uuid.UUID, fund string, amount int64) step {
	return step{`INSERT INTO refund_order_part (order_id, entity_id, fund_id, amount) VALUES ($1, $2, $3, $4)`, []any{order, d.gift.EntityID, d.fund(fund), amount}}
}

func audited(order uuid.UUID) step {
	return step{`INSERT INTO audit_entry (act, object_kind, object_id) VALUES ('refund.ordered', 'refund_order', $1)`, []any{order}}
}

// TestNoPartAfterTheCheck: an order that is checked before the end of its transaction gets no part more.
func TestNoPartAfterTheCheck(t *testing.T) {
	d := newDesk(t, program.Options{})
	d.Exec(`UPDATE legal_entity SET two_persons_refund = 1000`)
	id := program.NewID()
	for _, checked := range []string{`SET CONSTRAINTS refund_order_is_whole IMMEDIATE`, `SET CONSTRAINTS ALL IMMEDIATE`} {
		err := d.run(d.staff, d.insertOrder(id, 1000), d.insertPart(id, "building", 1000), audited(id), step{checked, nil}, d.insertPart(id, "general", 4000))
		require.True(t, pg.Violates(err, "refund_order_parts"), "%s: %v", checked, err)
	}
	err := d.run(d.staff, d.insertOrder(id, 1000), d.insertPart(id, "building", 999), d.insertPart(id, "general", 2), audited(id))
	require.True(t, pg.Violates(err, "refund_order_parts"), "%v", err)
	require.NoError(t, d.run(d.staff, d.insertOrder(id, 1000), d.insertPart(id, "building", 999), d.insertPart(id, "general", 1), audited(id)))
}

// TestRefusedOrdersCount: the limit of one person counts orders that the server says were refused: it may say so while the
// processor makes the refund.
func TestRefusedOrdersCount(t *testing.T) {
	d := newDesk(t, program.Options{})
	d.Exec(`UPDATE legal_entity SET two_persons_refund = 1000`)
	order := func() error {
		id := program.NewID()
		if err := d.run(d.staff, d.insertOrder(id, 1000), d.insertPart(id, "general", 1000), audited(id)); err != nil {
			return err
		}
		require.NoError(t, d.run(nil, step{`UPDATE refund_order SET state = 'sent', tries = 1 WHERE id = $1`, []any{id}},
			step{`UPDATE refund_order SET state = 'refused', problem = 'x' WHERE id = $1`, []any{id}}))
		return nil
	}
	require.NoError(t, order())
	require.True(t, d.preview(d.request(map[string]int64{"general": 1000})).NeedsSecondPerson())
	err := order()
	require.True(t, pg.Violates(err, "refund_order_second_person"), "%v", err)
	d.staff = d.person()
	err = order()
	require.True(t, pg.Violates(err, "refund_order_second_person"), "of the same gift: %v", err)
	d.gift = d.give("50", "30", "10")
	require.NoError(t, order())
}

// TestTheSessionStaysWhoOrdered: who ordered and the factor are those of the insert. A session that is set afterwards changes
// neither, and writes no entry for the order.
func TestTheSessionStaysWhoOrdered(t *testing.T) {
	d := newDesk(t, program.Options{})
	d.Exec(`UPDATE legal_entity SET two_persons_refund = 100000, money_factor = 'passkey'`)
	other := sha256.Sum256([]byte("sign in"))
	d.staff.SignByPasskey(t, other[:])
	ben, id := d.personWith("entry"), program.NewID()
	bens := step{`SELECT set_config('konbit.staff_session', $1, true)`, []any{ben.Session}}
	err := d.run(d.staff, d.insertOrder(id, 1000), d.insertPart(id, "general", 1000), bens, audited(id))
	require.True(t, pg.Violates(err, "refund_order_person"), "a passkey signed something else: %v", err)
	d.Exec(`UPDATE legal_entity SET money_factor = 'totp'`)
	d.staff.SignIn(t)
	err = d.run(d.staff, d.insertOrder(id, 1000), d.insertPart(id, "general", 1000), bens, audited(id))
	require.True(t, pg.Violates(err, "requires_audit"), "the entry is another person's: %v", err)
	require.NoError(t, d.run(d.staff, d.insertOrder(id, 1000), d.insertPart(id, "general", 1000), audited(id), bens))
	require.Equal(t, []string{"t totp"}, d.Lines(`SELECT concat_ws(' ', ordered_by = requested_by, factor) FROM refund_order`))
}
