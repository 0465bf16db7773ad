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

// HistoryItem is a donation as its donor sees it afterwards.
type HistoryItem struct {
	Donation
	Parts   []Designation
	Receipt *receipt.Receipt // the newest one, which may be void; nil: none was issued
}

// History returns the donations of donors, newest first: those that settled, are on their way, need review, or failed.
// Donations that were begun and never paid are left out.
func History(ctx context.Context, q sqlx.QueryerContext, donors []uuid.UUID) ([]HistoryItem, error) {
	const query = `/* donation.History */ SELECT ` + columns + ` FROM donation
		WHERE donor_id = ANY($1::uuid[]) AND status IN ('processing', 'settled', 'held', 'failed')
		ORDER BY coalesce(charged_at, created_at) DESC, id`
	var gifts []Donation
	if err := sqlx.SelectContext(ctx, q, &gifts, query, pg.UUIDs(donors)); err != nil {
		return nil, err
	}
	return loadHistory(ctx, q, gifts)
}

// HistoryByRef returns one item of History by its public reference. It reports fault.NotFound if there is none, and,
// after the same queries, if it belongs to none of the donors.
func HistoryByRef(ctx context.Context, q sqlx.QueryerContext, ref string, donors ...uuid.UUID) (HistoryItem, error) {
	d, err := ByRef(ctx, q, ref)
	if err == nil && !slices.Contains(donors, d.DonorID) {
		err = fault.New(fault.NotFound, "problem.404.text", nil)
	}
	if err != nil {
		return HistoryItem{}, err
	}
	past, err := loadHistory(ctx, q, []Donation{d})
	if err != nil {
		return HistoryItem{}, err
	}
	return past[0], nil
}

func loadHistory(ctx context.Context, q sqlx.QueryerContext, gifts []Donation) ([]HistoryItem, error) {
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
	past := make([]HistoryItem, len(gifts))
	for i, g := range gifts {
		past[i] = HistoryItem{Donation: g, Parts: parts[g.ID]}
		if r, ok := receipts[g.ID]; ok {
			past[i].Receipt = &r
		}
	}
	return past, nil
}

// IsValid reports whether the donation counts as given: it has a valid receipt.
func (p HistoryItem) IsValid() bool { return p.Receipt != nil && p.Receipt.IsValid() }

// Remaining returns how much of the donation was not returned, as its receipt says; zero if it has no valid receipt.
func (p HistoryItem) Remaining() money.Amount {
	if !p.IsValid() {
		return money.New(0, money.Currency(p.Currency))
	}
	return p.Receipt.Facts.Amount
}

// WasReturned reports whether some or all of the donation was returned.
func (p HistoryItem) WasReturned() bool {
	return p.Receipt != nil && (!p.Receipt.IsValid() || p.Receipt.Facts.Returned != nil)
}

// Day returns when the donation was received, or begun, in the entity's time zone.
func (p HistoryItem) Day(zone *time.Location) time.Time {
	if p.ChargedAt != nil {
		return p.ChargedAt.In(zone)
	}
	return p.CreatedAt.In(zone)
}

// Total is what was given and not returned, this year and ever.
type Total struct {
	Year, Ever money.Amount
	Gifts      int // ever
}

// FundTotal is what was given to a fund and not returned.
type FundTotal struct {
	FundID uuid.UUID
	Total
}

func zeroTotal(c money.Currency) Total { return Total{Year: money.New(0, c), Ever: money.New(0, c)} }

func (s *Total) add(a money.Amount, thisYear bool) (err error) {
	s.Gifts++
	if s.Ever, err = s.Ever.Add(a); err != nil || !thisYear {
		return err
	}
	s.Year, err = s.Year.Add(a)
	return err
}

// Totals returns what was given and not returned, for each currency, and for each fund, the largest first. A donation's
// year is the year of its receipt.
func Totals(past []HistoryItem, year int) (sums []Total, funds []FundTotal, err error) {
	for _, p := range past {
		if !p.IsValid() {
			continue
		}
		amount, thisYear := p.Remaining(), p.Receipt.Year == year
		i := slices.IndexFunc(sums, func(s Total) bool { return s.Ever.Currency == amount.Currency })
		if i < 0 {
			i, sums = len(sums), append(sums, zeroTotal(amount.Currency))
		}
		if err := sums[i].add(amount, thisYear); err != nil {
			return nil, nil, err
		}
		for _, line := range p.Receipt.Facts.Lines {
			i := slices.IndexFunc(funds, func(f FundTotal) bool { return f.FundID == line.FundID })
			if i < 0 {
				i, funds = len(funds), append(funds, FundTotal{line.FundID, zeroTotal(line.Amount.Currency)})
			}
			if err := funds[i].add(line.Amount, thisYear); err != nil {
				return nil, nil, err
			}
		}
	}
	slices.SortStableFunc(funds, func(a, b FundTotal) int { return cmp.Compare(b.Ever.Minor, a.Ever.Minor) })
	return sums, funds, nil
}
