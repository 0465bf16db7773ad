package checkout_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/checkout"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/program"
)

// TestGiftFromTheOfficeIsNeverOverdue: a gift that the office entered waits for its check as long as it takes. Only gifts
// with a payment page are asked about at Stripe and expire.
func TestGiftFromTheOfficeIsNeverOverdue(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	started := h.StartedGift(program.ValidForm())
	entered := program.NewID()
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		_, err := donation.RecordTx(t.Context(), tx, donation.Record{
			ID: entered, PublicRef: program.NewRef(), EntityID: started.EntityID, OrganisationID: started.OrganisationID, DonorID: started.DonorID,
			Source: donation.FromOffice, Language: "en", At: started.CreatedAt, Cause: "staff",
			Parts: []donation.Designation{{FundID: h.Offer("csio").Funds[0].ID, Amount: started.Amount(), Covered: money.New(0, "USD")}},
		})
		return err
	}))
	overdue, err := checkout.Overdue(t.Context(), h.DB.Server, h.Fake.Now().Add(60*24*time.Hour), 10)
	require.NoError(t, err)
	var ids []uuid.UUID
	for _, g := range overdue {
		ids = append(ids, g.ID)
	}
	require.Equal(t, []uuid.UUID{started.ID}, ids)

	h.Fake.Advance(60 * 24 * time.Hour)
	_, err = h.Sweeper.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, donation.Expired, h.Gift(started.ID).Status)
	require.Equal(t, donation.Started, h.Gift(entered).Status)
}
