package ledger

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// SealDelay is the time after which an entry without a seal shows that sealing has stopped. Checker A11 uses the same
// limit.
const SealDelay = 5 * time.Minute

// Unsealed are the entries of one legal entity that wait for a seal.
type Unsealed struct {
	EntityID  uuid.UUID `db:"entity_id"`
	Entries   int64     `db:"entries"`    // recorded more than SealDelay ago
	LongestMS int64     `db:"longest_ms"` // milliseconds since the first of them was recorded
}

// Longest returns the time since the first of the entries was recorded.
func (u Unsealed) Longest() time.Duration { return time.Duration(u.LongestMS) * time.Millisecond }

// SealingStopped returns the entries that wait for a seal if nothing was sealed within SealDelay. It returns an
// empty list if something was: then sealing is slow, not stopped. Both times are the database's. It ignores seals
// without an entry, so that one invented seal with a high serial cannot hide the entries.
func SealingStopped(ctx context.Context, q sqlx.QueryerContext) (waiting []Unsealed, err error) {
	const query = `/* ledger.SealingStopped */
		SELECT e.entity_id, count(*) AS entries, (1000 * extract(epoch FROM clock_timestamp() - min(e.recorded_at)))::bigint AS longest_ms
		  FROM journal_entry e
		 WHERE e.serial > coalesce((SELECT s.serial FROM ledger_seal s JOIN journal_entry j ON j.serial = s.serial ORDER BY s.serial DESC LIMIT 1), 0)
		   AND e.recorded_at < clock_timestamp() - make_interval(secs => $1)
		   AND NOT EXISTS (SELECT FROM (SELECT sealed_at FROM ledger_seal ORDER BY serial DESC LIMIT 1) s
		                    WHERE s.sealed_at > clock_timestamp() - make_interval(secs => $1))
		 GROUP BY e.entity_id ORDER BY e.entity_id`
	err = sqlx.SelectContext(ctx, q, &waiting, query, SealDelay.Seconds())
	return waiting, err
}
