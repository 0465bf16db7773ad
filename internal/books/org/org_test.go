package org_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/workshop/testkit"
)

var (
	noon = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)
	tsne = org.LegalEntity{
		ID: uuid.New(), Slug: "tsne", LegalName: "TSNE MissionWorks", EIN: "12-3456789",
		Address:  org.Address{Line1: "1 Example St", Line2: "Suite \"5\"", City: "Boston", Region: "MA", PostalCode: "02111", Country: "US"},
		Timezone: "America/New_York", Currency: "USD", MailFrom: "gifts@tsne.example",
		ProcessingFee: org.ProcessingFee{PaidBy: org.PaidByOperations, BasisPoints: 220, Fixed: 30},
		SponsorFee:    org.SponsorFee{BasisPoints: 700, Of: org.OfNet},
		MoneyFactor:   org.FactorTOTP, FiscalYearStarts: time.July,
		WithoutCards: true, GivingByMail: phrase.Text{"en": "By check.\n\nTo P.O. Box 7."},
	}
	csio = org.Organisation{
		ID: uuid.New(), EntityID: tsne.ID, Slug: "csio", Name: phrase.Text{"en": "Center", "es": "Centro “Sur”"}, Sponsored: true,
		Languages: []phrase.Language{"es", "en"}, Presets: []int64{1000, 2000}, Minimum: 500, Maximum: 2_500_000,
		Frequencies: []org.Frequency{org.Once, org.Yearly}, Accent: "#7a1f1f", Position: 3,
	}
)

func TestWriteAndRead(t *testing.T) {
	db := testkit.DB(t).Owner
	write(t, db, tsne, csio)
	e, err := org.EntityByID(t.Context(), db, tsne.ID)
	require.NoError(t, err)
	requireSame(t, tsne, e)
	organisations, err := org.Organisations(t.Context(), db)
	require.NoError(t, err)
	assert.Equal(t, []org.Organisation{csio}, organisations)
}

func TestUpsertDoesNotChangeSlugAndCurrency(t *testing.T) {
	db := testkit.DB(t).Owner
	write(t, db, tsne, csio)
	e, o := tsne, csio
	e.LegalName, e.EIN, e.Address, e.Timezone, e.MailFrom = "TSNE", "98-7654321", org.Address{City: "Chelsea"}, "UTC", "x@tsne.example"
	e.ProcessingFee, e.SponsorFee = org.ProcessingFee{PaidBy: org.PaidByFund, BasisPoints: 1}, org.SponsorFee{Of: org.OfGross}
	o.Name, o.Sponsored, o.Languages, o.Presets = phrase.Text{"ht": "Sant"}, false, []phrase.Language{"ht"}, []int64{}
	o.Minimum, o.Maximum, o.Frequencies, o.Accent, o.Position = 1, 2, []org.Frequency{org.Weekly}, "#000000", 0
	wantEntity, wantOrganisation := e, o
	e.Slug, e.Currency, o.Slug = "other", "EUR", "other"
	write(t, db, e, o)

	all, err := org.Entities(t.Context(), db)
	require.NoError(t, err)
	require.Len(t, all, 1)
	requireSame(t, wantEntity, all[0])
	organisations, err := org.Organisations(t.Context(), db)
	require.NoError(t, err)
	assert.Equal(t, []org.Organisation{wantOrganisation}, organisations)
}

func TestUnknownIDAndSlug(t *testing.T) {
	db := testkit.DB(t).Owner
	_, err := org.EntityByID(t.Context(), db, tsne.ID)
	assert.True(t, fault.Is(err, fault.NotFound))
	r, err := org.ReadRegister(t.Context(), db)
	require.NoError(t, err)
	_, err = r.Organisation("csio")
	assert.True(t, fault.Is(err, fault.NotFound))
}

func TestRegister(t *testing.T) {
	db := testkit.DB(t).Owner
	write(t, db, tsne, csio)
	r, err := org.ReadRegister(t.Context(), db)
	require.NoError(t, err)
	o, err := r.Organisation("csio")
	require.NoError(t, err)
	assert.Equal(t, csio, o)
	e, err := r.EntityByID(o.EntityID)
	require.NoError(t, err)
	requireSame(t, tsne, e)
	byID, err := r.OrganisationByID(csio.ID)
	require.NoError(t, err)
	assert.Equal(t, csio, byID)
	bySlug, err := r.Entity("tsne")
	require.NoError(t, err)
	requireSame(t, tsne, bySlug)
	_, err = r.Entity("csio")
	assert.True(t, fault.Is(err, fault.NotFound))
}

func TestFormats(t *testing.T) {
	for _, s := range []string{"a", "grassroots-international", "0-0"} {
		assert.True(t, org.ValidSlug(s), s)
	}
	for _, s := range []string{"", "A", "a_b", "-a", "a-", "a--b", "ñ", "a\n", "12345678901234567890123456789012345678901"} {
		assert.False(t, org.ValidSlug(s), s)
	}
	for zone, ok := range map[string]bool{"America/New_York": true, "UTC": true, "": false, "Local": false, "Mars": false, "../etc": false} {
		t.Run("time zone "+zone, func(t *testing.T) {
			_, err := org.LoadTimezone(zone)
			assert.Equal(t, ok, err == nil)
		})
	}
	for s, ok := range map[string]bool{"12-3456789": true, "123456789": false, "12-345678": false, "12-34567890": false} {
		t.Run("EIN "+s, func(t *testing.T) {
			assert.Equal(t, ok, org.ValidEIN(s))
		})
	}
	for s, ok := range map[string]bool{"#7a1f1f": true, "#7A1F1F": false, "#fff": false, "red": false, "#7a1f1f;": false} {
		t.Run("accent "+s, func(t *testing.T) {
			assert.Equal(t, ok, org.ValidAccent(s))
		})
	}
}

func TestOrganisationAccepts(t *testing.T) {
	for minor, ok := range map[int64]bool{499: false, 500: true, 2_500_000: true, 2_500_001: false, -1: false} {
		t.Run(strconv.FormatInt(minor, 10), func(t *testing.T) {
			assert.Equal(t, ok, csio.Accepts(minor))
		})
	}
	assert.True(t, csio.Offers(org.Yearly))
	assert.False(t, csio.Offers(org.Weekly))
	assert.True(t, csio.HasLanguage("es"))
	assert.False(t, csio.HasLanguage("ht"))
}

func write(t *testing.T, db *sqlx.DB, e org.LegalEntity, o org.Organisation) {
	t.Helper()
	require.NoError(t, pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		if err := org.UpsertEntityTx(t.Context(), tx, e, noon); err != nil {
			return err
		}
		return org.UpsertOrganisationTx(t.Context(), tx, o, noon)
	}))
}

// requireSame compares entities without their location, which only an entity read from the database has.
func requireSame(t *testing.T, want, got org.LegalEntity) {
	t.Helper()
	assert.Equal(t, want.Timezone, got.Location().String())
	assert.EqualExportedValues(t, want, got)
}
