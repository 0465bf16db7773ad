package giftlist_test

import (
	"bytes"
	"encoding/csv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/giftlist"
	"konbit/internal/office/interchange"
	"konbit/internal/platform/money"
	"konbit/internal/workshop/testkit/many"
	"konbit/internal/workshop/testkit/program"
)

// all reads a list to its end, a few gifts at a time.
func all(t *testing.T, h *program.Program, f giftlist.Filter, limit int) (ids []string) {
	t.Helper()
	for after := (&giftlist.Cursor{}); after != nil; {
		page, next, err := giftlist.Page(t.Context(), h.DB.Server, f, *after, limit)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), limit)
		for _, g := range page {
			ids = append(ids, g.ID.String())
		}
		after = next
	}
	return ids
}

// TestPages compares each list, page by page, with a query without pages.
func TestPages(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	require.NoError(t, many.Fill(t.Context(), h.DB.Owner, 400, 1))
	h.Exec(`ALTER TABLE donation DISABLE TRIGGER USER; UPDATE donation SET charged_at = date_trunc('hour', charged_at); ALTER TABLE donation ENABLE TRIGGER USER`)
	h.StartedGift(program.ValidForm()) // not paid, so on no list
	entity, err := h.CurrentCatalog().Entity("tsne")
	require.NoError(t, err)
	fund := uuid.MustParse(h.Lines(`SELECT p.fund_id::text FROM designation p WHERE p.entity_id = $1 GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`, entity.ID)[0])
	var from time.Time
	require.NoError(t, h.DB.Owner.Get(&from, `SELECT min(charged_at) + interval '1 hour' FROM donation`))
	until := from.Add(time.Hour)
	donor := uuid.MustParse(h.Lines(`SELECT donor_id::text FROM donation WHERE entity_id = $1 AND charged_at >= $2 AND charged_at < $3
		GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`, entity.ID, from, until)[0])
	const part = `EXISTS (SELECT FROM designation p WHERE p.donation_id = d.id AND p.fund_id = $2)`
	for name, list := range map[string]struct {
		filter giftlist.Filter
		where  string
		order  string
		args   []any
	}{
		"all":              {giftlist.Filter{}, `true`, `charged_at DESC, id DESC`, nil},
		"of a period":      {giftlist.Filter{From: from, Until: until}, `charged_at >= $2 AND charged_at < $3`, `charged_at DESC, id DESC`, []any{from, until}},
		"of a fund":        {giftlist.Filter{FundID: fund}, part, `id DESC`, []any{fund}},
		"of a donor":       {giftlist.Filter{DonorID: donor}, `donor_id = $2`, `created_at DESC, id DESC`, []any{donor}},
		"fund and period":  {giftlist.Filter{FundID: fund, From: from, Until: until}, part + ` AND charged_at >= $3 AND charged_at < $4`, `charged_at DESC, id DESC`, []any{fund, from, until}},
		"donor and period": {giftlist.Filter{DonorID: donor, From: from, Until: until}, `donor_id = $2 AND charged_at >= $3 AND charged_at < $4`, `created_at DESC, id DESC`, []any{donor, from, until}},
		"of another":       {giftlist.Filter{DonorID: uuid.New()}, `false`, `id`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			want := h.Lines(`SELECT d.id::text FROM donation d WHERE d.entity_id = $1 AND d.charged_at IS NOT NULL AND `+list.where+` ORDER BY `+list.order, append([]any{entity.ID}, list.args...)...)
			list.filter.EntityID = entity.ID
			for _, limit := range []int{7, 1000} {
				require.Equal(t, want, append([]string{}, all(t, h, list.filter, limit)...))
			}
			if name != "of another" {
				require.NotEmpty(t, want)
			}
		})
	}
}

// TestGift: a gift has its parts, what was returned, and its donor until the donor is erased.
func TestGift(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	form.Contact.FirstName, form.Contact.LastName = "=José", "García"
	d := h.SettledGift(form)
	_, err := h.Fake.Refund(*h.Gift(d.ID).PaymentIntentID, 500)
	require.NoError(t, err)
	h.DeliverNew()
	_, err = h.Sweeper.Sweep(t.Context())
	require.NoError(t, err)
	read := func() giftlist.Gift {
		page, next, err := giftlist.Page(t.Context(), h.DB.Server, giftlist.Filter{EntityID: d.EntityID}, giftlist.Cursor{}, 10)
		require.NoError(t, err)
		require.Nil(t, next)
		require.Len(t, page, 1)
		return page[0]
	}
	g := read()
	require.Equal(t, d.AmountMinor, g.AmountMinor)
	require.Equal(t, int64(500), g.ReturnedMinor)
	require.Equal(t, money.Currency("USD"), g.Currency)
	require.Equal(t, []int64{d.AmountMinor}, []int64(g.Parts))
	require.Len(t, g.Funds, 1)
	require.Equal(t, "García", g.LastName)

	names, err := interchange.Names(t.Context(), h.DB.Server)
	require.NoError(t, err)
	var file bytes.Buffer
	require.NoError(t, giftlist.WriteCSV(t.Context(), h.DB.Server, &file, giftlist.Filter{EntityID: d.EntityID}, names.Funds))
	rows, err := csv.NewReader(&file).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, giftlist.CSVColumns, rows[0])
	require.Equal(t, "'=José", rows[1][12], "no formula")
	require.Equal(t, "5.00", rows[1][7])

	h.Exec(`UPDATE donor SET email = 'forgotten-' || id || '@invalid', first_name = '', last_name = ''`)
	require.Empty(t, read().Email)
}

// TestFind finds donors by the beginnings of the words of their names.
func TestFind(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.SettledGift(program.ValidForm())
	add := func(entity uuid.UUID, kind, first, last, organisation, address string) {
		h.Exec(`INSERT INTO donor (id, entity_id, kind, email, first_name, last_name, organisation_name, language, created_at) VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6, 'en', now())`,
			entity, kind, address, first, last, organisation)
	}
	other, err := h.CurrentCatalog().Entity("aina")
	require.NoError(t, err)
	add(d.EntityID, "person", "José María", "García-López", "", "jose@donor.example")
	add(d.EntityID, "person", "Zoë", "O'Brien", "", "zoe@donor.example")
	add(d.EntityID, "organisation", "", "", "Elm Street Co-op", "elm@donor.example")
	add(other.ID, "person", "José", "Elsewhere", "", "jose@donor.example")
	add(d.EntityID, "person", "山田", "太郎", "", "yamada@donor.example")
	for text, want := range map[string][]string{
		"garc": {"García-López"}, "JOSE": {"García-López"}, "lopez maria": {"García-López"}, "josé gar": {"García-López"}, "jose@donor.example": {"García-López"},
		"José xyz": nil, "osé": nil, "co-op": {""}, "elm str": {""}, "o'brien": {"O'Brien"}, "zoe": {"O'Brien"}, "jo": nil, "el.": nil, "山": {"太郎"}, "...": nil, "' | ''": nil, "!!&": nil,
		"JOSE@donor.example": {"García-López"}, "山田 ": {"太郎"}, "\\'zq:*": nil,
	} {
		found, more, err := giftlist.Find(t.Context(), h.DB.Server, d.EntityID, text, 10)
		require.NoError(t, err, text)
		require.False(t, more, text)
		var names []string
		for _, f := range found {
			names = append(names, f.LastName)
		}
		require.Equal(t, want, names, text)
	}
	add(d.EntityID, "person", "Jo", "Garcia", "", "another@donor.example")
	found, more, err := giftlist.Find(t.Context(), h.DB.Server, d.EntityID, "garcia", 1)
	require.NoError(t, err)
	require.True(t, more)
	require.Equal(t, "Garcia", found[0].LastName)
}
