// Package stripefake is a stateful stand-in for Stripe's API, version 2023-10-16, for the demo and the tests.
//
// It speaks HTTP only and uses the standard library only, so its wire shapes cannot borrow a mistake from our
// adapter: what stripe-go sends arrives here as the form it really sends, and what goes back is JSON written down
// from Stripe's reference. Sources: docs.stripe.com/api, /idempotency, /webhooks, /testing, /expand.
//
// It owns: accounts by secret key; customers, their cards and their portal; Checkout Sessions with their hosted page;
// subscriptions, their schedules and invoices; payment and setup intents, charges, refunds, disputes, payouts, balance
// transactions, webhook endpoints and events; the idempotency store; a clock that can be moved; a plan of faults; the
// delivery of signed webhooks.
//
//	session   open ──pay──▶ complete (paid)
//	            │  └─bank─▶ complete (unpaid) ──4 days──▶ async_payment_succeeded │ async_payment_failed
//	            ├─expires_at, /expire─▶ expired
//	intent    requires_payment_method ◀─declined─┐
//	            └─▶ (requires_action) ─▶ succeeded │ processing ─▶ succeeded
//	plan      active ─renewed─▶ active ─declined─▶ past_due ─▶ active │ canceled (Options.AfterRetries)
//	            ├─trial_end moved─▶ trialing ─▶ active
//	            └─canceled, its period or its schedule's last phase over─▶ canceled
//	schedule  active ─last phase over─▶ completed │ released; /release ─▶ released; /cancel ─▶ canceled
//	invoice   draft ─1 h─▶ open ─▶ paid │ void │ uncollectible; declined: tried again after 3, 7 and 11 days
//	dispute   (warning_needs_response ─▶) needs_response ─▶ won │ lost
//	payout    in_transit ─▶ paid (at once) ─▶ failed
//	event     pending_webhooks > 0 ──2xx of every endpoint──▶ 0; tried for three days
//
// Of billing it leaves out what Konbit never asks for: proration (what would prorate is refused), coupons, taxes, usage,
// incomplete subscriptions, schedules that begin a subscription, bank debits kept for later.
//
// Everything an account holds is an object in Stripe's own shape on the shelf of its kind, so a new kind needs its
// rules and nothing else. One lock guards it all; no call waits inside it.
//
// It never takes a real key or a real card, never sends anything but webhooks, and never ships in the server.
// Amounts are int64 in the minor units of Stripe's table; times are Unix seconds of the stand-in's own clock, but a
// signature's t is always the wall's.
package stripefake

// APIVersion is the version whose shapes the stand-in speaks, whatever a request asks for.
const APIVersion = "2023-10-16"
