package hooks_test

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/processor/stripepay/webhook"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// ping returns an event that has no effect.
func ping(id string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"object":"event","type":"ping","created":%d,"data":{"object":{}}}`, id, time.Now().Unix())
}

func stored(h *program.Program, id string) int {
	return h.Count(`SELECT count(*) FROM stripe_event WHERE id = $1`, id)
}

// TestOnlySignedWebhooksAreStored tries each way in which a signature can be wrong.
func TestOnlySignedWebhooksAreStored(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	secrets := program.WebhookSecrets["tsne"]
	for i, c := range []struct {
		name   string
		entity string
		sign   func(body []byte) string
		status int
	}{
		{"none", "tsne", func([]byte) string { return "" }, http.StatusBadRequest},
		{"no signature", "tsne", func([]byte) string { return "t=1,v1=" }, http.StatusBadRequest},
		{"wrong secret", "tsne", func(b []byte) string { return stripefake.Sign(time.Now(), b, "whsec_wrong") }, http.StatusBadRequest},
		{"another entity's secret", "tsne", func(b []byte) string { return stripefake.Sign(time.Now(), b, program.WebhookSecrets["aina"]...) }, http.StatusBadRequest},
		{"of another body", "tsne", func(b []byte) string { return stripefake.Sign(time.Now(), append([]byte(" "), b...), secrets...) }, http.StatusBadRequest},
		{"ten minutes old", "tsne", func(b []byte) string { return stripefake.Sign(time.Now().Add(-10*time.Minute), b, secrets...) }, http.StatusBadRequest},
		{"unknown entity", "nobody", func(b []byte) string { return stripefake.Sign(time.Now(), b, secrets...) }, http.StatusNotFound},
		{"the new secret", "tsne", func(b []byte) string { return stripefake.Sign(time.Now(), b, secrets[0]) }, http.StatusOK},
		{"the secret that it replaces", "tsne", func(b []byte) string { return stripefake.Sign(time.Now(), b, secrets[1]) }, http.StatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			id := fmt.Sprintf("evt_signature_%d", i)
			body := ping(id)
			assert.Equal(t, c.status, h.PostWebhook(c.entity, body, c.sign(body)))
			want := 0
			if c.status == http.StatusOK {
				want = 1
			}
			assert.Equal(t, want, stored(h, id))
		})
	}
}

func TestTheLargestBody(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	for name, c := range map[string]struct{ size, status, stored int }{
		"evt_largest":   {webhook.MaxPayload, http.StatusOK, 1},
		"evt_too_large": {webhook.MaxPayload + 1, http.StatusRequestEntityTooLarge, 0},
	} {
		t.Run(name, func(t *testing.T) {
			body := ping(name)
			body = append(body, bytes.Repeat([]byte(" "), c.size-len(body))...)
			assert.Equal(t, c.status, h.PostWebhook("tsne", body, stripefake.Sign(time.Now(), body, program.WebhookSecrets["tsne"]...)))
			assert.Equal(t, c.stored, stored(h, name))
		})
	}
}

// TestARepeatedWebhookIsStoredOnce: Stripe sends a webhook again, perhaps to two servers at the same time. Each is
// answered 200.
func TestARepeatedWebhookIsStoredOnce(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	body := ping("evt_repeated")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			assert.Equal(t, http.StatusOK, h.PostWebhook("tsne", body, stripefake.Sign(time.Now(), body, program.WebhookSecrets["tsne"]...)))
		})
	}
	all.Wait()
	assert.Equal(t, http.StatusOK, h.PostWebhook("tsne", body, stripefake.Sign(time.Now(), body, program.WebhookSecrets["tsne"]...)))
	assert.Equal(t, 1, stored(h, "evt_repeated"))
}

// TestNoWebhookIsAcknowledgedBeforeItsCommit: while the table is locked no event can be committed, so the answer is 503
// and Stripe sends the webhook again. After a 200 the event is in the table.
func TestNoWebhookIsAcknowledgedBeforeItsCommit(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	lock, err := h.DB.Owner.Beginx()
	require.NoError(t, err)
	defer lock.Rollback()
	_, err = lock.Exec(`LOCK TABLE stripe_event IN SHARE MODE`)
	require.NoError(t, err)
	body := ping("evt_commit")
	post := func() int {
		return h.PostWebhook("tsne", body, stripefake.Sign(time.Now(), body, program.WebhookSecrets["tsne"]...))
	}
	assert.Equal(t, http.StatusServiceUnavailable, post())
	assert.Zero(t, stored(h, "evt_commit"))
	require.NoError(t, lock.Rollback())
	assert.Equal(t, http.StatusOK, post())
	assert.Equal(t, 1, stored(h, "evt_commit"))
}
