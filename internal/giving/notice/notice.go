// Package notice owns table donation_notice: what happened to the money of a donation and no receipt says. The donor
// gets an email about each row (package mail).
//
//	bank debit ordered ── not paid                           failed
//	money came that does not fit the donation                held ── refunded   returned
//	refund of a settled donation ── the bank cannot deliver  refund failed
//	                             └─ in another year          refunded later
//
// A row is written once for a donation, a kind and a cause, and never changes. It is written in the transaction of the
// fact. Receipts, and the emails that say that one is void or replaced, are package receipt's.
package notice

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/jobs"
	"konbit/internal/platform/money"
)

// Kind is what happened. Its values are in donation_notice.kind.
type Kind string

// The kinds.
const (
	Failed       Kind = "failed"        // the bank did not pay a debit; cause: the processor's event
	Held         Kind = "held"          // money that does not fit the donation is in suspense; cause: the charge
	Returned     Kind = "returned"      // such money was refunded; cause: the refund
	RefundFailed Kind = "refund failed" // the bank could not deliver a refund, which is owed to the donor; cause: the refund
	// RefundedLater: a gift was refunded, whole or in part, in a later year than it was given; cause: the refund or its order.
	RefundedLater Kind = "refunded later"
)

// Notice is a row.
type Notice struct {
	ID          uuid.UUID `db:"id"`
	DonationID  uuid.UUID `db:"donation_id"`
	Kind        Kind      `db:"kind"`
	Cause       string    `db:"cause"`
	AmountMinor int64     `db:"amount"`
	Currency    string    `db:"currency"`
	At          time.Time `db:"at"`
}

// Amount returns the money that the notice is about.
func (n Notice) Amount() money.Amount { return money.New(n.AmountMinor, money.Currency(n.Currency)) }

// EmailJob is the job that sends the email about a notice; package mail handles it.
type EmailJob struct {
	NoticeID uuid.UUID `json:"notice_id"`
}

// Kind returns the job's kind in river_job.
func (EmailJob) Kind() string { return "notice_letter" }

// Queue returns the queue in which the job waits.
func (EmailJob) Queue() jobs.QueueName { return jobs.Emails }

// Recorder writes notices.
type Recorder struct {
	Queue *jobs.Queue
	NewID func() uuid.UUID
}

// RecordTx writes notices and enqueues their emails. A notice that is written already is left as it is. Nothing is enqueued
// about a donation whose donor has no address.
func (r Recorder) RecordTx(ctx context.Context, tx *sqlx.Tx, notices ...Notice) error {
	const query = `/* notice.RecordTx */
		WITH written AS (
		    INSERT INTO donation_notice (id, donation_id, kind, cause, amount, currency, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		    ON CONFLICT (donation_id, kind, cause) DO NOTHING RETURNING donation_id
		)
		SELECT donations_with_address(ARRAY[w.donation_id]) FROM written w`
	for _, n := range notices {
		id := r.NewID()
		var reached []uuid.UUID
		if err := tx.SelectContext(ctx, &reached, query, id, n.DonationID, n.Kind, n.Cause, n.AmountMinor, n.Currency, n.At); err != nil {
			return err
		}
		if len(reached) == 0 {
			continue
		}
		if err := r.Queue.EnqueueTx(ctx, tx, EmailJob{id}); err != nil {
			return err
		}
	}
	return nil
}

const selectNotice = `SELECT id, donation_id, kind, cause, amount, currency, at FROM donation_notice `

// ByID returns one notice.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (n Notice, err error) {
	const query = `/* notice.ByID */ ` + selectNotice + `WHERE id = $1`
	err = sqlx.GetContext(ctx, q, &n, query, id)
	return n, err
}

// OfDonation returns the notices of a donation, oldest first.
func OfDonation(ctx context.Context, q sqlx.QueryerContext, donation uuid.UUID) (all []Notice, err error) {
	const query = `/* notice.OfDonation */ ` + selectNotice + `WHERE donation_id = $1 ORDER BY at, id`
	err = sqlx.SelectContext(ctx, q, &all, query, donation)
	return all, err
}

// HeldFor returns the donation whose donor got the notice that a charge is held; uuid.Nil if no donor got it.
func HeldFor(ctx context.Context, q sqlx.QueryerContext, charge string) (donation uuid.UUID, err error) {
	const query = `/* notice.HeldFor */ SELECT donation_id FROM donation_notice WHERE kind = 'held' AND cause = $1`
	err = sqlx.GetContext(ctx, q, &donation, query, charge)
	if errors.Is(err, sql.ErrNoRows) {
		return uuid.Nil, nil
	}
	return donation, err
}
