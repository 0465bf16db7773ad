package visitor

import (
	"maps"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/donor"
	"konbit/internal/office/offline"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
)

// PostBatch posts a batch of today with the rows, of new donors; funds are those of an organisation, the first one unless a row says so. A
// row with a "donor_id" is of that organisation. It returns the person of the entity's finance who posted it.
func PostBatch(t testing.TB, h *program.Program, organisation string, rows ...offline.Typed) *office.Person {
	t.Helper()
	o, err := h.CurrentCatalog().Organisation(organisation)
	require.NoError(t, err)
	entity, err := h.CurrentCatalog().EntityByID(o.EntityID)
	require.NoError(t, err)
	by := office.Add(t, h.DB.Owner, "posts", office.Role{Role: "finance", Entity: entity.Slug})
	received := ledger.DateOf(time.Now(), entity.Location())
	require.NoError(t, by.InTx(t, h.DB.Server, func(tx *sqlx.Tx) error {
		b, err := offline.BeginTx(t.Context(), tx, offline.Batch{
			ID: program.NewID(), EntityID: entity.ID, ReceivedOn: received, Counted: len(rows), TotalMinor: 1, Currency: entity.Currency,
			Submission: program.NewID(), FundID: uuid.NullUUID{UUID: h.CurrentCatalog().Open(o.ID)[0].ID, Valid: true},
		})
		if err != nil {
			return err
		}
		checker := offline.Checker{Catalog: h.CurrentCatalog(), Entity: entity, FundID: b.FundID, ReceivedOn: received, Language: "en"}
		for _, row := range rows {
			who := offline.Choice{}
			if id, err := uuid.Parse(row["donor_id"]); err == nil {
				who = offline.Choice{ID: id, Kind: donor.Organisation}
			}
			row = maps.Clone(row)
			delete(row, "donor_id")
			m, bad := checker.Check(row, who)
			require.Empty(t, bad)
			if _, err := offline.StoreTx(t.Context(), tx, b, 0, program.NewID(), row, m); err != nil {
				return err
			}
		}
		_, err = h.Poster.PostTx(t.Context(), tx, h.CurrentCatalog(), b.ID, "a test")
		return err
	}))
	return by
}
