package webhook_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/processor/stripepay/webhook"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// paid returns a program with one paid donation, and the event of its charge.
func paid(t *testing.T) (*program.Program, program.Event) {
	t.Helper()
	h := program.New(t, program.Options{})
	d := h.StartedGift(program.ValidForm())
	h.Pay(d)
	return h, h.EventOf(d, "charge.succeeded")
}

func stored(h *program.Program) int { return h.Count(`SELECT count(*) FROM stripe_event`) }

func TestForgeriesLeaveNothing(t *testing.T) {
	t.Parallel()
	h, e := paid(t)
	sign := func(body []byte, off time.Duration, secrets ...string) string {
		return stripefake.Sign(time.Now().Add(off), body, secrets...)
	}
	ours := program.WebhookSecrets["tsne"]
	good := sign(e.Body, 0, ours[0])
	changed := bytes.Replace(e.Body, []byte(`"charge.succeeded"`), []byte(`"charge.succeedee"`), 1)
	var parsed any
	require.NoError(t, json.Unmarshal(e.Body, &parsed))
	again, err := json.MarshalIndent(parsed, "", " ")
	require.NoError(t, err)
	live := h.AlterEvent(e, func(event, _ map[string]any) { event["livemode"] = true }).Body
	old := sign(e.Body, -time.Hour, ours[0])
	_, oldRest, _ := strings.Cut(old, ",")
	now, _, _ := strings.Cut(good, ",")
	unfit := func(field string, value any) (body []byte, signature string) {
		body = h.AlterEvent(e, func(event, _ map[string]any) { event[field] = value }).Body
		return body, sign(body, 0, ours[0])
	}
	for name, value := range map[string]any{"created": 9e15, "type": "charge.succeeded\x00", "id": strings.Repeat("x", 256), "api_version": "\x00"} {
		t.Run(name, func(t *testing.T) {
			body, signature := unfit(name, value)
			assert.Equal(t, http.StatusBadRequest, h.PostWebhook("tsne", body, signature), "%s the inbox cannot hold", name)
		})
	}
	for name, test := range map[string]struct {
		entity    string
		body      []byte
		signature string
		want      int
	}{
		"no signature":           {"tsne", e.Body, "", http.StatusBadRequest},
		"rubbish":                {"tsne", e.Body, "rubbish", http.StatusBadRequest},
		"no date":                {"tsne", e.Body, oldRest, http.StatusBadRequest},
		"date that is no number": {"tsne", e.Body, "t=x," + oldRest, http.StatusBadRequest},
		"another secret":         {"tsne", e.Body, sign(e.Body, 0, "whsec_other"), http.StatusBadRequest},
		"empty secret":           {"tsne", e.Body, sign(e.Body, 0, ""), http.StatusBadRequest},
		"another entity's":       {"tsne", e.Body, sign(e.Body, 0, program.WebhookSecrets["aina"]...), http.StatusBadRequest},
		"at another entity":      {"aina", e.Body, good, http.StatusBadRequest},
		"no such entity":         {"nobody", e.Body, good, http.StatusNotFound},
		"a changed byte":         {"tsne", changed, good, http.StatusBadRequest},
		"serialised again":       {"tsne", again, good, http.StatusBadRequest},
		"301 s old":              {"tsne", e.Body, sign(e.Body, -301*time.Second, ours[0]), http.StatusBadRequest},
		"302 s ahead":            {"tsne", e.Body, sign(e.Body, 302*time.Second, ours[0]), http.StatusBadRequest},
		"an hour old":            {"tsne", e.Body, old, http.StatusBadRequest},
		"fresh date before old":  {"tsne", e.Body, now + "," + old, http.StatusBadRequest},
		"fresh date after old":   {"tsne", e.Body, old + "," + now, http.StatusBadRequest},
		"live among test":        {"tsne", live, sign(live, 0, ours[0]), http.StatusBadRequest},
		"no event":               {"tsne", []byte(`{"object":"charge","id":"ch_1"}`), sign([]byte(`{"object":"charge","id":"ch_1"}`), 0, ours[0]), http.StatusBadRequest},
		"no JSON":                {"tsne", []byte("no"), sign([]byte("no"), 0, ours[0]), http.StatusBadRequest},
		"too large":              {"tsne", bytes.Repeat([]byte("x"), webhook.MaxPayload+1), good, http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, h.PostWebhook(test.entity, test.body, test.signature))
		})
	}
	assert.Zero(t, stored(h))
}

func TestGoodWebhooksAreTaken(t *testing.T) {
	t.Parallel()
	h, e := paid(t)
	for name, signature := range map[string]string{
		"by the new secret": stripefake.Sign(time.Now(), e.Body, program.WebhookSecrets["tsne"][0]),
		"by the old secret": stripefake.Sign(time.Now(), e.Body, program.WebhookSecrets["tsne"][1]),
		"by both":           stripefake.Sign(time.Now(), e.Body, program.WebhookSecrets["tsne"]...),
		"298 s old":         stripefake.Sign(time.Now().Add(-298*time.Second), e.Body, program.WebhookSecrets["tsne"]...),
		"298 s ahead":       stripefake.Sign(time.Now().Add(298*time.Second), e.Body, program.WebhookSecrets["tsne"]...),
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, http.StatusOK, h.PostWebhook("tsne", e.Body, signature))
		})
	}
	assert.Equal(t, 1, stored(h), "one event, however often")
	var stored []byte
	require.NoError(t, h.DB.Owner.Get(&stored, `SELECT payload FROM stripe_event`))
	assert.Contains(t, string(e.Body), "ana@example.org")
	assert.NotContains(t, string(stored), "@", "without what names a person")
	var event struct {
		ID   string
		Data struct {
			Object struct {
				ID       string
				Amount   int64
				Metadata map[string]string
			}
		}
	}
	require.NoError(t, json.Unmarshal(stored, &event))
	assert.Equal(t, e.ID, event.ID)
	assert.Equal(t, int64(2000), event.Data.Object.Amount)
	assert.NotEmpty(t, event.Data.Object.Metadata["konbit_donation"])
	assert.Equal(t, 1, h.Count(`SELECT count(*) FROM stripe_event WHERE payload_sha256 = sha256($1)`, e.Body), "the hash of what Stripe sent")

	// An event of an unknown type is stored and done.
	unknown := h.AlterEvent(e, func(event, _ map[string]any) { event["type"] = "issuing.card.painted" })
	h.Deliver(unknown)
	h.DrainAll()
	assert.Equal(t, []string{"done"}, h.Lines(`SELECT state FROM stripe_event WHERE id = $1`, unknown.ID))
}

// TestAgeToTheSecond moves the clock of the inbox, so that ±300 s are tested exactly.
func TestAgeToTheSecond(t *testing.T) {
	t.Parallel()
	h, e := paid(t)
	signed := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	entity, err := h.CurrentCatalog().Entity("tsne")
	require.NoError(t, err)
	for off, ok := range map[time.Duration]bool{0: true, 299: true, 300: true, 301: false, -299: true, -300: true, -301: false} {
		t.Run(fmt.Sprintf("%d s", off), func(t *testing.T) {
			in := h.Inbox
			in.Now = func() time.Time { return signed.Add(off * time.Second) }
			err := in.Receive(t.Context(), entity.ID, "tsne", e.Body, stripefake.Sign(signed, e.Body, program.WebhookSecrets["tsne"]...))
			assert.Equal(t, ok, err == nil, "%d s: %v", off, err)
		})
	}
}

func TestNo200WithoutCommit(t *testing.T) {
	t.Parallel()
	h, e := paid(t)
	signature := stripefake.Sign(time.Now(), e.Body, program.WebhookSecrets["tsne"]...)
	h.CurrentCatalog() // the catalog is cached, so only the inbox waits for the lock
	h.Exec(`CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = '53100'; END $$`)
	h.Exec(`CREATE TRIGGER broken AFTER INSERT ON stripe_event FOR EACH ROW EXECUTE FUNCTION broken()`)
	assert.GreaterOrEqual(t, h.PostWebhook("tsne", e.Body, signature), 500)
	h.Exec(`DROP TRIGGER broken ON stripe_event`)
	h.Exec(`CREATE CONSTRAINT TRIGGER broken AFTER INSERT ON stripe_event DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION broken()`)
	assert.GreaterOrEqual(t, h.PostWebhook("tsne", e.Body, signature), 500, "refused at commit")
	h.Exec(`DROP TRIGGER broken ON stripe_event`)
	h.Exec(`CREATE FUNCTION killed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`)
	h.Exec(`CREATE CONSTRAINT TRIGGER killed AFTER INSERT ON stripe_event DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION killed()`)
	assert.GreaterOrEqual(t, h.PostWebhook("tsne", e.Body, signature), 500, "the connection died in the commit")
	h.Exec(`DROP TRIGGER killed ON stripe_event`)
	assert.Zero(t, stored(h))
	assert.Equal(t, http.StatusOK, h.PostWebhook("tsne", e.Body, signature))
	assert.Equal(t, 1, stored(h))
}
