package webhook_test

import (
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/processor/event"
	"konbit/internal/processor/stripepay/webhook"
	"konbit/internal/workshop/testkit"
)

// TestAMarkOnAnEventLeavesItsPayload: the mark of the worker writes the event's row again, and not its payload.
func TestAMarkOnAnEventLeavesItsPayload(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	entity := uuid.New()
	db.Owner.MustExec(`INSERT INTO legal_entity (id, slug, legal_name, ein, address, timezone, currency, mail_from, created_at, updated_at)
		VALUES ($1, 'tsne', 'TSNE', '12-3456789', '{}', 'America/New_York', 'USD', 'a@b.example', now(), now())`, entity)
	const n, length = 100, 3000 // a charge has as many bytes, and half as many when PostgreSQL has compressed it
	for i := range n {
		payload := make([]byte, length)
		_, _ = rand.Read(payload[length/2:])
		db.Owner.MustExec(`INSERT INTO stripe_event (entity_id, id, type, api_version, created_at, payload, payload_sha256)
			VALUES ($1, $2, 'charge.succeeded', '2023-10-16', now(), $3, sha256($3))`, entity, fmt.Sprint("evt_", i), payload)
	}
	require.NoError(t, pg.InTx(t.Context(), db.Server, func(tx *sqlx.Tx) error {
		stored, err := webhook.ClaimDueTx(t.Context(), tx, n)
		require.NoError(t, err)
		require.Len(t, stored, n)
		events, results := make([]event.Event, n), make([]event.Result, n)
		for i, s := range stored {
			require.Len(t, s.Payload, length)
			events[i], results[i] = event.Event{EntityID: s.EntityID, ID: s.ID}, event.Result{State: event.Parked, Reason: "waits", Delay: time.Hour}
		}
		return webhook.FinishTx(t.Context(), tx, events, results)
	}))
	var rows int
	require.NoError(t, db.Owner.Get(&rows, `SELECT pg_relation_size('stripe_event')`))
	require.Less(t, rows, n*length/2, "the rows without their payloads")
}
