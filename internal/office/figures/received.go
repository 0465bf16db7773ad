package figures

import (
	"bytes"
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
)

// Received is what a fund received in a number of months.
type Received struct {
	FundID uuid.UUID
	Gross  []int64 // by month: contributions, in cash and in kind, minor units
	Back   []int64 // by month: refunds and lost disputes, booked in that month
}

// contributions and returns are the accounts of both columns.
var (
	contributions = []ledger.Account{ledger.ContributionsWithout, ledger.ContributionsWith, ledger.InKindWithout, ledger.InKindWith}
	returns       = []ledger.Account{ledger.RefundsWithout, ledger.RefundsWith, ledger.ChargebacksWithout, ledger.ChargebacksWith}
)

// ReceivedByMonth returns what each fund of an entity received in each of the months that begin with `from`, in the order
// of the funds' ids. A fund that received nothing is missing. It is right to the last committed entry.
func ReceivedByMonth(ctx context.Context, q sqlx.QueryerContext, entityID uuid.UUID, from ledger.Date, months int) ([]Received, error) {
	sums, err := ledger.SumsByMonth(ctx, q, ledger.Months{
		EntityID: entityID, From: from.FirstOfMonth(0), Until: from.FirstOfMonth(months), Accounts: slices.Concat(contributions, returns),
	})
	if err != nil {
		return nil, err
	}
	at, all := map[uuid.UUID]int{}, []Received{}
	for _, s := range sums {
		i, known := at[s.FundID]
		if !known {
			i = len(all)
			at[s.FundID] = i
			all = append(all, Received{s.FundID, make([]int64, months), make([]int64, months)})
		}
		month := 12*(s.Month.Year-from.Year) + int(s.Month.Month-from.Month)
		if slices.Contains(contributions, s.Account) {
			all[i].Gross[month] -= s.Amount
		} else {
			all[i].Back[month] += s.Amount
		}
	}
	slices.SortFunc(all, func(a, b Received) int { return bytes.Compare(a.FundID[:], b.FundID[:]) })
	return all, nil
}
