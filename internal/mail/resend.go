package mail

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/receipt"
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

// Resend sends the email with a receipt again, to the address of its last delivery: the same bytes, the same
// Message-ID.
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
		switch {
		case last.State() == Waiting:
			return ErrWaiting
		case last.Recipient == "":
			return ErrNoRecipient
		}
		return rs.orderTx(ctx, tx, stored.ID, last.Recipient, causeResend, by)
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
// If a server accepted an email about the receipt for another address, the links to the donor's plans end, because
// somebody else may have them. If not, they stay valid: the same bytes are sent, with the same link.
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
		all, err := Deliveries(ctx, tx, []uuid.UUID{issued.ID})
		if err != nil {
			return err
		}
		isElsewhere := func(d Delivery) bool { return d.State() == Accepted && d.Recipient != to }
		if slices.ContainsFunc(all[issued.ID], isElsewhere) {
			if err := EndLinksTx(ctx, tx, issued); err != nil {
				return err
			}
		}
		return rs.orderTx(ctx, tx, stored.ID, to, causeAddress, by)
	})
}

// EndLinksTx ends the links to all plans of a receipt's donor. It is called when the receipt's address was wrong.
func EndLinksTx(ctx context.Context, tx *sqlx.Tx, issued receipt.Receipt) error {
	d, err := donation.ByID(ctx, tx, issued.DonationID)
	if err != nil {
		return err
	}
	return planlink.EndOfDonorsTx(ctx, tx, []uuid.UUID{d.DonorID})
}

func (rs Resender) orderTx(ctx context.Context, tx *sqlx.Tx, email uuid.UUID, to string, why cause, by string) error {
	d := deliveryRow{ID: rs.NewID(), EmailID: email, Recipient: to, Cause: why, OrderedBy: by, OrderedAt: rs.Now()}
	if err := orderTx(ctx, tx, d); err != nil {
		return err
	}
	return rs.Queue.EnqueueTx(ctx, tx, DeliveryJob{d.ID})
}
