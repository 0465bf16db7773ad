package receipt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// ErrCorrection reports a correction that cannot be printed.
var ErrCorrection = errors.New("a name or address is one line without control characters, of at most 400 bytes")

// Correction is what the receipt must say about the donor; an empty field stays as before.
type Correction struct {
	FirstName, LastName, Email string
	Organisation               string // the name of a donor that is an organisation
}

// CorrectTx replaces a receipt by one with the corrected donor. The old one stays as it was issued, and is void. It
// locks the counters: call it last.
func (d Issuer) CorrectTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, c Correction, by string, now time.Time) (Receipt, error) {
	was, err := ByID(ctx, tx, id)
	if err != nil {
		return Receipt{}, err
	}
	facts := was.Facts
	for _, field := range []struct {
		old *string
		new string
	}{{&facts.FirstName, c.FirstName}, {&facts.LastName, c.LastName}, {&facts.Email, c.Email}, {&facts.DonorOrganisation, c.Organisation}} {
		if strings.ContainsFunc(field.new, unicode.IsControl) || len(field.new) > 400 {
			return Receipt{}, ErrCorrection
		}
		if field.new != "" {
			*field.old = field.new
		}
	}
	zone, err := time.LoadLocation(facts.Timezone)
	if err != nil {
		return Receipt{}, fmt.Errorf("receipt %s: %w", id, err)
	}
	change := Change{Reason: Corrected, On: now.In(zone).Format(time.DateOnly), By: by}
	issued, err := d.ReplaceTx(ctx, tx, []Replacement{{Of: id, Change: change, Facts: facts}}, now)
	if err != nil {
		return Receipt{}, err
	}
	return issued[0], nil
}

// Name is the name that a receipt was corrected to.
type Name struct {
	FirstName string    `db:"first_name"`
	LastName  string    `db:"last_name"`
	At        time.Time `db:"issued_at"`
}

// CorrectedName returns the name to which a receipt of the donations was corrected last; nil if none was.
func CorrectedName(ctx context.Context, q sqlx.QueryerContext, donations []uuid.UUID) (*Name, error) {
	const query = `/* receipt.CorrectedName */
		SELECT coalesce(n.facts->>'first_name', '') AS first_name, coalesce(n.facts->>'last_name', '') AS last_name, n.issued_at
		  FROM receipt n JOIN receipt o ON o.id = n.replaces
		 WHERE n.donation_id = ANY($1::uuid[])
		   AND (n.facts->>'first_name', n.facts->>'last_name') IS DISTINCT FROM (o.facts->>'first_name', o.facts->>'last_name')
		 ORDER BY n.issued_at DESC LIMIT 1`
	var found []Name
	if err := sqlx.SelectContext(ctx, q, &found, query, pg.UUIDs(donations)); err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}
