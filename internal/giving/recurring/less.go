package recurring

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
)

// Channels by which a donor makes a request, as plan_request.asked_by stores them.
const (
	ByLink    = "letter" // the link of an email, which others may have: it was forwarded, or the mailbox is shared
	BySession = "portal" // a session, opened with an email sent to the donor within minutes
)

// ErrNeedsSession: the request asks for more than the plan's donor agreed to, and only a session may do that.
var ErrNeedsSession error = fault.New(fault.Forbidden, "plan.error.more", nil)

// frequencies are in order, the shortest interval first.
var frequencies = []org.Frequency{org.Weekly, org.Monthly, org.Quarterly, org.Yearly}

// isLess reports whether new terms take no more from the donor than the old ones at any time, and give no fund more:
//
//	amount of each charge    not more, in all and for each fund, without the part that covers the fee
//	part that covers the fee not more
//	interval                 not shorter
//	next charge              not earlier
//	funds                    none that had no part before
//
// A larger amount at a longer interval is not less: the next charge would be larger. A smaller amount at a shorter
// interval is not less: a charge would be earlier. next is the date of the next charge under the old terms, which is
// that of the new terms if they name none.
func isLess(old, to Detail, next time.Time) bool {
	before, after := slices.Index(frequencies, org.Frequency(old.Frequency)), slices.Index(frequencies, org.Frequency(to.Frequency))
	if after < before || before < 0 || to.Amount > old.Amount || to.Covered > old.Covered || to.Next != nil && to.Next.Before(next) {
		return false
	}
	given := map[uuid.UUID]int64{}
	for _, part := range old.Parts {
		given[part.FundID] += part.Amount - part.Covered
	}
	for _, part := range to.Parts {
		if _, had := given[part.FundID]; !had {
			return false
		}
		given[part.FundID] -= part.Amount - part.Covered
	}
	for _, left := range given {
		if left < 0 {
			return false
		}
	}
	return len(to.Parts) > 0
}

// CheckChannel returns ErrNeedsSession if a request for other terms, made by this channel, needs a session. parts are
// the plan's present funds; d is what ChangeDetail returned. It takes no account of requests that are not executed:
// Change does.
func (p Plan) CheckChannel(channel string, parts []donation.Designation, d Detail) error {
	if channel == BySession || isLess(p.presentTerms(parts), d, *p.NextAt) {
		return nil
	}
	return ErrNeedsSession
}

// presentTerms returns the plan's present terms as a change to them would state them.
func (p Plan) presentTerms(parts []donation.Designation) Detail {
	return Detail{Amount: p.AmountMinor, Covered: p.CoveredMinor, Frequency: string(p.Frequency), Parts: partsOf(parts)}
}

// checkChangeTx returns ErrNeedsSession if a change of terms needs a session. By a link it does so too while an earlier
// request for the plan is not executed: the present terms are not yet those that the donor asked for, and a link must
// not undo a reduction or a pause that waits for Stripe.
func checkChangeTx(ctx context.Context, tx *sqlx.Tx, p Plan, channel string, d Detail) error {
	const query = `/* recurring.checkChangeTx */
		SELECT EXISTS (SELECT 1 FROM plan_request WHERE plan_id = $1 AND kind IN ('change', 'pause', 'skip', 'resume') AND carried_at IS NULL AND refused IS NULL)`
	if channel == BySession {
		return nil
	}
	var waits bool
	if err := tx.GetContext(ctx, &waits, query, p.ID); err != nil {
		return err
	}
	if waits {
		return ErrNeedsSession
	}
	parts, err := PartsOf(ctx, tx, p, p.Terms)
	if err != nil {
		return err
	}
	return p.CheckChannel(channel, parts, d)
}
