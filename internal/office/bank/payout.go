package bank

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/processor/payout"
)

// payoutDimension is the dimension of a posting on 1015 that names the payout, so that what came back is divided as what arrived.
const payoutDimension = "payout"

// Payouts are the payouts of the processor that arrive at the bank.
type Payouts struct{}

// Kind returns the kind's name.
func (Payouts) Kind() string { return "payout" }

// Open returns the payouts that no line has, but those that failed.
func (Payouts) Open(ctx context.Context, q sqlx.QueryerContext, of Account) ([]Item, error) {
	waiting, err := payout.AwaitBank(ctx, q, of.EntityID)
	return payoutItems("payout", waiting, 1), err
}

// BookTx books a payout by the funds of its entry: 1100 / 1015.
func (Payouts) BookTx(ctx context.Context, tx *sqlx.Tx, of Account, ref string, _ ledger.Date) (b Booking, err error) {
	if err := payout.LockTx(ctx, tx, of.EntityID, ref); err != nil {
		return b, err
	}
	parts, err := ledger.MovementByFund(ctx, tx, of.EntityID, ledger.PayoutsInTransit, payoutDimension, ref)
	return bookPayout(parts, ref), err
}

// ReturnedPayouts are payouts that arrived at the bank and went back from it.
type ReturnedPayouts struct{}

// Kind returns the kind's name.
func (ReturnedPayouts) Kind() string { return "payout_returned" }

// Open returns the payouts that a line has, failed afterwards, and have no line for what went back.
func (ReturnedPayouts) Open(ctx context.Context, q sqlx.QueryerContext, of Account) ([]Item, error) {
	waiting, err := payout.AwaitReturn(ctx, q, of.EntityID)
	return payoutItems("payout_returned", waiting, -1), err
}

// BookTx books what went back by the funds to which it came: 1015 / 1100.
func (ReturnedPayouts) BookTx(ctx context.Context, tx *sqlx.Tx, of Account, ref string, _ ledger.Date) (b Booking, err error) {
	if err := payout.LockTx(ctx, tx, of.EntityID, ref); err != nil {
		return b, err
	}
	waiting, err := payout.AwaitReturn(ctx, tx, of.EntityID)
	if err != nil {
		return b, err
	}
	if !slices.ContainsFunc(waiting, func(p payout.Stored) bool { return p.Ref == ref }) {
		return b, ErrItem
	}
	parts, err := ledger.MatchedByFund(ctx, tx, of.EntityID, ledger.PayoutsInTransit, payoutDimension, ref)
	return bookPayout(parts, ref), err
}

// bookPayout returns the postings of what is in transit in each fund: a positive amount arrives, a negative one leaves.
func bookPayout(parts []ledger.FundAmount, ref string) (b Booking) {
	for _, p := range parts {
		postings := ledger.Move(ledger.Bank, ledger.PayoutsInTransit, p.FundID, p.Amount)
		postings[1].Dimensions = map[string]string{payoutDimension: ref}
		b.Amount, b.Postings = b.Amount+p.Amount, append(b.Postings, postings...)
	}
	return b
}

func payoutItems(kind string, all []payout.Stored, sign int64) (items []Item) {
	for _, p := range all {
		text := "STRIPE"
		if p.Descriptor != "" {
			text += " " + p.Descriptor
		}
		items = append(items, Item{Kind: kind, Ref: p.Ref, Amount: sign * p.Amount, On: ledger.DateOf(p.ArrivalOn, p.ArrivalOn.Location()), Text: text,
			Path: "payouts/" + p.Ref})
	}
	return items
}
