package remote

import (
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stripe/stripe-go/v76"

	"konbit/internal/platform/money"
	"konbit/internal/processor/dispute"
)

// ReadDispute reads what is told of a dispute or an inquiry; nil if it names no charge.
func ReadDispute(entity uuid.UUID, d *stripe.Dispute, at time.Time) *dispute.Told {
	if d.Charge == nil || d.Amount <= 0 {
		return nil
	}
	told := &dispute.Told{
		EntityID: entity, Ref: d.ID, ChargeRef: d.Charge.ID, Amount: d.Amount, Currency: money.Currency(strings.ToUpper(string(d.Currency))),
		Reason: string(d.Reason), Status: string(d.Status), OpenedAt: time.Unix(d.Created, 0).UTC(), At: at.UTC(),
	}
	if d.EvidenceDetails != nil && d.EvidenceDetails.DueBy > 0 {
		due := time.Unix(d.EvidenceDetails.DueBy, 0).UTC()
		told.DueAt = &due
	}
	return told
}
