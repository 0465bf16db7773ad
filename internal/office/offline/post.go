package offline

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/task"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/office/thanks"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// Poster posts batches.
type Poster struct {
	Settler donation.Settler
	Thanks  thanks.Issuer
	NewID   func() uuid.UUID
	NewRef  func() string // a public reference of a gift
	Now     func() time.Time
}

// taskAppraisal asks finance for what the law asks of a large gift in kind. The subject is the gift's donation.
var taskAppraisal = task.Register(task.Kind{
	Code: "in_kind_needs_appraisal", Severity: task.Normal, For: task.Finance, Link: task.Link{Object: task.Donation}, Closes: task.ByPerson,
})

// appraisalAbove is the value, in cents, above which the donor of a thing needs an appraisal and our signature (IRS Form 8283, section B).
const appraisalAbove = 5_000_00

// ErrRow is the error that a row cannot be posted as it is: Fields say what is wrong with it.
type ErrRow struct {
	N      int
	Fields []fault.Field
}

func (e *ErrRow) Error() string { return fmt.Sprintf("offline: row %d: %v", e.N, e.Fields) }

// PostTx posts a batch, in the session of a person of the entity's finance: each row becomes a donation with its payment, entries,
// receipt or letter, and the jobs of their emails, all or none. A batch that is posted already is left as it is, and PostTx
// returns false. reason says why it is posted though count or total differ from those on paper; empty otherwise.
//
// It reports ErrDiffers without a reason that is needed, ErrPoster for anybody else, ErrEnded if the batch was put away, and *ErrRow
// for a row that cannot be posted as it is. It locks the batch, the donors, then what donation.Settler locks.
func (s Poster) PostTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, id uuid.UUID, reason string) (bool, error) {
	return s.postTx(ctx, tx, catalog, id, reason, nil)
}

// postTx is PostTx. The receipts of the batch say that they replace another one; nil: they replace none.
func (s Poster) postTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, id uuid.UUID, reason string, replaces *receipt.Replaced) (bool, error) {
	const may = `/* offline.PostTx */ SELECT may_type_batches('{finance}', $1, NULL)`
	b, err := lockTx(ctx, tx, id)
	if err != nil || b.PostedAt != nil {
		return false, err
	}
	var allowed bool
	if err := tx.GetContext(ctx, &allowed, may, b.EntityID); err != nil {
		return false, err
	}
	if !allowed {
		return false, ErrPoster
	}
	if b.RemovedAt != nil {
		return false, ErrEnded
	}
	if b.Agrees() {
		reason = ""
	} else if reason == "" || b.Rows == 0 {
		return false, ErrDiffers
	}
	p, err := s.prepareTx(ctx, tx, catalog, b)
	if err != nil {
		return false, err
	}
	p.replaces = replaces
	for i := range p.gifts {
		if err := p.recordTx(ctx, tx, &p.gifts[i]); err != nil {
			return false, fmt.Errorf("row %d: %w", p.gifts[i].row.N, err)
		}
	}
	const post = `/* offline.PostTx */ UPDATE gift_batch SET reason = nullif($2, ''), posted_at = 'epoch' WHERE id = $1`
	if _, err := tx.ExecContext(ctx, post, b.ID, reason); err != nil {
		return false, explained(err)
	}
	b.Reason = reason
	if err := recordTx(ctx, tx, "batch.posted", b, nil, map[string]any{"rows": b.Rows, "sum": b.SumMinor, "count": b.Counted,
		"total": b.TotalMinor}); err != nil {
		return false, err
	}
	if err := p.bookTx(ctx, tx); err != nil {
		return false, err
	}
	return true, p.settleTx(ctx, tx)
}

// recordTx writes the donation of a gift, what else is known of it, its letters, and its place in the row.
func (p *posting) recordTx(ctx context.Context, tx *sqlx.Tx, g *gift) error {
	donor, err := p.donorTx(ctx, tx, g)
	if err != nil {
		return err
	}
	g.donorID = donor
	if err := p.creditTx(ctx, tx, g); err != nil {
		return err
	}
	if g.row.Minor > 0 {
		stored, err := donation.RecordTx(ctx, tx, p.donationOf(*g))
		if err != nil {
			return err
		}
		g.donationID = uuid.NullUUID{UUID: stored.ID, Valid: true}
	}
	if err := insertGiftTx(ctx, tx, p.batch, *g); err != nil {
		return err
	}
	if g.adviser != uuid.Nil {
		if err := thanks.CreditTx(ctx, tx, p.batch.EntityID, g.id, g.adviser); err != nil {
			return err
		}
	}
	if err := p.Thanks.IssueTx(ctx, tx, p.lettersOf(*g), p.now); err != nil {
		return err
	}
	if g.row.Method == InKind && g.row.Minor > appraisalAbove && p.batch.Currency == "USD" {
		return task.OpenTx(ctx, tx, task.Task{
			EntityID: p.batch.EntityID, Kind: taskAppraisal, Subject: g.donationID.UUID.String(),
			Detail: map[string]string{"amount": money.New(g.row.Minor, p.batch.Currency).Decimal(), "currency": string(p.batch.Currency)},
		}, p.NewID, p.now)
	}
	return nil
}

// insertGiftTx writes what is known of a gift besides its donation and payment, and the gift's place in the row.
func insertGiftTx(ctx context.Context, tx *sqlx.Tx, b Batch, g gift) error {
	const insert = `/* offline.insertGiftTx */
		INSERT INTO offline_gift (id, entity_id, donation_id, donor_id, batch_id, row_n, method, given_by, paid, currency, number, postmarked_on, described,
			in_return, in_return_value, counted_by, note)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, nullif($9, 0), $10, $11, nullif($12, '')::date, $13, $14, nullif($15, 0), $16, $17)`
	const place = `/* offline.insertGiftTx */ UPDATE gift_batch_row SET gift_id = $3, donor_id = $4, soft_credit = $5 WHERE batch_id = $1 AND n = $2`
	note, counted := g.row.Typed["note"], ""
	if g.row.Method.IsThing() {
		note = ""
	}
	if g.row.Method == Cash {
		counted = g.row.Typed["counted_by"]
	}
	_, err := tx.ExecContext(ctx, insert, g.id, b.EntityID, g.donationID, uuid.NullUUID{UUID: g.donorID, Valid: !g.donationID.Valid}, b.ID, g.row.N,
		g.row.Method,
		g.row.GivenBy, g.row.Minor, b.Currency, g.row.Number, g.row.Postmarked, g.described(), g.inReturn(), g.row.ReturnMinor, counted, note)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, place, b.ID, g.row.N, g.id, g.donorID, uuid.NullUUID{UUID: g.adviser, Valid: g.adviser != uuid.Nil})
	return explained(err)
}

// bookTx books what was given in return for gifts: its value is income of operations, and no gift.
func (p *posting) bookTx(ctx context.Context, tx *sqlx.Tx) error {
	operations, err := p.catalog.Operations(p.batch.EntityID)
	if err != nil {
		return err
	}
	var entries []ledger.Entry
	for _, g := range p.gifts {
		if g.row.ReturnMinor == 0 {
			continue
		}
		postings := ledger.Move(g.row.Method.Payment().Account(), ledger.OtherIncome, operations.ID, g.row.ReturnMinor)
		if g.row.Method == Transfer && p.batch.Account != "" {
			postings[0].Dimensions = map[string]string{"bank": p.batch.Account}
		}
		entries = append(entries, ledger.Entry{
			EntityID: p.batch.EntityID, Currency: p.batch.Currency, Date: p.batch.ReceivedOn, Source: "payment", SourceID: g.id.String(), Kind: "in return",
			Fact:       ledger.Fact{"amount": strconv.FormatInt(g.row.ReturnMinor, 10), "currency": string(p.batch.Currency), "method": string(g.row.Method)},
			Dimensions: map[string]string{"payment": g.id.String(), "donation": g.donationID.UUID.String(), "method": string(g.row.Method.Payment())},
			Postings:   postings,
		})
	}
	_, err = ledger.PostTx(ctx, tx, entries, p.NewID)
	return err
}

// settleTx settles the donations: payment, entries, receipts.
func (p *posting) settleTx(ctx context.Context, tx *sqlx.Tx) error {
	var payments []donation.IncomingPayment
	for _, g := range p.gifts {
		if !g.donationID.Valid {
			continue
		}
		paid := donation.IncomingPayment{
			EntityID: p.batch.EntityID, Method: g.row.Method.Payment(), DonationID: g.donationID.UUID, PaymentID: g.id,
			Amount: money.New(g.row.Minor-g.row.ReturnMinor, p.batch.Currency), ReceivedAt: p.noon(), Cause: "batch " + strconv.Itoa(p.batch.N),
			TaxDate: g.taxDate(p.batch), Described: g.described(), Replaces: p.replaces,
		}
		if g.row.Method == Transfer {
			paid.Bank = p.batch.Account
		}
		if g.row.ReturnMinor > 0 {
			paid.InReturn = &receipt.InReturn{
				What: g.inReturn(), Value: money.New(g.row.ReturnMinor, p.batch.Currency), Paid: money.New(g.row.Minor, p.batch.Currency),
			}
		}
		payments = append(payments, paid)
	}
	outcomes, err := p.Settler.SettleTx(ctx, tx, p.catalog, payments)
	if err != nil {
		return err
	}
	for i, outcome := range outcomes {
		if outcome != donation.Booked {
			return errors.New("offline: payment " + payments[i].PaymentID.String() + " is " + string(outcome))
		}
	}
	return nil
}
