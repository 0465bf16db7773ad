package offline

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
)

// Paper is what the paper of a posted gift says, and its batch.
type Paper struct {
	Method      Method         `db:"method"`
	GivenBy     GivenBy        `db:"given_by"`
	PaidMinor   int64          `db:"paid"` // the whole amount on paper
	Currency    money.Currency `db:"currency"`
	Number      string         `db:"number"`
	ReceivedOn  *ledger.Date   `db:"received_on"` // nil: it came without a batch
	PostmarkOn  *ledger.Date   `db:"postmarked_on"`
	Described   string         `db:"described"`
	InReturn    string         `db:"in_return"`
	ReturnMinor int64          `db:"in_return_value"`
	CountedBy   string         `db:"counted_by"`
	Note        string         `db:"note"`
	Batch       int            `db:"batch"` // its number; 0: it came without one
	Row         int            `db:"row_n"`
}

// PaperOf returns what the paper of a gift says; nil if it came through a payment processor, or if q does not see it.
func PaperOf(ctx context.Context, q sqlx.QueryerContext, donation uuid.UUID) (*Paper, error) {
	const query = `/* offline.PaperOf */
		SELECT o.method, o.given_by, o.paid, o.currency, o.number, b.received_on, o.postmarked_on, o.described, o.in_return, coalesce(o.in_return_value, 0) AS in_return_value,
		       o.counted_by, o.note, coalesce(b.n, 0) AS batch, coalesce(o.row_n, 0) AS row_n
		  FROM offline_gift o LEFT JOIN gift_batch b ON b.id = o.batch_id WHERE o.donation_id = $1`
	var found []Paper
	if err := sqlx.SelectContext(ctx, q, &found, query, donation); err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}
