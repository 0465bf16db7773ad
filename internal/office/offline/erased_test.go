package offline_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donor"
	"konbit/internal/office/offline"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/program"
)

// TestErasedAdviser: after the erasure of whom a gift is credited to, no row, letter or email names the person, and the gift of the fund stays.
func TestErasedAdviser(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	adviser := program.NewID()
	require.NoError(t, pg.InTx(t.Context(), f.DB.Owner, func(tx *sqlx.Tx) error {
		_, err := donor.FindOrAddTx(t.Context(), tx, donor.Donor{ID: adviser, EntityID: f.entity, Email: "canary@example.org", FirstName: "Canaryfirst", LastName: "Canarylast",
			Language: "en", CreatedAt: time.Now()})
		return err
	}))
	b := f.batch(1, 500_00)
	f.add(b, offline.Typed{"organisation": "Fidelity Charitable", "given_by": "daf", "amount": "500", "email": "grants@fidelity.example", "soft_credit": adviser.String(),
		"note": "Canaryfirst called"})
	_, err := f.post(f.clara, b, "")
	require.NoError(t, err)
	require.Contains(t, f.sent()["canary@example.org"], "Canaryfirst")

	e, err := f.Privacy.Request(t.Context(), privacy.ErasureRequest{Donors: []uuid.UUID{adviser}, Language: "en", RequestedBy: "office"})
	require.NoError(t, err)
	f.AgeErasures()
	require.NoError(t, f.Privacy.Erase(t.Context(), e.ID))
	for _, table := range []string{"gift_batch_row", "offline_gift", "thank_you", "donor", "letter_delivery"} {
		require.Zero(t, f.Count(`SELECT count(*) FROM `+table+` t WHERE t::text ILIKE '%canary%'`), table)
	}
	require.Zero(t, f.Count(`SELECT count(*) FROM letter WHERE kind = 'thank_you' AND (message <> '' OR difference IS NOT NULL)`))
	require.Equal(t, 1, f.Count(`SELECT count(*) FROM payment WHERE amount = 50000`))
	f.quiet()
}
