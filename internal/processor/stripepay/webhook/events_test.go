package webhook_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/processor/stripepay/webhook"
	"konbit/internal/workshop/testkit"
)

// TestOldPayloadsAreErased: the row still says what arrived, when, and its hash; the event cannot be applied any more.
func TestOldPayloadsAreErased(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	entity := uuid.New()
	db.Owner.MustExec(`INSERT INTO legal_entity (id, slug, legal_name, ein, address, timezone, currency, mail_from, created_at, updated_at)
		VALUES ($1, 'tsne', 'TSNE', '12-3456789', '{}', 'America/New_York', 'USD', 'a@b.example', now(), now())`, entity)
	db.Owner.MustExec(`INSERT INTO stripe_event (entity_id, id, type, api_version, created_at, payload, payload_sha256, received_at, state, reason, done_at)
		SELECT $1, state || '_' || days, 'charge.succeeded', '2023-10-16', now(), 'who gave', sha256('who gave'), now() - make_interval(days => days, hours => 1),
		       state, CASE WHEN state IN ('parked', 'set_aside') THEN 'why' END, CASE WHEN state = 'done' THEN now() END
		  FROM unnest('{new,parked,set_aside,done}'::text[]) AS state, unnest('{0,89,90,400}'::int[]) AS days`, entity)
	db.Owner.MustExec(`INSERT INTO stripe_event (entity_id, id, type, api_version, created_at, payload, payload_sha256, received_at, state, done_at)
		SELECT $1, 'many_' || n, 'charge.succeeded', '2023-10-16', now(), 'who gave', sha256('who gave'), now() - interval '100 days', 'done', now()
		  FROM generate_series(1, 1200) AS n`, entity)

	watch := webhook.SetAsideWatch{DB: db.Server, NewID: uuid.New, Now: time.Now}
	unapplied := []string{"new_400", "new_90", "parked_400", "parked_90", "set_aside_400", "set_aside_90"}
	erased, lost, err := watch.EraseEvents(t.Context())
	require.NoError(t, err)
	require.Equal(t, 8+1200, erased)
	require.ElementsMatch(t, unapplied, lost)
	erased, lost, err = watch.EraseEvents(t.Context())
	require.NoError(t, err)
	require.Zero(t, erased)
	require.Empty(t, lost)
	_, err = watch.Run(t.Context())
	require.NoError(t, err)
	var tasks []string
	require.NoError(t, db.Owner.Select(&tasks, `SELECT subject FROM finance_task WHERE kind = 'event_lost' AND closed_at IS NULL
		AND detail ->> 'type' = 'charge.succeeded' ORDER BY subject`))
	require.Equal(t, unapplied, tasks, "each that was not applied stays with a person, also one that waited for 90 days and was never set aside")

	states := map[string]string{}
	events, err := webhook.ListEvents(t.Context(), db.Server, webhook.EventFilter{EntityID: entity})
	require.NoError(t, err)
	require.Len(t, events, 16+1200)
	for _, e := range events {
		states[e.ID] = e.State + " " + e.Reason
		require.Equal(t, !(e.ID[len(e.ID)-2:] == "_0" || e.ID[len(e.ID)-2:] == "89") || e.ID[:4] == "many", e.Erased, e.ID)
	}
	for id, want := range map[string]string{
		"new_89": "waiting ", "parked_89": "parked why", "new_90": "set_aside payload erased", "parked_400": "set_aside why; payload erased",
		"set_aside_90": "set_aside why; payload erased", "done_400": "done ",
	} {
		require.Equal(t, want, states[id], id)
	}
	var whole int
	require.NoError(t, db.Server.Get(&whole, `SELECT count(*) FROM stripe_event WHERE payload_sha256 = sha256('who gave') AND type = 'charge.succeeded'`))
	require.Equal(t, 16+1200, whole)

	replayed, err := webhook.ReplaySetAside(t.Context(), db.Server, uuid.Nil)
	require.NoError(t, err)
	require.Equal(t, []string{"set_aside_0", "set_aside_89"}, replayed.PutBack)
	require.Len(t, replayed.Erased, 6, "left as they are")
	replayed, err = webhook.ReplayEvents(t.Context(), db.Server, uuid.New(), []string{"done_0"})
	require.NoError(t, err)
	require.Equal(t, webhook.Replayed{Unknown: []string{"done_0"}}, replayed, "another entity's")
	backlog, err := webhook.ReadBacklog(t.Context(), db.Server)
	require.NoError(t, err)
	require.Equal(t, 4, backlog.Waiting)
	require.Equal(t, 2, backlog.Parked)
	require.Equal(t, 6, backlog.SetAside)
	require.InDelta(t, 89*24+1, backlog.Oldest.Hours(), 0.1)
}
