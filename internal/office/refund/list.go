package refund

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// Origin says who made a refund.
type Origin string

// The origins.
const (
	ByOffice Origin = "office" // staff ordered it here
	AtStripe Origin = "stripe" // somebody made it in Stripe's dashboard
	ByPlan   Origin = "plan"   // the program: a payment came after the end of its plan
)

// Origins lists all origins.
var Origins = []Origin{ByOffice, AtStripe, ByPlan}

// TitleKey is the phrase key of the origin.
func (o Origin) TitleKey() string { return "refund.origin." + string(o) }

// Listed is a refund in the list: an order, or a refund in the books without one.
type Listed struct {
	EntityID       uuid.UUID      `db:"entity_id"`
	OrganisationID uuid.NullUUID  `db:"organisation_id"` // of the gift
	DonationID     *uuid.UUID     `db:"donation_id"`     // nil: no gift's
	Ref            string         `db:"ref"`             // public reference of the gift; empty: no gift's
	Donor          string         `db:"donor"`           // name of the gift's donor; empty after an erasure
	PaymentID      uuid.UUID      `db:"payment_id"`
	OrderID        *uuid.UUID     `db:"order_id"`  // nil: nobody ordered it here
	RefundID       *string        `db:"refund_id"` // nil: the processor has none yet
	Origin         Origin         `db:"origin"`
	AmountMinor    int64          `db:"amount"`
	Currency       money.Currency `db:"currency"`
	Reason         *Reason        `db:"reason"`
	Note           *string        `db:"note"`
	RequestedBy    *uuid.UUID     `db:"requested_by"`
	State          State          `db:"state"`
	At             time.Time      `db:"at"`  // when staff ordered it, by the database's clock; without an order, when the processor made it
	Key            string         `db:"key"` // unique in the list
	ChangedAt      time.Time      `db:"changed_at"`
	Problem        *string        `db:"problem"`
	Booked         bool           `db:"booked"`
	ChargeRef      string         `db:"charge_ref"` // of the payment at the processor; empty: it has none
	Owed           bool           `db:"-"`          // the books still owe money of its payment to the donor: it failed, or goes through no processor
}

// ByBank reports whether the refund goes through no processor: it is repaid by check or transfer.
func (l Listed) ByBank() bool { return l.OrderID != nil && l.ChargeRef == "" }

// NextKey is the phrase key of what happens next, or what a person does.
func (l Listed) NextKey() string {
	switch {
	case l.ByBank() && l.Owed:
		return "refund.next.owed"
	case l.ByBank():
		return "refund.next.repaid"
	case l.State != Failed || !l.Booked:
		return l.State.NextKey()
	case l.Owed:
		return "refund.next.failed_owed"
	}
	return "refund.next.failed_repaid"
}

// Amount returns what is refunded.
func (l Listed) Amount() money.Amount { return money.New(l.AmountMinor, l.Currency) }

// Place returns the place of a refund in the list.
func (l Listed) Place() Place { return Place{l.At, l.Key} }

// Place is a place in the list, which is in the order of time and, at the same time, of keys; the newest first.
type Place struct {
	At  time.Time `json:"at"`
	Key string    `json:"key"`
}

// Filter chooses refunds of a list. Its zero value chooses the newest hundred of all entities.
type Filter struct {
	EntityID       uuid.UUID // uuid.Nil: of all
	OrganisationID uuid.UUID // uuid.Nil: of all; else refunds of gifts to it
	DonationID     uuid.UUID // uuid.Nil: of all
	Waiting        bool      // only those that are not finished, or wait for staff: not succeeded
	State          State     // empty: all
	Origin         Origin    // empty: all
	After          *Place    // those that follow this place; nil: from the newest
	Limit          int       // 0: 100
}

// chosen are the rows of a list that a filter chooses; with the condition of an entity behind them, an index has them in their order.
const chosen = `($2::uuid IS NULL OR organisation_id = $2) AND ($3::uuid IS NULL OR donation_id = $3)
	   AND (NOT $4 OR state <> 'succeeded') AND ($5 = '' OR state = $5) AND ($6 = '' OR origin = $6)
	   AND ($7::timestamptz IS NULL OR (at, key) < ($7, $8)) AND `

const (
	ofEntity = `entity_id = $1` + newestFirst
	ofAll    = `$1::uuid IS NULL` + newestFirst

	newestFirst = ` ORDER BY at DESC, key DESC LIMIT $9`
)

const listedColumns = `entity_id, organisation_id, donation_id, ref, donor, payment_id, order_id, refund_id, origin, amount, currency, reason, note, requested_by,
	state, at, key, changed_at, problem, booked, charge_ref`

// List returns refunds, the newest first. It reads the newest of those that staff ordered, and the newest of the others.
func List(ctx context.Context, tx *sqlx.Tx, f Filter) ([]Listed, error) {
	const (
		ordered   = `/* refund.List */ SELECT ` + listedColumns + ` FROM refund_ordered WHERE ` + chosen
		elsewhere = `/* refund.List */ SELECT ` + listedColumns + ` FROM refund_elsewhere WHERE ` + chosen
		// Of the refunds of years, few wait: indexes have them.
		orderedWaiting  = `/* refund.List */ SELECT ` + listedColumns + ` FROM refund_ordered WHERE state <> 'succeeded' AND ` + chosen
		elsewhereFailed = `/* refund.List */ SELECT ` + listedColumns + `
			  FROM (SELECT f.entity_id AS of_entity, f.refund_id AS failed FROM refund_failed f WHERE f.entity_id = coalesce($1::uuid, f.entity_id) OFFSET 0) f
			 CROSS JOIN LATERAL (SELECT * FROM refund_elsewhere e WHERE e.entity_id = of_entity AND e.refund_id = failed OFFSET 0) e WHERE ` + chosen
	)
	limit := cmp.Or(f.Limit, 100)
	var after *time.Time
	var key string
	if f.After != nil {
		after, key = &f.After.At, f.After.Key
	}
	args := []any{orNull(f.EntityID), orNull(f.OrganisationID), orNull(f.DonationID), f.Waiting, f.State, f.Origin, after, key, limit}
	queries := []string{ordered, elsewhere}
	switch {
	case f.Waiting:
		queries = []string{orderedWaiting, elsewhereFailed}
	case f.State == Failed:
		queries[1] = elsewhereFailed
	case f.State != "" && f.State != Succeeded:
		queries = queries[:1]
	}
	of := ofAll
	if f.EntityID != uuid.Nil {
		of = ofEntity
	}
	var all []Listed
	for _, query := range queries {
		var some []Listed
		if err := tx.SelectContext(ctx, &some, query+of, args...); err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	slices.SortFunc(all, func(a, b Listed) int {
		return cmp.Or(b.At.Compare(a.At), strings.Compare(b.Key, a.Key))
	})
	all = all[:min(len(all), limit)]
	return all, markOwed(ctx, tx, all)
}

// markOwed sets Owed of refunds that failed, and of those that go through no processor.
func markOwed(ctx context.Context, tx *sqlx.Tx, all []Listed) error {
	var failed []uuid.UUID
	for _, l := range all {
		if l.mayOwe() {
			failed = append(failed, l.PaymentID)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	const query = `/* refund.markOwed */ SELECT p.id FROM unnest($1::uuid[]) AS p (id) WHERE (SELECT sum(o.amount) FROM payment_owed(p.id) o) > 0`
	var owing []uuid.UUID
	if err := tx.SelectContext(ctx, &owing, query, pg.UUIDs(failed)); err != nil {
		return err
	}
	for i, l := range all {
		all[i].Owed = l.mayOwe() && slices.Contains(owing, l.PaymentID)
	}
	return nil
}

func (l Listed) mayOwe() bool { return l.Booked && (l.State == Failed || l.ByBank()) }

// IsOwed reports whether a processor's refund failed and the books (2300) still owe money of its payment to the donor.
func IsOwed(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, refund string) (owed bool, err error) {
	const query = `/* refund.IsOwed */ SELECT EXISTS (SELECT FROM refund_list l WHERE l.entity_id = $1 AND l.refund_id = $2 AND l.state = 'failed'
		AND l.booked AND (SELECT sum(s.owed) FROM payment_position(l.payment_id) s) > 0)`
	err = tx.GetContext(ctx, &owed, query, entity, refund)
	return owed, err
}

func orNull(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}
