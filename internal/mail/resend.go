package mail

import (
	"context"
	"errors"
	"net/mail"
	"strings"
	"unicode"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/receipt"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// Clerk has letters about receipts delivered again. Whoever orders it is noted with the delivery.
type Resender struct {
	Receipts
	Queue *jobs.Queue
}

// ErrWaiting is the answer when the letter is on its way already.
var ErrWaiting = errors.New("mail: it waits to be sent already")

// ErrNotStanding is the answer to re-sending a receipt that is void or replaced: nobody is told again that it is good.
var ErrReceiptVoid = errors.New("the receipt is void or was replaced and is not sent again; konbit receipt find shows what stands")

// Resend sends the receipt's letter once more to where it went last: the same bytes, the same Message-ID.
func (c Resender) Resend(ctx context.Context, issued receipt.Receipt, by string) error {
	if !issued.IsValid() {
		return ErrReceiptVoid
	}
	l, err := c.storedOrRendered(ctx, issued, kindOf(issued))
	if err != nil {
		return err
	}
	return pg.InTx(ctx, c.DB, func(tx *sqlx.Tx) error {
		if err := lockDeliveriesTx(ctx, tx, l.ID); err != nil {
			return err
		}
		all, err := Deliveries(ctx, tx, []uuid.UUID{issued.ID})
		if err != nil {
			return err
		}
		var last Delivery
		for _, d := range all[issued.ID] {
			if d.EmailID == l.ID {
				last = d
			}
		}
		if last.State() == Waiting {
			return ErrWaiting
		}
		return c.orderTx(ctx, tx, l.ID, last.Recipient, causeResend, by)
	})
}

// Redirect sends the receipt's letter, as it is, to another address, and stops those on their way to the one
// before; of a void receipt, the letter that says so. What is written about the receipt from now on goes to the
// new address too. A receipt that was replaced goes nowhere: ErrNotStanding.
func (c Resender) Redirect(ctx context.Context, issued receipt.Receipt, to, by string) error {
	if err := CheckAddress(to); err != nil {
		return err
	}
	kind := kindOf(issued)
	switch {
	case issued.ReplacedBy != nil:
		return ErrReceiptVoid
	case !issued.IsValid():
		kind = kindVoided
	}
	l, err := c.storedOrRendered(ctx, issued, kind)
	if err != nil {
		return err
	}
	return pg.InTx(ctx, c.DB, func(tx *sqlx.Tx) error { return c.orderTx(ctx, tx, l.ID, to, causeAddress, by) })
}

func (c Resender) orderTx(ctx context.Context, tx *sqlx.Tx, letter uuid.UUID, to string, why cause, by string) error {
	d := deliveryRow{ID: c.NewID(), EmailID: letter, Recipient: to, Cause: why, OrderedBy: by, OrderedAt: c.Now()}
	if err := orderTx(ctx, tx, d); err != nil {
		return err
	}
	return c.Queue.EnqueueTx(ctx, tx, DeliveryJob{d.ID})
}

// CheckAddress refuses what is no plain address. Quoted local parts are addresses by the standard and a way to
// smuggle words to a mail server in practice.
func CheckAddress(text string) error {
	parsed, err := mail.ParseAddress(text)
	control := strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) })
	if err != nil || parsed.Address != text || control || strings.ContainsAny(text, `"<>\`) || len(text) > 254 {
		return errors.New("want a plain address such as ana@example.org")
	}
	return nil
}
