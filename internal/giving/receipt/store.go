package receipt

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

type row struct {
	ID           uuid.UUID  `db:"id"`
	EntityID     uuid.UUID  `db:"entity_id"`
	DonationID   uuid.UUID  `db:"donation_id"`
	Year         int        `db:"year"`
	Number       int        `db:"number"`
	Language     string     `db:"language"`
	WordsVersion int        `db:"words_version"`
	Facts        []byte     `db:"facts"`
	IssuedAt     time.Time  `db:"issued_at"`
	Replaces     *uuid.UUID `db:"replaces"`
	ReplacedBy   *uuid.UUID `db:"replaced_by"`
	Reason       *Reason    `db:"reason"`
	ChangedOn    *time.Time `db:"changed_on"`
	OrderedBy    *string    `db:"ordered_by"`
}

// selected begins every query that reads receipts.
const selected = `SELECT r.id, r.entity_id, r.donation_id, r.year, r.number, r.language, r.words_version, r.facts, r.issued_at,
		       r.replaces, n.id AS replaced_by, v.reason, v.changed_on, v.ordered_by
		  FROM receipt r LEFT JOIN receipt_void v ON v.receipt_id = r.id LEFT JOIN receipt n ON n.replaces = r.id `

// ByID returns one receipt. It reports fault.NotFound if there is none.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (Receipt, error) {
	found, err := byIDs(ctx, q, []uuid.UUID{id})
	if r, ok := found[id]; ok || err != nil {
		return r, err
	}
	return Receipt{}, fault.New(fault.NotFound, "problem.404.text", nil)
}

func byIDs(ctx context.Context, q sqlx.QueryerContext, ids []uuid.UUID) (map[uuid.UUID]Receipt, error) {
	const query = `/* receipt.byIDs */ ` + selected + `WHERE r.id = ANY($1::uuid[])`
	receipts, err := list(ctx, q, query, pg.UUIDs(ids))
	found := make(map[uuid.UUID]Receipt, len(receipts))
	for _, r := range receipts {
		found[r.ID] = r
	}
	return found, err
}

// Latest returns the last receipt of each donation, by donation. Only this one can be valid; Voided says whether it is.
func Latest(ctx context.Context, q sqlx.QueryerContext, donations []uuid.UUID) (map[uuid.UUID]Receipt, error) {
	const query = `/* receipt.Latest */ ` + selected + `WHERE r.donation_id = ANY($1::uuid[]) AND n.id IS NULL`
	receipts, err := list(ctx, q, query, pg.UUIDs(donations))
	latest := make(map[uuid.UUID]Receipt, len(receipts))
	for _, r := range receipts {
		latest[r.DonationID] = r
	}
	return latest, err
}

func list(ctx context.Context, q sqlx.QueryerContext, query string, args ...any) ([]Receipt, error) {
	var rows []row
	if err := sqlx.SelectContext(ctx, q, &rows, query, args...); err != nil {
		return nil, err
	}
	receipts := make([]Receipt, len(rows))
	for i, r := range rows {
		receipts[i] = Receipt{
			ID: r.ID, EntityID: r.EntityID, DonationID: r.DonationID, Year: r.Year, Number: r.Number,
			Language: r.Language, WordsVersion: r.WordsVersion, IssuedAt: r.IssuedAt, Replaces: r.Replaces, ReplacedBy: r.ReplacedBy,
		}
		if r.Reason != nil {
			receipts[i].Voided = &Change{*r.Reason, r.ChangedOn.Format(time.DateOnly), *r.OrderedBy}
		}
		if err := json.Unmarshal(r.Facts, &receipts[i].Facts); err != nil {
			return nil, err
		}
	}
	return receipts, nil
}
