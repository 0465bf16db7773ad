package giftlist

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
)

// Gift is a gift that was paid.
type Gift struct {
	ID               uuid.UUID      `db:"id"`
	EntityID         uuid.UUID      `db:"entity_id"`
	OrganisationID   uuid.UUID      `db:"organisation_id"`
	DonorID          uuid.UUID      `db:"donor_id"`
	PlanID           uuid.NullUUID  `db:"plan_id"` // it is a payment of this plan
	PublicRef        string         `db:"public_ref"`
	Status           string         `db:"status"`
	Source           string         `db:"source"` // form, plan, office or import
	Frequency        string         `db:"frequency"`
	AmountMinor      int64          `db:"amount"`   // received, the covered fee included
	ReturnedMinor    int64          `db:"returned"` // refunded, or lost in a dispute
	Currency         money.Currency `db:"currency"`
	CreatedAt        time.Time      `db:"created_at"`
	ChargedAt        time.Time      `db:"charged_at"`
	TaxDate          *ledger.Date   `db:"tax_date"` // nil until it is settled
	DonorKind        string         `db:"donor_kind"`
	FirstName        string         `db:"first_name"` // the donor's names and address are empty after an erasure
	LastName         string         `db:"last_name"`
	OrganisationName string         `db:"organisation_name"`
	Email            string         `db:"email"`
	Dispute          string         `db:"-"`     // state of its dispute (dispute.State), where staff read it; empty: none
	Funds            uuids          `db:"funds"` // in the order of the form
	Parts            pq.Int64Array  `db:"parts"` // the amount for each of Funds
}

// uuids reads an array of ids.
type uuids []uuid.UUID

// Scan is part of sql.Scanner.
func (u *uuids) Scan(value any) error {
	var texts pq.StringArray
	if err := texts.Scan(value); err != nil {
		return err
	}
	*u = make(uuids, len(texts))
	for i, text := range texts {
		id, err := uuid.Parse(text)
		if err != nil {
			return fmt.Errorf("giftlist: %w", err)
		}
		(*u)[i] = id
	}
	return nil
}

// Filter says which gifts a list has: those of one entity that were charged, and
//
//	From, Until       charged at or after From, before Until. Set both or none
//	DonorID, FundID   of this donor, with a part for this fund; uuid.Nil: of any
type Filter struct {
	EntityID    uuid.UUID
	From, Until time.Time
	DonorID     uuid.UUID
	FundID      uuid.UUID
}

// Cursor is the place behind a gift in a list. The zero Cursor is the beginning. It fits only the Filter that made it.
type Cursor struct {
	At time.Time
	ID uuid.UUID
}

const columns = `g.id, g.entity_id, g.organisation_id, g.donor_id, g.plan_id, g.public_ref, g.status, coalesce(g.source, '') AS source, g.frequency, g.amount,
	g.returned, g.currency, g.created_at, g.charged_at, g.tax_date, g.donor_kind, g.first_name, g.last_name, g.organisation_name, g.email, g.funds, g.parts`

// The lists, each in the order of the index that it reads. A gift's id begins with the time at which it was begun.
const (
	ofPeriod = `/* giftlist.Page */ SELECT ` + columns + ` FROM gift_row g
		 WHERE g.entity_id = $1 AND g.charged_at >= $2 AND g.charged_at < $3 AND (g.charged_at, g.id) < ($4, $5)
		   AND ($6::uuid IS NULL OR EXISTS (SELECT FROM gift_of_fund f WHERE f.fund_id = $6 AND f.donation_id = g.id))
		 ORDER BY g.charged_at DESC, g.id DESC LIMIT $7`
	ofFund = `/* giftlist.Page */ SELECT ` + columns + ` FROM gift_of_fund f JOIN gift_row g ON g.id = f.donation_id
		 WHERE f.fund_id = $1 AND f.donation_id < $2 AND g.entity_id = $3 AND g.charged_at IS NOT NULL
		 ORDER BY f.donation_id DESC LIMIT $4`
	ofDonor = `/* giftlist.Page */ SELECT ` + columns + ` FROM gift_row g
		 WHERE g.donor_id = $1 AND (g.created_at, g.id) < ($2, $3) AND g.entity_id = $4 AND g.charged_at >= $5 AND g.charged_at < $6
		   AND ($7::uuid IS NULL OR EXISTS (SELECT FROM gift_of_fund f WHERE f.fund_id = $7 AND f.donation_id = g.id))
		 ORDER BY g.created_at DESC, g.id DESC LIMIT $8`
)

// Bounds of a list without bounds. They are inside PostgreSQL's range, and outside any gift's.
var (
	earliest = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Page returns the next gifts of a list, at most limit, and the cursor of the following page; nil if this is the last one.
// Gifts are sorted, newest first, by the time of the charge; in the list of a fund or a donor, by the time of the form,
// unless a fund's list has a period.
func Page(ctx context.Context, q sqlx.QueryerContext, f Filter, after Cursor, limit int) (page []Gift, next *Cursor, err error) {
	from, until := f.From, f.Until
	if from.IsZero() && until.IsZero() {
		from, until = earliest, latest
	}
	byCreation := f.DonorID != uuid.Nil || f.FundID != uuid.Nil && f.Until.IsZero()
	if after == (Cursor{}) {
		after = Cursor{latest, uuid.Max}
	}
	fund := uuid.NullUUID{UUID: f.FundID, Valid: f.FundID != uuid.Nil}
	switch {
	case f.DonorID != uuid.Nil:
		err = sqlx.SelectContext(ctx, q, &page, ofDonor, f.DonorID, after.At, after.ID, f.EntityID, from, until, fund, limit+1)
	case byCreation:
		err = sqlx.SelectContext(ctx, q, &page, ofFund, f.FundID, after.ID, f.EntityID, limit+1)
	default:
		err = sqlx.SelectContext(ctx, q, &page, ofPeriod, f.EntityID, from, until, after.At, after.ID, fund, limit+1)
	}
	if len(page) > limit {
		page = page[:limit]
		last := page[limit-1]
		next = &Cursor{last.ChargedAt, last.ID}
		if byCreation {
			next.At = last.CreatedAt
		}
	}
	return page, next, err
}

// walkPage is the number of gifts that Walk reads at a time.
const walkPage = 1000

// Walk calls visit with each gift of a list, in its order. It holds one page of gifts in memory. To see the gifts as they
// are at one moment, q is a transaction of ledger.ReadConsistent.
func Walk(ctx context.Context, q sqlx.QueryerContext, f Filter, visit func(Gift) error) error {
	for after := (&Cursor{}); after != nil; {
		page, next, err := Page(ctx, q, f, *after, walkPage)
		if err != nil {
			return err
		}
		for _, g := range page {
			if err := visit(g); err != nil {
				return err
			}
		}
		after = next
	}
	return nil
}
