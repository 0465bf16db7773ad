package share

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
)

// Moved returns what a gift that was in suspense moves between funds, in minor units: operations had the money, and each fund
// has its part of it now, without its fees. It comes to zero.
func Moved(operations fund.Fund, parts []Part) map[uuid.UUID]int64 {
	to := map[uuid.UUID]int64{operations.ID: -TotalGift(parts)}
	for _, p := range parts {
		to[p.Fund.ID] += p.Gift - p.Fee - p.SponsorFee
	}
	return to
}

// MovedBack returns what operations gives back to funds of the fees of returned parts, in minor units. It comes to zero.
func MovedBack(operations fund.Fund, returned []Part) map[uuid.UUID]int64 {
	to := map[uuid.UUID]int64{}
	for _, p := range returned {
		to[p.Fund.ID] += p.Fee + p.SponsorFee
		to[operations.ID] -= p.Fee + p.SponsorFee
	}
	return to
}

// SortedFunds returns the funds of a division in the order of their ids.
func SortedFunds(amounts map[uuid.UUID]int64) []uuid.UUID {
	ids := make([]uuid.UUID, 0, len(amounts))
	for id := range amounts {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	return ids
}
