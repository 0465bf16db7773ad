package recurring

import (
	"cmp"
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/planlink"
)

// CheckChannel returns planlink.ErrNeedsSession if a change of terms, requested by this channel, needs a session. parts
// are the plan's present funds; d is what ChangeDetail returned. Change also looks at requests that are not executed.
func (p Plan) CheckChannel(channel string, parts []donation.Designation, d Detail) error {
	old := planlink.Terms{Frequency: p.Frequency, Next: *p.NextAt, Covered: p.CoveredMinor, Given: map[uuid.UUID]int64{}}
	to := planlink.Terms{Frequency: org.Frequency(d.Frequency), Next: *cmp.Or(d.Next, p.NextAt), Covered: d.Covered, Given: map[uuid.UUID]int64{}}
	for _, part := range parts {
		old.Given[part.FundID] += part.Amount.Minor - part.Covered.Minor
	}
	for _, part := range d.Parts {
		to.Given[part.FundID] += part.Amount - part.Covered
	}
	return planlink.CheckTerms(channel, old, to)
}

// checkChangeTx is CheckChannel where a request is stored. By a link it also returns planlink.ErrNeedsSession while an
// earlier request is not executed: it must not undo a reduction or a pause that waits for Stripe.
func checkChangeTx(ctx context.Context, tx *sqlx.Tx, p Plan, channel string, d Detail) error {
	const query = `/* recurring.checkChangeTx */
		SELECT EXISTS (SELECT 1 FROM plan_request WHERE plan_id = $1 AND kind IN ('change', 'pause', 'skip', 'resume') AND carried_at IS NULL AND refused IS NULL)`
	var waits bool
	if err := tx.GetContext(ctx, &waits, query, p.ID); err != nil {
		return err
	}
	parts, err := PartsOf(ctx, tx, p, p.Terms)
	switch {
	case err != nil:
		return err
	case waits && channel != planlink.BySession:
		return planlink.ErrNeedsSession
	}
	return p.CheckChannel(channel, parts, d)
}
