package offlinepay

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/giving/payment"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
	"konbit/internal/processor/settlement"
	"konbit/internal/processor/share"
)

// ReturnedCheck is a check that was deposited and that its bank does not pay.
//
// What a bank takes back of a payment is stored as it is of a card: a dispute that is withdrawn and lost at the same moment, and won if the
// check is paid after all (kinds of payment_change).
type ReturnedCheck struct {
	EntityID  uuid.UUID
	PaymentID uuid.UUID
	Paid      money.Amount        // the whole check
	InReturn  int64               // of it the value of what was given in return, in minor units
	Owed      map[uuid.UUID]int64 // of it what the books owe to the donor by fund, since a refund was ordered and not paid: the donor has it now
	On        ledger.Date         // the day on which the bank took it back
}

// ReturnCheckTx stores that a check came back and returns what the bank's line books, which the caller posts. 48xx is 4800, or 4805 for a
// restricted fund.
//
//	debit  credit  fund         amount
//	48xx   1100    gift's fund  what is left of the gift, as far as the fund can pay it
//	4800   1100    operations   what a restricted fund cannot pay (a task says so)
//	4800   1100    operations   what was refunded and paid before (another task says so)
//	2300   1100    gift's fund  what was refunded and not paid yet
//	4300   1100    operations   the value of what was given in return
//	1100   3900    gift's fund  the sponsor's fee; and 4910 / 4900 if the fund is restricted
//	3900   1100    operations   the same
//
// ReviseReturnedTx follows when it is posted. It locks funds.
func (b Booker) ReturnCheckTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, c ReturnedCheck) ([]ledger.Posting, error) {
	run, p, err := b.runOfCheckTx(ctx, tx, catalog, c)
	if err != nil {
		return nil, err
	}
	ref, err := returnOfTx(ctx, tx, run, p.ID, true)
	if err != nil {
		return nil, err
	}
	if err := run.LockFundsTx(ctx, tx, p.ID); err != nil {
		return nil, err
	}
	shares, err := share.Positions(ctx, tx, catalog, p.ID)
	if err != nil {
		return nil, err
	}
	amount := c.Paid
	amount.Minor -= c.InReturn
	for _, owed := range c.Owed {
		amount.Minor -= owed
	}
	var taken settlement.Taking
	if amount.Minor > 0 {
		if taken, err = run.TakeTx(ctx, tx, shares, nil, amount); err != nil {
			return nil, err
		}
	}
	if err := run.OpenTasksTx(ctx, tx, ref, c.Paid, taken, *p.DonationID); err != nil {
		return nil, err
	}
	postings := append(run.Postings(taken, ledger.Bank, ledger.Bank), share.MovePostings(ledger.OtherIncome, ledger.Bank, run.Operations(), c.InReturn)...)
	for _, id := range share.SortedFunds(c.Owed) {
		postings = append(postings, ledger.Move(ledger.RefundsPayable, ledger.Bank, id, c.Owed[id])...)
	}
	if taken.Total() == 0 {
		return postings, nil
	}
	if err := run.StoreTx(ctx, tx, changeOfCheck(run, c, ref, settlement.ChangeWithdrawn, *p), withheld(taken)); err != nil {
		return nil, err
	}
	return postings, run.StoreTx(ctx, tx, changeOfCheck(run, c, ref, settlement.ChangeLost, *p), taken)
}

// withheld returns what is withheld of funds before it is lost: without fees and without what operations absorbs.
func withheld(t settlement.Taking) settlement.Taking {
	t.Parts = slices.Clone(t.Parts)
	for i := range t.Parts {
		t.Parts[i].Fee, t.Parts[i].SponsorFee, t.Parts[i].Absorbed = 0, 0, 0
	}
	return t
}

// ReviseReturnedTx makes the receipt void of a gift whose check came back, or replaces that of a check that is paid after all. It locks the
// counter of receipt numbers.
func (b Booker) ReviseReturnedTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, c ReturnedCheck, paidAfterAll bool) error {
	run, p, err := b.runOfCheckTx(ctx, tx, catalog, c)
	if err != nil {
		return err
	}
	ref, err := returnOfTx(ctx, tx, run, p.ID, false)
	if err != nil || ref == "" {
		return err
	}
	lost, _, err := run.EarlierTx(ctx, tx, ref, settlement.ChangeLost)
	if err != nil {
		return err
	}
	kind, reason := settlement.ChangeLost, receipt.Dispute
	if paidAfterAll {
		kind, reason = settlement.ChangeWon, receipt.Reinstated
	}
	return run.ReviseTx(ctx, tx, changeOfCheck(run, c, ref, kind, *p), lost, reason)
}

// PayCheckAfterAllTx stores that a check did not come back: the line of the bank was something else, or was reversed. What ReturnCheckTx
// returned is reversed by the caller. It locks the counter of receipt numbers.
func (b Booker) PayCheckAfterAllTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, c ReturnedCheck) error {
	run, p, err := b.runOfCheckTx(ctx, tx, catalog, c)
	if err != nil {
		return err
	}
	ref, err := returnOfTx(ctx, tx, run, p.ID, false)
	if err != nil || ref == "" {
		return err
	}
	lost, _, err := run.EarlierTx(ctx, tx, ref, settlement.ChangeLost)
	if err != nil {
		return err
	}
	fees, err := run.SponsorFeesTx(ctx, tx, ref, settlement.ChangeLost)
	if err != nil {
		return err
	}
	for i := range lost.Parts {
		lost.Parts[i].Absorbed, lost.Parts[i].SponsorFee = 0, -fees[lost.Parts[i].Fund.ID] // the sponsor has it again
	}
	if err := run.StoreTx(ctx, tx, changeOfCheck(run, c, ref, settlement.ChangeWon, *p), lost); err != nil {
		return err
	}
	return b.ReviseReturnedTx(ctx, tx, catalog, c, true)
}

// runOfCheckTx returns a run, and the payment of a check.
func (b Booker) runOfCheckTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, c ReturnedCheck) (run settlement.Run, p *payment.Payment, err error) {
	if run, err = b.Begin(catalog, c.EntityID); err != nil {
		return run, nil, err
	}
	if p, err = payment.ByID(ctx, tx, c.PaymentID); err != nil {
		return run, nil, err
	}
	if p == nil || p.EntityID != c.EntityID || p.Processor != "" || p.Status != payment.Settled || p.DonationID == nil || c.Paid.Currency != p.Currency {
		return run, nil, fmt.Errorf("offlinepay: payment %s is no check in %s", c.PaymentID, c.Paid.Currency)
	}
	return run, p, nil
}

// returnOfTx names the newest return of a check, or the next one: a check may come back, be paid after all, and come back again. It returns
// "" if there is none.
func returnOfTx(ctx context.Context, tx *sqlx.Tx, run settlement.Run, payment uuid.UUID, next bool) (string, error) {
	n, err := run.CountTx(ctx, tx, payment, settlement.ChangeLost)
	if next {
		n++
	}
	if err != nil || n == 0 {
		return "", err
	}
	return fmt.Sprintf("check %s %d", payment, n), nil
}

func changeOfCheck(run settlement.Run, c ReturnedCheck, ref, kind string, p payment.Payment) settlement.Change {
	return settlement.Change{Object: ref, Kind: kind, Payment: p, At: c.On.In(run.Entity().Location()).Add(12 * time.Hour)}
}
