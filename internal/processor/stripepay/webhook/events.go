package webhook

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/books/task"
	"konbit/internal/platform/pg"
)

// Retention is the number of days for which the payload of an event is stored. Its id, type and hash stay.
const Retention = 90

// StoredEvent is an event as listed for people: without its payload, which may name a person.
type StoredEvent struct {
	EntityID   uuid.UUID  `db:"entity_id"`
	ID         string     `db:"id"`
	Type       string     `db:"type"`
	State      string     `db:"state"` // waiting, parked, set_aside or done
	Tries      int        `db:"tries"` // attempts that did not finish it
	ReceivedAt time.Time  `db:"received_at"`
	DueAt      time.Time  `db:"due_at"` // for an event that waits or is parked: the time of the next attempt
	DoneAt     *time.Time `db:"done_at"`
	Reason     string     `db:"reason"` // why it is parked or set aside
	Erased     bool       `db:"erased"` // its payload is gone
}

// EventStates are the states an event can be in.
var EventStates = []string{"waiting", "parked", "set_aside", "done"}

// EventFilter narrows a list of events. A zero field does not.
type EventFilter struct {
	EntityID uuid.UUID
	State    string // one of EventStates
	Limit    int
}

// ListEvents returns stored events, the newest first.
func ListEvents(ctx context.Context, q sqlx.QueryerContext, f EventFilter) ([]StoredEvent, error) {
	const query = `/* webhook.ListEvents */
		SELECT entity_id, id, type, CASE state WHEN 'new' THEN 'waiting' ELSE state END AS state, tries, received_at, due_at, done_at,
		       coalesce(reason, '') AS reason, payload IS NULL AS erased
		  FROM stripe_event
		 WHERE ($1::uuid IS NULL OR entity_id = $1) AND ($2 = '' OR state = CASE $2 WHEN 'waiting' THEN 'new' ELSE $2 END)
		 ORDER BY received_at DESC, id LIMIT nullif($3, 0)`
	events := []StoredEvent{}
	err := sqlx.SelectContext(ctx, q, &events, query, nullID(f.EntityID), f.State, f.Limit)
	return events, err
}

func nullID(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil} }

// Replayed lists what became of events that were to be replayed, by their ids.
type Replayed struct {
	PutBack []string // they are new again
	Erased  []string // their payload is erased: unchanged
	Unknown []string // no event has this id
}

// ReplayEvents makes events in any state new again. They are applied again; an event that was applied before
// changes nothing. If entity is not uuid.Nil, only events of that entity are replayed.
func ReplayEvents(ctx context.Context, db *sqlx.DB, entity uuid.UUID, ids []string) (Replayed, error) {
	const which = `id = ANY($2)`
	r, err := replay(ctx, db, which, entity, pq.Array(ids))
	for _, id := range ids {
		if !slices.Contains(r.PutBack, id) && !slices.Contains(r.Erased, id) {
			r.Unknown = append(r.Unknown, id)
		}
	}
	return r, err
}

// ReplaySetAside is ReplayEvents for all events set aside.
func ReplaySetAside(ctx context.Context, db *sqlx.DB, entity uuid.UUID) (Replayed, error) {
	return replay(ctx, db, `state = $2`, entity, "set_aside")
}

func replay(ctx context.Context, db *sqlx.DB, which string, entity uuid.UUID, arg any) (r Replayed, err error) {
	const in = ` WHERE ($1::uuid IS NULL OR entity_id = $1) AND `
	const order = ` ORDER BY entity_id, id FOR UPDATE` // the same order for two replays at once
	putBack := `/* webhook.replay */
		UPDATE stripe_event e SET state = 'new', tries = 0, failures = 0, due_at = now(), reason = NULL, done_at = NULL
		  FROM (SELECT entity_id, id FROM stripe_event` + in + which + ` AND payload IS NOT NULL` + order + `) s
		 WHERE e.entity_id = s.entity_id AND e.id = s.id RETURNING e.id`
	erased := `/* webhook.replay */ SELECT id FROM stripe_event` + in + which + ` AND payload IS NULL ORDER BY id`
	err = pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		r = Replayed{}
		if err := tx.SelectContext(ctx, &r.PutBack, putBack, nullID(entity), arg); err != nil {
			return err
		}
		return tx.SelectContext(ctx, &r.Erased, erased, nullID(entity), arg)
	})
	return r, err
}

// eraseBatch limits one step of EraseEvents, so that it locks few rows for a short time.
const eraseBatch = 500

// EraseEvents erases the payloads of events that were stored more than Retention days ago, by the database's clock, and
// returns their number. Events that were not applied are set aside, since they cannot be applied any more. Each of these is
// lost, and gets a task that a person closes; lost names them.
func (w SetAsideWatch) EraseEvents(ctx context.Context) (total int, lost []string, err error) {
	const query = `/* webhook.EraseEvents */
		UPDATE stripe_event e
		   SET payload = NULL, state = CASE e.state WHEN 'done' THEN 'done' ELSE 'set_aside' END,
		       reason = CASE e.state WHEN 'done' THEN e.reason ELSE concat_ws('; ', e.reason, 'payload erased') END
		  FROM (SELECT entity_id, id FROM stripe_event WHERE payload IS NOT NULL AND received_at < now() - make_interval(days => $1)
		         ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED) old
		 WHERE e.entity_id = old.entity_id AND e.id = old.id
		RETURNING e.entity_id, e.id, e.type, e.received_at, e.state = 'set_aside' AS lost`
	type event struct {
		EntityID   uuid.UUID `db:"entity_id"`
		ID         string    `db:"id"`
		Type       string    `db:"type"`
		ReceivedAt time.Time `db:"received_at"`
		Lost       bool      `db:"lost"`
	}
	for n := eraseBatch; n == eraseBatch; total += n {
		var erased []event
		err := pg.InTx(ctx, w.DB, func(tx *sqlx.Tx) error {
			erased = nil
			if err := tx.SelectContext(ctx, &erased, query, Retention, eraseBatch); err != nil {
				return err
			}
			for _, e := range erased {
				if !e.Lost {
					continue
				}
				detail := map[string]string{"type": e.Type, "received": e.ReceivedAt.UTC().Format(time.RFC3339)}
				err := task.OpenTx(ctx, tx, task.Task{EntityID: e.EntityID, Kind: taskEventLost, Subject: e.ID, Detail: detail}, w.NewID, w.Now())
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return total, lost, err
		}
		n = len(erased)
		for _, e := range erased {
			if e.Lost {
				lost = append(lost, e.ID)
			}
		}
	}
	return total, lost, nil
}
