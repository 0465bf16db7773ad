package stripepay

import (
	"context"

	"github.com/stripe/stripe-go/v76"
)

// ForgetCustomer deletes a customer at Stripe: name, address and cards go, and nothing can be charged any more. One that is gone is
// forgotten. Payments and what was typed on their pages stay at Stripe, where only its dashboard, or a redaction job, takes a person
// out of them (https://docs.stripe.com/privacy/redaction).
func (s *Stripe) ForgetCustomer(ctx context.Context, entity, customer string) error {
	a, err := s.accountWithTurn(ctx, entity)
	if err != nil {
		return err
	}
	params := &stripe.CustomerParams{}
	params.Context = ctx
	if _, err := a.api.Customers.Del(customer, params); err != nil && !isMissing(err) {
		return translate(err)
	}
	return nil
}
