package refund

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/refundcall"
)

// Register registers the job that makes refunds.
func (s Service) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job Job) error { return s.Execute(ctx, job.OrderID) })
}

// Execute makes an order's refund at the processor, or asks how it stands. It may run again, at the same time too,
// after any step at which a server ended; one refund comes of it. An error means that it must run again.
//
//	ordered   the row says "sent, try 1" before the call
//	sent      the refund is looked for first; then the same call with the same key: an answer that was lost is repeated
//	key spent the processor repeats its failure: looked for again, and the next try has another key
//	pending   the processor is asked
func (s Service) Execute(ctx context.Context, id uuid.UUID) error {
	o, err := ByID(ctx, s.DB, id)
	if err != nil {
		return err
	}
	switch o.State {
	case Succeeded, Failed, Refused:
		return nil
	case Ordered:
		if o, err = s.nextTry(ctx, o); err != nil {
			return err
		}
	case Sent, Pending:
		if found, err := s.find(ctx, o); err != nil || found || o.State == Pending {
			return err
		}
	}
	return s.call(ctx, o)
}

// call asks the processor for the refund with the key of the order's try.
func (s Service) call(ctx context.Context, o Order) error {
	slug, err := s.slugOf(ctx, o)
	if err != nil {
		return err
	}
	made, err := s.Processor.CreateRefund(ctx, refundcall.Request{
		Entity: slug, Charge: o.ChargeRef, Order: o.ID, Amount: o.Amount(), Reason: o.Reason.atProcessor(), Key: o.IdempotencyKey(),
	})
	var refused refundcall.RefusedError
	switch {
	case err == nil:
		return s.record(ctx, o, made)
	case errors.Is(err, refundcall.ErrKeySpent):
		if found, err := s.find(ctx, o); err != nil || found {
			return err
		}
		if _, err := s.nextTry(ctx, o); err != nil {
			return err
		}
		return errAgain
	case errors.As(err, &refused):
		if found, err := s.find(ctx, o); err != nil || found {
			return err
		}
		return s.refuse(ctx, o, refused)
	}
	return err
}

// find looks for the order's refund at the processor, and records it. It returns false if there is none.
func (s Service) find(ctx context.Context, o Order) (bool, error) {
	slug, err := s.slugOf(ctx, o)
	if err != nil {
		return false, err
	}
	all, err := s.Processor.RefundsOf(ctx, slug, o.ChargeRef)
	if err != nil {
		return false, err
	}
	at := slices.IndexFunc(all, func(r refundcall.Refund) bool { return r.Order == o.ID.String() })
	if at < 0 {
		return false, nil
	}
	return true, s.record(ctx, o, all[at])
}

// record stores how the refund stands. One that failed before it was taken from the balance is not in the books, so its
// task is opened here; package settlement opens that of any other.
func (s Service) record(ctx context.Context, o Order, r refundcall.Refund) error {
	if r.Amount != o.Amount() {
		return fmt.Errorf("refund order %s: refund %s is of %v, not of %v", o.ID, r.ID, r.Amount, o.Amount())
	}
	to := map[refundcall.Status]State{refundcall.Pending: Pending, refundcall.Succeeded: Succeeded, refundcall.Failed: Failed}[r.Status]
	return s.inTx(ctx, func(tx *sqlx.Tx) error {
		changed, err := storeResultTx(ctx, tx, o.ID, to, r.ID, r.Problem)
		if err != nil || !changed {
			return err
		}
		if err := task.CloseOfTx(ctx, tx, o.EntityID, taskStuck, "order", o.ID.String(), s.Now()); err != nil {
			return err
		}
		if to != Failed || r.Debited {
			return nil
		}
		return s.openTaskTx(ctx, tx, taskNotMade, o, r.Problem)
	})
}

// refuse stores that the processor made no refund.
func (s Service) refuse(ctx context.Context, o Order, why refundcall.RefusedError) error {
	return s.inTx(ctx, func(tx *sqlx.Tx) error {
		changed, err := storeRefusalTx(ctx, tx, o, why.Code)
		if err != nil || !changed {
			return err
		}
		return s.openTaskTx(ctx, tx, taskRefused, o, why.Code)
	})
}

// nextTry stores that the processor is called with the next key. It reports errAgain if another process did so first.
func (s Service) nextTry(ctx context.Context, o Order) (Order, error) {
	err := s.inTx(ctx, func(tx *sqlx.Tx) error {
		begun, err := storeTryTx(ctx, tx, o)
		if err == nil && !begun {
			err = errAgain
		}
		return err
	})
	o.State, o.Tries = Sent, o.Tries+1
	return o, err
}

// CheckDue executes orders whose job is lost, asks about pending ones every quarter of an hour, and opens a task
// about an order that was sent a day ago and has no answer. It returns how many it executed.
func (s Service) CheckDue(ctx context.Context) (int, error) {
	due, err := dueOrders(ctx, s.DB)
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, d := range due {
		if err := s.Execute(ctx, d.ID); err != nil {
			failed = append(failed, err)
		}
		if !d.Stuck {
			continue
		}
		o, err := ByID(ctx, s.DB, d.ID)
		if err == nil && (o.State == Ordered || o.State == Sent) {
			err = s.inTx(ctx, func(tx *sqlx.Tx) error { return s.openTaskTx(ctx, tx, taskStuck, o, "") })
		}
		failed = append(failed, err)
	}
	return len(due), errors.Join(failed...)
}

func (s Service) openTaskTx(ctx context.Context, tx *sqlx.Tx, kind *task.Kind, o Order, problem string) error {
	return task.OpenTx(ctx, tx, task.Task{EntityID: o.EntityID, Kind: kind, Subject: o.ID.String(), Detail: map[string]string{
		"order": o.ID.String(), "donation": o.DonationID.String(), "charge": o.ChargeRef, "amount": fmt.Sprint(o.AmountMinor),
		"currency": string(o.Currency), "problem": problem,
	}}, s.NewID, s.Now())
}

func (s Service) slugOf(ctx context.Context, o Order) (string, error) {
	catalog, err := s.Catalog.Current(ctx)
	if err != nil {
		return "", err
	}
	entity, err := catalog.EntityByID(o.EntityID)
	return entity.Slug, err
}

// inTx writes although ctx has ended: what the processor did must be stored.
func (s Service) inTx(ctx context.Context, do func(tx *sqlx.Tx) error) error {
	return pg.InTx(context.WithoutCancel(ctx), s.DB, do)
}
