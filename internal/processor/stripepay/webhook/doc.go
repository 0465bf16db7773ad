// Package webhook receives Stripe's webhooks and stores their events in the table stripe_event, which it owns.
//
// Inbox verifies a webhook, stores the event and answers; nothing else happens in the request. The stored payload is what
// Stripe sent, without the fields that name a person or a card: nothing here reads them, and an event that arrives after
// a person was erased would bring them back. event.Worker claims the stored events through stripepay.EventStore, which
// translates them, and stores the results:
//
//	new ──┬──────────────────────────── done
//	      ├── parked (waits for its donation or its charge; tried again after a growing delay)
//	      └── set_aside (five attempts failed; its reason is stored, the other events go on)
//
// Finance staff list events and replay them. Payloads are erased after Retention days. The package never calls Stripe
// and does not read what an event is about.
package webhook
