package webhook_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// receiveTogether delays the inbox by a lock on its table until that many webhooks wait behind the first. It returns
// the status of each answer. The i-th event has the i-th id.
func receiveTogether(t *testing.T, h *program.Program, e program.Event, ids []string) []int {
	t.Helper()
	lock := h.DB.Owner.MustBegin()
	lock.MustExec(`LOCK TABLE stripe_event IN SHARE MODE`)
	statuses := make([]int, len(ids))
	var all sync.WaitGroup
	for i, id := range ids {
		body := bytes.Replace(e.Body, []byte(`"`+e.ID+`"`), []byte(`"`+id+`"`), 1)
		all.Go(func() {
			statuses[i] = h.PostWebhook("tsne", body, stripefake.Sign(time.Now(), body, program.WebhookSecrets["tsne"][0]))
		})
		if i == 0 {
			testkit.Eventually(t, 10*time.Second, func() error {
				var waits int
				if err := h.DB.Owner.Get(&waits, `SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'stripe_event'::regclass`); err != nil || waits > 0 {
					return err
				}
				return fmt.Errorf("nobody waits for the table")
			})
		}
	}
	time.Sleep(200 * time.Millisecond) // the others wait by now; any that do not are committed in a batch of their own
	require.NoError(t, lock.Commit())
	all.Wait()
	return statuses
}

func TestWebhooksThatWaitAreCommittedTogether(t *testing.T) {
	t.Parallel()
	h, e := paid(t)
	ids := make([]string, 40)
	for i := range ids {
		ids[i] = fmt.Sprintf("evt_%02d", i%39) // one of them arrives twice
	}
	for i, status := range receiveTogether(t, h, e, ids) {
		assert.Equal(t, http.StatusOK, status, ids[i])
	}
	assert.Equal(t, 39, stored(h))
	assert.Less(t, h.Count(`SELECT count(DISTINCT xmin::text) FROM stripe_event`), 10, "commits")
}

// TestOneBadWebhookFailsAlone: PostgreSQL cannot store a text with a NUL.
func TestOneBadWebhookFailsAlone(t *testing.T) {
	t.Parallel()
	h, e := paid(t)
	for i, status := range receiveTogether(t, h, e, []string{"evt_a", "evt_b", `evt_\u0000`, "evt_c", "evt_d"}) {
		assert.Equal(t, i == 2, status != http.StatusOK, "%d is answered %d", i, status)
	}
	assert.Equal(t, 4, stored(h))
}

// TestAnExpiredWebhookDelaysNoOther: one request ends while it waits; those before and after it are stored.
func TestAnExpiredWebhookDelaysNoOther(t *testing.T) {
	t.Parallel()
	h, e := paid(t)
	lock := h.DB.Owner.MustBegin()
	lock.MustExec(`LOCK TABLE stripe_event IN SHARE MODE`)
	catalog, err := h.Catalog.Current(t.Context())
	require.NoError(t, err)
	entity, err := catalog.Entity("tsne")
	require.NoError(t, err)
	take := func(ctx context.Context, id string) error {
		body := bytes.Replace(e.Body, []byte(`"`+e.ID+`"`), []byte(`"`+id+`"`), 1)
		return h.Inbox.Receive(ctx, entity.ID, "tsne", body, stripefake.Sign(time.Now(), body, program.WebhookSecrets["tsne"][0]))
	}
	ends := make(chan error, 3)
	go func() { ends <- take(t.Context(), "evt_first") }()
	time.Sleep(100 * time.Millisecond)
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, take(short, "evt_left"), context.DeadlineExceeded)
	go func() { ends <- take(t.Context(), "evt_behind") }()
	time.Sleep(100 * time.Millisecond)
	require.NoError(t, lock.Commit())
	require.NoError(t, <-ends)
	require.NoError(t, <-ends)
	require.NoError(t, take(t.Context(), "evt_later"))
	assert.Equal(t, 3, stored(h))
}
