package payout

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/money"
)

// Transaction is a balance transaction as Stripe lists it, with what is known of its source. Amount less
// Fee is Net, in minor units of Currency; money that left is negative.
type Transaction struct {
	ID          string
	Type        string // Stripe's type: "charge", "refund", "adjustment" …
	Category    string // Stripe's reporting category: tells disputes from other adjustments
	SourceID    string // the charge, refund, dispute or payout it is of
	Amount      int64
	Fee         int64
	Net         int64
	Currency    money.Currency
	CreatedAt   time.Time
	AvailableOn time.Time

	Charge     *donation.IncomingPayment // of a charge or payment that succeeded; nil: a bank debit that is pending, or failed
	ChargeID   string                    // the charge it is of or about
	Unreadable error                     // why its charge cannot be read; nil when it can
	Automatic  bool                      // of a payout: made by Stripe's schedule, so its members can be listed
	Members    []string                  // of an automatic payout: the transactions it pays out, itself left out
}

// Member is a balance transaction that a payout pays out.
type Member struct {
	ID        string
	CreatedAt time.Time
}

// movement is what kind of booking a transaction needs.
type movement int

const (
	unknown movement = iota
	charged
	chargeFailed
	refunded
	refundFailed
	disputeWithdrawn
	disputeWon
	paidOut
	payoutFailed
	stripesFee
)

// movement classifies by Stripe's type, and adjustments by their reporting category
// (https://docs.stripe.com/reports/balance-transaction-types).
func (t Transaction) movement() movement {
	switch t.Type {
	case "charge", "payment":
		if t.SourceID == "" {
			return unknown
		}
		return charged
	case "payment_failure_refund", "payment_reversal":
		return chargeFailed
	case "refund", "payment_refund":
		return refunded
	case "refund_failure", "payment_refund_failure":
		return refundFailed
	case "payout":
		return paidOut
	case "payout_failure", "payout_cancel":
		return payoutFailed
	case "stripe_fee", "stripe_fx_fee", "tax_fee":
		return stripesFee
	case "adjustment":
		switch t.Category {
		case "dispute":
			return disputeWithdrawn
		case "dispute_reversal":
			return disputeWon
		}
	}
	return unknown
}

// entry is an entry of the transaction without its postings.
func (t Transaction) entry(e org.LegalEntity, kind string) ledger.Entry {
	return ledger.Entry{
		EntityID: e.ID, Currency: t.Currency, Date: ledger.DateOf(t.CreatedAt, e.Location()),
		Source: sourceTransaction, SourceID: t.ID, Kind: kind,
		Fact: ledger.Fact{
			"type": t.Type, "of": t.SourceID, "amount": money.New(t.Amount, t.Currency).Decimal(),
			"fee": money.New(t.Fee, t.Currency).Decimal(), "currency": string(t.Currency),
		},
		Dimensions: map[string]string{"of": t.SourceID},
	}
}

// Source and kinds of what balance transactions book, as the journal has them.
const (
	sourceTransaction = "stripe balance transaction"
	sourceDispute     = "stripe dispute"
	kindFee           = "processing fee"
	kindSponsorFee    = "sponsor fee"
	kindMovement      = "movement"
	kindDisputeFee    = "dispute fee"
	kindLost          = "lost"
	kindPending       = "pending"
	kindCleared       = "cleared"
)

// keepTx writes the transactions as booked.
func keepTx(ctx context.Context, tx *sqlx.Tx, entity org.LegalEntity, kept []Transaction, now time.Time) error {
	const query = `/* payout.keepTx */
		INSERT INTO balance_transaction (entity_id, id, type, source_id, amount, fee, net, currency, created_at, available_on, booked_at)
		SELECT $1, t.id, t.type, t.source_id, t.amount, t.fee, t.net, t.currency, t.created_at, t.available_on, $2
		  FROM unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::timestamptz[], $11::timestamptz[])
		       AS t (id, type, source_id, amount, fee, net, currency, created_at, available_on)`
	n := len(kept)
	ids, types, sources, currencies := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	amounts, fees, nets := make([]int64, n), make([]int64, n), make([]int64, n)
	created, available := make([]string, n), make([]string, n)
	for i, t := range kept {
		ids[i], types[i], sources[i], currencies[i] = t.ID, t.Type, t.SourceID, string(t.Currency)
		amounts[i], fees[i], nets[i] = t.Amount, t.Fee, t.Net
		created[i], available[i] = t.CreatedAt.UTC().Format(time.RFC3339Nano), t.AvailableOn.UTC().Format(time.RFC3339Nano)
	}
	_, err := tx.ExecContext(ctx, query, entity.ID, now, pq.Array(ids), pq.Array(types), pq.Array(sources),
		pq.Array(amounts), pq.Array(fees), pq.Array(nets), pq.Array(currencies), pq.Array(created), pq.Array(available))
	return err
}

// BookedTx tells which of the transactions are kept, and so booked.
func BookedTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, ids []string) (map[string]bool, error) {
	const query = `/* payout.BookedTx */ SELECT id FROM balance_transaction WHERE entity_id = $1 AND id = ANY($2)`
	var found []string
	if err := tx.SelectContext(ctx, &found, query, entity, pq.Array(ids)); err != nil {
		return nil, err
	}
	booked := make(map[string]bool, len(found))
	for _, id := range found {
		booked[id] = true
	}
	return booked, nil
}
