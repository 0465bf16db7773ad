package setup_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/fund"
	"konbit/internal/office/setup"
	"konbit/internal/workshop/testkit"
)

var noon = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)

func TestApplyToAnEmptyDatabase(t *testing.T) {
	db := testkit.DB(t).Owner
	result := apply(t, db, sound)
	assert.Equal(t, `entity tsne: created
fund tsne/operations: created, in the books as operations
organisation csio: created
fund csio/general: created, in the books as general
fund csio/network: created, in the books as network
`, result.String())

	now, err := fund.NewCatalogCache(db, 0, time.Now).Current(t.Context())
	require.NoError(t, err)
	o, err := now.Organisation("csio")
	require.NoError(t, err)
	e, err := now.EntityByID(o.EntityID)
	require.NoError(t, err)
	assert.Equal(t, "TSNE MissionWorks", e.LegalName)
	assert.Equal(t, "02111", e.Address.PostalCode)
	assert.Equal(t, "America/New_York", e.Location().String())
	assert.Equal(t, []int64{1000, 2000, 3050}, o.Presets)
	funds := now.Open(o.ID)
	require.Len(t, funds, 2)
	assert.Equal(t, "el trabajo del Centro", funds[0].Purpose["es"])
	var currency string
	require.NoError(t, db.Get(&currency, `SELECT currency FROM books WHERE entity_id = $1`, e.ID))
	assert.Equal(t, "USD", currency)
}

func TestApplyTwiceTouchesNoRow(t *testing.T) {
	db := testkit.DB(t).Owner
	apply(t, db, sound)
	before := rows(t, db)
	result := apply(t, db, sound)
	assert.Equal(t, "no change\n", result.String())
	assert.Equal(t, before, rows(t, db))
}

func TestDryRunWritesNothing(t *testing.T) {
	db := testkit.DB(t).Owner
	changed := change(t, "es: Red", "es: La red")
	file := read(t, sound)
	dry, err := setup.Apply(t.Context(), db, file, noon, uuid.New, true)
	require.NoError(t, err)
	assert.Empty(t, rows(t, db))
	assert.Equal(t, apply(t, db, sound), dry, "a dry run returns the same as the run after it")

	before := rows(t, db)
	dry, err = setup.Apply(t.Context(), db, read(t, changed), noon, uuid.New, true)
	require.NoError(t, err)
	assert.Equal(t, "fund csio/network: name es: \"Red\" → \"La red\"\n", dry.String())
	assert.Equal(t, before, rows(t, db))
}

func TestTwoAppliesAtOnce(t *testing.T) {
	db := testkit.DB(t).Owner
	file := read(t, sound)
	var created [8]int
	var all sync.WaitGroup
	for i := range created {
		all.Go(func() {
			result, err := setup.Apply(t.Context(), db, file, noon, uuid.New, false)
			assert.NoError(t, err)
			created[i] = len(result.Changes)
		})
	}
	all.Wait()
	assert.ElementsMatch(t, []int{5, 0, 0, 0, 0, 0, 0, 0}, created[:])
}

// TestApplyChanges applies a changed file after the valid one and compares every line of the result.
func TestApplyChanges(t *testing.T) {
	second := "  - slug: other\n    entity: tsne\n    name: {en: Other}\n    languages: [en]\n    amounts: {presets: [1], minimum: 1, maximum: 9}\n" +
		"    frequencies: [once]\n    funds:\n      - {slug: general, name: {en: General}, restriction: none}\n" +
		"      - {slug: operations, name: {en: Running it}, restriction: none, closed: true}\n"
	for _, test := range []struct{ from, to, want string }{
		{"legal_name: TSNE MissionWorks", "legal_name: TSNE", "entity tsne: legal_name: \"TSNE MissionWorks\" → \"TSNE\"\n"},
		{"city: Boston", "city: Chelsea", "entity tsne: address city: \"Boston\" → \"Chelsea\"\n"},
		{"basis_points: 220, fixed: 30", "basis_points: 290, fixed: 25", "entity tsne: processing_fee basis_points: \"220\" → \"290\"\nentity tsne: processing_fee fixed: \"30\" → \"25\"\n"},
		{"America/New_York", "America/Chicago", "entity tsne: timezone: \"America/New_York\" → \"America/Chicago\"\n"},
		{"[10, 20, 30.5]", "[10, 20, 50]", "organisation csio: presets: \"[10.00 20.00 30.50]\" → \"[10.00 20.00 50.00]\"\n"},
		{"[once, monthly]", "[once]", "organisation csio: frequencies: \"[once monthly]\" → \"[once]\"\n"},
		{csioName, csioName + "\n    accent: \"#004d40\"\n    sponsored: false", "organisation csio: sponsored: \"true\" → \"false\"\norganisation csio: accent: \"#7a1f1f\" → \"#004d40\"\n"},
		{"es: Red}", "es: Red, ht: Rezo}", "fund csio/network: name ht: \"\" → \"Rezo\"\n"},
		{"restriction: none", "restriction: none\n        closed: true", "fund csio/network: closed\n"},
		{network, "", "fund csio/network: closed\n"},
		{network, network + second, "organisation other: created\nfund other/general: created, in the books as other-general\n" +
			"fund other/operations: created, in the books as other-operations\nfund other/operations: closed\n"},
	} {
		t.Run(test.to, func(t *testing.T) {
			db := testkit.DB(t).Owner
			apply(t, db, sound)
			changed := change(t, test.from, test.to)
			assert.Equal(t, test.want, apply(t, db, changed).String())
			assert.Equal(t, "no change\n", apply(t, db, changed).String(), test.want)
		})
	}
}

func TestCloseAndReopen(t *testing.T) {
	db := testkit.DB(t).Owner
	apply(t, db, sound)
	closed := change(t, "restriction: none", "restriction: none\n        closed: true")
	apply(t, db, closed)
	before := networkOf(t, db)
	require.NotNil(t, before.ClosedAt)
	assert.True(t, noon.Equal(*before.ClosedAt))

	_, err := setup.Apply(t.Context(), db, read(t, strings.Replace(closed, "es: Red", "es: La red", 1)), noon.Add(time.Hour), uuid.New, false)
	require.NoError(t, err)
	assert.Equal(t, before.ClosedAt.UTC(), networkOf(t, db).ClosedAt.UTC(), "another change does not close it again")

	assert.Equal(t, "fund csio/network: name es: \"La red\" → \"Red\"\nfund csio/network: reopened\n", apply(t, db, sound).String())
	after := networkOf(t, db)
	assert.True(t, after.Open())
	assert.Equal(t, before.ID, after.ID)
	assert.Equal(t, "network", after.Code)
}

func TestOrganisationNotInTheFileIsUnchanged(t *testing.T) {
	db := testkit.DB(t).Owner
	apply(t, db, sound)
	result := apply(t, db, change(t, "slug: csio", "slug: other"))
	assert.Equal(t, []string{"organisation csio: not in the file, left as it is"}, result.Notices)
	assert.Equal(t, "fund other/general: created, in the books as other-general", result.Changes[1].String())

	twin := strings.NewReplacer("slug: tsne", "slug: twin", "entity: tsne", "entity: twin", "slug: csio", "slug: third").Replace(sound)
	assert.Empty(t, apply(t, db, twin).Notices, "no notice: another entity's organisations may be in another file")
}

func TestApplyRefuses(t *testing.T) {
	moved := strings.NewReplacer("slug: tsne", "slug: twin", "entity: tsne", "entity: twin").Replace(sound)
	for _, test := range []struct{ data, want string }{
		{change(t, "currency: USD", "currency: EUR"), "f:7:15: entity tsne keeps its books in USD, which never changes: write currency: USD, or declare another entity"},
		{moved, "f:13:13: organisation csio belongs to another entity, which never changes: declare it under a new slug"},
		{change(t, "restriction: none", "restriction: time"), "f:25:22: fund csio/network was opened with restriction: none, which never changes: write that, or set closed: true and open a fund under a new slug"},
		{change(t, network, ""), "f:19:7: fund csio/network is left out and would lose its history: put it back and set closed: true"},
		{change(t, network, "      - {slug: csio-network, name: {en: N, es: N}, restriction: none}\n") +
			"  - slug: b\n    entity: tsne\n    name: {en: B}\n    languages: [en]\n    amounts: {presets: [1], minimum: 1, maximum: 9}\n    frequencies: [once]\n" +
			"    funds: [{slug: b-network, name: {en: A}, restriction: none}, {slug: network, name: {en: A}, restriction: none}]\n",
			"f:19:7: fund csio/network is left out and would lose its history: put it back and set closed: true\n" +
				"f:30:73: fund b/network would be \"b-network\" in the books, which names another fund of the entity: choose another slug"},
	} {
		t.Run(test.want, func(t *testing.T) {
			kit := testkit.DB(t)
			apply(t, kit.Owner, sound)
			useNetwork(t, kit.Server)
			before := rows(t, kit.Server)
			_, err := setup.Apply(t.Context(), kit.Owner, read(t, test.data), noon, uuid.New, false)
			var problems setup.Problems
			assert.ErrorAs(t, err, &problems)
			assert.EqualError(t, err, test.want)
			assert.Equal(t, before, rows(t, kit.Server))
		})
	}
}

// A gift that was begun and not paid is history too: its payment may arrive later.
func TestFundOfAStartedGiftMustStayInTheFile(t *testing.T) {
	db := testkit.DB(t).Owner
	apply(t, db, sound)
	designateNetwork(t, db)
	_, err := setup.Apply(t.Context(), db, read(t, change(t, network, "")), noon, uuid.New, false)
	assert.ErrorContains(t, err, "would lose its history")
}

func read(t *testing.T, data string) *setup.File {
	t.Helper()
	f, err := setup.Read("f", []byte(data))
	require.NoError(t, err)
	return f
}

func apply(t *testing.T, db *sqlx.DB, data string) setup.Result {
	t.Helper()
	result, err := setup.Apply(t.Context(), db, read(t, data), noon, uuid.New, false)
	require.NoError(t, err)
	return result
}

// rows returns every row that this package writes, with the transaction that wrote it last.
func rows(t *testing.T, db *sqlx.DB) []string {
	t.Helper()
	var all []string
	require.NoError(t, db.Select(&all, `
		SELECT 'entity ' || slug || ' ' || xmin FROM legal_entity UNION ALL SELECT 'books ' || xmin FROM books UNION ALL
		SELECT 'organisation ' || slug || ' ' || xmin FROM organisation UNION ALL SELECT 'fund ' || code || ' ' || xmin FROM fund ORDER BY 1`))
	return all
}

func networkOf(t *testing.T, db *sqlx.DB) fund.Fund {
	t.Helper()
	all, err := fund.All(t.Context(), db)
	require.NoError(t, err)
	for _, f := range all {
		if f.Slug == "network" {
			return f
		}
	}
	t.Fatal("no fund network")
	return fund.Fund{}
}
