package stripepay

import (
	"context"

	"github.com/stripe/stripe-go/v76"
)

// ForgetCustomer is part of privacy.CustomerDeleter: name, address and payment methods go, and nothing can be charged
// any more. Payments, and what donors typed on their pages, stay at Stripe: only its dashboard or a redaction job
// removes a person from them (https://docs.stripe.com/privacy/redaction).
func (s *Stripe) ForgetCustomer(ctx context.Context, entity, customer string) error {
	a, err := s.account(entity)
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
