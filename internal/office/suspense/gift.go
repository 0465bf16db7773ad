package suspense

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/payment"
)

// RecordGiftTx records the gift that an amount in suspense becomes, in the transaction in which a person asks for it. The
// donor is g.DonorID, or found by the address, or added. It is not paid until another person approves; g.Source and g.At are
// set here. The parts come to the amount. It reports ErrAmount if something else is in suspense now.
func (s Resolver) RecordGiftTx(ctx context.Context, tx *sqlx.Tx, act Act, g donation.Record) error {
	now, err := Of(ctx, tx, act.EntityID, act.Subject)
	if err != nil {
		return err
	}
	if now.Minor != act.Minor || now.Minor <= 0 || now.Currency != act.Currency || now.ClearsItself {
		return ErrAmount
	}
	g.ID, g.EntityID, g.Source, g.At = act.DonationID, act.EntityID, donation.FromOffice, s.Now()
	recorded, err := donation.RecordTx(ctx, tx, g)
	if err == nil && recorded.Amount() != act.Amount() {
		err = fmt.Errorf("suspense: a gift of %v for %v in suspense", recorded.Amount(), act.Amount())
	}
	return err
}

// origin is where an amount in suspense came from.
type origin struct {
	Account    ledger.Account `db:"account"`
	ReceivedAt time.Time      `db:"received_at"`
}

// originTx returns in which account the money of a subject is, and when it came: as its payment says, or, if it has none, as
// the first entry.
func originTx(ctx context.Context, tx *sqlx.Tx, act Act) (o origin, err error) {
	const query = `/* suspense.originTx */ SELECT account, received_at FROM suspense_origin($1, $2)`
	err = tx.GetContext(ctx, &o, query, act.EntityID, act.Subject)
	return o, err
}

// settleTx settles the gift of a resolution, by a payment with the resolution's id.
func (s Resolver) settleTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, id uuid.UUID, act Act, from origin) error {
	outcomes, err := s.Settler.SettleTx(ctx, tx, catalog, []donation.IncomingPayment{{
		EntityID: act.EntityID, Method: payment.OfSuspense, DonationID: act.DonationID, Amount: act.Amount(), ReceivedAt: from.ReceivedAt,
		Cause: "suspense resolution", PaymentID: id, Account: from.Account,
	}})
	switch {
	case err != nil:
		return err
	case len(outcomes) != 1 || outcomes[0] != donation.Booked:
		return errors.Join(ErrGift, fmt.Errorf("suspense: the gift is %v", outcomes))
	}
	return nil
}
