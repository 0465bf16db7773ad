package fund_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/workshop/testkit"
)

var noon = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)

func TestNewCode(t *testing.T) {
	taken := map[string]bool{"general": true, "a-b": true, "b": true}
	for _, test := range []struct {
		organisation, slug, code string
		ok                       bool
	}{
		{"csio", "haiti", "haiti", true},
		{"csio", "general", "csio-general", true},
		{"csio", "operations", "csio-operations", true},
		{"a", "b", "a-b", false},
	} {
		t.Run(test.organisation+" "+test.slug, func(t *testing.T) {
			code, ok := fund.NewCode(test.organisation, test.slug, func(c string) bool { return taken[c] })
			assert.Equal(t, test.code, code)
			assert.Equal(t, test.ok, ok, test.code)
		})
	}
}

func TestRestricted(t *testing.T) {
	assert.False(t, fund.Fund{Restriction: fund.Unrestricted}.Restricted())
	assert.True(t, fund.Fund{Restriction: fund.ByPurpose}.Restricted())
	assert.True(t, fund.Fund{Restriction: fund.ByTime}.Restricted())
}

func TestUpsertDoesNotChangeCodeAndRestriction(t *testing.T) {
	h := newFixture(t)
	h.write(t, h.haiti)
	f := h.haiti
	f.Name, f.Purpose, f.Position, f.ClosedAt = phrase.Text{"en": "H"}, phrase.Text{}, 9, &noon
	kept := f
	f.Slug, f.Code, f.Restriction = "x", "x", fund.Unrestricted
	h.write(t, f)
	all, err := fund.All(t.Context(), h.db)
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.True(t, noon.Equal(*all[0].ClosedAt))
	all[0].ClosedAt = &noon
	assert.Equal(t, kept, all[0])
}

// A fund's restriction decides how its donations were booked, so the server's role has no right to change it.
func TestServerCannotChangeRestriction(t *testing.T) {
	h := newFixture(t)
	h.write(t, h.haiti)
	for _, change := range []string{"restriction = 'none'", "code = 'x'", "slug = 'x'", "organisation_id = NULL"} {
		_, err := h.db.Exec(`UPDATE fund SET ` + change)
		assert.ErrorContains(t, err, "permission denied", change)
	}
	_, err := h.db.Exec(`DELETE FROM fund`)
	assert.ErrorContains(t, err, "permission denied")
}

func TestCatalogCache(t *testing.T) {
	h := newFixture(t)
	h.write(t, h.operations, h.haiti, h.general)
	clock := testkit.NewClock(noon)
	d := fund.NewCatalogCache(h.db, 5*time.Second, clock.Now)

	first, err := d.Current(t.Context())
	require.NoError(t, err)
	o, err := first.Organisation("csio")
	require.NoError(t, err)
	assert.Equal(t, []fund.Fund{h.general, h.haiti}, first.Open(o.ID))
	operations, err := first.Operations(o.EntityID)
	require.NoError(t, err)
	assert.Equal(t, h.operations, operations)

	closed := h.haiti
	closed.ClosedAt = &noon
	h.write(t, closed)
	clock.Advance(4 * time.Second)
	young, err := d.Current(t.Context())
	require.NoError(t, err)
	assert.Same(t, first, young)

	clock.Advance(time.Second)
	renewed, err := d.Current(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []fund.Fund{h.general}, renewed.Open(h.organisation))
	found, err := renewed.Fund(h.haiti.ID)
	require.NoError(t, err)
	assert.False(t, found.Open(), "a closed fund is still found by its id")
	_, err = renewed.Fund(uuid.New())
	assert.True(t, fault.Is(err, fault.NotFound))
}

func TestCatalogCacheWithConcurrentCallers(t *testing.T) {
	h := newFixture(t)
	h.write(t, h.general)
	clock := testkit.NewClock(noon)
	d := fund.NewCatalogCache(h.db, time.Second, clock.Now)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 50 {
				s, err := d.Current(t.Context())
				if assert.NoError(t, err) {
					assert.Len(t, s.Open(h.organisation), 1)
				}
				clock.Advance(300 * time.Millisecond)
			}
		})
	}
	all.Wait()
}

// A cancelled call does not block the next one.
func TestCatalogCacheAfterAFailedRead(t *testing.T) {
	h := newFixture(t)
	d := fund.NewCatalogCache(h.db, time.Second, time.Now)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.Current(gone)
	require.ErrorIs(t, err, context.Canceled)
	_, err = d.Current(t.Context())
	require.NoError(t, err)
}

// fixture is an entity and an organisation with funds.
type fixture struct {
	db, owner                  *sqlx.DB
	entity, organisation       uuid.UUID
	general, haiti, operations fund.Fund
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	d := testkit.DB(t)
	h := &fixture{db: d.Server, owner: d.Owner, entity: uuid.New(), organisation: uuid.New()}
	require.NoError(t, pg.InTx(t.Context(), h.owner, func(tx *sqlx.Tx) error {
		if err := org.UpsertEntityTx(t.Context(), tx, org.LegalEntity{
			ID: h.entity, Slug: "tsne", LegalName: "TSNE", EIN: "12-3456789", Timezone: "UTC", Currency: "USD", MailFrom: "a@b.example",
			ProcessingFee: org.ProcessingFee{PaidBy: org.PaidByFund}, SponsorFee: org.SponsorFee{Of: org.OfGross},
		}, noon); err != nil {
			return err
		}
		return org.UpsertOrganisationTx(t.Context(), tx, org.Organisation{
			ID: h.organisation, EntityID: h.entity, Slug: "csio", Name: phrase.Text{"en": "CSIO"}, Languages: []phrase.Language{"en"},
			Minimum: 1, Maximum: 2, Frequencies: []org.Frequency{org.Once}, Accent: org.DefaultAccent,
		}, noon)
	}))
	h.operations = fund.NewOperations(uuid.New(), h.entity)
	h.general = fund.Fund{
		ID: uuid.New(), EntityID: h.entity, OrganisationID: h.organisation, Slug: "general", Code: "general",
		Name: phrase.Text{"en": "General", "es": "General"}, Restriction: fund.Unrestricted, Purpose: phrase.Text{}, Position: 0,
	}
	h.haiti = h.general
	h.haiti.ID, h.haiti.Slug, h.haiti.Code, h.haiti.Position = uuid.New(), "haiti", "haiti", 1
	h.haiti.Restriction, h.haiti.Purpose = fund.ByPurpose, phrase.Text{"en": "our grants to Haiti", "es": "nuestras subvenciones a Haití"}
	return h
}

func (h *fixture) write(t *testing.T, funds ...fund.Fund) {
	t.Helper()
	require.NoError(t, pg.InTx(t.Context(), h.owner, func(tx *sqlx.Tx) error {
		for _, f := range funds {
			if err := fund.UpsertTx(t.Context(), tx, f, noon); err != nil {
				return err
			}
		}
		return nil
	}))
}
