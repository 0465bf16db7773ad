package donor

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Kinds of letters that are for a donor to have or not. Receipts, and what somebody must know of gifts to come, always go.
const (
	KindNews       = "news"       // only to who wished for them
	KindReminders  = "reminders"  // a week before a charge, where charges are rare
	KindStatements = "statements" // annual ones; the donor's pages have them in any case
)

// Kinds are all of them, as pages list them.
var EmailKinds = []string{KindStatements, KindReminders, KindNews}

// Wishes tells which kinds of letters a donor has; none for a donor there is not.
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
	wishes := make(map[string]bool, len(rows))
	for _, r := range rows {
		wishes[r.Kind] = r.Wished
	}
	return wishes, err
}

// WishTx notes whether a donor wishes for a kind of letters, and who said so. The same wish twice is one.
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
