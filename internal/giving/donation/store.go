package donation

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/contact"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

const columns = `id, entity_id, organisation_id, donor_id, public_ref, status, frequency,
	amount, covered, currency, language, anonymous, news, created_at, payment_intent_id, charge_id, charged_at, settled_at, tax_date, source, plan_id,
	coalesce(given_by, '') AS given_by`

// ByRef returns the donation with that public reference. It reports fault.NotFound if there is none. A text that
// PostgreSQL cannot store is not looked up: that would be an error.
func ByRef(ctx context.Context, q sqlx.QueryerContext, ref string) (Donation, error) {
	if !utf8.ValidString(ref) || strings.ContainsRune(ref, 0) {
		return Donation{}, fault.New(fault.NotFound, "problem.404.text", nil)
	}
	const query = `/* donation.ByRef */ SELECT ` + columns + ` FROM donation WHERE public_ref = $1`
	return one(ctx, q, query, ref)
}

// ByID returns the donation with that id. It reports fault.NotFound if there is none.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (Donation, error) {
	const query = `/* donation.ByID */ SELECT ` + columns + ` FROM donation WHERE id = $1`
	return one(ctx, q, query, id)
}

func one(ctx context.Context, q sqlx.QueryerContext, query string, arg any) (Donation, error) {
	var d Donation
	err := sqlx.GetContext(ctx, q, &d, query, arg)
	if errors.Is(err, sql.ErrNoRows) {
		return Donation{}, fault.New(fault.NotFound, "problem.404.text", nil)
	}
	return d, err
}

// LockTx locks a donation until the end of the transaction and returns its status.
func LockTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID) (status Status, err error) {
	const query = `/* donation.LockTx */ SELECT status FROM donation WHERE id = $1 FOR UPDATE`
	err = tx.GetContext(ctx, &status, query, id)
	return status, err
}

// LockStarted is a query that locks the donation $1, and returns its id, if it is started.
const LockStarted = `SELECT id FROM donation WHERE id = $1 AND status = 'started' FOR UPDATE`

// UnsettledFromForm returns up to limit donations begun on our form that are not paid yet, in random order: started
// ones that were begun before `started`, and bank debits that were begun before `processing`.
func UnsettledFromForm(ctx context.Context, q sqlx.QueryerContext, started, processing time.Time, limit int) ([]Donation, error) {
	const query = `/* donation.UnsettledFromForm */ SELECT ` + columns + ` FROM donation
		WHERE source = 'form' AND (status = 'started' AND created_at < $1 OR status = 'processing' AND created_at < $2)
		ORDER BY random() LIMIT $3`
	var unsettled []Donation
	err := sqlx.SelectContext(ctx, q, &unsettled, query, started, processing, limit)
	return unsettled, err
}

// ContactOf returns what the donor typed; nil if it was purged.
func ContactOf(ctx context.Context, q sqlx.QueryerContext, donation uuid.UUID) (*Contact, error) {
	const query = `/* donation.ContactOf */
		SELECT ` + contact.Columns + `, note FROM donation_contact WHERE donation_id = $1`
	var c Contact
	if err := sqlx.GetContext(ctx, q, &c, query, donation); errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &c, nil
}

// ContactsOf returns what was typed with donations, by donation; a purged contact is missing.
func ContactsOf(ctx context.Context, q sqlx.QueryerContext, donations []uuid.UUID) (map[uuid.UUID]Contact, error) {
	const query = `/* donation.ContactsOf */
		SELECT donation_id, ` + contact.Columns + `, note FROM donation_contact WHERE donation_id = ANY($1::uuid[])`
	var rows []struct {
		Donation uuid.UUID `db:"donation_id"`
		Contact
	}
	err := sqlx.SelectContext(ctx, q, &rows, query, pg.UUIDs(donations))
	all := make(map[uuid.UUID]Contact, len(rows))
	for _, r := range rows {
		all[r.Donation] = r.Contact
	}
	return all, err
}

// LatestAddresses returns, for donors with a donation in whose contact there is a postal address, the details of the newest one.
func LatestAddresses(ctx context.Context, q sqlx.QueryerContext, donors []uuid.UUID) (map[uuid.UUID]contact.Details, error) {
	const query = `/* donation.LatestAddresses */
		SELECT w.id AS donor_id, c.* FROM unnest($1::uuid[]) AS w (id) CROSS JOIN LATERAL (
			SELECT ` + contact.DetailColumns + ` FROM donation g JOIN donation_contact t ON t.donation_id = g.id
			 WHERE g.donor_id = w.id AND t.address_line1 <> '' ORDER BY g.charged_at DESC NULLS LAST, g.created_at DESC LIMIT 1) c`
	var found []struct {
		DonorID uuid.UUID `db:"donor_id"`
		contact.Details
	}
	if err := sqlx.SelectContext(ctx, q, &found, query, pg.UUIDs(donors)); err != nil {
		return nil, err
	}
	all := make(map[uuid.UUID]contact.Details, len(found))
	for _, f := range found {
		all[f.DonorID] = f.Details
	}
	return all, nil
}

// DesignationsOf returns the designations of donations, by donation, each in order.
func DesignationsOf(ctx context.Context, q sqlx.QueryerContext, donations []uuid.UUID) (map[uuid.UUID][]Designation, error) {
	const query = `/* donation.DesignationsOf */
		SELECT d.donation_id, d.fund_id, d.amount, d.covered, g.currency FROM designation d JOIN donation g ON g.id = d.donation_id
		 WHERE d.donation_id = ANY($1::uuid[]) ORDER BY d.donation_id, d.n`
	var rows []struct {
		DonationID uuid.UUID      `db:"donation_id"`
		FundID     uuid.UUID      `db:"fund_id"`
		Amount     int64          `db:"amount"`
		Covered    int64          `db:"covered"`
		Currency   money.Currency `db:"currency"`
	}
	if err := sqlx.SelectContext(ctx, q, &rows, query, pg.UUIDs(donations)); err != nil {
		return nil, err
	}
	parts := make(map[uuid.UUID][]Designation, len(donations))
	for _, r := range rows {
		parts[r.DonationID] = append(parts[r.DonationID], Designation{
			FundID: r.FundID, Amount: money.New(r.Amount, r.Currency), Covered: money.New(r.Covered, r.Currency),
		})
	}
	return parts, nil
}

// FundsWithGifts returns those of the funds that some donation, paid or not, is for.
func FundsWithGifts(ctx context.Context, q sqlx.QueryerContext, funds []uuid.UUID) (used []uuid.UUID, err error) {
	const query = `/* donation.FundsWithGifts */
		SELECT f.id FROM unnest($1::uuid[]) AS f (id) WHERE EXISTS (SELECT 1 FROM designation d WHERE d.fund_id = f.id)`
	err = sqlx.SelectContext(ctx, q, &used, query, pg.UUIDs(funds))
	return used, err
}

// SumOf returns the sum of donations of one currency, in minor units.
func SumOf(ctx context.Context, q sqlx.QueryerContext, donations []uuid.UUID) (sum int64, err error) {
	const query = `/* donation.SumOf */ SELECT coalesce(sum(amount), 0)::bigint FROM donation WHERE id = ANY($1::uuid[])`
	err = sqlx.GetContext(ctx, q, &sum, query, pg.UUIDs(donations))
	return sum, err
}

// statusChange is one change of a donation's status with its cause: "form", or the id of a Stripe event or object.
type statusChange struct {
	donation uuid.UUID
	status   Status
	cause    string
}

func recordStatusTx(ctx context.Context, tx *sqlx.Tx, changes []statusChange, at time.Time) error {
	const query = `/* donation.recordStatusTx */
		INSERT INTO donation_step (donation_id, at, status, cause)
		SELECT s.donation_id, $1, s.status, s.cause FROM unnest($2::uuid[], $3::text[], $4::text[]) AS s (donation_id, status, cause)
		ON CONFLICT (donation_id, at, status) DO NOTHING`
	if len(changes) == 0 {
		return nil
	}
	rows := pg.NewColumns(3)
	for _, s := range changes {
		rows.Add(s.donation, string(s.status), s.cause)
	}
	_, err := tx.ExecContext(ctx, query, rows.Args(at)...)
	return err
}
