package receipt_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/program"
)

// TestNumbersHaveNoGaps runs four settlers at the same time. Three transactions in ten are rolled back, by the settler
// or because their connection is closed, and are tried again.
func TestNumbersHaveNoGaps(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	const each = 20
	charges := make([][]donation.IncomingPayment, 4)
	years := []time.Time{time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)}
	for i := range charges {
		for n := range each {
			charges[i] = append(charges[i], program.ChargeOf(h.StartedGift(program.ValidForm()), years[n%2]))
		}
	}
	catalog := h.CurrentCatalog()
	rolledBack := errors.New("rolled back on purpose")
	var undone atomic.Int64
	try := func(batch []donation.IncomingPayment) error {
		return pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
			if _, err := h.Settler.SettleTx(t.Context(), tx, catalog, batch); err != nil {
				return err
			}
			switch rand.IntN(100) / 15 {
			case 0:
				return rolledBack
			case 1:
				_, err := tx.Exec(`SELECT pg_terminate_backend(pg_backend_pid())`)
				return err
			}
			return nil
		})
	}
	var all sync.WaitGroup
	for _, mine := range charges {
		all.Go(func() {
			for len(mine) > 0 {
				n := min(1+rand.IntN(3), len(mine))
				if err := try(mine[:n]); err != nil {
					undone.Add(1)
					if !errors.Is(err, rolledBack) && !pg.IsTransient(err) {
						t.Error(err)
						return
					}
					continue
				}
				mine = mine[n:]
			}
		})
	}
	all.Wait()
	assert.Positive(t, undone.Load())
	assert.Equal(t, []string{"2026 40 1 40 40", "2027 40 1 40 40"}, h.Lines(
		`SELECT format('%s %s %s %s %s', year, count(*), min(number), max(number), count(DISTINCT number)) FROM receipt GROUP BY year ORDER BY year`))
	assert.Equal(t, 4*each, h.Count(`SELECT count(*) FROM journal_entry`))
	assert.Equal(t, 4*each, h.Count(`SELECT count(*) FROM river_job WHERE kind = $1`, receipt.EmailJob{}.Kind()))
}

func TestFactsAreFrozen(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	f := program.ValidForm()
	f.Anonymous, f.Language = true, "es"
	f.Contact.AddressLine1, f.Contact.City, f.Contact.Region, f.Contact.PostalCode = "1 Main St", "Boston", "MA", "02111"
	d := h.SettledGift(f)
	var id uuid.UUID
	require.NoError(t, h.DB.Server.Get(&id, `SELECT id FROM receipt WHERE donation_id = $1`, d.ID))
	issued, err := receipt.ByID(t.Context(), h.DB.Server, id)
	require.NoError(t, err)
	h.Exec(`UPDATE legal_entity SET legal_name = 'Another', ein = '00-0000000'`)
	h.Exec(`UPDATE fund SET name = '{"en":"x"}', purpose = '{"en":"x"}' WHERE slug <> 'operations'`)
	later, err := receipt.ByID(t.Context(), h.DB.Server, id)
	require.NoError(t, err)
	assert.Equal(t, issued, later)
	assert.Equal(t, "TSNE MissionWorks", later.Facts.LegalName)
	assert.Equal(t, "12-3456789", later.Facts.EIN)
	assert.Equal(t, "Ana", later.Facts.FirstName, "the receipt has the donor's name, although the donation is shown as anonymous")
	assert.Equal(t, "el trabajo del Centro", later.Facts.Lines[0].Purpose)
	assert.Equal(t, "Centro de Apoyo", later.Facts.Organisation)
	assert.Equal(t, []string{"1 Main St", "Boston, MA 02111"}, later.Facts.DonorAddress)
	assert.Equal(t, 1, later.WordsVersion)
	assert.Regexp(t, `^TSNE-20\d\d-000001$`, later.Reference())

	_, err = receipt.ByID(t.Context(), h.DB.Server, uuid.New())
	assert.True(t, fault.Is(err, fault.NotFound))
	for _, attack := range []string{`UPDATE receipt SET number = 7`, `DELETE FROM receipt`, `TRUNCATE receipt CASCADE`} {
		_, err := h.DB.Server.Exec(attack)
		assert.Error(t, err, attack)
		_, err = h.DB.Owner.Exec(attack)
		assert.Error(t, err, attack)
	}
}

// TestReceiptPrefix: numbers begin with the entity's prefix. A receipt keeps the one that it was issued with, and is found
// by it.
func TestReceiptPrefix(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	settle := func() string {
		charge := program.ChargeOf(h.StartedGift(program.ValidForm()), time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC))
		now, err := fund.NewCatalogCache(h.DB.Server, 0, time.Now).Current(t.Context())
		require.NoError(t, err)
		require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
			_, err := h.Settler.SettleTx(t.Context(), tx, now, []donation.IncomingPayment{charge})
			return err
		}))
		var id uuid.UUID
		require.NoError(t, h.DB.Server.Get(&id, `SELECT id FROM receipt ORDER BY number DESC LIMIT 1`))
		issued, err := receipt.ByID(t.Context(), h.DB.Server, id)
		require.NoError(t, err)
		return issued.Reference()
	}
	before := settle()
	h.Exec(`UPDATE legal_entity SET receipt_prefix = 'GI-US' WHERE slug = 'tsne'`)
	after := settle()
	assert.Equal(t, []string{"TSNE-2026-000001", "GI-US-2026-000002"}, []string{before, after})
	for _, number := range []string{before, after, "gi-us-2026-2"} {
		found, err := receipt.ByNumber(t.Context(), h.DB.Server, number)
		require.NoError(t, err, number)
		all, err := receipt.Find(t.Context(), h.DB.Server, found.Reference(), nil, 10)
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.Equal(t, found, all[0])
	}
	_, err := receipt.ByNumber(t.Context(), h.DB.Server, "TSNE-2026-000002")
	assert.True(t, fault.Is(err, fault.NotFound))
}
