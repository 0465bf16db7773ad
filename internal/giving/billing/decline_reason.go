package billing

import (
	"slices"
)

// declineReasons groups Stripe's decline codes by what a donor can do (https://docs.stripe.com/declines/codes).
var declineReasons = map[string][]string{
	"funds":   {"insufficient_funds", "card_velocity_exceeded", "withdrawal_count_limit_exceeded", "balance_insufficient"},
	"expired": {"expired_card", "invalid_expiry_month", "invalid_expiry_year"},
	"lost":    {"lost_card", "stolen_card", "pickup_card", "restricted_card", "security_violation"},
	"closed": {"account_closed", "bank_account_closed", "no_account", "invalid_account", "account_frozen", "debit_not_authorized",
		"revocation_of_authorization", "revocation_of_all_authorizations", "stop_payment_order"},
	"asked": {"authentication_required", "authentication_not_handled", "payment_intent_authentication_failure"},
}

// DeclineReason returns the group of a decline code: funds, expired, lost, closed, asked, or refused for any other
// code. It returns an empty string if there is no code.
func DeclineReason(code string) string {
	if code == "" {
		return ""
	}
	for reason, codes := range declineReasons {
		if slices.Contains(codes, code) {
			return reason
		}
	}
	return "refused"
}

// permanentDeclines lists the decline codes for which a retry has the same result: the card or account is closed or was
// never valid (https://docs.stripe.com/declines/codes, https://docs.stripe.com/payments/ach-direct-debit#failures).
var permanentDeclines = []string{
	"lost_card", "stolen_card", "pickup_card", "restricted_card", "security_violation", "incorrect_number", "invalid_account",
	"account_closed", "bank_account_closed", "no_account", "account_frozen", "debit_not_authorized", "revocation_of_authorization",
	"revocation_of_all_authorizations", "stop_payment_order", "new_account_information_available",
}

// IsPermanentDecline reports whether every retry will be declined too.
func IsPermanentDecline(code string) bool { return slices.Contains(permanentDeclines, code) }
