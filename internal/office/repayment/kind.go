package repayment

import (
	"context"
	"strconv"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bank"
)

// Kind finds repayments for lines of the bank, and books them.
type Kind struct{}

// Kind returns the kind's name.
func (Kind) Kind() string { return "refund" }

// Open returns the repayments from an account that no line has.
func (Kind) Open(ctx context.Context, q sqlx.QueryerContext, of bank.Account) (items []bank.Item, err error) {
	const query = `/* repayment.Open */ SELECT ` + rowColumns + `WHERE account_id = $1 AND withdrawn_at IS NULL AND match_id IS NULL ORDER BY n`
	var open []Repayment
	err = sqlx.SelectContext(ctx, q, &open, query, of.ID)
	for _, r := range open {
		items = append(items, bank.Item{
			Kind: "refund", Ref: strconv.Itoa(r.N), Amount: -r.Minor, On: r.PaidOn, Text: r.text(), Number: r.Number, Path: "refunds/owed",
		})
	}
	return items, err
}

// BookTx returns what a repayment books when the money leaves the bank: 2300 / 1100, by fund. It locks the repayment.
func (Kind) BookTx(ctx context.Context, tx *sqlx.Tx, of bank.Account, ref string, _ ledger.Date) (b bank.Booking, err error) {
	const query = `/* repayment.BookTx */ SELECT fund_id, amount FROM repayment_part WHERE repayment_id = $1 ORDER BY fund_id`
	n, err := strconv.Atoi(ref)
	if err != nil || strconv.Itoa(n) != ref {
		return b, errNotFound
	}
	r, err := lockTx(ctx, tx, of.EntityID, n)
	if err != nil {
		return b, err
	}
	switch {
	case r.AccountID.UUID != of.ID || r.State() == Returned:
		return b, errNotFound
	case r.State() != Made:
		return b, bank.ErrItem
	}
	var parts []ledger.FundAmount
	if err := tx.SelectContext(ctx, &parts, query, r.ID); err != nil {
		return b, err
	}
	for _, p := range parts {
		b.Amount -= p.Amount
		postings := ledger.Move(ledger.RefundsPayable, ledger.Bank, p.FundID, p.Amount)
		postings[0].Dimensions = map[string]string{"payment": r.PaymentID.String()}
		b.Postings = append(b.Postings, postings...)
	}
	return b, nil
}

// Settler settles what is owed of a gift whose own check came back.
type Settler struct{ NewID func() uuid.UUID }

// SettleTx returns what is owed of a payment by fund, and stores that it is settled. nil: nothing is owed.
func (s Settler) SettleTx(ctx context.Context, tx *sqlx.Tx, entity, payment uuid.UUID, on ledger.Date) (map[uuid.UUID]int64, error) {
	parts, err := owedTx(ctx, tx, entity, payment)
	if err != nil || len(parts) == 0 {
		return nil, err
	}
	id := s.NewID()
	if _, err := insertTx(ctx, tx, Order{ID: id, EntityID: entity, PaymentID: payment, Method: ByReturn, PaidOn: on, Submission: id}, parts); err != nil {
		return nil, err
	}
	byFund := make(map[uuid.UUID]int64, len(parts))
	for _, p := range parts {
		byFund[p.FundID] = p.Amount
	}
	return byFund, recordTx(ctx, tx, "repayment.settled", entity, id, map[string]any{"payment": payment, "amount": total(parts)})
}

// OweAgainTx undoes SettleTx.
func (s Settler) OweAgainTx(ctx context.Context, tx *sqlx.Tx, entity, payment uuid.UUID) error {
	const query = `/* repayment.OweAgainTx */ UPDATE repayment SET withdrawn_at = 'epoch' WHERE payment_id = $1 AND entity_id = $2 AND method = 'returned' AND withdrawn_at IS NULL RETURNING id`
	var ids []uuid.UUID
	if err := tx.SelectContext(ctx, &ids, query, payment, entity); err != nil {
		return explained(err)
	}
	for _, id := range ids {
		if err := recordTx(ctx, tx, "repayment.withdrawn", entity, id, map[string]any{"payment": payment}); err != nil {
			return err
		}
	}
	return nil
}
