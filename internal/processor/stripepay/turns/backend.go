package turns

import (
	"context"
	"errors"
	"net/http"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/form"
)

// Backend returns a backend of Stripe's library each of whose calls waits for its turn, every page of a list too. The
// wait ends with the context of the call's parameters.
func Backend(of stripe.Backend, q *Queue) stripe.Backend { return backend{of, q} }

type backend struct {
	stripe.Backend
	queue *Queue
}

// Call is part of stripe.Backend.
func (b backend) Call(method, path, key string, params stripe.ParamsContainer, v stripe.LastResponseSetter) error {
	var common *stripe.Params
	if params != nil {
		common = params.GetParams()
	}
	return b.inTurn(common, func() error { return b.Backend.Call(method, path, key, params, v) })
}

// CallRaw is part of stripe.Backend; the library calls it for lists.
func (b backend) CallRaw(method, path, key string, body *form.Values, params *stripe.Params, v stripe.LastResponseSetter) error {
	return b.inTurn(params, func() error { return b.Backend.CallRaw(method, path, key, body, params, v) })
}

// inTurn waits for a turn, and makes the call.
func (b backend) inTurn(params *stripe.Params, call func() error) error {
	ctx := context.Background()
	if params != nil && params.Context != nil {
		ctx = params.Context
	}
	if err := b.queue.Wait(ctx); err != nil {
		return err
	}
	err := call()
	var refused *stripe.Error
	if errors.As(err, &refused) && refused.HTTPStatusCode == http.StatusTooManyRequests {
		b.queue.SlowDown()
	}
	return err
}
