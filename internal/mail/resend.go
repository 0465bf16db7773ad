package mail

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/receipt"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// Resender orders that emails about receipts are delivered again. The delivery records who ordered it.
type Resender struct {
	Receipts
	Queue    *jobs.Queue
	Interval time.Duration // the least time between two orders to send an email again to one address; 0: none
}

// The reasons why an email is not ordered again.
var (
	// ErrWaiting: the email waits for its delivery already.
	ErrWaiting = errors.New("mail: the email waits to be sent already")
	// ErrTooSoon: the same email was ordered again for the same address less than Resender.Interval ago.
	ErrTooSoon = errors.New("mail: the email was sent again to this address a moment ago; try again in a minute")
	// ErrReceiptVoid: the email contains a receipt that is void or was replaced.
	ErrReceiptVoid = errors.New("the receipt is void or was replaced and is not sent again; konbit receipt find shows which is valid")
)

// ResendInterval is the Interval of staff pages.
const ResendInterval = time.Minute

// Resend sends the email with a receipt again, to the address of the donation's owner: the same bytes, the same
// Message-ID.
func (rs Resender) Resend(ctx context.Context, issued receipt.Receipt, by string) error {
	email, err := rs.EmailOf(ctx, issued)
	if err != nil {
		return err
	}
	return pg.InTx(ctx, rs.DB, func(tx *sqlx.Tx) error { return rs.ResendTx(ctx, tx, email, by) })
}

// ReceiptEmail is the stored email with a receipt.
type ReceiptEmail struct {
	stored *storedEmail
	gift   uuid.UUID
}

// EmailOf returns the email with a receipt; it is stored now if it was not before. It reports ErrReceiptVoid for a receipt
// that is not valid, and ErrNoRecipient if nobody gets it.
func (rs Resender) EmailOf(ctx context.Context, issued receipt.Receipt) (ReceiptEmail, error) {
	if !issued.IsValid() {
		return ReceiptEmail{}, ErrReceiptVoid
	}
	kind := kindOf(issued)
	stored, _, err := rs.storedOrRendered(ctx, kind, issued.ID, rs.renderer(ctx, issued, kind), false)
	if err == nil && stored == nil {
		err = ErrNoRecipient
	}
	return ReceiptEmail{stored, issued.DonationID}, err
}

// ResendTx is Resend in a transaction, for an email of EmailOf. It reports ErrWaiting if it is to be sent already, and
// ErrTooSoon. It locks the gift, and the email's deliveries.
func (rs Resender) ResendTx(ctx context.Context, tx *sqlx.Tx, email ReceiptEmail, by string) error {
	to, err := lockAddresseeTx(ctx, tx, email.gift)
	if err != nil {
		return err
	}
	last, before, err := lastDeliveryTx(ctx, tx, email.stored)
	switch {
	case err != nil:
		return err
	case last.State() == Waiting:
		return ErrWaiting
	case to == nil || to.Email == "":
		return ErrNoRecipient
	case before > 0 && last.Recipient == to.Email && rs.Now().Sub(last.OrderedAt) < rs.Interval:
		return ErrTooSoon
	}
	return rs.orderTx(ctx, tx, email.stored.ID, to.Email, causeResend, by)
}

// lastDeliveryTx locks an email's deliveries and returns the last, and how many there were before it.
func lastDeliveryTx(ctx context.Context, tx *sqlx.Tx, stored *storedEmail) (last Delivery, before int, err error) {
	if err := lockDeliveriesTx(ctx, tx, stored.ID); err != nil {
		return last, 0, err
	}
	before = -1
	all, err := Deliveries(ctx, tx, []uuid.UUID{stored.SubjectID})
	for _, d := range all[stored.SubjectID] {
		if d.EmailID == stored.ID {
			last, before = d, before+1
		}
	}
	return last, max(before, 0), err
}

// redirectWaitingTx orders a delivery to another address for each email that waits, except one.
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
	recipient, err := orderTx(ctx, tx, d)
	if err != nil {
		return err
	}
	if recipient == "" {
		return ErrNoRecipient
	}
	return rs.Queue.EnqueueTx(ctx, tx, DeliveryJob{d.ID})
}
