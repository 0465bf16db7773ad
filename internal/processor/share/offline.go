package share

import (
	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/payment"
	"konbit/internal/platform/money"
)

// OfOfflineGift sets the sponsor's fee on each fund's part of a gift without a processor, so without a processing fee.
// Stock pays the fee when it is sold; a gift in kind pays none. Operations comes last if it receives something.
func OfOfflineGift(e org.LegalEntity, operations fund.Fund, method payment.Method, c money.Currency, gift []Part) ([]Part, error) {
	operationsPart := Part{Fund: operations}
	for i := range gift {
		if method == payment.Stock || method == payment.InKind {
			continue
		}
		if err := gift[i].addSponsorFee(money.New(gift[i].Gift, c), e.SponsorFee.BasisPoints, &operationsPart); err != nil {
			return nil, err
		}
	}
	return withOperations(gift, operationsPart), nil
}
