package webhook_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/processor/stripepay/webhook"
	"konbit/internal/workshop/testkit"
)

// TestSetAsideWatch: an entity has one task while any of its events is set aside. It closes when all are replayed, or
// when their payloads are erased, and opens again.
func TestSetAsideWatch(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	for _, slug := range []string{"tsne", "aina"} {
		db.Owner.MustExec(`INSERT INTO legal_entity (id, slug, legal_name, ein, address, timezone, currency, mail_from, created_at, updated_at)
			VALUES ($1, $2, $2, '12-345678' || length($2) + ascii($2) % 3, '{}', 'America/New_York', 'USD', 'a@b.example', now(), now())`, uuid.New(), slug)
	}
	watch := webhook.SetAsideWatch{DB: db.Server, NewID: uuid.New, Now: time.Now}
	tasks := func(events int) (all []string) {
		t.Helper()
		n, err := watch.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, events, n)
		require.NoError(t, db.Owner.Select(&all, `SELECT e.slug || ' ' || t.kind || ' ' || (t.detail ->> 'events') || ' ' || t.times || coalesce(' closed' || left(t.closed_at::text, 0), '')
			FROM finance_task t JOIN legal_entity e ON e.id = t.entity_id`))
		return all
	}
	require.Empty(t, tasks(0))
	db.Owner.MustExec(`INSERT INTO stripe_event (entity_id, id, type, api_version, created_at, payload, payload_sha256, state, reason)
		SELECT e.id, 'evt_' || n, 'charge.succeeded', '', now(), 'x', sha256('x'), state, 'broken' FROM legal_entity e,
		       (VALUES (1, 'set_aside'), (2, 'set_aside'), (3, 'parked')) v (n, state) WHERE e.slug = 'tsne'`)
	require.Equal(t, []string{"tsne events_set_aside 2 1"}, tasks(2))
	require.Equal(t, []string{"tsne events_set_aside 2 1"}, tasks(2), "one task")

	replayed, err := webhook.ReplayEvents(t.Context(), db.Server, uuid.Nil, []string{"evt_1"})
	require.NoError(t, err)
	require.Len(t, replayed.PutBack, 1)
	require.Equal(t, []string{"tsne events_set_aside 1 1"}, tasks(1), "the task says how many are left, and which")
	var oldest string
	require.NoError(t, db.Owner.Get(&oldest, `SELECT detail ->> 'oldest' FROM finance_task`))
	require.Equal(t, "evt_2", oldest)
	_, err = webhook.ReplaySetAside(t.Context(), db.Server, uuid.Nil)
	require.NoError(t, err)
	require.Equal(t, []string{"tsne events_set_aside 1 1 closed"}, tasks(0))

	db.Owner.MustExec(`UPDATE stripe_event SET state = 'set_aside', reason = 'broken' WHERE id = 'evt_2'`)
	require.Equal(t, []string{"tsne events_set_aside 1 2"}, tasks(1), "it opens again")
	db.Owner.MustExec(`UPDATE stripe_event SET payload = NULL WHERE id = 'evt_2'`)
	require.Equal(t, []string{"tsne events_set_aside 1 2 closed"}, tasks(0), "an erased event cannot be applied any more, and has a task of its own")
}
