package donation

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/giving/payment"
)

// OfflineGift is a donation that a payment without a processor has settled.
type OfflineGift struct {
	Donation Donation
	Payment  payment.Payment
	Parts    []Designation
}

// OfflineBooker books what a payment without a processor brings besides the gift. Package settlement implements it.
type OfflineBooker interface {
	// BookOfflineTx books the fiscal sponsor's fee on each gift, and stores each fund's part of it for refunds.
	BookOfflineTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, gifts []OfflineGift) error
}
