package giftlist

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Known is one thing that is known about a gift. The function gift_evidence of migration 00140 says what its columns are.
type Known struct {
	Part  string     `db:"part"`
	At    *time.Time `db:"at"`
	Name  string     `db:"name"`
	Value string     `db:"value"`
}

// Evidence returns what is known about a gift, part by part: what was typed on the form, its steps, receipts and emails, and
// the donor's earlier gifts.
func Evidence(ctx context.Context, q sqlx.QueryerContext, gift uuid.UUID) (map[string][]Known, error) {
	const query = `/* giftlist.Evidence */ SELECT part, at, name, value FROM gift_evidence($1) ORDER BY part, at, name`
	var rows []Known
	err := sqlx.SelectContext(ctx, q, &rows, query, gift)
	parts := map[string][]Known{}
	for _, k := range rows {
		parts[k.Part] = append(parts[k.Part], k)
	}
	return parts, err
}
