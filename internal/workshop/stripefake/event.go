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

// eventLife is how long events can be listed, in seconds of the stand-in's clock.
const eventLife = 30 * day

// emit stores an event with the object as it is now, and queues a delivery to every endpoint that subscribes
// to the type. The caller holds the lock.
func (t *transaction) emit(kind string, o, before object) object {
	raw, _ := json.Marshal(t.shown(o)) // no error: objects hold only values that marshal
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
	if t.s.history.hides(t.now) {
		return ev // Tell sends it
	}
	for _, endpoint := range waiting {
		t.s.sender.send(t.a, ev.str("id"), endpoint)
	}
	return ev
}

// wants reports whether an enabled endpoint subscribes to a type of event.
func wants(endpoint object, kind string) bool {
	enabled, _ := endpoint["enabled_events"].([]any)
	return endpoint.str("status") == "enabled" && (slices.Contains(enabled, any("*")) || slices.Contains(enabled, any(kind)))
}

// acknowledged records that an endpoint has answered 2xx. The caller holds the lock.
func (a *account) acknowledged(event, endpoint string) {
	remaining := slices.DeleteFunc(a.Pending[event], func(id string) bool { return id == endpoint })
	if a.Pending[event] = remaining; len(remaining) == 0 {
		delete(a.Pending, event)
	}
	a.get("event", event)["pending_webhooks"] = int64(len(remaining))
}

// listEvents lists events by type (patterns like "charge.*" too) and by whether every endpoint has
// acknowledged the event.
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
