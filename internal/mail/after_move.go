package mail

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// DeliveryAfterMove is an email about a gift that a mail server accepted for the address before, after the gift had
// moved to another donor.
type DeliveryAfterMove struct {
	DeliveryID uuid.UUID `db:"delivery_id"`
	EmailKind  string    `db:"kind"`
	DonationID uuid.UUID `db:"donation_id"`
	MovedAt    time.Time `db:"moved_at"`
	AcceptedAt time.Time `db:"accepted_at"`
}

// DeliveriesAfterMove returns such emails, oldest first. A worker of the release before migration 00096 may send one
// while both run, or a worker that was sending when the gift moved. A later release deletes the function.
func DeliveriesAfterMove(ctx context.Context, q sqlx.QueryerContext) (all []DeliveryAfterMove, err error) {
	const query = `/* mail.DeliveriesAfterMove */
		SELECT delivery_id, kind, donation_id, moved_at, accepted_at FROM email_after_move ORDER BY accepted_at, delivery_id, donation_id`
	err = sqlx.SelectContext(ctx, q, &all, query)
	return all, err
}
