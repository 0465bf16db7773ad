package mail

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/notice"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/receipt"
	"konbit/internal/giving/recurring"
	"konbit/internal/mail/paper"
	"konbit/internal/office/privacy"
	"konbit/internal/office/statement"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/jobs"
)

// TestValuesKeepTheirSpelling: rows, sent emails and the filters of mail programs hold these strings.
func TestValuesKeepTheirSpelling(t *testing.T) {
	for want, got := range map[string]string{
		"receipt": kindReceipt, "receipt_replaced": kindReplaced, "receipt_voided": kindVoided, "card": kindTributeCard,
		"statement": kindStatement, "statement_so_far": kindStatementSoFar, "statement_corrected": kindStatementCorrected, "erasure_asked": kindErasureAsked,
		"erasure_done": kindErasureDone, "sign_in": kindSignIn, "address_joined": kindAddressLinked,
		"address_parted": kindAddressUnlinked, "address_chosen": kindAddressChosen, "address_move": kindAddressMove, "plan_link": KindPlanLink,
		"gift_failed": noticeKinds[notice.Failed], "gift_held": noticeKinds[notice.Held],
		"gift_returned": noticeKinds[notice.Returned], "refund_failed": noticeKinds[notice.RefundFailed], "refund_later": noticeKinds[notice.RefundedLater], "plan_upcoming": planKind(plan.Event{Kind: "upcoming"}),
		"receipts": receiptList, "cards": tributeCardList, "plans": planList, "statements": statementList, "privacy": privacyList,
		"sign-in": signInList,
		"first":   string(causeFirst), "resend": string(causeResend), "address": string(causeAddress),
		"waiting": string(Waiting), "accepted": string(Accepted), "refused": string(Refused), "called off": string(Cancelled),
		"overtaken": string(Superseded),
	} {
		t.Run(want, func(t *testing.T) {
			require.Equal(t, want, got)
		})
	}
}

// TestReadmeListsEveryEmail: each kind with its stream, each job.
func TestReadmeListsEveryEmail(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for kind, list := range map[string]string{
		kindReceipt: receiptList, kindReplaced: receiptList, kindVoided: receiptList, kindTributeCard: tributeCardList,
		kindStatement: statementList, kindStatementSoFar: statementList, kindStatementCorrected: statementList, kindErasureAsked: privacyList, kindErasureDone: privacyList,
		kindSignIn: signInList, kindAddressLinked: signInList, kindAddressUnlinked: signInList, kindAddressChosen: signInList, kindAddressMove: signInList,
		KindPlanLink: planList, "gift_failed": receiptList, "gift_held": receiptList, "gift_returned": receiptList, "refund_failed": receiptList, "refund_later": receiptList,
	} {
		t.Run(kind, func(t *testing.T) {
			require.Regexp(t, "\n\\| `"+kind+"` \\|.*\\| `"+list+"` \\|", string(readme))
		})
	}
	for _, kind := range plan.EmailKinds() {
		require.Regexp(t, "\n\\| `plan_"+kind+"` \\|.*\\| `"+planList+"` \\|", string(readme))
	}
	require.Equal(t, len(plan.EmailKinds())+1, strings.Count(string(readme), "\n| `plan_"), "and plan_link")
	for _, job := range []jobs.Job{
		receipt.EmailJob{}, receipt.VoidEmailJob{}, donation.TributeCardJob{}, recurring.EmailJob{}, statement.EmailJob{}, statement.SoFarJob{},
		privacy.EmailJob{}, privacy.CompletedEmailJob{}, notice.EmailJob{}, donoraccess.SignInEmailJob{}, donoraccess.AddressEmailJob{},
		DeliveryJob{}, planlink.FreshEmailJob{},
	} {
		require.Contains(t, string(readme), "`"+job.Kind()+"`")
	}
}

func TestDonorName(t *testing.T) {
	for want, f := range map[string]receipt.Facts{
		"Ana Pérez":     {FirstName: "Ana", LastName: "Pérez"},
		"Ana":           {FirstName: "Ana"},
		"Fundación Sol": {FirstName: "Ana", LastName: "Pérez", DonorOrganisation: "Fundación Sol"},
		"Cooperativa":   {DonorOrganisation: "Cooperativa"},
	} {
		t.Run(want, func(t *testing.T) {
			require.Equal(t, want, paper.DonorName(f))
		})
	}
}
