package guard

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// Limited names what falls under a limit: by what it is counted, and for whom. Kinds of other rooms hold a space, so that
// they are none of this room's.
type Quota struct {
	Kind, Subject string
	Limit         Limit
}

// Allow counts something that happens once under every limit it falls under, and tells whether it keeps to all of them. What
// is not allowed counts nowhere.
func (g *Guard) Allow(ctx context.Context, all ...Quota) (bool, error) {
	var counters []counter
	for _, l := range all {
		counters = g.appendCounter(counters, l.Kind, l.Subject, l.Limit)
	}
	return g.commitIf(ctx, func(tx *sqlx.Tx) (bool, error) { return countTx(ctx, tx, counters) })
}
