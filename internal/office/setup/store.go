package setup

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/office/bank"
)

// lockTx makes concurrent calls of Apply wait for each other until the transaction ends.
func lockTx(ctx context.Context, tx *sqlx.Tx) error {
	const query = `/* setup.lockTx */ SELECT pg_advisory_xact_lock(hashtextextended('konbit setup', 0))`
	_, err := tx.ExecContext(ctx, query)
	return err
}

func readStored(ctx context.Context, q sqlx.QueryerContext) (s stored, err error) {
	if s.entities, err = org.Entities(ctx, q); err != nil {
		return s, err
	}
	if s.organisations, err = org.Organisations(ctx, q); err != nil {
		return s, err
	}
	if s.accounts, err = bank.Accounts(ctx, q); err != nil {
		return s, err
	}
	s.funds, err = fund.All(ctx, q)
	return s, err
}

// usedFunds returns those of the funds that have gifts or journal entries. It asks the packages donation and ledger,
// because only setup has the question: may the file stop listing this fund?
func usedFunds(ctx context.Context, q sqlx.QueryerContext, of []leftOut) (map[uuid.UUID]bool, error) {
	ids := make([]uuid.UUID, len(of))
	for i, f := range of {
		ids[i] = f.ID
	}
	designated, err := donation.FundsWithGifts(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	posted, err := ledger.FundsWithPostings(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	used := make(map[uuid.UUID]bool, len(ids))
	for _, id := range append(designated, posted...) {
		used[id] = true
	}
	return used, nil
}
