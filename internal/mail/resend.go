package mail

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/receipt"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/email"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// Resender orders that emails about receipts are delivered again. The delivery records who ordered it.
type Resender struct {
	Receipts
	Queue *jobs.Queue
}

// The reasons why an email is not ordered again.
var (
	// ErrWaiting: the email waits for its delivery already.
	ErrWaiting = errors.New("mail: the email waits to be sent already")
	// ErrReceiptVoid: the email contains a receipt that is void or was replaced.
	ErrReceiptVoid = errors.New("the receipt is void or was replaced and is not sent again; konbit receipt find shows which is valid")
)

// Resend sends the email with a receipt again, to the corrected address of its plan or else the address of its last
// delivery: the same bytes, the same Message-ID.
func (rs Resender) Resend(ctx context.Context, issued receipt.Receipt, by string) error {
	if !issued.IsValid() {
		return ErrReceiptVoid
	}
	kind := kindOf(issued)
	stored, err := rs.storedOrRendered(ctx, kind, issued.ID, rs.renderer(ctx, issued, kind))
	if err != nil {
		return err
	}
	if stored == nil {
		return ErrNoRecipient
	}
	return pg.InTx(ctx, rs.DB, func(tx *sqlx.Tx) error {
		last, err := lastDeliveryTx(ctx, tx, stored)
		if err != nil {
			return err
		}
		corrected, err := correctedPlanAddress(ctx, tx, issued)
		switch {
		case err != nil:
			return err
		case last.State() == Waiting:
			return ErrWaiting
		case last.Recipient == "":
			return ErrNoRecipient
		}
		return rs.orderTx(ctx, tx, stored.ID, cmp.Or(corrected, last.Recipient), causeResend, by)
	})
}

// lastDeliveryTx locks an email's deliveries and returns the last.
func lastDeliveryTx(ctx context.Context, tx *sqlx.Tx, stored *storedEmail) (last Delivery, err error) {
	if err := lockDeliveriesTx(ctx, tx, stored.ID); err != nil {
		return last, err
	}
	all, err := Deliveries(ctx, tx, []uuid.UUID{stored.SubjectID})
	for _, d := range all[stored.SubjectID] {
		if d.EmailID == stored.ID {
			last = d
		}
	}
	return last, err
}

// Redirect sends the email about a receipt to another address, and supersedes the deliveries that wait. Later emails
// about the receipt go to this address too. What it sends depends on the receipt:
//
//	valid       the email with the receipt
//	void        the email that says so
//	replaced    nothing: ErrReceiptVoid
//
// If the receipt is of a plan, this address becomes the plan's address. If an email about the
// receipt or the plan may have arrived at another address, the links to the donor's plans end, because somebody else may
// have them. If not, they stay valid: the same bytes are sent, with the same link.
func (rs Resender) Redirect(ctx context.Context, issued receipt.Receipt, to, by string) error {
	if err := email.CheckPlain(to); err != nil {
		return err
	}
	kind := kindOf(issued)
	switch {
	case issued.ReplacedBy != nil:
		return ErrReceiptVoid
	case !issued.IsValid():
		kind = kindVoided
	}
	stored, err := rs.storedOrRendered(ctx, kind, issued.ID, func() (*Email, error) {
		before, err := rs.addressOf(ctx, issued)
		if err != nil {
			return nil, err
		}
		return rs.render(ctx, issued, kind, cmp.Or(before, to), rs.Now())
	})
	if err != nil {
		return err
	}
	return pg.InTx(ctx, rs.DB, func(tx *sqlx.Tx) error {
		donors, all, err := lockAboutTx(ctx, tx, issued)
		if err != nil {
			return err
		}
		isElsewhere := func(d Delivery) bool { return d.MayHaveArrived() && d.Recipient != to }
		if slices.ContainsFunc(all, isElsewhere) {
			if err := planlink.EndOfDonorsTx(ctx, tx, donors); err != nil {
				return err
			}
		}
		if err := rs.redirectWaitingTx(ctx, tx, all, stored.ID, to, by); err != nil {
			return err
		}
		return rs.orderTx(ctx, tx, stored.ID, to, causeAddress, by)
	})
}

// CorrectAddressTx ends the links to all plans of a receipt's donor, and sends waiting emails about the receipt's plan to
// the address to. Call it before a new receipt with that address replaces the receipt.
func (rs Resender) CorrectAddressTx(ctx context.Context, tx *sqlx.Tx, issued receipt.Receipt, to, by string) error {
	donors, all, err := lockAboutTx(ctx, tx, issued)
	if err != nil {
		return err
	}
	if err := planlink.EndOfDonorsTx(ctx, tx, donors); err != nil {
		return err
	}
	others := slices.DeleteFunc(all, func(d Delivery) bool { return d.Subject == issued.ID }) // a replaced receipt is not sent again
	return rs.redirectWaitingTx(ctx, tx, others, uuid.Nil, to, by)
}

// lockAboutTx locks the links to the plans of a receipt's donor, then the deliveries of all emails about the receipt and
// its plan, and returns the donor and the deliveries. An order inserted later locks the donor: see migration 00077.
func lockAboutTx(ctx context.Context, tx *sqlx.Tx, issued receipt.Receipt) (donors []uuid.UUID, all []Delivery, err error) {
	gift, err := donation.ByID(ctx, tx, issued.DonationID)
	if err != nil {
		return nil, nil, err
	}
	donors = []uuid.UUID{gift.DonorID}
	if err := planlink.LockOfDonorsTx(ctx, tx, donors); err != nil {
		return nil, nil, err
	}
	subjects, err := subjectsAbout(ctx, tx, issued)
	if err != nil {
		return nil, nil, err
	}
	by, err := Deliveries(ctx, tx, subjects)
	if err != nil {
		return nil, nil, err
	}
	var emails []uuid.UUID
	for _, d := range slices.Concat(slices.Collect(maps.Values(by))...) {
		emails = append(emails, d.EmailID)
	}
	if err := lockDeliveriesTx(ctx, tx, emails...); err != nil {
		return nil, nil, err
	}
	by, err = Deliveries(ctx, tx, subjects) // what was recorded before the lock
	return donors, slices.Concat(slices.Collect(maps.Values(by))...), err
}

// subjectsAbout returns the subjects of emails about a receipt and the plan that it is of: receipts and events.
func subjectsAbout(ctx context.Context, q sqlx.QueryerContext, issued receipt.Receipt) ([]uuid.UUID, error) {
	subjects := []uuid.UUID{issued.ID}
	of, err := planOfReceipt(ctx, q, issued)
	if err != nil || of == uuid.Nil {
		return subjects, err
	}
	receipts, _, err := receiptsOfPlans(ctx, q, []uuid.UUID{of})
	if err != nil {
		return nil, err
	}
	events, err := recurring.Events(ctx, q, of)
	for _, r := range receipts {
		subjects = append(subjects, r.ReceiptID)
	}
	for _, e := range events {
		subjects = append(subjects, e.ID)
	}
	return subjects, err
}

// redirectWaitingTx orders each email whose delivery waits once more, to another address. It leaves out the email except.
func (rs Resender) redirectWaitingTx(ctx context.Context, tx *sqlx.Tx, all []Delivery, except uuid.UUID, to, by string) error {
	ordered := map[uuid.UUID]bool{except: true}
	for _, d := range all {
		if d.State() != Waiting || d.Recipient == to || ordered[d.EmailID] {
			continue
		}
		ordered[d.EmailID] = true
		if err := rs.orderTx(ctx, tx, d.EmailID, to, causeAddress, by); err != nil {
			return err
		}
	}
	return nil
}

func (rs Resender) orderTx(ctx context.Context, tx *sqlx.Tx, email uuid.UUID, to string, why cause, by string) error {
	d := deliveryRow{ID: rs.NewID(), EmailID: email, Recipient: to, Cause: why, OrderedBy: by, OrderedAt: rs.Now()}
	if err := orderTx(ctx, tx, d); err != nil {
		return err
	}
	return rs.Queue.EnqueueTx(ctx, tx, DeliveryJob{d.ID})
}
