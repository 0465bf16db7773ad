package settlement

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/books/task"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
	"konbit/internal/processor/share"
)

// Run books what becomes of payments of one entity that no processor tells of (package offlinepay).
type Run struct{ s *bookingRun }

// Begin begins a run.
func (b Booker) Begin(catalog *fund.Catalog, entity uuid.UUID) (Run, error) {
	s, err := b.newRun(catalog, entity)
	return Run{s}, err
}

// Entity returns the entity, and Operations its operations fund.
func (r Run) Entity() org.LegalEntity { return r.s.entity }

// Operations returns the operations fund.
func (r Run) Operations() fund.Fund { return r.s.operations }

// LockFundsTx locks the restricted funds of a payment.
func (r Run) LockFundsTx(ctx context.Context, tx *sqlx.Tx, payment uuid.UUID) error {
	return r.s.lockFundsOfPaymentsTx(ctx, tx, []uuid.UUID{payment})
}

// Taking is how money that went back was divided.
type Taking struct {
	Parts  []share.Part // of the funds of the gift
	Beyond int64        // more than was left of the gift, in minor units: operations pays it
}

func (t Taking) taking() taking { return taking{t.Parts, t.Beyond} }

// Total returns the amount that went back, in minor units.
func (t Taking) Total() int64 { return t.taking().total() }

// TakeTx divides a returned amount over the funds, as it was ordered or in proportion, with each part's share of the fees and what operations
// absorbs. It locks the restricted funds.
func (r Run) TakeTx(ctx context.Context, tx *sqlx.Tx, shares []share.FundShare, ordered map[uuid.UUID]int64, amount money.Amount) (Taking, error) {
	t, err := r.s.returnedTx(ctx, tx, shares, ordered, amount)
	return Taking{t.parts, t.beyond}, err
}

// OpenTasksTx opens the tasks about what restricted funds could not pay, and about what went back beyond the gift.
func (r Run) OpenTasksTx(ctx context.Context, tx *sqlx.Tx, object string, of money.Amount, t Taking, donation uuid.UUID) error {
	if err := r.s.openShortfallTasksTx(ctx, tx, object, of.Currency, t.Parts); err != nil || t.Beyond == 0 {
		return err
	}
	return task.OpenTx(ctx, tx, task.Task{EntityID: r.s.entity.ID, Kind: taskBeyond, Subject: object, Detail: map[string]string{
		"of": object, "donation": donation.String(), "amount": fmt.Sprint(of.Minor), "beyond": fmt.Sprint(t.Beyond), "currency": string(of.Currency),
	}}, r.s.NewID, r.s.Now())
}

// Postings returns the postings of a refund (see refundTx). The money is credited to paidFrom; the fees are given back in feesIn.
func (r Run) Postings(t Taking, paidFrom, feesIn ledger.Account) []ledger.Posting {
	return r.s.returnPostings(t.taking(), paidFrom, feesIn)
}

// StoreTx stores a change and its parts.
func (r Run) StoreTx(ctx context.Context, tx *sqlx.Tx, c Change, t Taking) error {
	return r.s.insertTakingTx(ctx, tx, c.change(), t.taking())
}

// EarlierTx returns how an earlier change of an object was divided, without fees; happened is false if there was no such change.
func (r Run) EarlierTx(ctx context.Context, tx *sqlx.Tx, object, kind string) (Taking, bool, error) {
	t, happened, err := r.s.earlierTx(ctx, tx, object, kind)
	return Taking{t.parts, t.beyond}, happened, err
}

// ReviseTx revises the receipt of a gift of which a change took something. It locks the counter of receipt numbers.
func (r Run) ReviseTx(ctx context.Context, tx *sqlx.Tx, c Change, t Taking, reason receipt.Reason) error {
	r.s.reviseReceiptAfter(c.change(), t.taking(), reason)
	return r.s.reviseReceiptsTx(ctx, tx)
}
