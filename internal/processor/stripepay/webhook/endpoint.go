package webhook

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stripe/stripe-go/v76"
)

// CheckVersion reports an error if an endpoint has another version of the API. Stripe does not let anyone change it.
func CheckVersion(e *stripe.WebhookEndpoint) error {
	if e.APIVersion == stripe.APIVersion {
		return nil
	}
	has := e.APIVersion
	if has == "" {
		has = "the account's own"
	}
	return fmt.Errorf("%s sends API version %s, not %s, which cannot be changed: delete it in Stripe's dashboard and run konbit stripe endpoint",
		e.ID, has, stripe.APIVersion)
}

// CheckEvents reports an error if an endpoint does not send exactly the handled events. If some are missing, donations
// are not settled in time; if there are more, as with "*", they are stored for nothing.
func CheckEvents(e *stripe.WebhookEndpoint) error {
	var missing, needless []string
	for _, t := range handledTypes {
		if !slices.Contains(e.EnabledEvents, t) {
			missing = append(missing, t)
		}
	}
	for _, t := range e.EnabledEvents {
		if !slices.Contains(handledTypes, t) {
			needless = append(needless, t)
		}
	}
	switch {
	case slices.Contains(e.EnabledEvents, "*"):
		return fmt.Errorf("%s sends every type of event there is", e.ID)
	case len(missing) > 0:
		return fmt.Errorf("%s does not send %s", e.ID, strings.Join(missing, ", "))
	case len(needless) > 0:
		return fmt.Errorf("%s sends %s, which are not used", e.ID, strings.Join(needless, ", "))
	}
	return nil
}
