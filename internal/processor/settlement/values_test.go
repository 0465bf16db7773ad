package settlement

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStoredValues lists the strings that rows hold. A constant may be renamed; its value must not change: hashes of
// entries are made of sources and kinds, and tasks are closed by their codes.
func TestStoredValues(t *testing.T) {
	for _, v := range []struct{ name, got, want string }{
		{"journal_entry.source", sourceTransaction, "stripe balance transaction"},
		{"journal_entry.source", sourceDispute, "stripe dispute"},
		{"journal_entry.kind", kindFee, "processing fee"},
		{"journal_entry.kind", kindSponsorFee, "sponsor fee"},
		{"journal_entry.kind", kindMovement, "movement"},
		{"journal_entry.kind", kindDisputeFee, "dispute fee"},
		{"journal_entry.kind", kindLost, "lost"},
		{"journal_entry.kind", kindPending, "pending"},
		{"journal_entry.kind", kindCleared, "cleared"},
		{"payment_change.kind", ChangeRefund, "refund"},
		{"payment_change.kind", changeRefundFailed, "refund failed"},
		{"payment_change.kind", ChangeWithdrawn, "dispute withdrawn"},
		{"payment_change.kind", ChangeWon, "dispute won"},
		{"payment_change.kind", ChangeLost, "dispute lost"},
		{"finance_task.kind", taskOtherCurrency.Code, "balance_in_other_currency"},
		{"finance_task.kind", taskNotBooked.Code, "balance_transaction_not_booked"},
		{"finance_task.kind", taskUnreadable.Code, "charge_not_readable"},
		{"finance_task.kind", taskUnknown.Code, "unknown_balance_transaction"},
		{"finance_task.kind", taskUnexpected.Code, "movement_does_not_fit"},
		{"finance_task.kind", taskBeyond.Code, "more_went_back_than_was_left"},
		{"finance_task.kind", taskRefundFailed.Code, "refund_failed"},
		{"finance_task.kind", taskPayoutDiffers.Code, "payout_differs_from_its_transactions"},
		{"finance_task.kind", taskPayoutFailed.Code, "payout_failed"},
		{"finance_task.kind", taskWithoutInvoice.Code, "payment_without_bill"},
		{"finance_task.kind", taskShortfall.Code, "fund_could_not_bear"},
	} {
		t.Run(v.name+" "+v.want, func(t *testing.T) {
			require.Equal(t, v.want, v.got)
		})
	}
}
