package chaos

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

// bad is an event with a fault.
type bad struct {
	id     string
	body   []byte
	entity string // the entity whose address it is posted to
	status int    // the answer
	end    string // the state in which it ends, if it is accepted
}

const version = "2023-10-16" // the version of our library

// template describes what is wrong with an event, before its ids.
type template struct {
	version, kind, object string // object: %s is a unique id
	end                   string
}

// acceptedBadEvents are correctly signed bad events.
//   - An event that Konbit does not use is stored as done.
//   - An event that it uses and cannot parse fails five times and is stored as failed.
//   - A payment of an unknown gift is parked, because the gift's row may still be written, and finance gets
//     a task.
var acceptedBadEvents = []template{
	{version, "invented.by.stripe.tomorrow", `{"id": "new_%s", "object": "new"}`, "done"},
	{version, "customer.created", `null`, "done"},
	{version, "checkout.session.completed", `{"id": "cs_%s", "object": "checkout.session", "metadata": null}`, "done"},
	{version, "charge.succeeded", `null`, "set_aside"},
	{version, "charge.dispute.closed", `{"id": null, "object": "dispute"}`, "set_aside"},
	{version, "charge.succeeded", `{"id": "ch_%s", "object": "charge", "status": "succeeded", "paid": true, "captured": true, "amount_captured": null, "currency": null}`, "set_aside"},
	{version, "charge.succeeded", `{"id": "ch_%s", "object": "charge", "amount": "twenty dollars"}`, "set_aside"},
	{version, "charge.succeeded", `{"id": "ch_%s\u0000", "object": "charge", "status": "succeeded", "paid": true, "captured": true, "amount_captured": 100, "currency": "usd", "created": 1700000000}`, "set_aside"},
	{"2031-01-01", "charge.succeeded", `{"id": "ch_%s", "object": "charge"}`, "set_aside"},
	{"2031-01-01", "charge.dispute.closed", `{"id": "dp_%s", "object": "dispute"}`, "set_aside"},
	{version, "charge.succeeded", `{"id": "ch_%s", "object": "charge", "status": "succeeded", "paid": true, "captured": true, "amount_captured": 100, "currency": "usd", "created": 1700000000,
		"metadata": {"konbit_donation": "0197a1f0-0000-7000-8000-000000000000"}}`, "parked"},
}

// invalidEvents are bodies that the endpoint refuses although they are signed: not an event, or not for this account.
var invalidEvents = []struct {
	door, body string // body: %s is an id
	status     int
}{
	{tsne, `{"id": "evt_%s", "pad": "` + strings.Repeat("x", 1<<20) + `"}`, http.StatusRequestEntityTooLarge},
	{tsne, `{"id": "evt_%s", "object": "eve`, http.StatusBadRequest},
	{tsne, `[{"id": "evt_%s"}]`, http.StatusBadRequest},
	{tsne, `{"id": "ch_%s", "object": "charge", "type": "charge.succeeded"}`, http.StatusBadRequest},
	{tsne, `{"id": "evt_%s\u0000", "object": "event", "type": "charge.succeeded"}`, http.StatusBadRequest},
	{tsne, `{"id": "evt_%s", "object": "event", "type": "charge.succeeded", "created": 9000000000000000}`, http.StatusBadRequest},
	{tsne, `{"id": "evt_%s", "object": "event", "type": "charge.succeeded", "livemode": true}`, http.StatusBadRequest},
	{"grassroots-international", `{"id": "evt_%s", "object": "event", "type": "charge.succeeded"}`, http.StatusBadRequest}, // signed for another account
	{"nobody", `{"id": "evt_%s", "object": "event", "type": "charge.succeeded"}`, http.StatusNotFound},
}

// makeBadEvents returns enough of each kind: one event in two hundred is bad.
func (p *poison) makeBadEvents() (all []bad) {
	kinds := len(acceptedBadEvents) + len(invalidEvents)
	for range max(1, (p.run.Count/200+kinds-1)/kinds) {
		for _, k := range acceptedBadEvents {
			id := "evt_" + uuid.NewString()
			body := fmt.Sprintf(`{"id": %q, "object": "event", "api_version": %q, "created": %d, "type": %q, "livemode": false, "data": {"object": %s}}`,
				id, k.version, time.Now().Unix(), k.kind, strings.ReplaceAll(k.object, "%s", uuid.NewString()))
			all = append(all, bad{id, []byte(body), tsne, http.StatusOK, k.end})
		}
		for _, k := range invalidEvents {
			id := uuid.NewString()
			all = append(all, bad{id, []byte(strings.ReplaceAll(k.body, "%s", id)), k.door, k.status, ""})
		}
	}
	return all
}

// checkBadEvents waits until each bad event is in the state in which its kind ends, and checks its attempts. The
// short form does not wait between attempts.
func (p *poison) checkBadEvents() {
	var now map[string]string
	testkit.Eventually(p.t, 4*time.Minute, func() error {
		if p.run.Count < 1000 {
			p.s.MakeParkedDue()
		}
		var rows []struct{ ID, State string }
		now = map[string]string{}
		if err := p.s.DB.Owner.Select(&rows, `SELECT id, state FROM stripe_event`); err != nil {
			return err
		}
		for _, r := range rows {
			now[r.ID] = r.State
		}
		for id, end := range p.bad {
			if now[id] != end {
				return fmt.Errorf("event %s is %q, not %q", id, now[id], end)
			}
		}
		return nil
	})
	total := len(p.bad) - len(p.ours) + p.ourEvents
	for _, events := range p.goodEvents {
		total += len(events)
	}
	require.Len(p.t, now, total, "what was refused at the door left nothing")
	var odd []string
	require.NoError(p.t, p.s.DB.Owner.Select(&odd, `SELECT format('%s %s: %s failures, %s', id, type, failures, reason) FROM stripe_event
		WHERE state = 'set_aside' AND failures <> $1`, mostTries))
	require.Empty(p.t, odd)
	require.Zero(p.t, p.count(`stripe_event WHERE state IN ('parked', 'set_aside') AND coalesce(reason, '') = ''`))
}
