package stripepay

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stripe/stripe-go/v76"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/money"
	"konbit/internal/processor/dispute"
	"konbit/internal/processor/event"
	"konbit/internal/processor/settlement"
	"konbit/internal/processor/stripepay/refunds"
	"konbit/internal/processor/stripepay/remote"
	"konbit/internal/processor/stripepay/turns"
)

// fetchFact reads at Stripe, with the pinned version of the API, what an event only hints at:
//
//	a dispute sent in another API version   the dispute
//	a charge whose invoice is unknown       the charge with its invoice
//	an expected charge, by an invoice       the invoice and the charge that paid it; the invoice alone if none did
//	an expected charge, by another id       the charge
//
// It returns the zero Fact if there is nothing to read.
func (s *Stripe) fetchFact(ctx context.Context, entity org.LegalEntity, e event.Event) (event.Fact, error) {
	hint := e.Fact
	if hint.Movement != nil && hint.Movement.Refetch {
		dispute, err := s.fetchDispute(ctx, entity.Slug, hint.Movement.DisputeRef)
		if err != nil {
			return event.Fact{}, err
		}
		return event.Fact{Movement: movementOf(entity.ID, dispute, e.CreatedAt)}, nil
	}
	want := hint.Expected
	switch {
	case hint.Charge != nil && hint.Charge.Invoice != nil: // its invoice is unknown
		want = &event.ExpectedCharge{ChargeRef: hint.Charge.ChargeRef}
	case want == nil:
		return event.Fact{}, nil
	case want.IntentRef == "" && want.ChargeRef == "":
		invoice, charge, err := s.fetchInvoice(ctx, entity.Slug, want.InvoiceRef)
		if err != nil || charge == "" {
			return event.Fact{Invoice: invoice}, err
		}
		want = &event.ExpectedCharge{ChargeRef: charge}
	}
	charge, err := s.fetchCharge(ctx, entity.ID, entity.Slug, *want, e.ID)
	if err == nil && charge != nil && charge.Invoice != nil && !charge.Invoice.Known {
		charge.Invoice, _, err = s.fetchInvoice(ctx, entity.Slug, charge.Invoice.ID)
	}
	return event.Fact{Charge: charge}, err
}

// Invoice is part of stripebalance.Source.
func (s *Stripe) Invoice(ctx context.Context, entity org.LegalEntity, id string) (donation.Invoice, error) {
	ctx = turns.With(ctx, turns.Import)
	invoice, _, err := s.fetchInvoice(ctx, entity.Slug, id)
	if err != nil {
		return donation.Invoice{}, err
	}
	return *invoice, nil
}

func (s *Stripe) fetchDispute(ctx context.Context, entitySlug, id string) (*stripe.Dispute, error) {
	a, err := s.account(entitySlug)
	if err != nil {
		return nil, err
	}
	params := &stripe.DisputeParams{}
	params.Context = ctx
	dispute, err := a.api.Disputes.Get(id, params)
	if err != nil {
		return nil, translate(err)
	}
	return dispute, nil
}

// fetchCharge reads an expected charge. It returns nil if the charge took no money (yet).
func (s *Stripe) fetchCharge(ctx context.Context, entityID uuid.UUID, entitySlug string, want event.ExpectedCharge,
	cause string) (*donation.IncomingPayment, error) {
	a, err := s.account(entitySlug)
	if err != nil {
		return nil, err
	}
	var charge *stripe.Charge
	if want.ChargeRef != "" {
		params := &stripe.ChargeParams{}
		params.Context = ctx
		params.AddExpand("invoice")
		charge, err = a.api.Charges.Get(want.ChargeRef, params)
	} else {
		params := &stripe.PaymentIntentParams{}
		params.Context = ctx
		params.AddExpand("latest_charge.invoice")
		var intent *stripe.PaymentIntent
		if intent, err = a.api.PaymentIntents.Get(want.IntentRef, params); err == nil {
			charge = intent.LatestCharge
		}
	}
	if err != nil {
		return nil, translate(err)
	}
	if charge == nil {
		return nil, nil
	}
	return chargeOf(entityID, charge, cause)
}

// fetchInvoice reads an invoice and returns the id of the charge that paid it; empty if none did.
func (s *Stripe) fetchInvoice(ctx context.Context, entitySlug, id string) (*donation.Invoice, string, error) {
	a, err := s.account(entitySlug)
	if err != nil {
		return nil, "", err
	}
	params := &stripe.InvoiceParams{}
	params.Context = ctx
	in, err := a.api.Invoices.Get(id, params)
	if err != nil {
		return nil, "", translate(err)
	}
	if in.Charge == nil || !remote.IsCharged(in) {
		return invoiceOf(in), "", nil
	}
	return invoiceOf(in), in.Charge.ID, nil
}

// HasAccount is part of stripebalance.Source: an entity with a key has an account.
func (s *Stripe) HasAccount(entity org.LegalEntity) bool { return s.accounts[entity.Slug] != nil }

// Now is part of stripebalance.Source. It returns the Date of an answer of Stripe's API (RFC 9110, section 6.6.1).
func (s *Stripe) Now(ctx context.Context, entity org.LegalEntity) (time.Time, error) {
	balance, err := s.fetchBalance(ctx, entity)
	if err != nil {
		return time.Time{}, err
	}
	now, err := http.ParseTime(balance.LastResponse.Header.Get("Date"))
	if err != nil {
		return time.Time{}, fmt.Errorf("stripe: date of an answer: %w", err)
	}
	return now, nil
}

// Balance is part of stripebalance.Source.
func (s *Stripe) Balance(ctx context.Context, entity org.LegalEntity) (map[money.Currency]int64, error) {
	balance, err := s.fetchBalance(ctx, entity)
	if err != nil {
		return nil, err
	}
	total := map[money.Currency]int64{}
	for _, part := range slices.Concat(balance.Available, balance.Pending) {
		total[money.Currency(strings.ToUpper(string(part.Currency)))] += part.Amount
	}
	return total, nil
}

func (s *Stripe) fetchBalance(ctx context.Context, entity org.LegalEntity) (*stripe.Balance, error) {
	ctx = turns.With(ctx, turns.Import)
	a, err := s.account(entity.Slug)
	if err != nil {
		return nil, err
	}
	params := &stripe.BalanceParams{}
	params.Context = ctx
	balance, err := a.api.Balance.Get(params)
	if err != nil {
		return nil, translate(err)
	}
	return balance, nil
}

// Dispute is part of stripebalance.Source.
func (s *Stripe) Dispute(ctx context.Context, entity org.LegalEntity, ref string) (*dispute.Told, *settlement.LostDispute, error) {
	ctx = turns.With(ctx, turns.Import)
	d, err := s.fetchDispute(ctx, entity.Slug, ref)
	if err != nil {
		return nil, nil, err
	}
	m := movementOf(entity.ID, d, time.Time{})
	return m.Told, m.LostDispute, nil
}

// Transactions is part of stripebalance.Source.
func (s *Stripe) Transactions(ctx context.Context, entity org.LegalEntity, since, until time.Time, page func([]settlement.Transaction) error) error {
	ctx = turns.With(ctx, turns.Import)
	a, err := s.account(entity.Slug)
	if err != nil {
		return err
	}
	last := ""
	for {
		params := &stripe.BalanceTransactionListParams{CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: since.Unix()}}
		if !until.IsZero() {
			params.CreatedRange.LesserThan = until.Unix()
		}
		params.Context, params.Single = ctx, true
		params.Limit = stripe.Int64(100)
		params.AddExpand("data.source")
		if last != "" {
			params.StartingAfter = stripe.String(last)
		}
		list := a.api.BalanceTransactions.List(params)
		var listed []settlement.Transaction
		for list.Next() {
			listed = append(listed, transactionOf(entity.ID, list.BalanceTransaction()))
		}
		if err := list.Err(); err != nil {
			return translate(err)
		}
		if len(listed) == 0 {
			return nil
		}
		if err := page(listed); err != nil {
			return err
		}
		if !list.Meta().HasMore {
			return nil
		}
		last = listed[len(listed)-1].ID
	}
}

// Transaction is part of stripebalance.Source.
func (s *Stripe) Transaction(ctx context.Context, entity org.LegalEntity, id string) (settlement.Transaction, error) {
	ctx = turns.With(ctx, turns.Import)
	a, err := s.account(entity.Slug)
	if err != nil {
		return settlement.Transaction{}, err
	}
	params := &stripe.BalanceTransactionParams{}
	params.Context = ctx
	params.AddExpand("source")
	t, err := a.api.BalanceTransactions.Get(id, params)
	if err != nil {
		return settlement.Transaction{}, translate(err)
	}
	return transactionOf(entity.ID, t), nil
}

// transactionOf translates a balance transaction that was listed with its source. If its charge cannot be read, it is
// marked as unreadable and the others are listed all the same.
func transactionOf(entity uuid.UUID, t *stripe.BalanceTransaction) settlement.Transaction {
	transaction := settlement.Transaction{
		ID: t.ID, Type: string(t.Type), Category: string(t.ReportingCategory), Amount: t.Amount, Fee: t.Fee, Net: t.Net,
		Currency:  money.Currency(strings.ToUpper(string(t.Currency))),
		CreatedAt: time.Unix(t.Created, 0).UTC(), AvailableOn: time.Unix(t.AvailableOn, 0).UTC(),
	}
	if t.Source == nil {
		return transaction
	}
	transaction.SourceID = t.Source.ID
	switch source := t.Source; {
	case source.Charge != nil:
		transaction.ChargeID = source.Charge.ID
		transaction.Charge, transaction.ReadError = chargeOf(entity, source.Charge, t.ID)
	case source.Refund != nil && source.Refund.Charge != nil:
		transaction.ChargeID, transaction.RefundOrder = source.Refund.Charge.ID, source.Refund.Metadata[refunds.Metadata]
	case source.Dispute != nil && source.Dispute.Charge != nil:
		transaction.ChargeID = source.Dispute.Charge.ID
	case source.Payout != nil:
		transaction.Payout = payoutOf(source.Payout)
	}
	return transaction
}
