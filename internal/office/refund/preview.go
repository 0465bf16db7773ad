package refund

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/payment"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
	"konbit/internal/processor/share"
)

// Preview is what a refund would do.
type Preview struct {
	Method   payment.Method // the money goes back to the same card or bank account
	Charge   string
	Amount   money.Amount
	Parts    []PartEffect // by the fund's code
	Receipt  ReceiptEffect
	GiftYear int // in the entity's time zone
	Year     int // of the refund
	// Limit is the entity's limit. OfGift and ByPerson are what counts against it, with this refund.
	Limit, OfGift, ByPerson money.Amount
	Body                    string // what a passkey signs, or a second person approves

	PaymentID uuid.UUID
	Request   Request // with its parts
	HasEmail  bool    // the donor has an address, to which Emails go
}

// PartEffect is what a refund would do to a fund, in minor units.
type PartEffect struct {
	Fund       fund.Fund
	Given      int64
	Left       int64 // that may be refunded
	Refunded   int64
	Fee        int64 // the processing fee on it, which operations pays from now on: the processor keeps it
	SponsorFee int64 // the sponsor's fee on it, which operations gives back
	Absorbed   int64 // what operations pays, for the restricted fund has spent it
}

// ReceiptEffect is what becomes of the gift's receipt.
type ReceiptEffect struct {
	Number string // as people write it; empty: the gift has no valid receipt
	Left   int64  // what the next receipt is for, in minor units; 0: there is none, the receipt becomes void
}

// NeedsSecondPerson reports whether the refund is above the entity's limit.
func (p Preview) NeedsSecondPerson() bool {
	return p.OfGift.Minor > p.Limit.Minor || p.ByPerson.Minor > p.Limit.Minor
}

// InAnotherYear reports whether the donor gets an email more, for the refund concerns the taxes of two years.
func (p Preview) InAnotherYear() bool { return p.Year != p.GiftYear }

// Emails lists the kinds of emails that the donor gets, if the donor has an address.
func (p Preview) Emails() []string {
	var kinds []string
	switch {
	case p.Receipt.Number == "":
	case p.Receipt.Left == 0:
		kinds = append(kinds, "receipt_voided")
	default:
		kinds = append(kinds, "receipt_replaced")
	}
	if p.InAnotherYear() && p.Receipt.Number != "" {
		kinds = append(kinds, "refund_later")
	}
	return kinds
}

// PreviewTx returns what an order would do now, and the errors of OrderTx but ErrSecondPerson. It writes and locks
// nothing: what happens in between may change the amounts that operations absorbs.
func (s Service) PreviewTx(ctx context.Context, tx *sqlx.Tx, r Request) (Preview, error) {
	paid, err := s.paymentOf(ctx, tx, r)
	if err != nil {
		return Preview{}, err
	}
	parts, err := partsOf(ctx, tx, r, paid)
	if err != nil {
		return Preview{}, err
	}
	catalog, err := s.Catalog.Current(ctx)
	if err != nil {
		return Preview{}, err
	}
	entity, err := org.EntityByID(ctx, tx, r.EntityID) // its limit of this moment
	if err != nil {
		return Preview{}, err
	}
	amount := func(minor int64) money.Amount { return money.New(minor, paid.Currency) }
	p := Preview{Method: paid.Method, Charge: paid.ChargeRef, Amount: amount(total(parts)), Limit: amount(entity.TwoPersonsRefund),
		PaymentID: paid.ID, Request: r}
	p.Request.Parts, p.Request.All = parts, false
	p.GiftYear, p.Year = paid.ReceivedAt.In(entity.Location()).Year(), s.Now().In(entity.Location()).Year()
	gift, person, err := orderedBefore(ctx, tx, r, paid.ID)
	if err != nil {
		return Preview{}, err
	}
	p.Body = Body(r, paid.ID, paid.Currency, parts)
	p.OfGift, p.ByPerson = amount(gift+p.Amount.Minor), amount(person+p.Amount.Minor)
	if p.Parts, err = effects(ctx, tx, catalog, paid, parts); err != nil {
		return Preview{}, err
	}
	if p.Receipt, err = receiptEffect(ctx, tx, paid, parts); err != nil {
		return Preview{}, err
	}
	to, err := donation.ContactOf(ctx, tx, r.DonationID)
	p.HasEmail = to != nil && to.Email != ""
	return p, err
}

// effects returns what a refund would do to each fund.
func effects(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, paid payment.Payment, parts []Part) ([]PartEffect, error) {
	shares, err := share.Positions(ctx, tx, catalog, paid.ID)
	if err != nil {
		return nil, err
	}
	left, _, err := refundable(ctx, tx, paid.ID)
	if err != nil {
		return nil, err
	}
	taken, _, err := share.TakeOrdered(shares, byFund(parts), paid.Currency)
	if err != nil {
		return nil, err
	}
	if err := share.AddFeesGivenBack(taken, shares, paid.Currency); err != nil {
		return nil, err
	}
	ordered, refundableOf, takenOf := byFund(parts), byFund(left), map[uuid.UUID]share.Part{}
	for _, t := range taken {
		takenOf[t.Fund.ID] = t
	}
	all := make([]PartEffect, len(shares))
	for i, h := range shares {
		t := takenOf[h.Fund.ID]
		all[i] = PartEffect{
			Fund: h.Fund, Given: h.Gift, Left: refundableOf[h.Fund.ID], Refunded: ordered[h.Fund.ID], Fee: t.Fee, SponsorFee: t.SponsorFee,
		}
		if !h.Fund.Restricted() || t.Gift == 0 {
			continue
		}
		has, err := ledger.RestrictedTx(ctx, tx, h.Fund.ID)
		if err != nil {
			return nil, err
		}
		all[i].Absorbed = min(max(t.Gift-t.Fee-t.SponsorFee-has, 0), t.Gift)
	}
	return all, nil
}

// receiptEffect returns what becomes of the gift's receipt.
func receiptEffect(ctx context.Context, q sqlx.QueryerContext, paid payment.Payment, parts []Part) (e ReceiptEffect, err error) {
	valid, err := receipt.ValidOf(ctx, q, *paid.DonationID)
	if err != nil || valid == nil {
		return e, err
	}
	return ReceiptEffect{Number: valid.Reference(), Left: max(valid.Facts.Amount.Minor-total(parts), 0)}, nil
}

func byFund(parts []Part) map[uuid.UUID]int64 {
	amounts := make(map[uuid.UUID]int64, len(parts))
	for _, p := range parts {
		amounts[p.FundID] = p.Amount
	}
	return amounts
}
