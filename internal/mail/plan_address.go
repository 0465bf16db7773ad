package mail

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/instalment"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/receipt"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/email"
	"konbit/internal/platform/pg"
)

// All emails, receipts, links and codes about a plan go to one address, the plan's address: the last address to which an
// operator corrected one of its receipts; if there is none, the address that the donor typed. The donor's row keeps the
// typed address. It may belong to another person, who gets no more emails about the plan and does not see it after
// signing in.

// PlanContact returns the donor of a plan as its next receipt names them, with the plan's address; nil if there is no address or the donor
// was erased.
func PlanContact(ctx context.Context, q sqlx.QueryerContext, planID uuid.UUID) (*donation.Contact, error) {
	first, err := donation.ByID(ctx, q, planID) // a plan has the id of its first donation
	if err != nil {
		return nil, err
	}
	typed, err := donation.RenewalContact(ctx, q, first)
	if err != nil || typed == nil || typed.Email == "" {
		return nil, err
	}
	corrected, err := CorrectedAddresses(ctx, q, []uuid.UUID{planID})
	if to := corrected[planID]; to != "" {
		typed.Email = to
	}
	return typed, err
}

// CorrectedAddresses returns the address to which receipts of each plan were corrected last, normalised. It has no entry
// for a plan whose receipts were not corrected. An address is corrected by Redirect, or by a new receipt.
func CorrectedAddresses(ctx context.Context, q sqlx.QueryerContext, plans []uuid.UUID) (map[uuid.UUID]string, error) {
	const query = `/* mail.CorrectedAddresses */
		SELECT l.subject_id, d.recipient, d.ordered_at FROM letter_delivery d JOIN letter l ON l.id = d.letter_id
		 WHERE l.subject_id = ANY($1::uuid[]) AND d.cause = 'address' AND d.recipient <> ''`
	issued, planOf, err := receiptsOfPlans(ctx, q, plans)
	if err != nil {
		return nil, err
	}
	corrected, at := map[uuid.UUID]string{}, map[uuid.UUID]time.Time{}
	note := func(receiptID uuid.UUID, to string, when time.Time) {
		if p := planOf[receiptID]; corrected[p] == "" || when.After(at[p]) {
			corrected[p], at[p] = email.Normalize(to), when
		}
	}
	for _, r := range issued {
		if r.Corrected && r.Email != "" {
			note(r.ReceiptID, r.Email, r.IssuedAt)
		}
	}
	var redirected []struct {
		ReceiptID uuid.UUID `db:"subject_id"`
		To        string    `db:"recipient"`
		At        time.Time `db:"ordered_at"`
	}
	err = sqlx.SelectContext(ctx, q, &redirected, query, pg.UUIDs(slices.Collect(maps.Keys(planOf))))
	for _, d := range redirected {
		note(d.ReceiptID, d.To, d.At)
	}
	return corrected, err
}

// planOfReceipt returns the plan that a receipt's donation is a payment of; uuid.Nil if it is of none.
func planOfReceipt(ctx context.Context, q sqlx.QueryerContext, issued receipt.Receipt) (uuid.UUID, error) {
	if issued.Facts.Instalment == nil {
		return uuid.Nil, nil
	}
	plans, err := recurring.OfDonations(ctx, q, []uuid.UUID{issued.DonationID})
	if err != nil || len(plans) == 0 {
		return uuid.Nil, err
	}
	return plans[0].ID, nil
}

// correctedPlanAddress returns the corrected address of the plan that a receipt is of; empty if there is none.
func correctedPlanAddress(ctx context.Context, q sqlx.QueryerContext, issued receipt.Receipt) (string, error) {
	of, err := planOfReceipt(ctx, q, issued)
	if err != nil || of == uuid.Nil {
		return "", err
	}
	corrected, err := CorrectedAddresses(ctx, q, []uuid.UUID{of})
	return corrected[of], err
}

// receiptsOfPlans returns the addresses on all receipts of plans, and each receipt's plan.
func receiptsOfPlans(ctx context.Context, q sqlx.QueryerContext, plans []uuid.UUID) (issued []receipt.Address, planOf map[uuid.UUID]uuid.UUID, err error) {
	payments, err := instalment.PaymentsOf(ctx, q, plans)
	if err != nil || len(payments) == 0 {
		return nil, nil, err
	}
	of := map[uuid.UUID]uuid.UUID{}
	for _, payment := range payments {
		of[payment.DonationID] = payment.PlanID
	}
	if issued, err = receipt.AddressesOf(ctx, q, slices.Collect(maps.Keys(of))); err != nil {
		return nil, nil, err
	}
	planOf = map[uuid.UUID]uuid.UUID{}
	for _, r := range issued {
		planOf[r.ReceiptID] = of[r.DonationID]
	}
	return issued, planOf, nil
}

// PlansCorrectedTo returns the plans whose corrected address is one of the addresses, the oldest first. The addresses
// are normalised.
func PlansCorrectedTo(ctx context.Context, q sqlx.QueryerContext, addresses []string) ([]plan.Plan, error) {
	const query = `/* mail.PlansCorrectedTo */
		SELECT l.subject_id FROM letter_delivery d JOIN letter l ON l.id = d.letter_id
		 WHERE lower(d.recipient) = ANY($1::text[]) AND (d.cause = 'address' OR l.kind = 'receipt_replaced')`
	var receipts []uuid.UUID
	if err := sqlx.SelectContext(ctx, q, &receipts, query, pq.Array(addresses)); err != nil || len(receipts) == 0 {
		return nil, err
	}
	donations, err := receipt.DonationsOf(ctx, q, receipts)
	if err != nil {
		return nil, err
	}
	plans, err := recurring.OfDonations(ctx, q, donations)
	if err != nil {
		return nil, err
	}
	corrected, err := CorrectedAddresses(ctx, q, plan.IDs(plans))
	return slices.DeleteFunc(plans, func(p plan.Plan) bool { return !slices.Contains(addresses, corrected[p.ID]) }), err
}

// PlansOf returns the plans of a person. donors are the person's rows, and addresses are those that the person proved. A
// plan whose address was corrected belongs only to the person who proved the corrected address.
func PlansOf(ctx context.Context, q sqlx.QueryerContext, donors []uuid.UUID, addresses []string) ([]plan.Plan, error) {
	var typed []plan.Plan
	for _, id := range donors {
		plans, err := recurring.OfDonor(ctx, q, id)
		if err != nil {
			return nil, err
		}
		typed = append(typed, plans...)
	}
	elsewhere, err := CorrectedAddresses(ctx, q, plan.IDs(typed))
	if err != nil {
		return nil, err
	}
	typed = slices.DeleteFunc(typed, func(p plan.Plan) bool { return elsewhere[p.ID] != "" })
	corrected, err := PlansCorrectedTo(ctx, q, addresses)
	return append(typed, corrected...), err
}

// IsPlanOf reports whether PlansOf returns a plan.
func IsPlanOf(ctx context.Context, q sqlx.QueryerContext, p plan.Plan, donors []uuid.UUID, addresses []string) (bool, error) {
	corrected, err := CorrectedAddresses(ctx, q, []uuid.UUID{p.ID})
	if to := corrected[p.ID]; to != "" {
		return slices.Contains(addresses, to), err
	}
	return slices.Contains(donors, p.DonorID), err
}

// EndLinksOfTx ends the links to all plans of these addresses: plans that donors began with one of them, and plans whose
// corrected address is one of them.
func EndLinksOfTx(ctx context.Context, tx *sqlx.Tx, addresses []string) error {
	corrected, err := PlansCorrectedTo(ctx, tx, addresses)
	if err != nil {
		return err
	}
	return planlink.EndOfEmailsTx(ctx, tx, addresses, plan.IDs(corrected))
}
