package settlement

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/processor/payout"
	"konbit/internal/processor/share"
)

// sourcePayment is the source of entries about a payment without a processor. Their source id is the payment's id.
const sourcePayment = "payment"

// OfflineFees books the fiscal sponsor's fee on payments without a processor, as donation asks when they settle.
type OfflineFees struct {
	NewID func() uuid.UUID
}

// BookOfflineTx books the sponsor's fee on each gift and stores each fund's part. There is no processing fee, so gross
// and net are the same. A is the payment's account (1050, 1100 or 1010).
//
//	debit  credit  fund
//	3900   A       the gift's fund
//	4900   4910    the gift's fund, if restricted: a transfer is made without restrictions
//	A      3900    operations
//
// Stock pays the fee when it is sold. A gift in kind pays none. What was in suspense in Stripe clearing (1010) moves from
// operations to the gift's funds there, and the fee back: the next payout carries it.
func (o OfflineFees) BookOfflineTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, gifts []donation.OfflineGift) error {
	var entries []ledger.Entry
	for _, g := range gifts {
		parts, err := offlineParts(catalog, g)
		if err != nil {
			return err
		}
		shares := make([]paymentShare, len(parts))
		for i, p := range parts {
			shares[i] = paymentShare{g.Payment.ID, p}
		}
		if err := insertSharesTx(ctx, tx, g.Payment.EntityID, shares); err != nil {
			return err
		}
		if g.Payment.AssetAccount == ledger.StripeClearing {
			operations, err := catalog.Operations(g.Payment.EntityID)
			if err == nil {
				err = payout.MovedTx(ctx, tx, g.Payment.EntityID, g.Payment.ID.String(), share.Moved(operations, parts))
			}
			if err != nil {
				return err
			}
		}
		entry, err := offlineFeeEntry(catalog, g, parts)
		if err != nil {
			return err
		}
		if len(entry.Postings) > 0 {
			entries = append(entries, entry)
		}
	}
	_, err := ledger.PostTx(ctx, tx, entries, o.NewID)
	return err
}

// offlineParts returns each fund's part of an offline gift.
func offlineParts(catalog *fund.Catalog, g donation.OfflineGift) ([]share.Part, error) {
	entity, err := catalog.EntityByID(g.Payment.EntityID)
	if err != nil {
		return nil, err
	}
	operations, err := catalog.Operations(entity.ID)
	if err != nil {
		return nil, err
	}
	gift, err := giftParts(catalog, g.Parts)
	if err != nil {
		return nil, err
	}
	return share.OfOfflineGift(entity, operations, g.Payment.Method, g.Payment.Currency, gift)
}

func offlineFeeEntry(catalog *fund.Catalog, g donation.OfflineGift, parts []share.Part) (ledger.Entry, error) {
	entity, err := catalog.EntityByID(g.Payment.EntityID)
	if err != nil {
		return ledger.Entry{}, err
	}
	entry := ledger.Entry{
		EntityID: entity.ID, Currency: entity.Currency, Date: ledger.DateOf(g.Payment.ReceivedAt, entity.Location()),
		Source: sourcePayment, SourceID: g.Payment.ID.String(), Kind: kindSponsorFee,
		Fact:       ledger.Fact{"amount": g.Payment.Amount().Decimal(), "currency": string(g.Payment.Currency), "method": string(g.Payment.Method)},
		Dimensions: map[string]string{"payment": g.Payment.ID.String(), "donation": g.Donation.ID.String()},
	}
	for _, p := range parts {
		entry.Postings = append(entry.Postings, share.SponsorFeePostings(g.Payment.AssetAccount, p.Fund, p.SponsorFee)...)
	}
	return entry, nil
}
