// Package stripefake is a stateful stand-in for Stripe's API, version 2023-10-16, for the demo and the tests.
//
// It speaks only HTTP and uses only the standard library, so that its JSON cannot repeat a mistake of our
// adapter: it parses the forms that stripe-go really sends, and its answers follow Stripe's reference.
// Sources: docs.stripe.com/api, /idempotency, /webhooks, /testing, /expand.
//
// It owns: accounts by secret key; customers, their cards and their portal; Checkout Sessions with their hosted page;
// subscriptions, their schedules and invoices; payment and setup intents, charges, refunds, disputes, payouts, balance
// transactions, webhook endpoints and events; the idempotency store; a clock that can be moved; a history with dates in
// the past; a plan of faults; the delivery of signed webhooks.
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
//	history   none ─▶ making (nothing is visible) ─▶ telling ─▶ told
//	event     pending_webhooks > 0 ──2xx of every endpoint──▶ 0; tried for three days
//
// It leaves out the parts of billing that Konbit never uses: proration (a request that would prorate is
// refused; only ChangePrice prorates, as the dashboard does), coupons, taxes, usage, incomplete subscriptions, schedules that begin a subscription, bank debits
// saved for later.
//
// Every object of an account is stored in Stripe's own shape in the collection of its kind, so a new kind
// needs only its rules. One lock guards all objects; a call that holds it waits for nothing but the journal of its own
// change, if the stand-in has a state file.
//
// It never accepts a real key or a real card, never sends anything but webhooks, and is never part of the
// server. Amounts are int64 in the minor units of Stripe's table. Times are Unix seconds of the stand-in's
// own clock, except the t of a webhook signature, which is wall-clock time.
package stripefake

// APIVersion is the only version the stand-in speaks; it ignores the version that a request asks for.
const APIVersion = "2023-10-16"
