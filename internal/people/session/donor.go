package session

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Donor is the kind of donors. Their sessions are long because a donor comes a few times a year, cannot send money to
// anybody in a session, and must not learn to click on links in emails every time (OWASP ASVS 5.0.0 V7.3.1, V7.3.2).
// A session without requests ends after two weeks: a phone gets another owner, a computer in a library stays open. What
// decides who signs in as this person, the addresses, needs a fresh session (V7.5.1). A person has ten sessions at most
// (V7.1.2): a household has fewer devices.
func Donor() Kind {
	return Kind{
		purpose: "konbit access",
		limits: Limits{
			IdleTimeout: 14 * 24 * time.Hour, MaxLifetime: 90 * 24 * time.Hour, SeenInterval: time.Hour, FreshFor: 15 * time.Minute, MaxOpen: 10,
		},
		table: donorTable{},
	}
}

// donorTable is the table session. A statement that changes several rows locks them in the order of their ids, as an
// erasure does (migration 00094).
type donorTable struct{}

func (donorTable) insertTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, hash []byte, o Opening) (s Session, err error) {
	const query = `/* session.donorTable.insertTx */
		INSERT INTO session (id, person_id, email, sign_in_id, token_hash) VALUES ($1, $2, $3, $4, $5)
		RETURNING id, person_id, email, sign_in_id, opened_at, true AS fresh`
	err = tx.GetContext(ctx, &s, query, id, o.PersonID, o.Email, o.ProofID, hash)
	return s, err
}

func (donorTable) find(ctx context.Context, q sqlx.QueryerContext, hash []byte, l Limits) (f found, err error) {
	const query = `/* session.donorTable.find */
		SELECT id, person_id, email, sign_in_id, opened_at, opened_at > now() - $5::interval AS fresh, seen_at < now() - $4::interval AS seen_long_ago FROM session
		 WHERE token_hash = $1 AND ended_at IS NULL AND seen_at > now() - $2::interval AND opened_at > now() - $3::interval`
	err = sqlx.GetContext(ctx, q, &f, query, hash, interval(l.IdleTimeout), interval(l.MaxLifetime), interval(l.SeenInterval),
		interval(l.FreshFor))
	return f, err
}

func (donorTable) updateSeenTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID) error {
	const query = `/* session.donorTable.updateSeenTx */ UPDATE session SET seen_at = now() WHERE id = $1`
	_, err := tx.ExecContext(ctx, query, id)
	return err
}

func (donorTable) endTx(ctx context.Context, tx *sqlx.Tx, hash []byte) (int64, error) {
	const query = `/* session.donorTable.endTx */ UPDATE session SET ended_at = now() WHERE token_hash = $1 AND ended_at IS NULL`
	return affected(tx.ExecContext(ctx, query, hash))
}

func (donorTable) endOneTx(ctx context.Context, tx *sqlx.Tx, person, id uuid.UUID) (int64, error) {
	const query = `/* session.donorTable.endOneTx */ UPDATE session SET ended_at = now() WHERE person_id = $1 AND id = $2 AND ended_at IS NULL`
	return affected(tx.ExecContext(ctx, query, person, id))
}

func (donorTable) endSurplusTx(ctx context.Context, tx *sqlx.Tx, person uuid.UUID, l Limits) error {
	const query = `/* session.donorTable.endSurplusTx */
		WITH surplus AS (
		    SELECT id FROM session WHERE person_id = $1 AND ended_at IS NULL AND seen_at > now() - $2::interval AND opened_at > now() - $3::interval
		     ORDER BY seen_at DESC, opened_at DESC, id DESC OFFSET $4),
		theirs AS MATERIALIZED (SELECT id FROM session WHERE id IN (SELECT id FROM surplus) ORDER BY id FOR UPDATE)
		UPDATE session s SET ended_at = now() FROM theirs t WHERE s.id = t.id`
	_, err := tx.ExecContext(ctx, query, person, interval(l.IdleTimeout), interval(l.MaxLifetime), l.MaxOpen)
	return err
}

func (donorTable) listOpen(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID, l Limits) (all []Open, err error) {
	const query = `/* session.donorTable.listOpen */
		SELECT id, opened_at, seen_at FROM session
		 WHERE person_id = $1 AND ended_at IS NULL AND seen_at > now() - $2::interval AND opened_at > now() - $3::interval
		 ORDER BY opened_at DESC, id DESC`
	err = sqlx.SelectContext(ctx, q, &all, query, person, interval(l.IdleTimeout), interval(l.MaxLifetime))
	return all, err
}

func (donorTable) endAllTx(ctx context.Context, tx *sqlx.Tx, person uuid.UUID, email string) (int64, error) {
	const query = `/* session.donorTable.endAllTx */
		WITH theirs AS MATERIALIZED (
		    SELECT id FROM session WHERE (person_id = $1 OR email = $2) AND ended_at IS NULL ORDER BY id FOR UPDATE)
		UPDATE session s SET ended_at = now() FROM theirs t WHERE s.id = t.id`
	return affected(tx.ExecContext(ctx, query, person, email))
}

func (donorTable) list(ctx context.Context, q sqlx.QueryerContext, person uuid.UUID) (all []Record, err error) {
	const query = `/* session.donorTable.list */ SELECT email, opened_at, seen_at, ended_at FROM session WHERE person_id = $1 ORDER BY opened_at, id`
	err = sqlx.SelectContext(ctx, q, &all, query, person)
	return all, err
}

func (donorTable) deleteExpiredTx(ctx context.Context, tx *sqlx.Tx, l Limits) error {
	const query = `/* session.donorTable.deleteExpiredTx */
		WITH old AS MATERIALIZED (
		    SELECT id FROM session WHERE coalesce(ended_at, least(seen_at + $1::interval, opened_at + $2::interval)) < now() - interval '30 days'
		     ORDER BY id FOR UPDATE)
		DELETE FROM session s USING old o WHERE s.id = o.id`
	_, err := tx.ExecContext(ctx, query, interval(l.IdleTimeout), interval(l.MaxLifetime))
	return err
}

// affected returns how many rows a statement changed.
func affected(done interface{ RowsAffected() (int64, error) }, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// interval returns a duration as text for PostgreSQL's type interval.
func interval(d time.Duration) string { return fmt.Sprintf("%d seconds", int64(d.Seconds())) }
