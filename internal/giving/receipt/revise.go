package receipt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/jobs"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// Reason is why a receipt became void, or valid again. Its values are in receipt_void.reason.
type Reason string

// The reasons. Reinstated is the only reason for which a void receipt is replaced: a lost payment came back.
const (
	Corrected  Reason = "correction" // the donor's name or address was wrong
	Refund     Reason = "refund"     // some or all of the donation was returned
	Dispute    Reason = "dispute"    // the donor's bank reversed some or all of the payment
	Reinstated Reason = "reinstated" // the bank decided for the charity
)

// Change says why and since when a receipt's validity changes, and who ordered it.
type Change struct {
	Reason Reason
	On     string // YYYY-MM-DD in the receipt's time zone
	By     string // a Stripe object's id, or the person's name at the office
}

// Replacement asks for a new receipt, with its own number, in place of another.
type Replacement struct {
	Of uuid.UUID // the receipt it replaces, which becomes void
	Change
	// Facts are what the new receipt says: the facts of the old one, changed. After money was returned, Amount and
	// Lines are what remains, and Returned says how much was returned. ReplaceTx sets Replaces.
	Facts Facts
}

// Void asks to make a receipt void without a replacement.
type Void struct {
	Of uuid.UUID
	Change
	Quiet bool // no email: the receipt of another gift says that it replaces this one
}

// ErrReceiptVoid reports that a receipt was voided or replaced in the meantime, so the change does not apply.
var ErrReceiptVoid = errors.New("receipt: it was voided or replaced meanwhile")

// ReplaceTx issues the new receipts, voids the old ones, and enqueues an email for each new one. Like IssueTx it locks
// the counters: call it last. It reports ErrReceiptVoid
//
//   - if a receipt is void, unless the reason is Reinstated,
//   - if a receipt was replaced before.
func (d Issuer) ReplaceTx(ctx context.Context, tx *sqlx.Tx, asked []Replacement, now time.Time) ([]Receipt, error) {
	issues, voids := make([]Request, len(asked)), make([]Void, 0, len(asked))
	old, err := byIDs(ctx, tx, receiptIDs(asked, func(r Replacement) uuid.UUID { return r.Of }))
	if err != nil {
		return nil, err
	}
	for i, r := range asked {
		was, err := revisable(old, r.Of)
		if err == nil && was.IsValid() == (r.Reason == Reinstated) {
			err = ErrReceiptVoid
		}
		if err == nil {
			err = r.check()
		}
		if err != nil {
			return nil, fmt.Errorf("replacement of receipt %s: %w", r.Of, err)
		}
		if r.Reason != Reinstated {
			voids = append(voids, Void{Of: r.Of, Change: r.Change})
		}
		r.Facts.Replaces = &Replaced{was.Reference(), was.IssuedAt, r.Reason, r.On}
		issues[i] = Request{
			EntityID: was.EntityID, DonationID: was.DonationID, Year: was.Year, Language: was.Language,
			Facts: r.Facts, replaces: &r.Of,
		}
	}
	if err := voidTx(ctx, tx, voids, old, now); err != nil {
		return nil, err
	}
	return d.IssueTx(ctx, tx, issues, now)
}

// VoidTx makes receipts void and enqueues an email for each that is not quiet. It does nothing for a receipt that is void already. It
// reports ErrReceiptVoid if one was replaced.
func (d Issuer) VoidTx(ctx context.Context, tx *sqlx.Tx, asked []Void, now time.Time) error {
	old, err := byIDs(ctx, tx, receiptIDs(asked, func(v Void) uuid.UUID { return v.Of }))
	if err != nil {
		return err
	}
	var voids []Void
	var voided []Receipt
	for _, v := range asked {
		was, err := revisable(old, v.Of)
		if err != nil {
			return fmt.Errorf("void receipt %s: %w", v.Of, err)
		}
		if was.IsValid() {
			voids = append(voids, v)
			if !v.Quiet {
				voided = append(voided, was)
			}
		}
	}
	if err := voidTx(ctx, tx, voids, old, now); err != nil {
		return err
	}
	emailed, err := withAddressTx(ctx, tx, voided)
	if err != nil {
		return err
	}
	emails := make([]jobs.Job, len(emailed))
	for i, r := range emailed {
		emails[i] = VoidEmailJob{r.ID}
	}
	return d.Queue.EnqueueTx(ctx, tx, emails...)
}

// revisable returns the receipt. It reports ErrReceiptVoid if the receipt was replaced.
func revisable(all map[uuid.UUID]Receipt, id uuid.UUID) (Receipt, error) {
	r, ok := all[id]
	switch {
	case !ok:
		return Receipt{}, errors.New("there is no such receipt")
	case r.ReplacedBy != nil:
		return Receipt{}, ErrReceiptVoid
	}
	return r, nil
}

func receiptIDs[T any](asked []T, of func(T) uuid.UUID) []uuid.UUID {
	ids := make([]uuid.UUID, len(asked))
	for i, a := range asked {
		ids[i] = of(a)
	}
	return ids
}

// check reports an error if a replacement's figures disagree with each other or with its reason.
func (r Replacement) check() error {
	f := r.Facts
	sum := money.New(0, f.Amount.Currency)
	for _, line := range f.Lines {
		var err error
		if sum, err = sum.Add(line.Amount); err != nil {
			return err
		}
	}
	if sum != f.Amount || f.Amount.Minor <= 0 {
		return fmt.Errorf("its lines sum to %s, its amount is %s", sum, f.Amount)
	}
	if f.Returned == nil {
		if r.Reason == Refund || r.Reason == Dispute {
			return errors.New("it does not say what was returned")
		}
		return nil
	}
	remains, err := f.Returned.Charged.Sub(f.Returned.Amount)
	if err == nil && (remains != f.Amount || f.Returned.Amount.Minor <= 0) {
		err = errors.New("charged minus returned is not its amount")
	}
	return err
}

func voidTx(ctx context.Context, tx *sqlx.Tx, voids []Void, old map[uuid.UUID]Receipt, now time.Time) error {
	const query = `/* receipt.voidTx */
		INSERT INTO receipt_void (receipt_id, donation_id, reason, changed_on, ordered_by, voided_at)
		SELECT v.receipt_id, v.donation_id, v.reason, v.changed_on, v.ordered_by, $1
		  FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::date[], $6::text[]) AS v (receipt_id, donation_id, reason, changed_on, ordered_by)
		ON CONFLICT DO NOTHING` // on either key: both begin with the receipt
	if len(voids) == 0 {
		return nil
	}
	rows := pg.NewColumns(5)
	for _, v := range voids {
		rows.Add(v.Of, old[v.Of].DonationID, string(v.Reason), v.On, v.By)
	}
	done, err := tx.ExecContext(ctx, query, rows.Args(now)...)
	if err != nil {
		return err
	}
	if written, err := done.RowsAffected(); err != nil || int(written) < len(voids) {
		return errors.Join(err, ErrReceiptVoid) // another transaction was faster
	}
	return nil
}

// VoidEmailJob sends an email that says that a receipt is void.
type VoidEmailJob struct {
	ReceiptID uuid.UUID `json:"receipt_id"`
}

// Kind returns the job's kind, as rows of river_job have it.
func (VoidEmailJob) Kind() string { return "receipt_void_letter" }

// Queue returns the queue in which the job waits.
func (VoidEmailJob) Queue() jobs.QueueName { return jobs.Emails }
