package stripefake

import (
	"encoding/json"
	"path"
	"slices"
)

var eventRoutes = []route{
	{"GET /v1/events", listing("type", "types.*", "delivery_success"), listEvents},
	{"GET /v1/events/{id}", nil, retrieve("event", "event")},
}

// Events are kept for 30 days of the stand-in's clock.
const eventLife = 30 * day

// emit writes down that something happened to an object, as it is now, and has every endpoint told that asked for
// this type. The lock is held.
func (t *transaction) emit(kind string, o, before object) object {
	raw, _ := json.Marshal(t.shown(o)) // objects hold only what marshals
	data := object{"object": json.RawMessage(raw)}
	if before != nil {
		data["previous_attributes"] = before
	}
	ev := object{
		"id": t.s.newID("evt_", 24), "object": "event", "api_version": APIVersion, "created": t.now, "data": data, "livemode": false,
		"pending_webhooks": int64(0), "request": object{"id": orNull(t.request), "idempotency_key": orNull(t.key)}, "type": kind,
	}
	t.a.put(ev)
	t.s.dirty = true
	for _, endpoint := range t.a.endpoints() {
		if wants(endpoint, kind) {
			t.a.Pending[ev.str("id")] = append(t.a.Pending[ev.str("id")], endpoint.str("id"))
		}
	}
	waiting := t.a.Pending[ev.str("id")]
	ev["pending_webhooks"] = int64(len(waiting))
	for _, endpoint := range waiting {
		t.s.courier.send(t.a, ev.str("id"), endpoint)
	}
	return ev
}

// wants tells whether an endpoint asked for a type of event and is not disabled.
func wants(endpoint object, kind string) bool {
	enabled, _ := endpoint["enabled_events"].([]any)
	return endpoint.str("status") == "enabled" && (slices.Contains(enabled, any("*")) || slices.Contains(enabled, any(kind)))
}

// acknowledged notes that an endpoint has answered 2xx. The lock is held.
func (a *account) acknowledged(event, endpoint string) {
	left := slices.DeleteFunc(a.Pending[event], func(id string) bool { return id == endpoint })
	if a.Pending[event] = left; len(left) == 0 {
		delete(a.Pending, event)
	}
	a.get("event", event)["pending_webhooks"] = int64(len(left))
}

// listEvents lists by type ("charge.*" too) and by whether every endpoint has taken the event.
func listEvents(c *call) (any, error) {
	types := c.p.list("types")
	if one := c.p.str("type"); one != "" {
		types = append(types, one)
	}
	return c.page("event", func(ev object) bool {
		if ev.num("created") < c.now-eventLife {
			return false
		}
		if c.p.has("delivery_success") && c.p.flag("delivery_success") != (ev.num("pending_webhooks") == 0) {
			return false
		}
		return len(types) == 0 || slices.ContainsFunc(types, func(pattern string) bool {
			ok, err := path.Match(pattern, ev.str("type"))
			return err == nil && ok
		})
	})
}
