package planlink

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/donor"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/keyring"
	"konbit/internal/platform/pg"
)

// Links makes and finds the links to plans. It is safe for concurrent use, and by any number of servers on one
// database.
type Links struct {
	DB    *sqlx.DB
	Queue *jobs.Queue
	Keys  keyring.Ring // the secrets of links are made from the current one; all servers have the same
	NewID func() uuid.UUID
}

// Link is a row of table plan_link.
type Link struct {
	ID      uuid.UUID `db:"id"`
	PlanID  uuid.UUID `db:"plan_id"`
	DonorID uuid.UUID `db:"donor_id"`
	Valid   bool      `db:"valid"` // neither expired nor ended
}

const selectLink = `SELECT id, plan_id, donor_id, ended_at IS NULL AND expires_at > now() AS valid FROM plan_link `

// ByToken returns the link with a token; fault.NotFound if there is none.
func (l Links) ByToken(ctx context.Context, token string) (Link, error) {
	return l.find(ctx, `/* planlink.ByToken */ `+selectLink+`WHERE token_hash = $1`, tokenHash(token))
}

// ByCode returns the link with a code as a person typed it; fault.NotFound if there is none.
func (l Links) ByCode(ctx context.Context, typed string) (Link, error) {
	return l.find(ctx, `/* planlink.ByCode */ `+selectLink+`WHERE code_mac = ANY($1)`, pq.ByteaArray(l.codeMACs(normalizeCode(typed))))
}

// ByID returns a link; fault.NotFound if there is none.
func (l Links) ByID(ctx context.Context, id uuid.UUID) (Link, error) {
	return l.find(ctx, `/* planlink.ByID */ `+selectLink+`WHERE id = $1`, id)
}

func (l Links) find(ctx context.Context, query string, arg any) (found Link, err error) {
	err = l.DB.GetContext(ctx, &found, query, arg)
	if errors.Is(err, sql.ErrNoRows) {
		err = fault.New(fault.NotFound, "problem.404.text", nil)
	}
	return found, err
}

// Current returns the secrets of a plan's link that is valid for 12 months more, and makes the link if there is none.
func (l Links) Current(ctx context.Context, plan, of uuid.UUID) (Secrets, error) {
	const query = `/* planlink.Current */ SELECT id, token_hash FROM plan_link
		WHERE plan_id = $1 AND donor_id = $2 AND ended_at IS NULL AND expires_at > now() + interval '12 months' ORDER BY created_at DESC, id LIMIT 1`
	const add = `/* planlink.Current */ INSERT INTO plan_link (id, plan_id, donor_id, token_hash, code_mac) VALUES ($1, $2, $3, $4, $5)`
	var present struct {
		ID        uuid.UUID `db:"id"`
		TokenHash []byte    `db:"token_hash"`
	}
	err := l.DB.GetContext(ctx, &present, query, plan, of)
	if err == nil {
		for _, s := range l.secrets(present.ID) {
			if string(tokenHash(s.Token)) == string(present.TokenHash) {
				return s, nil
			}
		}
	} else if !errors.Is(err, sql.ErrNoRows) {
		return Secrets{}, err
	}
	// There is no link, or the key that made it is not in the ring any more.
	id := l.NewID()
	s := l.secrets(id)[0]
	return s, pg.InTx(ctx, l.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, add, id, plan, of, tokenHash(s.Token), l.codeMACs(normalizeCode(s.Code))[0])
		return err
	})
}

// EndOfDonorsTx ends all links of donors. It locks them in the order of their ids, before the caller's transaction locks
// a session, a delivery or a donor: the order of migration 00094.
func EndOfDonorsTx(ctx context.Context, tx *sqlx.Tx, donors []uuid.UUID) error {
	return endTx(ctx, tx, donors, nil)
}

// EndOfPlanTx ends all links to a plan, as EndOfDonorsTx does.
func EndOfPlanTx(ctx context.Context, tx *sqlx.Tx, plan uuid.UUID) error {
	return endTx(ctx, tx, nil, []uuid.UUID{plan})
}

// EndOfEmailsTx ends all links of the donors with these addresses.
func EndOfEmailsTx(ctx context.Context, tx *sqlx.Tx, emails []string) error {
	donors, err := donor.ByEmails(ctx, tx, emails)
	if err != nil {
		return err
	}
	return EndOfDonorsTx(ctx, tx, donor.IDs(donors))
}

func endTx(ctx context.Context, tx *sqlx.Tx, donors, plans []uuid.UUID) error {
	const query = `/* planlink.endTx */
		WITH theirs AS MATERIALIZED (
		    SELECT id FROM plan_link WHERE (donor_id = ANY($1::uuid[]) OR plan_id = ANY($2::uuid[])) AND ended_at IS NULL ORDER BY id FOR UPDATE)
		UPDATE plan_link l SET ended_at = now() FROM theirs t WHERE l.id = t.id`
	_, err := tx.ExecContext(ctx, query, pg.UUIDs(donors), pg.UUIDs(plans))
	return err
}

// DeleteExpired deletes links a year after they expired. Until then their emails can be asked for again.
func (l Links) DeleteExpired(ctx context.Context) error {
	const query = `/* planlink.DeleteExpired */
		WITH old AS MATERIALIZED (SELECT id FROM plan_link WHERE expires_at < now() - interval '1 year' ORDER BY id FOR UPDATE)
		DELETE FROM plan_link l USING old o WHERE l.id = o.id`
	return pg.InTx(ctx, l.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query)
		return err
	})
}
