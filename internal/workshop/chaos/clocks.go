package chaos

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

func init() {
	register(Row{
		Name: "clocks", No: "17", Short: 40, Long: len(moments()), Prove: Clocks,
		Promise: "charges in the hours around New Year and around the changes of the clock, in five time zones, on servers whose clocks " +
			"are minutes or years off: none in a wrong tax year or on a wrong day; signatures accepted at 299 and refused at 301 " +
			"seconds; tokens and leases correct with a database clock 400 days off",
	})
}

// Clocks checks the tax years, the age of signatures, what expires, and a Konbit whose database's clock is 400 days off
// in either direction.
func Clocks(t testing.TB, run Run) {
	h := program.New(t, program.Options{Fake: stripefake.Options{Seed: run.Seed | 1}})
	signatures(t, h)
	steps(t, h)
	years(t, h, run)
	for _, off := range databaseOff(run) {
		databaseClocks(t, run, off)
	}
}

// A zone is one of the time zones of the United States, by law and not by Go's tables: hours from UTC in winter and in
// summer (15 USC 260a; Hawaii has no summer time).
type timeZone struct {
	name           string
	winter, summer time.Duration
}

var zones = []timeZone{
	{"America/New_York", -5 * time.Hour, -4 * time.Hour}, {"America/Chicago", -6 * time.Hour, -5 * time.Hour},
	{"America/Denver", -7 * time.Hour, -6 * time.Hour}, {"America/Los_Angeles", -8 * time.Hour, -7 * time.Hour},
	{"Pacific/Honolulu", -10 * time.Hour, -10 * time.Hour},
}

// local returns the local time. Summer time lasts from the second Sunday of March to the first of November, at two
// o'clock.
func (z timeZone) local(at time.Time) time.Time {
	begin := sunday(at.UTC().Year(), time.March, 2).Add(2*time.Hour - z.winter)
	end := sunday(at.UTC().Year(), time.November, 1).Add(2*time.Hour - z.summer)
	if at.Before(begin) || !at.Before(end) {
		return at.UTC().Add(z.winter)
	}
	return at.UTC().Add(z.summer)
}

// sunday returns the n-th Sunday of a month at midnight UTC.
func sunday(year int, month time.Month, nth int) time.Time {
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	return first.AddDate(0, 0, (7-int(first.Weekday()))%7+7*(nth-1))
}

// A moment is when a charge of an entity in a zone is made.
type moment struct {
	timeZone
	at time.Time
}

// moments returns all moments. Those at the border between two days come first.
func moments() (all []moment) {
	var rest []moment
	for _, z := range zones {
		newYear := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		all = append(all, moment{z, newYear.Add(-z.winter - time.Second)}, moment{z, newYear.Add(-z.winter)})
		for hour := -48; hour <= 48; hour++ {
			at := newYear.Add(time.Duration(hour) * time.Hour)
			rest = append(rest, moment{z, at}, moment{z, at.Add(-time.Second)})
		}
		for _, day := range []time.Time{sunday(2026, time.March, 2), sunday(2026, time.November, 1)} {
			for hour := range 49 {
				rest = append(rest, moment{z, day.Add(time.Duration(hour) * time.Hour)}, moment{z, day.Add(time.Duration(hour)*time.Hour - time.Second)})
			}
		}
	}
	return append(all, rest...)
}

// years settles a charge at each moment, on a server whose clock is up to 400 days off, and checks the year of receipt
// and books.
func years(t testing.TB, h *program.Program, run Run) {
	all := moments()
	begin := 2 * len(zones)
	r := rand.New(rand.NewPCG(run.Seed, 17))
	r.Shuffle(len(all)-begin, func(i, j int) { all[begin+i], all[begin+j] = all[begin+j], all[begin+i] })
	all = all[:min(max(run.Count, begin), len(all))]
	slices.SortStableFunc(all, func(a, b moment) int { return cmp.Compare(a.name, b.name) })
	gifts := openGifts(t, h, len(all))
	for i, m := range all {
		if i == 0 || all[i-1].name != m.name {
			h.Exec(`UPDATE legal_entity SET timezone = $1 WHERE slug = 'tsne'`, m.name)
		}
		catalog, err := fund.NewCatalogCache(h.DB.Server, time.Hour, time.Now).Current(t.Context())
		require.NoError(t, err)
		settler := h.Settler
		off := time.Duration(r.Int64N(int64(800*24*time.Hour))) - 400*24*time.Hour
		settler.Now = func() time.Time { return time.Now().Add(off) }
		require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
			outcomes, err := settler.SettleTx(t.Context(), tx, catalog, []donation.IncomingPayment{program.ChargeOf(gifts[i], m.at)})
			if err == nil && outcomes[0] != donation.Booked {
				err = fmt.Errorf("the charge is %s", outcomes[0])
			}
			return err
		}))
		day := m.local(m.at).Format(time.DateOnly)
		want := fmt.Sprintf("%s in %s: %s %s %s", m.at.UTC().Format(time.RFC3339), m.name, day[:4], day, day)
		var is string
		require.NoError(t, h.DB.Owner.Get(&is, `SELECT format('%s in %s: %s %s %s', $2::text, $3::text, r.year, r.facts->>'charged_on', e.entry_date)
			FROM receipt r JOIN journal_entry e ON e.dimensions->>'donation' = r.donation_id::text WHERE r.donation_id = $1`,
			gifts[i].ID, m.at.UTC().Format(time.RFC3339), m.name))
		require.Equal(t, want, is)
		run.Progress(1)
	}
}

// openGifts returns gifts whose payment pages are open.
func openGifts(t testing.TB, h *program.Program, n int) []donation.Donation {
	gifts := make([]donation.Donation, n)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := worker; i < n; i += 8 {
				form := program.ValidForm()
				form.FormID = uuid.New()
				d, err := h.Submit(form)
				if err != nil {
					t.Error(err)
					return
				}
				gifts[i] = d.Donation
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return gifts
}

// signatures checks that a signature is accepted up to 300 seconds before or after the time of a clock that stands
// still.
func signatures(t testing.TB, h *program.Program) {
	d := h.StartedGift(program.ValidForm())
	h.Pay(d)
	e := h.EventsOf(d)[0]
	now := time.Now().Truncate(time.Second)
	inbox := h.Inbox
	inbox.Now = func() time.Time { return now }
	for _, test := range []struct {
		seconds int
		taken   bool
	}{{-301, false}, {-300, true}, {-299, true}, {-240, true}, {0, true}, {240, true}, {299, true}, {300, true},
		{301, false}, {-34_560_000, false}, {34_560_000, false}} {
		signed := stripefake.Sign(now.Add(time.Duration(test.seconds)*time.Second), e.Body, program.WebhookSecrets["tsne"]...)
		err := inbox.Receive(t.Context(), d.EntityID, "tsne", e.Body, signed)
		require.Equal(t, test.taken, err == nil, "signed %d s from now: %v", test.seconds, err)
		require.True(t, err == nil || fault.Is(err, fault.Invalid), "%v", err)
	}
}
