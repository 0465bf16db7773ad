package checkout

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

const columns = `donation_id, form_id, form_hash, try, session_id, session_url, expires_at`

// ByDonation returns the checkout of a donation. It reports fault.NotFound if the donation was not begun on our form.
func ByDonation(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (Checkout, error) {
	const query = `/* checkout.ByDonation */ SELECT ` + columns + ` FROM checkout WHERE donation_id = $1`
	var c Checkout
	err := sqlx.GetContext(ctx, q, &c, query, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Checkout{}, fault.New(fault.NotFound, "problem.404.text", nil)
	}
	return c, err
}

// liveByForm returns the form's gift that is neither expired nor failed; nil if there is none.
func liveByForm(ctx context.Context, q sqlx.QueryerContext, form uuid.UUID) (*Gift, error) {
	const query = `/* checkout.liveByForm */ SELECT ` + columns + ` FROM checkout WHERE form_id = $1 AND NOT ended`
	var c Checkout
	if err := sqlx.GetContext(ctx, q, &c, query, form); errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	d, err := donation.ByID(ctx, q, c.DonationID)
	if err != nil {
		return nil, err
	}
	return &Gift{d, c}, nil
}

// begin calls begin_gift of migration 00105, which locks rows in this order: donor, checkout, donation. It returns the
// donor; NULL if the form has a live gift.
const begin = `/* checkout.begin */ SELECT begin_gift($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
	$20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31::uuid[], $32::bigint[], $33::bigint[])`

// beginArgs returns the arguments of begin. A donor who is not known yet gets the id newDonor.
func beginArgs(d donation.Donation, c Checkout, r donation.Request, newDonor uuid.UUID) []any {
	funds := pg.NewColumns(3)
	for _, p := range r.Designations {
		funds.Add(p.FundID, p.Amount.Minor, p.Covered.Minor)
	}
	args := []any{
		d.ID, d.EntityID, d.OrganisationID, d.PublicRef, d.Frequency, d.AmountMinor, d.CoveredMinor, d.Currency, d.Language, d.Anonymous, d.News,
		d.CreatedAt, d.PlanID, c.FormID, c.FormHash, c.ExpiresAt, newDonor, email.Normalize(r.Contact.Email), r.Contact.Note,
	}
	return append(append(args, r.Contact.Args()...), funds.Args()...)
}

// storeSession stores the page of a started donation that has none yet. It returns false, and stores nothing, if the
// donation is not started any more or has another page. The donation is locked first; PostgreSQL reads the checkout again
// if another transaction changed it during the wait.
func storeSession(ctx context.Context, db *sqlx.DB, id uuid.UUID, session Session) (bool, error) {
	const query = `/* checkout.storeSession */
		WITH started AS MATERIALIZED (` + donation.LockStarted + `)
		UPDATE checkout c SET session_id = $2, session_url = $3 FROM started WHERE c.donation_id = started.id AND coalesce(c.session_id, $2) = $2
		RETURNING c.donation_id`
	stored, err := pg.Repeatable[uuid.UUID](ctx, db, query, id, session.ID, session.URL)
	return len(stored) > 0, err
}

// nextTryTx increments the try of a checkout if it is `used`, and returns the row.
func nextTryTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, used int) (Checkout, error) {
	const query = `/* checkout.nextTryTx */ UPDATE checkout SET try = least(try + 1, 9) WHERE donation_id = $1 AND try = $2`
	if _, err := donation.LockTx(ctx, tx, id); err != nil {
		return Checkout{}, err
	}
	if _, err := tx.ExecContext(ctx, query, id, used); err != nil {
		return Checkout{}, err
	}
	return ByDonation(ctx, tx, id)
}

// maxDebitTime is how long a bank debit may take before Stripe is asked about it. Most end within a week.
const maxDebitTime = 10 * 24 * time.Hour

// Overdue returns up to limit gifts whose outcome should be known by `before`:
//   - started ones whose payment page has expired;
//   - bank debits whose payment page expired more than maxDebitTime before.
//
// The order is random, so that gifts whose status cannot be read do not always come first.
func Overdue(ctx context.Context, q sqlx.QueryerContext, before time.Time, limit int) ([]Gift, error) {
	const query = `/* checkout.Overdue */ SELECT ` + columns + ` FROM checkout WHERE donation_id = ANY($1::uuid[])`
	begun := before.Add(-sessionLifetime) // the page of a donation begun later has not expired
	open, err := donation.UnsettledFromForm(ctx, q, begun, begun.Add(-maxDebitTime), limit)
	if err != nil || len(open) == 0 {
		return nil, err
	}
	ids := make([]uuid.UUID, len(open))
	for i, d := range open {
		ids[i] = d.ID
	}
	var found []Checkout
	if err := sqlx.SelectContext(ctx, q, &found, query, pg.UUIDs(ids)); err != nil {
		return nil, err
	}
	var overdue []Gift
	for _, d := range open {
		i := slices.IndexFunc(found, func(c Checkout) bool { return c.DonationID == d.ID })
		if i >= 0 && found[i].ExpiresAt.Before(before) {
			overdue = append(overdue, Gift{d, found[i]})
		}
	}
	return overdue, nil
}
