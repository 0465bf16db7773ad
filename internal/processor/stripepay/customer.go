package stripepay

import (
	"context"
	"errors"
	"fmt"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/giving/billing"
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
	_, refused := a.api.Customers.Del(customer, params)
	if refused == nil {
		return nil
	}
	if err := translate(refused); !errors.Is(err, errMissing) {
		return err
	}
	c, err := customerOf(ctx, a, customer)
	if err == nil && !c.Deleted {
		return translate(refused)
	}
	return err
}

// customerOf reads a customer. Stripe also returns one that was deleted, so a customer that is missing belongs to another
// account: the error is billing.ErrWrongKey then. It is the same if the customer is not known.
func customerOf(ctx context.Context, a *account, customer string) (*stripe.Customer, error) {
	if customer == "" {
		return nil, billing.ErrWrongKey
	}
	params := &stripe.CustomerParams{}
	params.Context = ctx
	c, err := a.api.Customers.Get(customer, params)
	if err == nil {
		return c, nil
	}
	if err = translate(err); errors.Is(err, errMissing) {
		err = fmt.Errorf("%w: the customer is not there either", billing.ErrWrongKey) // not errMissing: the key is wrong
	}
	return nil, err
}
