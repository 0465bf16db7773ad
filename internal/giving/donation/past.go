package donation

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/receipt"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// Past is a gift as its donor looks back on it.
type Past struct {
	Donation
	Parts   []Designation
	Receipt *receipt.Receipt // the newest, and whether it stands; nil: none was issued
}

// PastOf lists what donors gave, the newest first: what settled, is on its way, is being looked at, or came back unpaid. What was
// begun and never paid is none of it.
func PastOf(ctx context.Context, q sqlx.QueryerContext, donors []uuid.UUID) ([]Past, error) {
	const query = `/* donation.PastOf */ SELECT ` + columns + ` FROM donation
		WHERE donor_id = ANY($1::uuid[]) AND status IN ('processing', 'settled', 'held', 'failed')
		ORDER BY coalesce(charged_at, created_at) DESC, id`
	var gifts []Donation
	if err := sqlx.SelectContext(ctx, q, &gifts, query, pg.UUIDs(donors)); err != nil {
		return nil, err
	}
	return lookBack(ctx, q, gifts)
}

// PastByRef is one gift of PastOf by its public reference; fault.NotFound when there is none, and after the same work when it is of
// nobody among donors.
func PastByRef(ctx context.Context, q sqlx.QueryerContext, ref string, donors ...uuid.UUID) (Past, error) {
	d, err := ByRef(ctx, q, ref)
	if err == nil && !slices.Contains(donors, d.DonorID) {
		err = fault.New(fault.NotFound, "problem.404.text", nil)
	}
	if err != nil {
		return Past{}, err
	}
	past, err := lookBack(ctx, q, []Donation{d})
	if err != nil {
		return Past{}, err
	}
	return past[0], nil
}

func lookBack(ctx context.Context, q sqlx.QueryerContext, gifts []Donation) ([]Past, error) {
	ids := make([]uuid.UUID, len(gifts))
	for i, g := range gifts {
		ids[i] = g.ID
	}
	parts, err := DesignationsOf(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	receipts, err := receipt.Latest(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	past := make([]Past, len(gifts))
	for i, g := range gifts {
		past[i] = Past{Donation: g, Parts: parts[g.ID]}
		if r, ok := receipts[g.ID]; ok {
			past[i].Receipt = &r
		}
	}
	return past, nil
}

// Stands tells whether the gift counts as given: a receipt for it stands.
func (p Past) Stands() bool { return p.Receipt != nil && p.Receipt.Stands() }

// Remains is what of the gift stays given, as its receipt says; of a gift that does not stand, nothing.
func (p Past) Remains() money.Amount {
	if !p.Stands() {
		return money.New(0, money.Currency(p.Currency))
	}
	return p.Receipt.Facts.Amount
}

// Returned tells whether some or all of the gift went back.
func (p Past) Returned() bool {
	return p.Receipt != nil && (!p.Receipt.Stands() || p.Receipt.Facts.Returned != nil)
}

// Day is when it was charged, or begun, in the entity's time zone.
func (p Past) Day(zone *time.Location) time.Time {
	if p.ChargedAt != nil {
		return p.ChargedAt.In(zone)
	}
	return p.CreatedAt.In(zone)
}

// Sum is what stays given, this year and in all.
type Sum struct {
	Year, All money.Amount
	Gifts     int // in all
}

// ByFund is what stays given to a fund.
type ByFund struct {
	FundID uuid.UUID
	Sum
}

func nothing(c money.Currency) Sum { return Sum{Year: money.New(0, c), All: money.New(0, c)} }

func (s *Sum) add(a money.Amount, thisYear bool) (err error) {
	s.Gifts++
	if s.All, err = s.All.Add(a); err != nil || !thisYear {
		return err
	}
	s.Year, err = s.Year.Add(a)
	return err
}

// SumUp adds up what stays given: for each currency, and for each fund, the largest first. A gift's year is that of its receipt,
// reckoned in its entity's time zone.
func SumUp(past []Past, year int) (sums []Sum, funds []ByFund, err error) {
	for _, p := range past {
		if !p.Stands() {
			continue
		}
		amount, thisYear := p.Remains(), p.Receipt.Year == year
		i := slices.IndexFunc(sums, func(s Sum) bool { return s.All.Currency == amount.Currency })
		if i < 0 {
			i, sums = len(sums), append(sums, nothing(amount.Currency))
		}
		if err := sums[i].add(amount, thisYear); err != nil {
			return nil, nil, err
		}
		for _, line := range p.Receipt.Facts.Lines {
			i := slices.IndexFunc(funds, func(f ByFund) bool { return f.FundID == line.FundID })
			if i < 0 {
				i, funds = len(funds), append(funds, ByFund{line.FundID, nothing(line.Amount.Currency)})
			}
			if err := funds[i].add(line.Amount, thisYear); err != nil {
				return nil, nil, err
			}
		}
	}
	slices.SortStableFunc(funds, func(a, b ByFund) int { return cmp.Compare(b.All.Minor, a.All.Minor) })
	return sums, funds, nil
}
