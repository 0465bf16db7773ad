package recurring

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/giving/billing"
	"konbit/internal/giving/instalment"
	"konbit/internal/giving/plan"
)

// AwaitsConfirmation reports whether the plan's last payment failed because the donor's bank wants the donor to confirm
// it, and Stripe has a page for that. It has none for an outstanding invoice. While a payment is disputed, none is made.
func AwaitsConfirmation(ctx context.Context, q sqlx.QueryerContext, p plan.Plan) (bool, error) {
	if !p.Status.IsRunning() || p.DisputedSince != nil || p.FailingInvoice == nil || billing.DeclineReason(*p.FailingCode) != "asked" {
		return false, nil
	}
	outstanding, err := instalment.IsOutstanding(ctx, q, p.ID, *p.FailingInvoice)
	return err == nil && !outstanding, err
}

// ConfirmPayment returns the address of Stripe's page where the donor confirms the plan's last payment with their bank.
// The caller has verified that the plan is the visitor's. plan.ErrWrongStatus if there is nothing to confirm.
func (ps Plans) ConfirmPayment(ctx context.Context, p plan.Plan) (address string, err error) {
	awaits, err := AwaitsConfirmation(ctx, ps.DB, p)
	if err != nil {
		return "", err
	}
	if !awaits {
		return "", plan.ErrWrongStatus
	}
	e, err := org.EntityByID(ctx, ps.DB, p.EntityID)
	if err != nil {
		return "", err
	}
	address, err = ps.Billing.ConfirmationPage(ctx, e.Slug, *p.FailingInvoice)
	if err == nil && address == "" {
		err = plan.ErrWrongStatus
	}
	return address, err
}
