package mail

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/owner"
	"konbit/internal/giving/plancard"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/receipt"
	"konbit/internal/giving/recurring"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/email"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// Redirect corrects the address of a receipt's donor: the donation, or its plan with all payments, moves to the donor
// with the address, and the email about the receipt is sent there. What is sent depends on the receipt:
//
//	valid       the email with the receipt
//	void        the email that says so
//	replaced    nothing: ErrReceiptVoid
//
// Other emails about the gift that wait go to the address too, with the same bytes. The links to the plan end, because
// somebody else may have them: the page of a link that has ended sends a valid one to the donor. If the card may be of
// the donor before, another email asks for a card (package plancard).
func (rs Resender) Redirect(ctx context.Context, issued receipt.Receipt, to, by string) error {
	return pg.InTx(ctx, rs.DB, func(tx *sqlx.Tx) error { return rs.RedirectTx(ctx, tx, issued, to, by) })
}

// RedirectTx is Redirect in a transaction. It locks what owner.LockTx locks, and the donors.
func (rs Resender) RedirectTx(ctx context.Context, tx *sqlx.Tx, issued receipt.Receipt, to, by string) error {
	var kind string
	var job jobs.Job
	switch {
	case issued.ReplacedBy != nil:
		return ErrReceiptVoid
	case issued.IsValid():
		kind, job = kindOf(issued), receipt.EmailJob{ReceiptID: issued.ID}
	default:
		kind, job = kindVoided, receipt.VoidEmailJob{ReceiptID: issued.ID}
	}
	before, err := addresseeOf(ctx, tx, issued.DonationID)
	if err != nil {
		return err
	}
	all, address, err := rs.moveTx(ctx, tx, issued, to, by)
	if err != nil {
		return err
	}
	stored, err := findStored(ctx, tx, kind, issued.ID)
	if err != nil {
		return err
	}
	switch {
	case stored != nil:
		err = rs.orderTx(ctx, tx, stored.ID, address, causeAddress, by)
	case before == nil || issued.Facts.Email == "":
		err = rs.Queue.EnqueueTx(ctx, tx, job)
	default: // its job waits, and renders it for the address
	}
	if err != nil {
		return err
	}
	if stored == nil {
		stored = &storedEmail{}
	}
	return rs.redirectWaitingTx(ctx, tx, all, stored.ID, address, by)
}

// CorrectAddressTx does what Redirect does, but sends no email about the receipt. Call it before a new receipt replaces
// the receipt.
func (rs Resender) CorrectAddressTx(ctx context.Context, tx *sqlx.Tx, issued receipt.Receipt, to, by string) error {
	all, address, err := rs.moveTx(ctx, tx, issued, to, by)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(d Delivery) bool { return d.Subject == issued.ID })
	return rs.redirectWaitingTx(ctx, tx, all, uuid.Nil, address, by)
}

// moveTx moves a receipt's gift to the donor with an address, and ends the links to its plan. It
// returns the deliveries of all emails about the gift, which it locks, and the address to which they go now: the donor may
// have chosen another than the corrected one.
func (rs Resender) moveTx(ctx context.Context, tx *sqlx.Tx, issued receipt.Receipt, to, by string) (all []Delivery, address string, err error) {
	if err := email.CheckPlain(to); err != nil {
		return nil, "", err
	}
	if err := owner.LockTx(ctx, tx, issued.ID, to); err != nil {
		return nil, "", err
	}
	if all, err = deliveriesOfGift(ctx, tx, issued.ID); err != nil {
		return nil, "", err
	}
	done, err := owner.MoveTx(ctx, tx, owner.Move{ReceiptID: issued.ID, To: to, NewDonor: rs.NewID(), By: by, Why: "the address of a receipt was corrected"})
	if err != nil {
		return nil, "", err
	}
	if address, err = donoraccess.Destination(ctx, tx, to); err != nil {
		return nil, "", err
	}
	if done.Donations == 0 || !done.Plan.Valid {
		return all, address, nil
	}
	// An optional email has a link that stops emails of the donor before, and it follows that donor's choice: it is
	// called off.
	for _, d := range all {
		if d.Optional && d.State() == Waiting {
			if err := callOffTx(ctx, tx, d.EmailID, rs.Now()); err != nil {
				return nil, "", err
			}
		}
	}
	all = slices.DeleteFunc(all, func(d Delivery) bool { return d.Optional })
	// A worker of the release before migration 00096 may send an email that waits to the address before, while both
	// run. So all links end, also in emails that nobody has. A later release may leave those valid.
	if err := planlink.EndOfPlanTx(ctx, tx, done.Plan.UUID); err != nil {
		return nil, "", err
	}
	p, err := recurring.ByID(ctx, tx, done.Plan.UUID)
	if err != nil {
		return nil, "", err
	}
	ask, err := plancard.OwnerChangedTx(ctx, tx, p, rs.NewID, rs.Now())
	if err != nil || !ask {
		return all, address, err
	}
	plans := recurring.Plans{DB: rs.DB, Queue: rs.Queue, NewID: rs.NewID, Now: rs.Now}
	return all, address, plans.AskForCardTx(ctx, tx, p.ID)
}

// OtherPlan is a running plan of the donor from whom a gift moved.
type OtherPlan struct {
	Amount money.Amount `json:"amount"`
	Every  string       `json:"every"`
	Since  string       `json:"since"` // YYYY-MM-DD
}

// Others returns the running plans that the donor of a gift before a correction still has, with the address to which their
// emails go; nothing if the gift did not move.
func (rs Resender) Others(ctx context.Context, before donation.Donation) (address string, running []OtherPlan, err error) {
	after, err := donation.ByID(ctx, rs.DB, before.ID)
	if err != nil || after.DonorID == before.DonorID {
		return "", nil, err
	}
	plans, err := recurring.OfDonor(ctx, rs.DB, before.DonorID)
	if err != nil {
		return "", nil, err
	}
	for _, p := range plans {
		if p.Status.IsRunning() {
			running = append(running, OtherPlan{p.Amount(), string(p.Frequency), p.BegunAt.Format(time.DateOnly)})
		}
	}
	if len(running) == 0 {
		return "", nil, nil
	}
	donors, err := donor.ByIDs(ctx, rs.DB, []uuid.UUID{before.DonorID})
	if err != nil || len(donors) == 0 {
		return "", running, err
	}
	return donors[0].Email, running, nil
}

// addresseeOf returns the person who gets emails about a donation, with their address; nil if there is no address.
func addresseeOf(ctx context.Context, q sqlx.QueryerContext, gift uuid.UUID) (*donation.Contact, error) {
	to, err := owner.Addressee(ctx, q, gift)
	return atDestination(ctx, q, to, err)
}

// AddressOf returns the address to which emails about a donation go; empty if they go nowhere.
func AddressOf(ctx context.Context, q sqlx.QueryerContext, gift uuid.UUID) (string, error) {
	to, err := addresseeOf(ctx, q, gift)
	if err != nil || to == nil {
		return "", err
	}
	return to.Email, nil
}

// lockAddresseeTx is addresseeOf, and keeps the donation from moving until the transaction ends.
func lockAddresseeTx(ctx context.Context, tx *sqlx.Tx, gift uuid.UUID) (*donation.Contact, error) {
	to, err := owner.LockAddresseeTx(ctx, tx, gift)
	return atDestination(ctx, tx, to, err)
}

func atDestination(ctx context.Context, q sqlx.QueryerContext, to *donation.Contact, err error) (*donation.Contact, error) {
	if err != nil || to == nil || to.Email == "" {
		return nil, err
	}
	to.Email, err = donoraccess.Destination(ctx, q, to.Email)
	return to, err
}

// errMoved reports that the gift that an email is about has moved to another donor since the recipient was read.
var errMoved = errors.New("mail: the gift has moved to another donor while the email was rendered")

// checkAddresseeTx reports errMoved if emails about a donation do not go to the recipient, and keeps the donation from
// moving until the transaction ends.
func checkAddresseeTx(ctx context.Context, tx *sqlx.Tx, gift uuid.UUID, recipient string) error {
	if gift == uuid.Nil {
		return nil
	}
	to, err := lockAddresseeTx(ctx, tx, gift)
	if err == nil && (to == nil || to.Email != recipient) {
		err = errMoved
	}
	return err
}
