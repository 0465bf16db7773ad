package remote

import (
	"strings"

	"github.com/stripe/stripe-go/v76"
)

// Refusal returns what Stripe's refusal says, as type, code, field and message, without the values that the message quotes:
// they may be what a donor typed.
func Refusal(refused *stripe.Error) string {
	parts := []string{string(refused.Type), string(refused.Code), refused.Param}
	if !strings.Contains(refused.Msg, "@") {
		message, _, _ := strings.Cut(refused.Msg, ":")
		if i := strings.IndexAny(message, "'\"`"); i >= 0 {
			message = message[:i]
		}
		parts = append(parts, message)
	}
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}
