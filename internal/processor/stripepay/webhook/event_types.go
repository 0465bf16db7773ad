package webhook

import "slices"

// handledTypes are the types of events that the package stripepay reads, sorted: a webhook endpoint must send them. A
// test of that package compares the list with its code.
var handledTypes = []string{
	"charge.dispute.closed",
	"charge.dispute.created",
	"charge.dispute.funds_reinstated",
	"charge.dispute.funds_withdrawn",
	"charge.dispute.updated",
	"charge.failed",
	"charge.refund.updated",
	"charge.refunded",
	"charge.succeeded",
	"checkout.session.async_payment_failed",
	"checkout.session.async_payment_succeeded",
	"checkout.session.completed",
	"checkout.session.expired",
	"customer.subscription.created",
	"customer.subscription.deleted",
	"customer.subscription.paused",
	"customer.subscription.resumed",
	"customer.subscription.updated",
	"customer.updated",
	"invoice.marked_uncollectible",
	"invoice.paid",
	"invoice.payment_action_required",
	"invoice.payment_failed",
	"invoice.voided",
	"payment_intent.payment_failed",
	"payment_intent.succeeded",
	"payment_method.automatically_updated",
	"payment_method.updated",
	"payout.canceled",
	"payout.created",
	"payout.failed",
	"payout.paid",
	"refund.created",
	"refund.updated",
}

// HandledTypes returns the types of events that a webhook endpoint must send.
func HandledTypes() []string { return slices.Clone(handledTypes) }

// IsHandled reports whether events of a type are read.
func IsHandled(kind string) bool { return slices.Contains(handledTypes, kind) }
