package figures_test

import (
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/office/figures"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/program"
)

type fixture struct {
	*program.Program
	t *testing.T
}

// refreshed returns the rows of donor_year after a seal and Refresh.
func (f fixture) refreshed() []string {
	f.t.Helper()
	_, err := ledger.Seal(f.t.Context(), f.DB.Server)
	require.NoError(f.t, err)
	_, err = figures.Refresh(f.t.Context(), f.DB.Server)
	require.NoError(f.t, err)
	return f.Lines(`SELECT format('%s %s: %s gifts, %s', coalesce(nullif(d.first_name, ''), 'nobody'), y.year, y.gifts, y.amount) FROM donor_year y JOIN donor d ON d.id = y.donor_id ORDER BY 1`)
}

func (f fixture) give(name string) donation.Donation {
	form := program.ValidForm()
	form.Contact.FirstName, form.Contact.Email = name, name+"@donor.example"
	return f.SettledGift(form)
}

// book imports what Stripe has and processes its events.
func (f fixture) book() {
	f.t.Helper()
	_, err := f.Sweeper.Sweep(f.t.Context())
	require.NoError(f.t, err)
	f.DeliverNew()
	_, err = f.Sweeper.Sweep(f.t.Context())
	require.NoError(f.t, err)
	f.RetryParked()
}

// TestDonorYears follows the sums of donors: gifts, refunds, a gift that moves, an erasure.
func TestDonorYears(t *testing.T) {
	t.Parallel()
	f := fixture{program.New(t, program.Options{}), t}
	one, two := f.give("Ana"), f.give("Ana")
	f.give("Ben")
	year := f.Lines(`SELECT extract(year FROM tax_date)::text FROM donation LIMIT 1`)[0]
	amount := f.Lines(`SELECT amount::text FROM donation LIMIT 1`)[0]
	require.Equal(t, "2000", amount)
	require.Equal(t, []string{"Ana " + year + ": 2 gifts, 4000", "Ben " + year + ": 1 gifts, 2000"}, f.refreshed())

	f.book()
	_, err := f.Fake.Refund(*f.Gift(one.ID).PaymentIntentID, 500)
	require.NoError(t, err)
	f.book()
	require.Equal(t, []string{"Ana " + year + ": 2 gifts, 3500", "Ben " + year + ": 1 gifts, 2000"}, f.refreshed())
	_, err = f.Fake.Refund(*f.Gift(two.ID).PaymentIntentID, 0)
	require.NoError(t, err)
	f.book()
	require.Equal(t, []string{"Ana " + year + ": 1 gifts, 1500", "Ben " + year + ": 1 gifts, 2000"}, f.refreshed())

	receipt := f.Lines(`SELECT id::text FROM receipt WHERE donation_id = $1 ORDER BY number DESC LIMIT 1`, one.ID)[0]
	f.Exec(`SELECT move_gift($1, 'ben@donor.example', gen_random_uuid(), 'test', 'test')`, receipt)
	require.Equal(t, []string{"Ben " + year + ": 2 gifts, 3500"}, f.refreshed(), "the gift that is left has moved")
	require.Empty(t, f.Lines(`SELECT subject FROM check_donor_year_differs`))

	before := f.Lines(`SELECT y::text FROM donor_year y ORDER BY 1`)
	require.NoError(t, figures.Rebuild(t.Context(), f.DB.Server))
	require.Equal(t, before, f.Lines(`SELECT y::text FROM donor_year y ORDER BY 1`))
}

// TestDonorYearsInParts: entries and donors may be added a few at a time, and a transaction that is rolled back adds none.
func TestDonorYearsInParts(t *testing.T) {
	t.Parallel()
	f := fixture{program.New(t, program.Options{}), t}
	for range 3 {
		f.give("Ana")
		f.give("Ben")
	}
	_, err := ledger.Seal(t.Context(), f.DB.Server)
	require.NoError(t, err)
	tx := f.DB.Server.MustBegin()
	tx.MustExec(`SELECT refresh_donor_years(2)`)
	require.NoError(t, tx.Rollback())
	require.Zero(t, f.Count(`SELECT count(*) FROM donor_year`))
	for range 20 {
		require.NoError(t, pg.InTx(t.Context(), f.DB.Server, func(tx *sqlx.Tx) error {
			_, err := tx.Exec(`SELECT refresh_donor_years(1)`)
			return err
		}))
	}
	require.Equal(t, []string{"6000 3", "6000 3"}, f.Lines(`SELECT amount || ' ' || gifts FROM donor_year`))
	require.Zero(t, f.Count(`SELECT count(*) FROM donor_year_due`))
}

// TestLapsed lists donors of last year who gave nothing this year, without erased ones.
func TestLapsed(t *testing.T) {
	t.Parallel()
	f := fixture{program.New(t, program.Options{}), t}
	d := f.give("Ana")
	f.give("Ben")
	f.give("Carla")
	f.refreshed()
	year := d.CreatedAt.Year() // of all gifts
	f.Exec(`UPDATE donor_year SET year = $1, amount = 100 * length(d.first_name) FROM donor d WHERE d.id = donor_id`, year-1)
	page, next, err := figures.LastYearNotThis(t.Context(), f.DB.Server, d.EntityID, year, figures.LapsedCursor{}, 2)
	require.NoError(t, err)
	require.Equal(t, "Carla", page[0].FirstName)
	require.Len(t, page, 2)
	require.NotNil(t, next)
	page, next, err = figures.LastYearNotThis(t.Context(), f.DB.Server, d.EntityID, year, *next, 2)
	require.NoError(t, err)
	require.Len(t, page, 1)
	require.Nil(t, next)
	total, err := figures.CountLastYearNotThis(t.Context(), f.DB.Server, d.EntityID, year)
	require.NoError(t, err)
	require.Equal(t, figures.LapsedTotal{3, 1100}, total)

	f.Exec(`INSERT INTO donor_year SELECT id, $1, entity_id, 1, 1 FROM donor WHERE first_name = 'Carla'`, year)
	page, _, err = figures.LastYearNotThis(t.Context(), f.DB.Server, d.EntityID, year, figures.LapsedCursor{}, 9)
	require.NoError(t, err)
	require.Len(t, page, 2, "Carla gave this year")
	f.Exec(`INSERT INTO erasure (id, asked_at, asked_by, language, due_at) VALUES (gen_random_uuid(), now(), 'x', 'en', now());
		INSERT INTO erasure_donor (erasure_id, donor_id, erased_at) SELECT e.id, d.id, now() FROM erasure e, donor d WHERE d.first_name = 'Ben'`)
	page, _, err = figures.LastYearNotThis(t.Context(), f.DB.Server, d.EntityID, year, figures.LapsedCursor{}, 9)
	require.NoError(t, err)
	require.Len(t, page, 1)
	require.Equal(t, "Ana", page[0].FirstName, "Ben was erased")
}

// TestReceivedByMonth: what a fund received and gave back, before and after the seal.
func TestReceivedByMonth(t *testing.T) {
	t.Parallel()
	f := fixture{program.New(t, program.Options{}), t}
	one := f.give("Ana")
	f.give("Ben")
	f.book()
	_, err := f.Fake.Refund(*f.Gift(one.ID).PaymentIntentID, 500)
	require.NoError(t, err)
	f.book()
	entity, err := f.CurrentCatalog().EntityByID(one.EntityID)
	require.NoError(t, err)
	from := ledger.DateOf(*f.Gift(one.ID).ChargedAt, entity.Location()).FirstOfMonth(-11)
	for range 2 {
		all, err := figures.ReceivedByMonth(t.Context(), f.DB.Server, one.EntityID, from, 12)
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, int64(4000), all[0].Gross[11])
		require.Equal(t, int64(500), all[0].Back[11])
		require.Zero(t, all[0].Gross[10])
		_, err = ledger.Seal(t.Context(), f.DB.Server)
		require.NoError(t, err)
		require.NotZero(t, f.Count(`SELECT count(*) FROM ledger_month`))
	}
}
