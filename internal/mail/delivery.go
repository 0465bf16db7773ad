package mail

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// Delivery is an order to send an email to one recipient, with its result.
type Delivery struct {
	EmailID    uuid.UUID  `db:"letter_id"`
	Subject    uuid.UUID  `db:"subject_id"` // what the email is about, such as a receipt
	EmailKind  string     `db:"kind"`
	Recipient  string     `db:"recipient"`
	OrderedBy  string     `db:"ordered_by"`
	OrderedAt  time.Time  `db:"ordered_at"`
	Attempts   int        `db:"tries"`
	Reply      *string    `db:"smtp_reply"` // the server's last reply
	AcceptedAt *time.Time `db:"accepted_at"`
	RefusedAt  *time.Time `db:"refused_at"`
	DeclinedAt *time.Time `db:"declined_at"` // cancelled
	Superseded bool       `db:"overtaken"`   // by a delivery to a corrected address
	Optional   bool       `db:"optional"`    // its donor can stop this kind of email, also by a link in it
}

// State is the state of a delivery.
type State string

// The states. Only Waiting changes by itself. An email is cancelled if its donor has stopped this kind of email, or if
// the receipt it contains is no longer valid.
const (
	Waiting    State = "waiting"
	Accepted   State = "accepted"
	Refused    State = "refused"
	Cancelled  State = "called off" // shown by "konbit receipt find"; the text stays
	Superseded State = "overtaken"
)

// State returns the delivery's state.
func (d Delivery) State() State {
	switch {
	case d.AcceptedAt != nil:
		return Accepted
	case d.DeclinedAt != nil:
		return Cancelled
	case d.RefusedAt != nil:
		return Refused
	case d.Superseded:
		return Superseded
	default:
		return Waiting
	}
}

// String returns the state, the recipient and the server's reply.
func (d Delivery) String() string {
	text := fmt.Sprintf("%s to %s", d.State(), d.Recipient)
	if d.Reply != nil {
		text += ": " + *d.Reply
	}
	return text
}

const selectDeliveryStatus = `SELECT d.letter_id, l.subject_id, l.kind, d.recipient, d.ordered_by, d.ordered_at, d.tries, d.smtp_reply,
		       d.accepted_at, d.refused_at, d.declined_at, l.choice IS NOT NULL AS optional, EXISTS (SELECT 1 FROM letter_delivery b
		           WHERE b.letter_id = d.letter_id AND b.cause = 'address' AND b.ordered_at > d.ordered_at) AS overtaken
		  FROM letter_delivery d JOIN letter l ON l.id = d.letter_id `

// Deliveries returns the deliveries of emails about each subject, oldest first.
func Deliveries(ctx context.Context, q sqlx.QueryerContext, subjects []uuid.UUID) (map[uuid.UUID][]Delivery, error) {
	const query = `/* mail.Deliveries */ ` + selectDeliveryStatus + `WHERE l.subject_id = ANY($1::uuid[]) ORDER BY d.ordered_at, d.id`
	var all []Delivery
	err := sqlx.SelectContext(ctx, q, &all, query, pg.UUIDs(subjects))
	by := map[uuid.UUID][]Delivery{}
	for _, d := range all {
		by[d.Subject] = append(by[d.Subject], d)
	}
	return by, err
}

// deliveriesOfGift returns the deliveries of emails about a receipt's donation, oldest first; if it is a payment of a
// plan, about the plan and all its payments.
func deliveriesOfGift(ctx context.Context, q sqlx.QueryerContext, receipt uuid.UUID) (all []Delivery, err error) {
	const query = `/* mail.deliveriesOfGift */ ` + selectDeliveryStatus + `WHERE l.subject_id IN (SELECT subjects_of_gift($1)) ORDER BY d.ordered_at, d.id`
	err = sqlx.SelectContext(ctx, q, &all, query, receipt)
	return all, err
}

// RefusedSubjects returns the subjects of emails that a server refused permanently and that were not ordered again
// since.
func RefusedSubjects(ctx context.Context, q sqlx.QueryerContext) (subjects []uuid.UUID, err error) {
	const query = `/* mail.RefusedSubjects */
		SELECT DISTINCT l.subject_id FROM letter_delivery d JOIN letter l ON l.id = d.letter_id
		 WHERE d.accepted_at IS NULL AND d.declined_at IS NULL AND d.refused_at IS NOT NULL
		   AND NOT EXISTS (SELECT 1 FROM letter_delivery b WHERE b.letter_id = d.letter_id AND b.ordered_at > d.ordered_at)`
	err = sqlx.SelectContext(ctx, q, &subjects, query)
	return subjects, err
}

// SubjectsSentTo returns the subjects of emails to addresses that contain text, in any case.
func SubjectsSentTo(ctx context.Context, q sqlx.QueryerContext, text string) (subjects []uuid.UUID, err error) {
	const query = `/* mail.SubjectsSentTo */
		SELECT DISTINCT l.subject_id FROM letter_delivery d JOIN letter l ON l.id = d.letter_id WHERE strpos(lower(d.recipient), lower($1)) > 0`
	err = sqlx.SelectContext(ctx, q, &subjects, query, text)
	return subjects, err
}
