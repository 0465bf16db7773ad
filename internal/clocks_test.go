package internal_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Dates of business (when a gift was made, a statement is issued, a task was opened) come from the business clock, which
// package app passes in and a stand-in for Stripe can move. The three lists below name what uses another clock, each
// with its reason.

// machineClock lists the files outside workshop and the measuring commands that read the machine's clock.
var machineClock = map[string]string{
	"app/clock.go":                               "it makes the clocks",
	"app/doctor/database.go":                     "it compares the machine's clock with the database's",
	"app/periodic.go":                            "duration of the checks",
	"app/ready.go":                               "age of an answer in memory",
	"../cmd/konbit/statements.go":                "duration, and the time to go",
	"mail/transport/transport.go":                "pauses between connections",
	"office/check/check.go":                      "duration of a check",
	"platform/guard/score.go":                    "age of a copy in memory",
	"platform/jobs/clock.go":                     "it is the queue's clock",
	"platform/jobs/runner.go":                    "duration of a job",
	"platform/metrics/state.go":                  "duration of a query",
	"platform/pg/hosts.go":                       "deadline of a connection",
	"platform/pg/pg.go":                          "how long the start waits for the database",
	"platform/pg/watchdog.go":                    "deadline of a connection",
	"processor/event/worker.go":                  "time spent reading after a batch",
	"processor/stripepay/webhook/inbox.go":       "deadline of a connection",
	"processor/stripepay/transport/transport.go": "duration of a request",
	"processor/stripepay/turns/queue.go":         "turns per second",
	"web/middleware.go":                          "duration of a request",
}

// databaseClock lists the files whose SQL reads the database's clock.
var databaseClock = map[string]string{
	"app/doctor/database.go":                      "it compares the machine's clock with the database's",
	"books/ledger/seal_waiting.go":                "how long entries wait for their seal",
	"books/ledger/verify.go":                      "how long entries wait for their seal",
	"giving/donation/backlog.go":                  "metric: how long payments wait",
	"giving/planlink/link.go":                     "validity of links",
	"mail/backlog.go":                             "metric: how long emails wait",
	"office/bank/upload.go":                       "how long a file waits for somebody to look at it",
	"office/giftimport/import.go":                 "how long a file waits for somebody to look at it",
	"office/check/daily.go":                       "one run a day, whichever server begins it",
	"office/installation/store.go":                "when a server recorded a key or an address",
	"office/privacy/traces.go":                    "one run a day, whichever server begins it",
	"office/suspense/list.go":                     "whether a refund was ordered less than a week ago",
	"people/audit/verify.go":                      "how long entries wait for their seal",
	"people/approval/find.go":                     "whether a request is older than 14 days",
	"people/donoraccess/challenge.go":             "validity of sign-ins",
	"people/donoraccess/move.go":                  "use of sign-ins, proof of addresses",
	"people/donoraccess/person.go":                "proof of addresses",
	"people/donoraccess/sign_in.go":               "validity of sign-ins",
	"people/staff/operator.go":                    "validity of links",
	"people/staff/session.go":                     "validity of sessions; pages show their times by Kernel.Shown",
	"people/session/donor.go":                     "validity of sessions; pages show their times by Kernel.Shown",
	"platform/guard/challenge.go":                 "validity of challenges",
	"platform/guard/count.go":                     "limits",
	"platform/guard/event.go":                     "validity of passes; commands show their times by Clocks.Shown",
	"office/refund/store.go":                      "limits, and when the processor is asked again; both by the time at which the database stored an order",
	"platform/guard/score.go":                     "limits",
	"platform/guard/wait.go":                      "limits",
	"platform/jobs/backlog.go":                    "metric: how long jobs wait",
	"platform/jobs/clock.go":                      "the queue's clock follows the database's",
	"platform/jobs/runner.go":                     "when a job runs",
	"processor/settlement/pending_charge_list.go": "when a charge is asked for again",
	"processor/stripebalance/import_lease.go":     "leases of the import, and when it looks again",
	"processor/stripebalance/stalled.go":          "how long the import has failed",
	"processor/stripepay/webhook/backlog.go":      "metric: how long events wait",
	"processor/stripepay/webhook/events.go":       "queue of events",
	"processor/stripepay/webhook/queue.go":        "queue of events",
}

// databaseDefaults lists the columns whose standard value is the time of the database's clock.
var databaseDefaults = map[string]string{
	"balance_lookup.begun":            "since when the import runs",
	"balance_observation.at":          "when Stripe's balance was read, to compare with the import's leases",
	"check_run.checked_at":            "when a check ran",
	"donation_owner_change.at":        "limit of moves in a day; statements compare it by Issuer.Measured",
	"gift_void.voided_at":             "when a second person approved it, as approvals are dated",
	"erasure.recorded_at":             "the database waits three days before the server may erase",
	"erasure_address.recorded_at":     "likewise",
	"erasure_done.at":                 "limit of erasures in a day",
	"erasure_donor.recorded_at":       "the database waits three days before the server may erase",
	"erasure_trace.noticed_at":        "when a check noticed a trace",
	"event_pass.opened_at":            "validity of passes; commands show it by Clocks.Shown",
	"event_pass_step.at":              "likewise",
	"installation.recorded_at":        "when a server recorded a key or an address",
	"journal_entry.recorded_at":       "proof of when an entry was written; entry_date and fact_date are the dates of business",
	"ledger_seal.sealed_at":           "proof of when an entry was sealed",
	"mailbox_step.at":                 "compared with the validity of links; the copy of a donor's data holds it as it is stored",
	"pending_charge.at":               "when a charge is asked for again",
	"plan_link.created_at":            "validity of links",
	"plan_link.expires_at":            "validity of links",
	"receipt_hold_reading.read_at":    "proof of who read the receipt of an erased donor",
	"receipt_kept.kept_at":            "proof of when it was sealed",
	"refund_order.ordered_at":         "limit of a person in a day; a refund in the books has its date from the processor",
	"refund_order.changed_at":         "when the processor is asked again",
	"session.opened_at":               "validity of sessions; pages show it by Kernel.Shown",
	"session.seen_at":                 "likewise",
	"sign_in.asked_at":                "validity of sign-ins; the copy of a donor's data holds it as it is stored",
	"sign_in.expires_at":              "likewise",
	"stripe_event.received_at":        "queue of events",
	"stripe_event.due_at":             "queue of events",
	"approval.at":                     "proof of when it was approved; pages show it by Kernel.Shown",
	"approval_request.requested_at":   "validity of requests; pages show it by Kernel.Shown",
	"suspense_resolution.resolved_at": "proof of when it was resolved; pages show it by Kernel.Shown",
	"gift_import.uploaded_at":         "likewise; its batches have the days of business",
	"deposit.created_at":              "likewise",
	"repayment.made_at":               "likewise; the day of business is paid_on",
	"bank_file.stored_at":             "proof of when it was stored; pages show it by Kernel.Shown",
	"bank_layout.made_at":             "likewise",
	"bank_match.matched_at":           "likewise; its lines and its entry have the dates of business",
	"bank_opening.opened_at":          "likewise",
	"bank_rule.made_at":               "likewise",
	"bank_split.split_at":             "likewise",
	"bank_upload.uploaded_at":         "how long a file waits for somebody to look at it",
	"audit_entry.at":                  "proof of when it was done; pages show it by Kernel.Shown",
	"audit_head.kept_at":              "proof of when it was recorded",
	"audit_seal.sealed_at":            "proof of when it was sealed",
	"staff.created_at":                "proof of when it was set up; pages show it by Kernel.Shown",
	"staff_challenge.made_at":         "validity of challenges",
	"staff_challenge.expires_at":      "validity of challenges",
	"staff_form.used_at":              "proof of when it was sent",
	"staff_invitation.made_at":        "validity of links",
	"staff_invitation.expires_at":     "validity of links",
	"gift_batch.created_at":           "proof of when it was begun; pages show it by Kernel.Shown",
	"gift_batch_row.changed_at":       "proof of when it was typed",
	"staff_note.at":                   "proof of when it was written; pages show it by Kernel.Shown, the copy of a donor's data as it is stored",
	"staff_passkey.made_at":           "proof of when it was set up; pages show it by Kernel.Shown",
	"staff_password.set_at":           "proof of when it was set up; pages show it by Kernel.Shown",
	"staff_person.joined_at":          "proof of when it was set up; pages show it by Kernel.Shown",
	"staff_recovery.made_at":          "proof of when it was set up; pages show it by Kernel.Shown",
	"staff_role.granted_at":           "proof of who held a role when; pages show it by Kernel.Shown",
	"staff_session.made_at":           "validity of sessions; pages show it by Kernel.Shown",
	"staff_session.seen_at":           "validity of sessions; pages show it by Kernel.Shown",
	"staff_session.ends_at":           "validity of sessions; pages show it by Kernel.Shown",
	"staff_totp.made_at":              "proof of when it was set up; pages show it by Kernel.Shown",
	"email_model.created_at":          "when a server stored a model; nothing reads it",
}

var readsDatabaseClock = regexp.MustCompile(`(?i)\b(now|(clock|statement|transaction)_timestamp)\(\)|\bcurrent_(date|time|timestamp)\b|\blocaltime(stamp)?\b`)

func TestTheClockIsPassedIn(t *testing.T) {
	machine, database := map[string]bool{}, map[string]bool{}
	each(t, func(pkg, path string, file *ast.File) {
		if groupOf(pkg) == workshop || slices.Contains([]string{"cmd/demo", "cmd/chaos", "cmd/bench", "../migrations"}, pkg) {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch selector(n) {
			case "time.Now", "time.Since", "time.Until":
				if machine[path] = true; machineClock[path] == "" {
					t.Errorf("%s reads the machine's clock: take a clock from app, or list the file in machineClock with its reason", path)
				}
			}
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING && readsDatabaseClock.MatchString(text.Value) {
				if database[path] = true; databaseClock[path] == "" {
					t.Errorf("%s reads the database's clock: pass the business time in, or list the file in databaseClock with its reason", path)
				}
			}
			return true
		})
	})
	for path := range machineClock {
		require.True(t, machine[path], "%s does not read the clock any more: delete it from machineClock", path)
	}
	for path := range databaseClock {
		require.True(t, database[path], "%s does not read the clock any more: delete it from databaseClock", path)
	}
}

// TestColumnsThatTheDatabaseDates: a new column for a date of business has no standard value, so that its writer passes
// the business time.
func TestColumnsThatTheDatabaseDates(t *testing.T) {
	dated := regexp.MustCompile(`(?m)^    "?([a-z]\w*)"? .*\bDEFAULT\b(.*)$`)
	found := map[string]bool{}
	for _, table := range schemaTable.FindAllStringSubmatch(read(t, "../migrations/schema.sql"), -1) {
		for _, column := range dated.FindAllStringSubmatch(table[2], -1) {
			if name := table[1] + "." + column[1]; readsDatabaseClock.MatchString(column[2]) {
				found[name] = true
				assert.NotEmpty(t, databaseDefaults[name], "%s: pass the business time, or list the column in databaseDefaults with its reason", name)
			}
		}
	}
	for name := range databaseDefaults {
		assert.True(t, found[name], "%s has no such value any more: delete it from databaseDefaults", name)
	}
}
