package recurring

import "slices"

// letters names an event in words that letters know it by.
var emailKinds = map[string]string{
	eventPaymentFailed: "failing", eventFinished: "finished", eventGivenUp: "failed", eventCancelled: "cancelled", eventPaused: "paused",
	eventResumed: "resumed", eventSkipped: "skipped", eventChanged: "changed", eventCardUpdated: "mended", eventCardExpiring: "expiring",
	eventUpcoming: "upcoming",
}

// Letter is the kind of the event's letter; empty: it has none.
func (e Event) EmailKind() string { return emailKinds[e.Kind] }

// Reminds tells whether its letter says nothing but what comes as planned, and so is the donor's to stop.
func (e Event) IsReminder() bool { return e.Kind == eventUpcoming }

// NeedsCard tells whether its donor should give another card.
func (e Event) NeedsPaymentMethod() bool {
	return e.Kind == eventPaymentFailed || e.Kind == eventCardExpiring
}

// reasons groups Stripe's decline codes (https://docs.stripe.com/declines/codes) by what a donor can make of them.
var declineReasons = map[string][]string{
	"funds":   {"insufficient_funds", "card_velocity_exceeded", "withdrawal_count_limit_exceeded", "balance_insufficient"},
	"expired": {"expired_card", "invalid_expiry_month", "invalid_expiry_year"},
	"lost":    {"lost_card", "stolen_card", "pickup_card", "restricted_card", "security_violation"},
	"closed": {"account_closed", "bank_account_closed", "no_account", "invalid_account", "account_frozen", "debit_not_authorized",
		"revocation_of_authorization", "revocation_of_all_authorizations", "stop_payment_order"},
	"asked": {"authentication_required", "authentication_not_handled", "payment_intent_authentication_failure"},
}

// Why names the group of a decline code: funds, expired, lost, closed, asked, or refused for all others; empty for no code.
func DeclineReason(code string) string {
	if code == "" {
		return ""
	}
	for why, codes := range declineReasons {
		if slices.Contains(codes, code) {
			return why
		}
	}
	return "refused"
}
