package bench

import (
	"io"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	daily "konbit/internal/office/check"
	"konbit/internal/office/figures"
	"konbit/internal/office/giftlist"
	"konbit/internal/office/interchange"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/testkit/many"
)

// pages, export and checkers read a database with a million gifts, while 20 gifts a second are settled.
var (
	pages = Row{
		Name:  "pages",
		Large: true,
		Claim: "the lists and figures of finance staff with 1,000,000 gifts (quick: 50,000) while 20 gifts a second settle: the 95th " +
			"percentile of forty reads of each",
		Measure: func(t testing.TB, m *Meter) {
			l := newLarge(t, m)
			reads := l.reads()
			m.Interleave(func() {
				stop := l.settleSlowly(1000)
				for _, r := range reads {
					var took []float64
					for range 40 {
						began := time.Now()
						require.NoError(t, r.read(), r.name)
						took = append(took, float64(time.Since(began).Microseconds())/1000)
					}
					m.Note(r.name, percentile(took, 95))
				}
				m.Note("settled", stop())
			})
			for _, r := range reads {
				m.Absolute(r.name, "ms", r.name, AtMost(50))
			}
			m.Absolute("settled meanwhile", "gifts/s", "settled", Shown)
		},
	}
	export = Row{
		Name:  "export",
		Large: true,
		Claim: "all gifts as CSV and the journal, with 1,000,000 gifts (quick: 50,000): the time to the first byte, and how much memory a reader adds",
		Measure: func(t testing.TB, m *Meter) {
			l := newLarge(t, m)
			names, err := interchange.Names(t.Context(), l.db)
			require.NoError(t, err)
			m.Interleave(func() {
				m.measureExport("gifts", func(w io.Writer) error {
					return giftlist.WriteCSV(t.Context(), l.db, w, giftlist.Filter{EntityID: l.entity}, names.Funds)
				})
				m.measureExport("journal", func(w io.Writer) error {
					return interchange.ExportJournal(t.Context(), l.db, w, interchange.Hledger, time.Now())
				})
			})
			for name, first := range map[string]float64{"gifts": 0.5, "journal": 1} {
				m.Absolute(name+", first byte", "s", name+" first", AtMost(first))
				m.Absolute(name+", memory", "MB", name+" memory", AtMost(30))
				m.Absolute(name+", whole", "s", name+" whole", Shown)
			}
		},
	}
	checkers = Row{
		Name:  "checkers",
		Large: true,
		Claim: "the daily checkers with 1,000,000 gifts (quick: 50,000): a day on which everything is read, and one on which only what is new is; and the " +
			"sums computed anew",
		Measure: func(t testing.TB, m *Meter) {
			l := newLarge(t, m)
			run := daily.DailyRun{DB: l.db, NewID: uuid.New, Now: time.Now}
			day := func(name string) {
				for found := []daily.Found(nil); found == nil; { // nil: the server has run them
					l.DB.Owner.MustExec(`ALTER TABLE check_run DISABLE TRIGGER insert_only; DELETE FROM check_run; ALTER TABLE check_run ENABLE TRIGGER insert_only`)
					began := time.Now()
					var err error
					found, err = run.Run(t.Context())
					require.NoError(t, err)
					if found != nil {
						m.Note(name, time.Since(began).Seconds())
					}
				}
			}
			m.Interleave(func() {
				l.DB.Owner.MustExec(`DELETE FROM check_progress`)
				day("whole")
				l.settle(senders, 100)
				l.dropEmails()
				_, err := ledger.Seal(t.Context(), l.db)
				require.NoError(t, err)
				day("new")
				began := time.Now()
				require.NoError(t, ledger.RebuildMonths(t.Context(), l.db))
				require.NoError(t, figures.Rebuild(t.Context(), l.db))
				m.Note("rebuild", time.Since(began).Seconds())
			})
			m.Absolute("everything", "s", "whole", Shown)
			m.Absolute("what is new", "s", "new", AtMost(10))
			m.Absolute("sums computed anew", "s", "rebuild", AtMost(120))
		},
	}
)

// large is an environment with many gifts.
type large struct {
	*environment
	db     *sqlx.DB // as the server opens it
	entity uuid.UUID
	fund   uuid.UUID
	donor  uuid.UUID
	first  string // the donor's names
	last   string
	rare   string    // a common first name and a rare last one
	now    time.Time // of the newest gift
}

// Large is a database with many gifts for all rows that measure one. The first row fills it.
type Large struct {
	t testing.TB // it lives as long
	l *large
}

// NewLarge returns a Large that lives as long as t.
func NewLarge(t testing.TB) *Large { return &Large{t: t} }

// newLarge returns the database that the meter's rows share, or one of its own.
func newLarge(t testing.TB, m *Meter) *large {
	t.Helper()
	switch {
	case m.Large == nil:
		return fillLarge(t, m)
	case m.Large.l == nil:
		m.Large.l = fillLarge(m.Large.t, m)
	}
	l := m.Large.l
	l.environment.t = t
	l.look()
	return l
}

func fillLarge(t testing.TB, m *Meter) *large {
	t.Helper()
	w := newEnvironment(t, e2e.Options{Stopped: true})
	require.NoError(t, many.Fill(t.Context(), w.DB.Owner, m.Size(1_000_000, 50_000), 1))
	w.Restart()
	w.warmUp()
	db, err := pg.Open(t.Context(), w.DB.ServerURL, 4)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	l := &large{environment: w, db: db}
	l.look()
	return l
}

// look sets what the reads look for: what the newest gift of many.Fill has.
func (l *large) look() {
	l.t.Helper()
	row := l.DB.Owner.QueryRow(`SELECT d.entity_id, p.fund_id, d.donor_id, o.first_name, o.last_name, d.charged_at FROM donation d JOIN designation p ON p.donation_id = d.id
		JOIN donor o ON o.id = d.donor_id WHERE o.email LIKE '%@many.example' ORDER BY d.charged_at DESC LIMIT 1`)
	require.NoError(l.t, row.Scan(&l.entity, &l.fund, &l.donor, &l.first, &l.last, &l.now))
	require.NoError(l.t, l.DB.Owner.Get(&l.rare, `SELECT 'Maria ' || last_name FROM donor WHERE entity_id = $1 AND first_name = 'Maria' AND last_name NOT LIKE '% %'
		GROUP BY last_name ORDER BY count(*), last_name LIMIT 1`, l.entity))
}

// read is one list or figure of a page.
type read struct {
	name string
	read func() error
}

func (l *large) reads() []read {
	ctx, year, today := l.t.Context(), l.now.Year(), ledger.DateOf(l.now, time.UTC)
	list := func(f giftlist.Filter, after giftlist.Cursor) func() error {
		f.EntityID = l.entity
		return func() error {
			page, _, err := giftlist.Page(ctx, l.db, f, after, 50)
			if err == nil && len(page) == 0 {
				l.t.Errorf("bench: an empty page of %+v", f)
			}
			return err
		}
	}
	until := l.now.AddDate(0, 0, -2)
	from := until.AddDate(0, -1, 0)
	find := func(text string) func() error {
		return func() error {
			found, _, err := giftlist.Find(ctx, l.db, l.entity, text, 50)
			if err == nil && len(found) == 0 {
				l.t.Errorf("bench: nobody is called %s", text)
			}
			return err
		}
	}
	return []read{
		{"newest gifts", list(giftlist.Filter{}, giftlist.Cursor{})},
		{"a page far behind", list(giftlist.Filter{}, giftlist.Cursor{At: l.now.AddDate(0, 0, -7), ID: uuid.Max})},
		{"gifts of a month", list(giftlist.Filter{From: from, Until: until}, giftlist.Cursor{})},
		{"gifts of a fund", list(giftlist.Filter{FundID: l.fund}, giftlist.Cursor{})},
		{"gifts of a fund in a month", list(giftlist.Filter{FundID: l.fund, From: from, Until: until}, giftlist.Cursor{})},
		{"gifts of a donor", list(giftlist.Filter{DonorID: l.donor}, giftlist.Cursor{})},
		{"name search, the whole name", find(l.first + " " + l.last)},
		{"name search, the beginnings of two common names", find("mar gar")},
		{"name search, a common name", find("maria")},
		{"name search, the beginning of many names", find("mar")},
		{"name search, a common name and a rare one", find(l.rare)},
		{"twelve months by fund", func() error {
			_, err := figures.ReceivedByMonth(ctx, l.db, l.entity, today.FirstOfMonth(-11), 12)
			return err
		}},
		{"statement of activities", func() error {
			_, err := ledger.Activities(ctx, l.db, ledger.Year(l.entity, year))
			return err
		}},
		{"gave last year, not this", func() error {
			_, _, err := figures.LastYearNotThis(ctx, l.db, l.entity, year, figures.LapsedCursor{}, 50)
			return err
		}},
	}
}

// settleSlowly sends the webhooks of 20 gifts a second, of so many at most, until stop is called, which returns how many a
// second were settled.
func (l *large) settleSlowly(most int) (stop func() float64) {
	gifts, before := l.insertPaidGifts(most), l.countReceipts()
	var ended atomic.Bool
	sent := make(chan int)
	began := time.Now()
	go func() {
		n := 0
		for ; !ended.Load() && n < len(gifts); n += 20 {
			load(l.t, host(l.URL()), 4, http.StatusOK, l.signedWebhooks(gifts[n:n+20]))
			time.Sleep(time.Until(began.Add(time.Duration(n+20) * time.Second / 20)))
		}
		sent <- n
	}()
	return func() float64 {
		ended.Store(true)
		n := <-sent
		l.waitForReceipts(before + n)
		rate := float64(n) / time.Since(began).Seconds()
		l.dropEmails()
		return rate
	}
}

// measureExport writes a file to nowhere and notes the seconds to its first byte and to its end, and how much larger the
// heap of this process became.
func (m *Meter) measureExport(name string, write func(io.Writer) error) {
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	out := &firstByte{began: time.Now(), base: before.HeapInuse}
	if err := write(out); err != nil {
		panic(err)
	}
	m.Note(name+" first", out.first.Seconds())
	m.Note(name+" memory", float64(out.most)/1e6)
	m.Note(name+" whole", time.Since(out.began).Seconds())
}

// firstByte discards what is written. It measures when the first byte came, and the heap now and then.
type firstByte struct {
	began  time.Time
	first  time.Duration
	writes int
	base   uint64
	most   uint64 // bytes that the heap grew
}

func (f *firstByte) Write(b []byte) (int, error) {
	if f.writes++; f.first == 0 {
		f.first = time.Since(f.began)
	}
	if f.writes%500 == 1 {
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		f.most = max(f.most, now.HeapInuse-min(f.base, now.HeapInuse))
	}
	return len(b), nil
}
