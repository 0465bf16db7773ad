package donor

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/pg"
)

// Kinds of optional email. Receipts, and what donors must know about future charges, are always sent. The values are in
// donor_consent.kind.
const (
	KindNews       = "news"       // only with consent
	KindReminders  = "reminders"  // a week before a charge, where charges are rare
	KindStatements = "statements" // annual statements; the donor's pages show them in any case
)

// EmailKinds lists all kinds, as pages list them.
var EmailKinds = []string{KindStatements, KindReminders, KindNews}

// EmailPreferences returns which kinds of email a donor gets; an empty map if there is no such donor.
func EmailPreferences(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (map[string]bool, error) {
	const query = `/* donor.EmailPreferences */
		SELECT k.kind, CASE k.kind WHEN 'news' THEN d.news_consented_at IS NOT NULL
		       ELSE coalesce((SELECT c.given FROM donor_consent c WHERE c.donor_id = d.id AND c.kind = k.kind ORDER BY c.n DESC LIMIT 1), true)
		       END AS wished
		  FROM donor d CROSS JOIN unnest($2::text[]) AS k (kind) WHERE d.id = $1`
	var rows []struct {
		Kind   string `db:"kind"`
		Wished bool   `db:"wished"`
	}
	err := sqlx.SelectContext(ctx, q, &rows, query, id, pq.Array(EmailKinds))
	wanted := make(map[string]bool, len(rows))
	for _, r := range rows {
		wanted[r.Kind] = r.Wished
	}
	return wanted, err
}

// Wanting returns which of the donors get a kind of email. The kind is not KindNews, which a donor asks for.
func Wanting(ctx context.Context, q sqlx.QueryerContext, kind string, donors []uuid.UUID) (map[uuid.UUID]bool, error) {
	const query = `/* donor.Wanting */
		SELECT d.id FROM donor d WHERE d.id = ANY($2::uuid[])
		   AND coalesce((SELECT c.given FROM donor_consent c WHERE c.donor_id = d.id AND c.kind = $1 ORDER BY c.n DESC LIMIT 1), true)`
	var ids []uuid.UUID
	err := sqlx.SelectContext(ctx, q, &ids, query, kind, pg.UUIDs(donors))
	wanting := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		wanting[id] = true
	}
	return wanting, err
}

// SetEmailPreferenceTx records whether a donor wants a kind of email, and who decided it. Setting the same value again
// changes nothing.
func SetEmailPreferenceTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, kind string, wanted bool, by string, at time.Time) error {
	const news = `/* donor.SetEmailPreferenceTx */ UPDATE donor SET news_consented_at = CASE WHEN $2 THEN $3::timestamptz END WHERE id = $1`
	const note = `/* donor.SetEmailPreferenceTx */ INSERT INTO donor_consent (donor_id, kind, given, at, by) VALUES ($1, $2, $3, $4, $5)`
	if err := LockTx(ctx, tx, []uuid.UUID{id}); err != nil {
		return err
	}
	before, err := EmailPreferences(ctx, tx, id)
	if err != nil || before[kind] == wanted {
		return err
	}
	if kind == KindNews {
		if _, err := tx.ExecContext(ctx, news, id, wanted, at); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, note, id, kind, wanted, at, by)
	return err
}
