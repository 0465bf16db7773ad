package settlement

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/task"
	"konbit/internal/giving/payment"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
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
	s, p, err := b.runOfCheckTx(ctx, tx, catalog, c)
	if err != nil {
		return nil, err
	}
	ref, err := s.returnOfTx(ctx, tx, p.ID, true)
	if err != nil {
		return nil, err
	}
	if err := s.lockFundsOfPaymentsTx(ctx, tx, []uuid.UUID{p.ID}); err != nil {
		return nil, err
	}
	shares, err := s.remainingByFundTx(ctx, tx, p)
	if err != nil {
		return nil, err
	}
	amount := c.Paid
	amount.Minor -= c.InReturn
	for _, owed := range c.Owed {
		amount.Minor -= owed
	}
	var taken taking
	if amount.Minor > 0 {
		if taken, err = s.returnedTx(ctx, tx, shares, nil, amount); err != nil {
			return nil, err
		}
	}
	if err := s.openShortfallTasksTx(ctx, tx, ref, c.Paid.Currency, taken.parts); err != nil {
		return nil, err
	}
	if taken.beyond > 0 {
		if err := task.OpenTx(ctx, tx, task.Task{EntityID: c.EntityID, Kind: taskBeyond, Subject: ref, Detail: map[string]string{
			"of": ref, "donation": p.DonationID.String(), "amount": fmt.Sprint(c.Paid.Minor), "beyond": fmt.Sprint(taken.beyond), "currency": string(p.Currency),
		}}, s.NewID, s.Now()); err != nil {
			return nil, err
		}
	}
	postings := append(s.returnPostings(taken, ledger.Bank, ledger.Bank), share.MovePostings(ledger.OtherIncome, ledger.Bank, s.operations, c.InReturn)...)
	for _, id := range share.SortedFunds(c.Owed) {
		postings = append(postings, ledger.Move(ledger.RefundsPayable, ledger.Bank, id, c.Owed[id])...)
	}
	if taken.total() == 0 {
		return postings, nil
	}
	withheld := taken
	withheld.parts = slices.Clone(taken.parts)
	for i := range withheld.parts {
		withheld.parts[i].Fee, withheld.parts[i].SponsorFee, withheld.parts[i].Absorbed = 0, 0, 0
	}
	if err := s.insertTakingTx(ctx, tx, s.changeOfCheck(c, ref, changeWithdrawn, *p), withheld); err != nil {
		return nil, err
	}
	return postings, s.insertTakingTx(ctx, tx, s.changeOfCheck(c, ref, changeLost, *p), taken)
}

// ReviseReturnedTx makes the receipt void of a gift whose check came back, or replaces that of a check that is paid after all. It locks the
// counter of receipt numbers.
func (b Booker) ReviseReturnedTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, c ReturnedCheck, paidAfterAll bool) error {
	s, p, err := b.runOfCheckTx(ctx, tx, catalog, c)
	if err != nil {
		return err
	}
	ref, err := s.returnOfTx(ctx, tx, p.ID, false)
	if err != nil || ref == "" {
		return err
	}
	lost, _, err := s.earlierTx(ctx, tx, ref, changeLost)
	if err != nil {
		return err
	}
	kind, reason := changeLost, receipt.Dispute
	if paidAfterAll {
		kind, reason = changeWon, receipt.Reinstated
	}
	s.reviseReceiptAfter(s.changeOfCheck(c, ref, kind, *p), lost, reason)
	return s.reviseReceiptsTx(ctx, tx)
}

// PayCheckAfterAllTx stores that a check did not come back: the line of the bank was something else, or was reversed. What ReturnCheckTx
// returned is reversed by the caller. It locks the counter of receipt numbers.
func (b Booker) PayCheckAfterAllTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, c ReturnedCheck) error {
	s, p, err := b.runOfCheckTx(ctx, tx, catalog, c)
	if err != nil {
		return err
	}
	ref, err := s.returnOfTx(ctx, tx, p.ID, false)
	if err != nil || ref == "" {
		return err
	}
	lost, _, err := s.earlierTx(ctx, tx, ref, changeLost)
	if err != nil {
		return err
	}
	const fees = `/* settlement.PayCheckAfterAllTx */
		SELECT fund_id, sponsor_fee FROM payment_change_share WHERE object_id = $1 AND kind = $2 AND entity_id = $3`
	var given []struct {
		FundID     uuid.UUID `db:"fund_id"`
		SponsorFee int64     `db:"sponsor_fee"`
	}
	if err := tx.SelectContext(ctx, &given, fees, ref, changeLost, c.EntityID); err != nil {
		return err
	}
	for i := range lost.parts {
		lost.parts[i].Absorbed = 0
		for _, g := range given {
			if g.FundID == lost.parts[i].Fund.ID {
				lost.parts[i].SponsorFee = -g.SponsorFee // the sponsor has it again
			}
		}
	}
	if err := s.insertTakingTx(ctx, tx, s.changeOfCheck(c, ref, changeWon, *p), lost); err != nil {
		return err
	}
	return b.ReviseReturnedTx(ctx, tx, catalog, c, true)
}

// runOfCheckTx returns a run, and the payment of a check.
func (b Booker) runOfCheckTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, c ReturnedCheck) (*bookingRun, *payment.Payment, error) {
	s, err := b.newRun(catalog, c.EntityID)
	if err != nil {
		return nil, nil, err
	}
	p, err := payment.ByID(ctx, tx, c.PaymentID)
	if err != nil {
		return nil, nil, err
	}
	if p == nil || p.EntityID != c.EntityID || p.Processor != "" || p.Status != payment.Settled || p.DonationID == nil || c.Paid.Currency != p.Currency {
		return nil, nil, fmt.Errorf("settlement: payment %s is no check in %s", c.PaymentID, c.Paid.Currency)
	}
	return s, p, nil
}

// returnOfTx names the newest return of a check, or the next one: a check may come back, be paid after all, and come back again. It returns
// "" if there is none.
func (s *bookingRun) returnOfTx(ctx context.Context, tx *sqlx.Tx, payment uuid.UUID, next bool) (string, error) {
	const query = `/* settlement.returnOfTx */ SELECT count(*) FROM payment_change WHERE payment_id = $1 AND kind = $2`
	var n int
	if err := tx.GetContext(ctx, &n, query, payment, changeLost); err != nil {
		return "", err
	}
	if next {
		n++
	}
	if n == 0 {
		return "", nil
	}
	return fmt.Sprintf("check %s %d", payment, n), nil
}

func (s *bookingRun) changeOfCheck(c ReturnedCheck, ref, kind string, p payment.Payment) change {
	return change{object: ref, kind: kind, payment: p, at: c.On.In(s.entity.Location()).Add(12 * time.Hour)}
}
