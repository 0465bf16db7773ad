package guard

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// scoreMaxAge is the greatest age of the score in use. With it, and with the seconds a webhook takes, the challenge
// is required well within a minute after the failures.
const scoreMaxAge = 5 * time.Second

// Failure is a card that a bank declined, or a form submitted faster than a person can read.
type Failure struct {
	ID   string    // unique: a failure that is reported twice counts once
	Page string    // the organisation's slug; "" if unknown
	At   time.Time // a time in the future counts as now
}

// RecordFailuresTx records failures. One that was recorded before changes nothing.
func RecordFailuresTx(ctx context.Context, tx *sqlx.Tx, failures []Failure) error {
	if len(failures) == 0 {
		return nil
	}
	const query = `/* guard.RecordFailuresTx */
		INSERT INTO guard_failure (id, page, at)
		SELECT id, page, least(at, now()) FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS f (id, page, at) ORDER BY id
		ON CONFLICT (id) DO NOTHING`
	rows := pg.NewColumns(3)
	for _, f := range failures {
		rows.Add(f.ID, f.Page, f.At)
	}
	_, err := tx.ExecContext(ctx, query, rows.Args()...)
	return err
}

// scoreCache holds the last score and reads it again when it is too old. While one caller reads, the others use the
// old one, so none waits for a slow database.
type scoreCache struct {
	cached  atomic.Pointer[raisedPages]
	reading sync.Mutex
}

// raisedPages says which pages require the challenge. It is immutable.
type raisedPages struct {
	at    time.Time
	site  bool
	pages map[string]bool
}

// challengeRequired reports whether a page requires the challenge now.
func (g *Guard) challengeRequired(ctx context.Context, page string) (bool, error) {
	s := g.score.cached.Load()
	if s == nil || time.Since(s.at) >= scoreMaxAge {
		mine := g.score.reading.TryLock()
		if mine {
			defer g.score.reading.Unlock()
		}
		if mine || s == nil {
			var err error
			if s, err = g.readScore(ctx); err != nil {
				return false, err
			}
			g.score.cached.Store(s)
		}
	}
	return s.site || s.pages[page], nil
}

func (g *Guard) readScore(ctx context.Context) (*raisedPages, error) {
	const query = `/* guard.readScore */
		SELECT page, count(*) FILTER (WHERE at > now() - make_interval(secs => $1)) AS site,
		       count(*) FILTER (WHERE at > now() - make_interval(secs => $2)) AS own
		  FROM guard_failure WHERE at > now() - make_interval(secs => greatest($1, $2)) GROUP BY page`
	var rows []struct {
		Page      string
		Site, Own int
	}
	s := &raisedPages{at: time.Now(), pages: map[string]bool{}}
	site, own := g.limits.Failures, g.limits.PageFailures
	if err := g.db.SelectContext(ctx, &rows, query, site.Window.Seconds(), own.Window.Seconds()); err != nil {
		return nil, err
	}
	total := 0
	for _, r := range rows {
		total += r.Site
		s.pages[r.Page] = !own.IsOff() && r.Own > own.Max
	}
	s.site = !site.IsOff() && total > site.Max
	return s, nil
}
