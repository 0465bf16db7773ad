package settlement

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
	"konbit/internal/platform/pg"
	"konbit/internal/processor/payout"
)

// Transaction is a balance transaction as Stripe lists it, with its source. Amounts are minor units of Currency; money
// that leaves is negative; Net = Amount − Fee. The adapter of a second processor gives its movements these types and
// categories.
type Transaction struct {
	ID          string
	Type        string // Stripe's type: "charge", "refund", "adjustment" …
	Category    string // Stripe's reporting category: it separates disputes from other adjustments
	SourceID    string // the charge, refund, dispute or payout that made it
	Amount      int64
	Fee         int64
	Net         int64
	Currency    money.Currency
	CreatedAt   time.Time
	AvailableOn time.Time

	Charge      *donation.IncomingPayment // the charge that succeeded; nil for a bank debit that is pending or failed
	ChargeID    string                    // the charge that made it, or that was refunded or disputed
	RefundOrder string                    // for a refund: the order that the processor stores with it; empty if none
	ReadError   error                     // why its charge cannot be read; nil if it can
	Payout      *payout.Payout            // for a payout: the payout itself; nil if the list does not contain it
	Members     []string                  // for an automatic payout: the transactions that it pays out, without its own; nil if not listed
}

// movement is the kind of a transaction: it decides by which rule the transaction is booked.
type movement int

const (
	unknownMovement movement = iota
	chargeMade
	chargeFailed
	refunded
	refundFailed
	disputeWithdrawn
	disputeWon
	payoutPaid
	payoutFailed
	processorFee
)

// IsPayout reports whether the transaction pays money out to the bank.
func (t Transaction) IsPayout() bool { return t.movement() == payoutPaid }

// IsFailedPayout reports whether the transaction brings back money of a payout that the bank returned or Stripe
// canceled.
func (t Transaction) IsFailedPayout() bool { return t.movement() == payoutFailed }

// IsAutomaticPayout reports whether the transaction is a payout made by the processor's schedule: it has members.
func (t Transaction) IsAutomaticPayout() bool {
	return t.IsPayout() && t.Payout != nil && t.Payout.Kind == payout.Automatic
}

// movement returns the kind of the transaction by Stripe's type, and of an adjustment by its reporting category
// (https://docs.stripe.com/reports/balance-transaction-types).
func (t Transaction) movement() movement {
	switch t.Type {
	case "charge", "payment":
		if t.SourceID == "" {
			return unknownMovement
		}
		return chargeMade
	case "payment_failure_refund", "payment_reversal":
		return chargeFailed
	case "refund", "payment_refund":
		return refunded
	case "refund_failure", "payment_refund_failure":
		return refundFailed
	case "payout":
		return payoutPaid
	case "payout_failure", "payout_cancel":
		return payoutFailed
	case "stripe_fee", "stripe_fx_fee", "tax_fee":
		return processorFee
	case "adjustment":
		switch t.Category {
		case "dispute":
			return disputeWithdrawn
		case "dispute_reversal":
			return disputeWon
		}
	}
	return unknownMovement
}

// changedCharge returns the charge that a refund, a dispute or a failed bank debit took money of or gave back to; empty for
// any other transaction.
func (t Transaction) changedCharge() string {
	if t.movement() == chargeMade {
		return ""
	}
	return t.ChargeID
}

// amount returns an amount of minor units in the transaction's currency.
func (t Transaction) amount(minor int64) money.Amount { return money.New(minor, t.Currency) }

// entry returns an entry of the transaction without postings.
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

// Sources and kinds of entries, as in journal_entry.source and journal_entry.kind.
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

// recordTx stores transactions, and the payouts among them with their members, before they are booked. Payouts come
// first, so that the trigger for the previous release finds them stored.
func (s *bookingRun) recordTx(ctx context.Context, tx *sqlx.Tx, transactions []Transaction) error {
	for _, t := range transactions {
		if !t.IsPayout() || t.Payout == nil {
			continue
		}
		if err := (payout.Store{NewID: s.NewID, Now: s.Now}).StoreTx(ctx, tx, s.entity.ID, *t.Payout, t.Members); err != nil {
			return err
		}
	}
	return insertTransactionsTx(ctx, tx, s.entity, transactions, s.Now())
}

// insertTransactionsTx stores transactions as booked.
func insertTransactionsTx(ctx context.Context, tx *sqlx.Tx, entity org.LegalEntity, transactions []Transaction, now time.Time) error {
	const query = `/* settlement.insertTransactionsTx */
		INSERT INTO balance_transaction (entity_id, id, type, source_id, amount, fee, net, currency, created_at, available_on, changed_charge, booked_at)
		SELECT $1, t.id, t.type, t.source_id, t.amount, t.fee, t.net, t.currency, t.created_at, t.available_on, nullif(t.changed_charge, ''), $2
		  FROM unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::timestamptz[], $11::timestamptz[],
		              $12::text[]) AS t (id, type, source_id, amount, fee, net, currency, created_at, available_on, changed_charge)`
	rows := pg.NewColumns(10)
	for _, t := range transactions {
		rows.Add(t.ID, t.Type, t.SourceID, t.Amount, t.Fee, t.Net, string(t.Currency), t.CreatedAt, t.AvailableOn, t.changedCharge())
	}
	_, err := tx.ExecContext(ctx, query, rows.Args(entity.ID, now)...)
	return err
}

// BookedTx returns which of the transactions are booked, by rule or to suspense.
func BookedTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, ids []string) (map[string]bool, error) {
	const query = `/* settlement.BookedTx */ SELECT id FROM balance_transaction WHERE entity_id = $1 AND id = ANY($2)`
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

// UnbookedTx returns those of the listed transactions that are not booked, each once.
func UnbookedTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, listed []Transaction) ([]Transaction, error) {
	ids := make([]string, len(listed))
	for i, t := range listed {
		ids[i] = t.ID
	}
	booked, err := BookedTx(ctx, tx, entity, ids)
	if err != nil {
		return nil, err
	}
	var unbooked []Transaction
	for _, t := range listed {
		if !booked[t.ID] {
			booked[t.ID] = true // a list may contain a transaction twice
			unbooked = append(unbooked, t)
		}
	}
	return unbooked, nil
}

// BookedNet returns the net of an entity's booked transactions in one currency, in minor units.
func BookedNet(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, currency money.Currency) (net int64, err error) {
	const query = `/* settlement.BookedNet */ SELECT coalesce(sum(net), 0)::bigint FROM balance_transaction WHERE entity_id = $1 AND currency = $2`
	err = sqlx.GetContext(ctx, q, &net, query, entity, currency)
	return net, err
}

// IsBookedElsewhere reports whether booking failed because another database transaction booked the same balance
// transaction first.
func IsBookedElsewhere(err error) bool { return pg.Violates(err, "balance_transaction_pkey") }

// hasMovementTx reports whether a movement of an object (a charge, refund or dispute) is booked, in suspense or not.
func (s *bookingRun) hasMovementTx(ctx context.Context, tx *sqlx.Tx, object string) (found bool, err error) {
	const query = `/* settlement.hasMovementTx */ SELECT EXISTS (SELECT 1 FROM balance_transaction WHERE entity_id = $1 AND source_id = $2)`
	err = tx.GetContext(ctx, &found, query, s.entity.ID, object)
	return found, err
}
