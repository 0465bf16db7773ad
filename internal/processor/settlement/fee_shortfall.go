package settlement

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
)

// means is what restricted funds have while a list's fees are reckoned, by fund, in minor units.
type restrictedBalances map[uuid.UUID]int64

// bearTx lets operations bear what a restricted fund no longer has for the sponsor's fee and the processing fee, with a
// task: it may have given away the gift before its fee was known. The funds are locked.
func (s *bookingRun) absorbFeesTx(ctx context.Context, tx *sqlx.Tx, t Transaction, parts []part, has restrictedBalances) ([]part, error) {
	house := part{fund: s.operations}
	for i := range parts {
		p := &parts[i]
		if !p.fund.Restricted() {
			continue
		}
		if _, known := has[p.fund.ID]; !known {
			var err error
			if has[p.fund.ID], err = ledger.RestrictedTx(ctx, tx, p.fund.ID); err != nil {
				return nil, err
			}
		}
		short := max(p.fee+p.sponsorFee-max(has[p.fund.ID], 0), 0)
		sponsor := min(short, p.sponsorFee)
		p.sponsorFee, house.sponsorFee = p.sponsorFee-sponsor, house.sponsorFee+sponsor
		p.fee, house.fee = p.fee-(short-sponsor), house.fee+short-sponsor
		has[p.fund.ID] -= p.fee + p.sponsorFee
		if err := s.openShortfallTaskTx(ctx, tx, t, p.fund, short); err != nil {
			return nil, err
		}
	}
	if house.fee == 0 && house.sponsorFee == 0 {
		return parts, nil
	}
	if last := &parts[len(parts)-1]; last.fund.ID == s.operations.ID {
		last.fee, last.sponsorFee = last.fee+house.fee, last.sponsorFee+house.sponsorFee
		return parts, nil
	}
	return append(parts, house), nil
}
