package recurring_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/recurring"
)

// TestValuesKeepTheirSpelling: rows, jobs, links and Stripe hold these strings.
func TestValuesKeepTheirSpelling(t *testing.T) {
	for want, got := range map[string]string{
		"started": string(plan.Started), "active": string(plan.Active), "paused": string(plan.Paused), "finished": string(plan.Finished),
		"cancelled": string(plan.Cancelled), "failed": string(plan.Failed),
		"schedule": plan.KindSchedule, "end": plan.KindEnd, "refund": plan.KindRefund, "rest": plan.KindStopCollection, "pay": plan.KindRetryPayment, "card": plan.KindCard,
		"move": plan.KindMigrate, "pause": plan.KindPause, "skip": plan.KindSkip, "resume": plan.KindResume, "cancel": plan.KindCancel, "change": plan.KindChange, "hold": plan.KindHold,
		"completed": string(plan.Completed), "asked": string(plan.Asked), "unpaid": string(plan.Unpaid), "disputed": string(plan.Disputed),
		"at_stripe": string(plan.AtStripe), "unexpected": string(plan.Unexpected),
		"konbit": plan.ByKonbit, "donor": plan.ByDonor, "letter": planlink.ByLink, "portal": planlink.BySession,
		"plan_letter": recurring.EmailJob{}.Kind(), "plan_look": plan.SyncJob{}.Kind(), "plan_request": plan.RequestJob{}.Kind(), "plan_dispute": plan.DisputeJob{}.Kind(),
		"open": string(plan.DisputeOpen), "won": string(plan.DisputeWon), "lost": string(plan.DisputeLost),
		"plan:00000000-0000-0000-0000-000000000000:2": plan.Request{Attempts: 2}.IdempotencyKey(),
	} {
		t.Run(want, func(t *testing.T) {
			require.Equal(t, want, got)
		})
	}
	for kind, want := range map[string][2]string{ // the event's kind, and its email's
		plan.EventStarted: {"begun", ""}, plan.EventPaid: {"paid", ""}, plan.EventPaymentRejected: {"payment refused", "refunded"},
		plan.EventPaymentFailed: {"payment failed", "failing"}, plan.EventFinished: {"finished", "finished"}, plan.EventGivenUp: {"given up", "failed"},
		plan.EventCancelled: {"cancelled", "cancelled"}, plan.EventPaused: {"paused", "paused"}, plan.EventResumed: {"resumed", "resumed"},
		plan.EventSkipped: {"skipped", "skipped"}, plan.EventChanged: {"changed", "changed"}, plan.EventCardUpdated: {"card mended", "mended"},
		plan.EventCardExpiring: {"card expires", "expiring"}, plan.EventUpcoming: {"upcoming", "upcoming"},
		plan.EventCardPageOpened: {"new card asked for", ""}, plan.EventMigrated: {"moved", ""},
		plan.EventChangedAtStripe: {"changed at stripe", "adjusted"}, plan.EventEndSet: {"end set", "ending"},
		plan.EventEndRemoved: {"end removed", "continuing"}, plan.EventStoppedAtStripe: {"stopped at stripe", "stopped"},
		plan.EventPausedAtStripe: {"paused at stripe", "suspended"}, plan.EventResumedAtStripe: {"resumed at stripe", "continuing"},
		plan.EventDisputed: {"disputed", ""}, plan.EventHeld: {"held", "held"}, plan.EventDisputeWon: {"dispute won", "released"},
		plan.EventDisputeLost: {"dispute lost", ""}, plan.EventStoppedByDispute: {"stopped by dispute", "disputed"},
		plan.EventCardNeeded: {"card needed", "card_needed"},
	} {
		t.Run(kind, func(t *testing.T) {
			require.Equal(t, want, [2]string{kind, plan.Event{Kind: kind}.EmailKind()})
		})
	}
}

// TestDetailKeepsItsKeys: rows of plan_event and plan_request hold them, and SQL reads some.
func TestDetailKeepsItsKeys(t *testing.T) {
	at := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	text, err := json.Marshal(plan.Detail{
		N: 1, Amount: 2, Covered: 3, Frequency: "monthly", Months: 4, Until: &at, Next: &at, Code: "c", Invoice: "in", Final: true, Method: "pm",
		Customer: "cus", Subscription: "sub", Last4: "4242", Brand: "visa", Given: 5, Reason: "r", DatesChanged: true, Parts: []plan.Part{{FundID: uuid.Nil, Amount: 6, Covered: 7}},
		Ends: &at, Before: 8, FrequencyBefore: "weekly",
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"n":1,"amount":2,"covered":3,"frequency":"monthly","months":4,"until":"2026-03-01T12:00:00Z","next":"2026-03-01T12:00:00Z",
		"code":"c","invoice":"in","final":true,"method":"pm","customer":"cus","subscription":"sub","last4":"4242","brand":"visa","given":5,"reason":"r",
		"repaced":true,"parts":[{"fund":"00000000-0000-0000-0000-000000000000","amount":6,"covered":7}],
		"ends":"2026-03-01T12:00:00Z","before":8,"frequency_before":"weekly"}`, string(text))
	for _, job := range []struct {
		job  any
		want string
	}{
		{recurring.EmailJob{}, `{"event_id":"00000000-0000-0000-0000-000000000000"}`}, {plan.SyncJob{}, `{"plan_id":"00000000-0000-0000-0000-000000000000"}`},
		{plan.RequestJob{}, `{"request_id":"00000000-0000-0000-0000-000000000000"}`},
		{plan.DisputeJob{Dispute: "dp_1", Charge: "ch_1", State: plan.DisputeOpen, At: at}, `{"entity_id":"00000000-0000-0000-0000-000000000000",
			"dispute":"dp_1","charge":"ch_1","state":"open","at":"2026-03-01T12:00:00Z"}`},
	} {
		t.Run(fmt.Sprintf("%T", job.job), func(t *testing.T) {
			text, err := json.Marshal(job.job)
			require.NoError(t, err)
			require.JSONEq(t, job.want, string(text))
		})
	}
}
