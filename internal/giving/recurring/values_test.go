package recurring

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
)

// TestValuesKeepTheirSpelling: rows, jobs, links and Stripe hold these strings.
func TestValuesKeepTheirSpelling(t *testing.T) {
	for want, got := range map[string]string{
		"started": string(plan.Started), "active": string(plan.Active), "paused": string(plan.Paused), "finished": string(plan.Finished),
		"cancelled": string(plan.Cancelled), "failed": string(plan.Failed),
		"schedule": kindSchedule, "end": kindEnd, "refund": kindRefund, "rest": kindStopCollection, "pay": kindRetryPayment, "card": kindCard,
		"move": kindMigrate, "pause": kindPause, "skip": kindSkip, "resume": kindResume, "cancel": kindCancel, "change": kindChange,
		"konbit": byKonbit, "donor": byDonor, "letter": planlink.ByLink, "portal": planlink.BySession,
		"plan_letter": EmailJob{}.Kind(), "plan_look": SyncJob{}.Kind(), "plan_request": RequestJob{}.Kind(),
		"plan:00000000-0000-0000-0000-000000000000:2": request{Attempts: 2}.idempotencyKey(),
	} {
		t.Run(want, func(t *testing.T) {
			require.Equal(t, want, got)
		})
	}
	for kind, want := range map[string][2]string{ // the event's kind, and its email's
		eventStarted: {"begun", ""}, eventPaid: {"paid", ""}, eventPaymentRejected: {"payment refused", "refunded"},
		eventPaymentFailed: {"payment failed", "failing"}, eventFinished: {"finished", "finished"}, eventGivenUp: {"given up", "failed"},
		eventCancelled: {"cancelled", "cancelled"}, eventPaused: {"paused", "paused"}, eventResumed: {"resumed", "resumed"},
		eventSkipped: {"skipped", "skipped"}, eventChanged: {"changed", "changed"}, eventCardUpdated: {"card mended", "mended"},
		eventCardExpiring: {"card expires", "expiring"}, eventUpcoming: {"upcoming", "upcoming"},
		eventCardPageOpened: {"new card asked for", ""}, eventMigrated: {"moved", ""},
	} {
		t.Run(kind, func(t *testing.T) {
			require.Equal(t, want, [2]string{kind, Event{Kind: kind}.EmailKind()})
		})
	}
}

// TestDetailKeepsItsKeys: rows of plan_event and plan_request hold them, and SQL reads some.
func TestDetailKeepsItsKeys(t *testing.T) {
	at := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	text, err := json.Marshal(plan.Detail{
		N: 1, Amount: 2, Covered: 3, Frequency: "monthly", Months: 4, Until: &at, Next: &at, Code: "c", Invoice: "in", Final: true, Method: "pm",
		Customer: "cus", Subscription: "sub", Last4: "4242", Brand: "visa", Given: 5, Reason: "r", DatesChanged: true, Parts: []plan.Part{{FundID: uuid.Nil, Amount: 6, Covered: 7}},
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"n":1,"amount":2,"covered":3,"frequency":"monthly","months":4,"until":"2026-03-01T12:00:00Z","next":"2026-03-01T12:00:00Z",
		"code":"c","invoice":"in","final":true,"method":"pm","customer":"cus","subscription":"sub","last4":"4242","brand":"visa","given":5,"reason":"r",
		"repaced":true,"parts":[{"fund":"00000000-0000-0000-0000-000000000000","amount":6,"covered":7}]}`, string(text))
	for _, job := range []struct {
		job  any
		want string
	}{
		{EmailJob{}, `{"event_id":"00000000-0000-0000-0000-000000000000"}`}, {SyncJob{}, `{"plan_id":"00000000-0000-0000-0000-000000000000"}`},
		{RequestJob{}, `{"request_id":"00000000-0000-0000-0000-000000000000"}`},
	} {
		t.Run(fmt.Sprintf("%T", job.job), func(t *testing.T) {
			text, err := json.Marshal(job.job)
			require.NoError(t, err)
			require.JSONEq(t, job.want, string(text))
		})
	}
}
