package setup_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/pg"
)

// useNetwork books one dollar to the fund csio/network.
func useNetwork(t *testing.T, db *sqlx.DB) {
	t.Helper()
	f := networkOf(t, db)
	entry := ledger.Entry{
		EntityID: f.EntityID, Currency: "USD", Date: ledger.DateOf(noon, noon.Location()),
		Source: "test", SourceID: "pi_1", Kind: "gift", Fact: ledger.Fact{"amount": "100"},
		Postings: ledger.Move(ledger.StripeClearing, ledger.ContributionsWithout, f.ID, 100),
	}
	require.NoError(t, pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		_, err := ledger.PostTx(t.Context(), tx, []ledger.Entry{entry}, uuid.New)
		return err
	}))
}

// designateNetwork inserts an unpaid gift to the fund csio/network.
func designateNetwork(t *testing.T, db *sqlx.DB) {
	t.Helper()
	f := networkOf(t, db)
	donor, donation := uuid.New(), uuid.New()
	require.NoError(t, pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		for _, insert := range []struct {
			query string
			args  []any
		}{
			{`INSERT INTO donor (id, entity_id, email, first_name, last_name, language, created_at) VALUES ($1, $2, 'ana@example.org', 'Ana', 'Diaz', 'es', $3)`,
				[]any{donor, f.EntityID, noon}},
			{`INSERT INTO donation (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, currency,
				language, anonymous, news, created_at, source)
				VALUES ($1, $2, $3, $4, $5, 'started', 'once', 100, 'USD', 'es', false, false, $6, 'office')`,
				[]any{donation, f.EntityID, f.OrganisationID, donor, donation.String(), noon}},
			{`INSERT INTO designation (donation_id, n, entity_id, fund_id, amount) VALUES ($1, 1, $2, $3, 100)`,
				[]any{donation, f.EntityID, f.ID}},
		} {
			if _, err := tx.Exec(insert.query, insert.args...); err != nil {
				return err
			}
		}
		return nil
	}))
}
