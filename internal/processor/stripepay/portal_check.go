package stripepay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stripe/stripe-go/v76"
)

// portalSettings says where a person finds the settings of Stripe's billing portal.
const portalSettings = "in Stripe's dashboard, Settings, Billing, Customer portal"

// CheckPortal reports what is wrong with an entity's billing portal at Stripe, where donors change their card:
//
//   - there must be one,
//   - it must accept a new payment method,
//   - it must offer nothing else, because a change there is not what our own pages say.
func (s *Stripe) CheckPortal(ctx context.Context, entitySlug string) error {
	a, err := s.account(entitySlug)
	if err != nil {
		return err
	}
	params := &stripe.BillingPortalConfigurationListParams{Active: stripe.Bool(true), IsDefault: stripe.Bool(true)}
	params.Context, params.Single = ctx, true
	list := a.api.BillingPortalConfigurations.List(params)
	if !list.Next() {
		if err := list.Err(); err != nil {
			return translate(err)
		}
		return fmt.Errorf("there is none, so that no donor can change a card: save it once, with payment methods alone, %s", portalSettings)
	}
	return checkPortalFeatures(list.BillingPortalConfiguration().Features)
}

func checkPortalFeatures(f *stripe.BillingPortalConfigurationFeatures) error {
	if f == nil {
		return errors.New("Stripe does not say what it offers")
	}
	more := map[string]bool{
		"cancelling":             f.SubscriptionCancel != nil && f.SubscriptionCancel.Enabled,
		"pausing":                f.SubscriptionPause != nil && f.SubscriptionPause.Enabled,
		"changing subscriptions": f.SubscriptionUpdate != nil && f.SubscriptionUpdate.Enabled,
		"changing who they are":  f.CustomerUpdate != nil && f.CustomerUpdate.Enabled,
	}
	var wrong []error
	if f.PaymentMethodUpdate == nil || !f.PaymentMethodUpdate.Enabled {
		wrong = append(wrong, fmt.Errorf("donors cannot change their card there: switch payment methods on, %s", portalSettings))
	}
	var offers []string
	for what, on := range more {
		if on {
			offers = append(offers, what)
		}
	}
	if slices.Sort(offers); len(offers) > 0 {
		wrong = append(wrong, fmt.Errorf("it offers donors %s, which they are to do on our own pages alone: switch that off, %s",
			strings.Join(offers, ", "), portalSettings))
	}
	return errors.Join(wrong...)
}
