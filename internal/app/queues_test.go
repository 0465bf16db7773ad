package app_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"konbit/internal/platform/jobs"
	"konbit/internal/workshop/testkit/program"
)

// TestQueueOfEachKind lists the kinds of jobs and their queues, as rows of river_job hold them.
func TestQueueOfEachKind(t *testing.T) {
	assert.Equal(t, map[string]jobs.QueueName{
		"plan_request":            jobs.Requests,
		"plan_look":               jobs.Syncs,
		"plan_dispute":            jobs.Requests,
		"refund_order":            jobs.Office,
		"suspense_refund":         jobs.Office,
		"gift_import":             jobs.Office,
		"erasure_customer":        jobs.Syncs,
		"sign_in_letter":          jobs.SignIn,
		"staff_letter":            jobs.SignIn,
		"receipt_letter":          jobs.Emails,
		"receipt_void_letter":     jobs.Emails,
		"letter_delivery":         jobs.Emails,
		"thank_you_letter":        jobs.Emails,
		"notice_letter":           jobs.Emails,
		"card_letter":             jobs.Emails,
		"plan_letter":             jobs.Emails,
		"plan_link_letter":        jobs.Emails,
		"erasure_letter":          jobs.Emails,
		"erasure_farewell":        jobs.Emails,
		"address_letter":          jobs.Emails,
		"statement_letter":        jobs.Bulk,
		"statement_so_far_letter": jobs.Bulk,
		"ledger_head_letter":      jobs.Bulk,
	}, program.New(t, program.Options{}).Handlers.Queues())
}

// TestEmailsAreInQueuesOfEmails: a server with another BASE_URL holds back the jobs of these queues, so every kind of email
// must be in one of them, and no other work.
func TestEmailsAreInQueuesOfEmails(t *testing.T) {
	others := []string{"plan_request", "plan_look", "plan_dispute", "refund_order", "suspense_refund", "gift_import", "erasure_customer"}
	for kind, queue := range program.New(t, program.Options{}).Handlers.Queues() {
		assert.Equal(t, !slices.Contains(others, kind), queue.HoldsEmails(), kind)
	}
}
