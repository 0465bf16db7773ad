package dispute

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// State is where a dispute stands, by the books first and then by what the processor told.
type State string

// The states of a dispute.
const (
	Inquiry      State = "inquiry"  // the bank asks; no money moved
	Open         State = "open"     // evidence is due
	Answered     State = "answered" // evidence was sent; the bank decides
	Closed       State = "closed"   // an inquiry that ended, or a dispute that was withdrawn
	Won          State = "won"
	Lost         State = "lost"
	WonAfterLost State = "won_after_lost"
)

// States lists the states.
var States = []State{Inquiry, Open, Answered, Closed, Won, Lost, WonAfterLost}

// AsksForEvidence reports whether staff should answer.
func (s State) AsksForEvidence() bool { return s == Inquiry || s == Open }

// Dispute is a dispute in a list, with its gift.
type Dispute struct {
	EntityID       uuid.UUID      `db:"entity_id"`
	Ref            string         `db:"ref"`
	ChargeRef      string         `db:"charge_ref"`
	Minor          int64          `db:"amount"`
	Currency       money.Currency `db:"currency"`
	OpenedAt       time.Time      `db:"opened_at"`
	Reason         *string        `db:"reason"` // nil: not told
	DueAt          *time.Time     `db:"due_at"` // nil: none asked for, or not told
	WithdrawnAt    *time.Time     `db:"withdrawn_at"`
	WonAt          *time.Time     `db:"won_at"`
	LostAt         *time.Time     `db:"lost_at"`
	State          State          `db:"state"`
	PaymentID      *uuid.UUID     `db:"payment_id"`  // nil: the charge is not booked
	DonationID     *uuid.UUID     `db:"donation_id"` // nil: no gift's
	PublicRef      *string        `db:"public_ref"`  // of the gift
	OrganisationID *uuid.UUID     `db:"organisation_id"`
	PlanID         *uuid.UUID     `db:"plan_id"`
}

// Amount returns what is disputed.
func (d Dispute) Amount() money.Amount { return money.New(d.Minor, d.Currency) }

// Withheld reports whether the bank has the money and has not decided: it is in account 1020.
func (d Dispute) Withheld() bool { return d.WithdrawnAt != nil && d.WonAt == nil && d.LostAt == nil }

// Filter chooses disputes of an entity.
type Filter struct {
	EntityID       uuid.UUID
	OrganisationID uuid.NullUUID // not valid: of all
	States         []State       // nil: in any
	Withheld       bool          // only those whose money is withheld
}

// Cursor is the place behind a dispute in a list. The zero Cursor is the beginning.
type Cursor struct {
	At  time.Time
	Ref string
}

const columns = `entity_id, ref, charge_ref, amount, currency, opened_at, reason, due_at, withdrawn_at, won_at, lost_at, state, payment_id,
	donation_id, public_ref,
	organisation_id, plan_id`

// Page returns the next disputes of a list, the newest first, at most limit, and the cursor of the following page; nil if this
// is the last one.
func Page(ctx context.Context, q sqlx.QueryerContext, f Filter, after Cursor, limit int) (page []Dispute, next *Cursor, err error) {
	const query = `/* dispute.Page */ SELECT ` + columns + ` FROM dispute_row
		WHERE entity_id = $1 AND ($2::uuid IS NULL OR organisation_id = $2) AND ($3::text[] IS NULL OR state = ANY($3))
		  AND (NOT $4 OR withdrawn_at IS NOT NULL AND won_at IS NULL AND lost_at IS NULL)
		  AND ($5::timestamptz IS NULL OR (opened_at, ref) < ($5, $6)) ORDER BY opened_at DESC, ref DESC LIMIT $7`
	at := sql.NullTime{Time: after.At, Valid: !after.At.IsZero()}
	err = sqlx.SelectContext(ctx, q, &page, query, f.EntityID, f.OrganisationID, states(f.States), f.Withheld, at, after.Ref, limit+1)
	if len(page) > limit {
		page = page[:limit]
		next = &Cursor{page[limit-1].OpenedAt, page[limit-1].Ref}
	}
	return page, next, err
}

// Waiting returns the disputes that staff should answer, by their deadlines: at most limit, those without one last.
func Waiting(ctx context.Context, q sqlx.QueryerContext, f Filter, limit int) (all []Dispute, err error) {
	const query = `/* dispute.Waiting */ SELECT ` + columns + ` FROM dispute_row
		WHERE entity_id = $1 AND won_at IS NULL AND lost_at IS NULL AND state IN ('open', 'inquiry') AND ($2::uuid IS NULL OR organisation_id = $2)
		ORDER BY due_at NULLS LAST, opened_at, ref LIMIT $3`
	err = sqlx.SelectContext(ctx, q, &all, query, f.EntityID, f.OrganisationID, limit)
	return all, err
}

// Sum is how many disputes a list has, and what they come to in minor units.
type Sum struct {
	Count  int   `db:"count"`
	Amount int64 `db:"amount"`
}

// SumOf returns the sum of a list.
func SumOf(ctx context.Context, q sqlx.QueryerContext, f Filter) (s Sum, err error) {
	const query = `/* dispute.SumOf */ SELECT count(*) AS count, coalesce(sum(amount), 0)::bigint AS amount FROM dispute_row
		WHERE entity_id = $1 AND ($2::uuid IS NULL OR organisation_id = $2) AND ($3::text[] IS NULL OR state = ANY($3))
		  AND (NOT $4 OR withdrawn_at IS NOT NULL AND won_at IS NULL AND lost_at IS NULL)`
	err = sqlx.GetContext(ctx, q, &s, query, f.EntityID, f.OrganisationID, states(f.States), f.Withheld)
	return s, err
}

// ByRef returns a dispute of an entity; fault.NotFound if q may see none with this id.
func ByRef(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, ref string) (d Dispute, err error) {
	const query = `/* dispute.ByRef */ SELECT ` + columns + ` FROM dispute_row WHERE entity_id = $1 AND ref = $2`
	var found []Dispute
	if err := sqlx.SelectContext(ctx, q, &found, query, entity, ref); err != nil {
		return d, err
	}
	if len(found) == 0 {
		return d, fault.New(fault.NotFound, "", nil)
	}
	return found[0], nil
}

func states(of []State) any {
	if of == nil {
		return nil
	}
	texts := make(pq.StringArray, len(of))
	for i, s := range of {
		texts[i] = string(s)
	}
	return texts
}
